"""A table that is opened ahead is read as one that is opened when it is asked for."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.outside.delta.table import Table

ONE, TWO = (pl.DataFrame({"id": [name]}) for name in ("a", "b"))


@pytest.fixture
def table(tmp_path):
    return Table(str(tmp_path / "table"), {})


@pytest.fixture
def again(table):
    """The same table, as another process has it."""
    return Table(table.uri, {})


def ids(table):
    rows = table.rows()
    return None if rows is None else sorted(rows["id"])


def test_what_is_opened_ahead_is_there(table, again):
    """Rows are read and appended through it, once for each number."""
    table.add(ONE)
    again.open_ahead()

    assert ids(again) == ["a"]
    assert again.append(TWO, writer="w", seq=1)
    assert not again.append(TWO, writer="w", seq=1)
    assert ids(again) == ids(table) == ["a", "b"]


def test_a_table_that_is_not_there_yet_is_found_once_it_is(table, again):
    """That nothing could be opened ahead says nothing of later."""
    again.open_ahead()
    table.add(ONE)

    assert ids(again) == ["a"]


def test_nothing_that_was_there_before_is_written_over(table, again):
    """Who opens it ahead and others then write it all the same loses nothing of theirs."""
    table.append(ONE, writer="w", seq=1)
    again.open_ahead()
    again.version()  # It is open by now, with a lease that was lost.
    table.append(TWO, writer="w", seq=2)

    assert not again.append(TWO, writer="w", seq=2)
    assert ids(again) == ["a", "b"]


WRITES = {
    "frames": lambda table: table.add_all(iter([TWO])),
    "anew": lambda table: table.rewrite(lambda rows: iter([pl.concat([rows.collect(), TWO])])),
    "a share": lambda table: table.cut("id >= 'a'", lambda rows: pl.concat([ONE, TWO])),
}


@pytest.mark.parametrize("how", WRITES)
def test_what_is_written_after_it_was_opened_ahead_is_read(table, again, how):
    """Whatever way a process writes it before it is read, the rows are those of then."""
    table.add(ONE)
    again.open_ahead()
    WRITES[how](again)

    assert ids(again) == ["a", "b"]


def test_what_cannot_be_opened_ahead_is_opened_when_it_is_asked_for(table, again, tmp_path):
    """A store that does not answer for a moment is no reason to fail later."""
    table.add(ONE)
    log = tmp_path / "table" / "_delta_log" / f"{0:020}.json"
    whole = log.read_bytes()
    log.write_bytes(b"{torn")
    again.open_ahead()
    again._handle._coming[1].exception()
    log.write_bytes(whole)

    assert ids(again) == ["a"]
