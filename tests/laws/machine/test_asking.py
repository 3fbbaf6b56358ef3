"""How Braze is asked for events in doubt: few questions, and each answer counts by itself."""

import pytest
from structlog.testing import capture_logs
from support.jobs import import_model
from support.machine.processes import Fault
from support.machine.scene import GRACE, LEASE, Scene

from exchanger.errors import BrazeForbidden, BrazeRefused

JOB = import_model(
    object="events",
    on_unknown="ask",
    source={"prefix": "inbox/events/"},
    event={"name": {"value": "Seen"}, "time": {"from": "at"}},
    row_id="id",
)
FILE = "id,at\n" + "".join(f"{row},2026-01-01\n" for row in range(16))


class Sure(Scene):
    """Sixteen events, each a request; Braze always tells, unless it refuses a question."""

    jobs = ("events",)
    batch_size = 1

    def __init__(self):
        super().__init__()
        self.workspace.tells = lambda: True
        self.store.put("inbox/events/1.csv", FILE.encode())
        self.time.advance(1)

    def configured(self, job):
        """The job."""
        return JOB

    def killed_at(self, nth):
        """Kill the first process after so many requests, before it has written any answer."""
        self.start("events", [Fault("track", nth, "crash", after=True)])
        self.time.advance(LEASE + 1)

    def reported(self):
        """What the first run came to."""
        self.start("events")
        self.time.advance(LEASE + GRACE)
        self.come_to_rest()
        return self.runs()[0].report


@pytest.fixture
def sure():
    with capture_logs():
        scene = Sure()
        yield scene
        scene.close()


def test_requests_that_are_sent_in_turn_are_one_question(sure):
    """Of sixteen that Braze has taken, whose answers died with the process, it is asked four."""
    sure.killed_at(15)
    assert 16 == len(sure.workspace.landed)
    report = sure.reported()
    assert (16, 0) == (report["rows_applied"], report["rows_in_doubt"])
    assert 4 == len(sure.workspace.questions) == len({*sure.workspace.questions})


@pytest.mark.parametrize("nth", [0, 5, 9, 14])
def test_what_was_taken_is_told_apart_from_what_was_not(sure, nth):
    """Wherever the process died: each that counts is applied, and each other is in doubt."""
    sure.killed_at(nth)
    counted = len(sure.workspace.landed)
    report = sure.reported()
    assert (counted, 16 - counted) == (report["rows_applied"], report["rows_in_doubt"])
    who = [landed.content["external_id"] for landed in sure.workspace.landed]
    assert counted == len({*who})


@pytest.mark.parametrize("taken", [True, False])
def test_an_answer_that_is_lost_ends_what_is_asked_together(sure, taken):
    """What follows in turn is asked for by itself: so it is no proof of what came before."""
    sure.start("events", [Fault("track", 1, "fail", after=taken)])
    report = sure.reported()
    assert (15 + taken, 1 - taken) == (report["rows_applied"], report["rows_in_doubt"])
    assert 15 + taken == len(sure.workspace.landed)


@pytest.mark.parametrize(("refusal", "applied"), [(BrazeRefused, 12), (BrazeForbidden, 4)])
def test_a_question_that_is_refused_leaves_the_other_answers(sure, refusal, applied, monkeypatch):
    """
    What Braze has told of others counts; of the refused one it stays in doubt, and is said.

    Where it may not be asked at all, it is not asked on and on.
    """
    sure.killed_at(15)
    told, asked = sure.workspace.received, sure.workspace.questions

    def received(group):
        if asked[1:2] == [group]:
            raise refusal("/users/track/status", 400, "Invalid group_id")
        return told(group)

    monkeypatch.setattr(sure.workspace, "received", received)
    report = sure.reported()
    assert (applied, 16 - applied) == (report["rows_applied"], report["rows_in_doubt"])
    assert 1 == [fact["code"] for fact in report["facts"]].count("doubt_not_told")
    assert len(asked) <= 4


def test_what_counts_on_the_word_of_braze_is_told(sure):
    """It has taken a request, and nobody heard that it refused an object in it."""
    sure.start("events", [Fault("track", 0, "odd"), Fault("track", 0, "crash", after=True)])
    report = sure.reported()
    told = [fact["objects"] for fact in report["facts"] if fact["code"] == "doubt_told"]
    assert ([2], 1) == (told, len(sure.workspace.refused))
    assert report["rows_applied"] == len(sure.workspace.landed) + 1
