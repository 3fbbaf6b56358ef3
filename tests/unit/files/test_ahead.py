"""Things that are made in a thread while the one before is in use."""

import threading

import pytest

from exchanger.files.scratch.prefetch import prefetch, prefetch_several


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


def at_work():
    """Count the threads that make things ahead: others of this process come and go."""
    return sum(thread.name.startswith("ahead") for thread in threading.enumerate())


def test_who_stops_early_leaves_no_thread():
    """A consumer may go at any time; the thread ends with what it is about."""
    before = at_work()
    coming = prefetch(iter(range(10)))
    next(coming)
    coming.close()

    assert before == at_work()


def test_several_are_made_at_once_and_come_in_order():
    """Three threads wait for each other, so all three are at work; results keep the order."""
    together = threading.Barrier(3)

    def make(number):
        together.wait(60)
        return 10 * number

    coming = prefetch_several(make, range(6), lambda _: 1, threads=3, room=100)

    assert [0, 10, 20, 30, 40, 50] == [*coming]


@pytest.mark.parametrize(("size", "ahead"), [(1, 5), (40, 2), (1000, 1)])
def test_what_is_made_ahead_is_bounded_by_its_size(size, ahead):
    """Before the first result is used, only so many are made as there is room for."""
    made = []
    coming = prefetch_several(made.append, range(9), lambda _: size, threads=4, room=100)
    next(coming)
    coming.close()

    assert ahead >= len(made)


def test_what_making_one_of_several_raises_comes_in_its_place():
    """Results before a failure are given, and no thread is left."""
    before = at_work()
    coming = prefetch_several(lambda n: 1 // n, [1, 0, 2], lambda _: 1, threads=2, room=9)

    assert 1 == next(coming)
    with pytest.raises(ZeroDivisionError):
        next(coming)
    assert before == at_work()
