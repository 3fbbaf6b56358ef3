"""Marks of what a process began to send: which of them are read for some items."""

import polars as pl

from exchanger.state.names import StateNames, items_of_mark
from exchanger.state.runs.acknowledgements import Acknowledgements


def test_marks_of_other_items_are_not_read(bucket):
    """Their names tell in one listing, so that a large run reads those that matter."""
    names = StateNames("_state/")
    acks = Acknowledgements(bucket, names, 1)
    acks.mark_in_flight(0, 3, [[(0, 1), (2, 3)]])
    acks.mark_in_flight(4, 9, [[(4, 6)], [(7, 9)]])
    [other, ours] = [item.key for item in bucket.list(names.begun_folder(1))]
    bucket.write(other, b"nobody reads this")
    items = pl.Series("@item", [5], pl.UInt32)
    assert [[(acks.group(4), 4, 6)], [(acks.group(7), 7, 9)]] == acks.requests(items)
    assert (4, 9) == items_of_mark(ours)
