"""Things that are made in a thread while the one before is in use."""

import threading

import pytest

from exchanger.files.scratch.prefetch import prefetch


def test_items_come_in_order_whatever_they_are():
    """None is an item like any other, and the end is the end."""
    assert [1, None, 3] == [*prefetch(iter([1, None, 3]))]
    assert [] == [*prefetch(iter([]))]


def test_the_next_item_is_made_while_one_is_in_use():
    """Whoever uses the first item can wait for the making of the second, and no further."""
    made, enough = [], threading.Event()

    def items():
        for number in range(4):
            made.append(number)
            if number == 1:
                enough.set()
            yield number

    coming = prefetch(items())
    first = next(coming)

    assert enough.wait(60)
    assert (0, [0, 1]) == (first, made)
    assert [1, 2, 3] == [*coming]


def test_what_making_raises_comes_in_its_place():
    """Items before a failure are given; the failure is raised to whoever asks for the next."""

    def items():
        yield 1
        raise ValueError("broken")

    coming = prefetch(items())

    assert 1 == next(coming)
    with pytest.raises(ValueError, match="broken"):
        next(coming)


def test_who_stops_early_leaves_no_thread():
    """A consumer may go at any time; the thread ends with what it is about."""
    before = threading.active_count()
    coming = prefetch(iter(range(10)))
    next(coming)
    coming.close()

    assert before == threading.active_count()
