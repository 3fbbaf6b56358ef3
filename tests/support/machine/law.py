"""A law of a kind of objects, over many stories that are drawn."""

from collections import Counter

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from support.machine.processes import Fault
from support.machine.scene import LARGE, SMALL


def any_fault(kind, fates, nth, variants=0):
    """Draw a fault of an effect, up to the *nth* of a process, with any variant."""
    return _fault(kind, fates, nth, st.booleans(), st.integers(0, variants))


def harmless_fault(kind, fates, nth, variants=(0,)):
    """Draw a fault of some variants; an answer that is odd is nothing else."""
    after = st.just(value=False) if "odd" in fates else st.booleans()
    return _fault(kind, fates, nth, after, st.sampled_from(variants))


def _fault(kind, fates, nth, after, variant):
    return st.builds(
        Fault,
        kind=st.just(kind),
        nth=st.integers(0, nth),
        fate=st.sampled_from(fates),
        after=after,
        variant=variant,
    )


HARMLESS = (3, 4, 5)
"""Ways of an answer to be odd in which nothing is refused for good."""
GONE = ("crash", "fail", "delay")
LOST = harmless_fault("track", ("fail", "crash", "pause"), 1, range(4))
TROUBLES = st.lists(
    LOST
    | LOST
    | harmless_fault("track", ("odd",), 2, HARMLESS)
    | harmless_fault("write", GONE, 14)
    | harmless_fault("commit", GONE, 3)
    | harmless_fault("look_up", ("fail", "crash"), 1)
    | harmless_fault("read", GONE, 20)
    | harmless_fault("list", GONE, 10),
    max_size=3,
)


def law(schedules, number, *, scene, job, contents, first, steps, told, judge):
    """
    Tell so many stories, judge each, and return how often each kind of end was among them.

    ``scene`` begins one; it has files of drawn *contents*, its job's first run meets the fault
    *first*, ``told`` plays the drawn *steps*, and ``judge`` says what the end was.
    """
    seen = Counter()
    files = st.lists(contents, min_size=1, max_size=2)

    @settings(max_examples=schedules, deadline=None, database=None, phases=(Phase.generate,))
    @seed(number)
    @given(files, first, steps, st.sampled_from((LARGE, SMALL)))
    def told_and_judged(files, first, schedule, bounds):
        place = scene()
        try:
            place.bounds = bounds
            for content in files:
                place.put(content)
            with capture_logs():
                place.start(job, [first])
                told(place, schedule)
                seen.update(kind for kind, is_so in judge(place).items() if is_so)
        finally:
            place.close()

    told_and_judged()
    return seen
