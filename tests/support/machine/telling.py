"""Words that stories are told in."""

import pytest

from support.machine.drops import Row
from support.machine.processes import Fault


def row(profile, *, total="", tags="", tier="", source="", note="", best="", at=""):
    return Row(profile, total, tags, tier, source, note, best, at)


def some(kind, numbers, by_day=1):
    """Effects of a kind; by day every so many of them, and the others by night."""
    return [
        pytest.param(kind, nth, marks=[pytest.mark.nightly] if place % by_day else [])
        for place, nth in enumerate(numbers)
    ]


def refuse(*, uncertain=False):
    """Let Braze refuse the first object of a run; perhaps after an attempt that took effect."""
    return [Fault("track", 0, "odd", after=uncertain, variant=0)]
