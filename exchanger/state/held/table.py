"""
Held values: what we know Braze has, and how recent that knowledge is.

The table is sparse: a row fills only the columns it speaks of. Reading takes, for each field, the
newest row that speaks of it: by stamp, then observations before deliveries of the same stamp, then
by time. Rows are only appended, until folding makes one of all that a profile has.

A cell is null (this row says nothing), the text ``null`` (known empty), ``?`` (no longer certain),
or the canonical JSON text of the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.frames.columns import IDENTIFIED, PROFILE, STAMP
from exchanger.profiles.spelling.json_values import json_string, spell_json
from exchanger.profiles.spelling.profile_key import kind_of
from exchanger.profiles.spelling.same_person import LINKED
from exchanger.state.held.compaction import ROWS_AT_ONCE, Compaction
from exchanger.state.held.reading import (
    about_fields,
    nothing,
    read_newest,
    rows_around,
    rows_of,
)
from exchanger.state.held.rows import (
    PLACES,
    folded,
    held_column,
    of_persons,
    place_of,
    stamped,
    value_columns,
)
from exchanger.state.held.sightings import SIGHTED, sightings
from exchanger.state.names import field_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from exchanger.outside.delta.staged_files import TableFiles
    from exchanger.outside.delta.table import Table

_DELIVERIES = "deliveries"


class PreparedRows:
    """
    What a run may deliver, written before that is certain: nobody reads it until it is recorded.
    """

    def __init__(self, files: TableFiles, seq: int) -> None:
        self.files = files
        self.seq = seq

    def add(self, rows: pl.DataFrame, *, at: datetime) -> None:
        """
        Write rows as *HeldValues.deliver* takes them.

        Args:
            rows: Of the same columns each time.
            at: When the last acknowledgement of all these rows came.
        """
        self.files.add(stamped(rows, stamp=self.seq, observed=False, at=at))

    def drop(self) -> None:
        """Remove what was written, unless it may have been recorded."""
        self.files.drop()


class HeldValues:
    """
    The held values of one connection.

    Args:
        table: Where they are kept.
        rows_at_once: About how many rows folding may have in memory.
    """

    def __init__(self, table: Table, *, rows_at_once: int = ROWS_AT_ONCE) -> None:
        self._table = table
        self._folding = Compaction(table, folded, rows_at_once=rows_at_once)

    def of(
        self,
        profiles: pl.Series,
        fields: Sequence[str],
        *,
        since: datetime | None = None,
        fresh: Collection[str] = (),
        sent: Collection[str] = (),
    ) -> pl.DataFrame:
        """
        Read what is held for some profiles.

        Args:
            profiles: Identifiers, String.
            fields: Attributes.
            since: What was learnt before is given as unknown, if it is about a field in *fresh* or
                says that there is no such profile; None: nothing is too old.
            fresh: Some of *fields*.
            sent: Some of *fields*, of which to tell what was delivered last.

        Returns:
            One row for each profile that was ever observed or sent: ``@profile``, ``@exists``,
            one canonical String column per field, null where the field is unknown, and
            ``@sent:NAME``, null where nothing was ever delivered. Very rarely, one of a profile
            that nobody asked for, so join them by profile.
        """
        rows = self._table.scan_at_once()
        if rows is None:
            return nothing(fields, sent).drop(STAMP)
        chosen = rows_around(rows, profiles)
        found = read_newest(self._collect, chosen, fields, since=since, fresh=fresh, sent=sent)
        return found.drop(STAMP)

    def timed(
        self,
        profiles: pl.Series,
        fields: Sequence[str],
        *,
        since: datetime | None = None,
        fresh: Collection[str] = (),
    ) -> pl.DataFrame:
        """Read as *of* does, and when each value was learnt: for *with_newer*."""
        rows = self._table.scan_at_once()
        if rows is None:
            return nothing(fields, ()).drop(STAMP)
        chosen = rows_of(rows, profiles)
        found = read_newest(self._collect, chosen, fields, since=since, fresh=fresh, timed=True)
        return found.drop(STAMP)

    def said_of(self, keys: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
        """
        Read all that is held of people by some of their keys, for *newest_said*.

        Args:
            keys: ``@profile``, and ``@linked``, the key of the person.
            fields: Attributes.

        Returns:
            Rows of the table, of those fields alone: ``profile`` is the key of the person.
        """
        rows = self._table.scan_at_once()
        if rows is None:
            return pl.DataFrame(schema={"profile": pl.String})
        person = keys.lazy().rename({PROFILE: "profile"})
        theirs = of_persons(rows_of(rows, keys[PROFILE]).join(person, on="profile"), LINKED)
        return self._collect(theirs.select(about_fields(theirs, fields)))

    def history_of(self, profiles: pl.Series, fields: Sequence[str]) -> pl.DataFrame:
        """
        Read what is held for some profiles, and what was delivered last.

        Returns:
            As *of* does, with ``@sent:NAME`` for all fields, and ``@stamp`` (Int64): the newest
            run that anything of it is known to include.
        """
        rows = self._table.scan_at_once()
        if rows is None:
            return nothing(fields, fields)
        return read_newest(self._collect, rows_of(rows, profiles), fields, sent=fields)

    def sightings(self, profile: str, fields: Sequence[str]) -> pl.DataFrame:
        """Find of one profile where what is held of some fields comes from, as ``SIGHTED``."""
        rows = self._table.scan_at_once()
        if rows is None:
            return pl.DataFrame(schema=SIGHTED)
        found = self._collect(rows_of(rows, pl.Series(PROFILE, [profile])))
        return sightings(found, fields)

    def slices(self) -> list[tuple[int, int]]:
        """Part all profiles into ranges of slices that fit into memory, for *between*."""
        return self._folding.slices()

    def between(self, first: int, end: int, fields: Sequence[str]) -> pl.DataFrame:
        """
        Read what is held for all profiles of a range of slices.

        Args:
            first: The first slice.
            end: The slice behind the last one.
            fields: Attributes.

        Returns:
            As *history_of* does.
        """
        rows = self._table.scan_at_once()
        if rows is None:
            return nothing(fields, fields)
        chosen = rows.filter(pl.col("slice").is_between(first, end, closed="left"))
        return read_newest(self._collect, chosen, fields, sent=fields)

    def other_keys(self) -> Iterator[pl.Series]:
        """Read the keys that are no external ids, a range of slices at a time, each once."""
        for first, end in self.slices():
            rows = self._table.scan_at_once()
            if rows is None:
                return
            chosen = pl.col("slice").is_between(first, end, closed="left")
            keys = rows.filter(chosen).select(pl.col("profile").alias(PROFILE))
            other = keys.filter(kind_of(pl.col(PROFILE)) != "external_id")
            yield self._collect(other.unique())[PROFILE]

    def sample(self, fields: Sequence[str], count: int, seed: int) -> pl.Series:
        """
        Choose some of the profiles that hold any of some fields.

        The choice is as good as random, and the same for the same table, *count* and *seed*.

        Args:
            fields: Attributes.
            count: How many; fewer if there are not so many.
            seed: Another one chooses others.
        """
        rows = self._table.scan()
        present = [] if rows is None else rows.collect_schema().names()
        columns = [held_column(name) for name in fields if held_column(name) in present]
        if rows is None or not columns:
            return pl.Series(PROFILE, [], dtype=pl.String)
        said = rows.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in columns))
        places = said.select(pl.col("profile").alias(PROFILE), place=place_of("profile", seed))
        share = 2 * count / max(self._table.size().rows, 1)
        while True:
            # A profile may have many rows; only those that may be chosen are held in memory.
            few = places.filter(pl.col("place") <= min(share, 1.0) * PLACES)
            found = self._collect(few.unique(PROFILE))
            if found.height >= count or share >= 1:
                return found.sort("place", PROFILE)[PROFILE].head(count)
            share *= 4

    def linked_to(self, person: str) -> list[str]:
        """Name the other keys that are held to mean the person for whom a key stands."""
        rows = self._table.scan()
        column = held_column(IDENTIFIED)
        if rows is None or column not in rows.collect_schema().names():
            return []
        other = pl.col("profile") != person
        theirs = rows.filter(other, pl.col(column) == spell_json(person))
        return sorted(self._collect(theirs.select("profile").unique())["profile"])

    def links_to(self, people: pl.Series) -> pl.DataFrame:
        """
        Return the keys that were ever held to mean the people for whom some keys stand.

        Returns:
            ``@profile``, and the key that stands for the person as ``linked``.
        """
        rows = self._table.scan()
        column = held_column(IDENTIFIED)
        if rows is None or column not in rows.collect_schema().names():
            return pl.DataFrame(schema={PROFILE: pl.String, "linked": pl.String})
        named = pl.LazyFrame({"linked": people}).with_columns(
            json_string(pl.col("linked")).alias(column)
        )
        theirs = rows.select("profile", column).drop_nulls(column).join(named, on=column)
        return self._collect(theirs.select(pl.col("profile").alias(PROFILE), "linked").unique())

    def fields(self) -> list[str]:
        """List the attributes that anything was ever known of, sorted."""
        rows = self._table.scan_at_once()
        columns = [] if rows is None else rows.collect_schema().names()
        return sorted(map(field_of, value_columns(columns)))

    def deliver(self, rows: pl.DataFrame, *, seq: int, at: datetime) -> None:
        """
        Record what Braze acknowledged in run *seq*; once, however often it is called.

        Args:
            rows: ``@profile``, ``@exists`` and canonical columns as *of* returns them.
            seq: The run, which is also the stamp.
            at: When the last acknowledgement came.
        """
        self.deliver_all(lambda: iter([rows]), seq=seq, at=at)

    def deliver_all(
        self, made: Callable[[], Iterator[pl.DataFrame]], *, seq: int, at: datetime
    ) -> None:
        """Record many frames as *deliver* does one, with two of them in memory at a time."""

        def rows() -> Iterator[pl.DataFrame]:
            for frame in made():
                if frame.height:
                    yield stamped(frame, stamp=seq, observed=False, at=at)

        self._table.append_all(rows, writer=_DELIVERIES, seq=seq)

    def prepare(self, path: Callable[[], Path], *, seq: int) -> PreparedRows:
        """
        Begin to write what *deliver_prepared* may record, while run *seq* is still being sent.

        Args:
            path: Names a file of this machine that is not there yet.
            seq: The run, which is also the stamp.
        """
        return PreparedRows(self._table.prepare(path), seq)

    def deliver_prepared(self, rows: PreparedRows) -> None:
        """Record prepared rows as *deliver_all* does; either of both does it for a run, once."""
        self._table.append_files(rows.files, writer=_DELIVERIES, seq=rows.seq)

    def observe(self, rows: pl.DataFrame, *, stamp: int, at: datetime) -> None:
        """
        Record what Braze was seen to have.

        Args:
            rows: As for *deliver*.
            stamp: The last run whose values this observation is known to include.
            at: When it was asked for.
        """
        if rows.height:
            self._table.add(stamped(rows, stamp=stamp, observed=True, at=at))

    def observe_all(self, frames: Iterator[pl.DataFrame], *, stamp: int, at: datetime) -> None:
        """Record many frames as *observe* does one, with two of them in memory at a time."""
        self._table.add_all(stamped(frame, stamp=stamp, observed=True, at=at) for frame in frames)

    def maintain(self, go_on: Callable[[], None]) -> None:
        """Fold the table if it is worth it, and join its files, as ``Compaction.maintain`` does."""
        self._folding.maintain(go_on)

    def fold(self, go_on: Callable[[], None]) -> bool:
        """Fold all that a profile has into one row, as ``Compaction.fold`` does."""
        return self._folding.fold(go_on)

    @property
    def table(self) -> Table:
        """Where they are kept."""
        return self._table

    def _collect(self, rows: pl.LazyFrame) -> pl.DataFrame:
        return self._table.collect(rows, streaming=True)
