"""A law of a kind of objects, over many stories that are drawn."""

from collections import Counter

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from support.machine.scene import LARGE, SMALL


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
