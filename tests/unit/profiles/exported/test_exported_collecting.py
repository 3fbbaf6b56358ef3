"""Python's search for cycles of garbage, while users are parsed."""

from __future__ import annotations

import gc

from exchanger.profiles.exported.collecting import without_collecting


def test_python_looks_for_cycles_again_after_the_last_of_overlapping_blocks():
    """Blocks of two threads overlap: garbage is collected again once both have ended."""
    first, second = without_collecting(), without_collecting()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_who_collects_no_garbage_is_left_alone():
    """Where Python was told before not to look for cycles, it does not look afterwards either."""
    gc.disable()
    try:
        with without_collecting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
