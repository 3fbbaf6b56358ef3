"""A run that fails leaves no thread of its own at work."""

import threading

import pytest
from structlog.testing import capture_logs
from support.machine.drops import Row
from support.machine.processes import Fault
from support.machine.scene import Scene

OURS = ("held_", "ahead_", "frames_", "growing_", "hashing_")


def at_work():
    """List the threads that read, make or write something of a run."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(OURS)]


@pytest.mark.parametrize("fault", [Fault("look_up", 0, "crash"), Fault("write", 0, "fail"), None])
def test_a_run_that_fails_while_it_is_planned_leaves_no_thread(fault):
    """What reads held values beside the plan ends with it, while its error is still held."""
    with capture_logs():
        scene = Scene()
        scene.drop(
            "crm", [Row("bob", "1", "a", "", "", "", "") for _ in range(9)], "inbox/crm/0.csv"
        )
        held = scene.start("crm", [fault] if fault else [])
        assert (held, []) == (held, at_work())
        scene.close()
