"""When the daemon comes back for files that were too fresh."""

from exchanger.service.looking.settling import Settling


def test_a_job_is_due_once_what_it_left_has_settled():
    """Once, and not before; what is gone from the configuration is forgotten."""
    now = [100.0]
    settling = Settling(lambda: now[0])
    settling.later("a", 30.0)
    settling.later("b", 5.0)
    settling.later("gone", 5.0)
    settling.keep_only({"a", "b"})
    assert [] == settling.due()
    now[0] += 6.0
    assert ["b"] == settling.due()
    assert [] == settling.due()
    now[0] += 25.0
    assert ["a"] == settling.due()
