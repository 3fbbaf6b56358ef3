"""Folding the held values: what is read stays, whatever happens in between."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from deltalake.exceptions import DeltaError
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanger.errors import Stopped
from exchanger.outside.delta.table import MANY_FILES, Table
from exchanger.outside.delta.writing import as_it_was
from exchanger.profiles.frames.slices import SLICES
from exchanger.state.held import compaction as folding
from exchanger.state.held.table import HeldValues

START = datetime(2026, 9, 15, 10, tzinfo=UTC)
NAMES = ["a", "b", "c", "d"]
PROFILES = pl.Series("@profile", [*NAMES, "never"])
FIELDS = ["tier", "points", "profile", "Exists"]
CELLS = st.sampled_from([None, None, "null", "?", "1", '"x"'])
ROWS = st.fixed_dictionaries(
    {"@exists": st.sampled_from([True, False, None])} | dict.fromkeys(FIELDS, CELLS)
)
WRITES = st.lists(
    st.tuples(
        st.booleans(), st.integers(0, 6), st.dictionaries(st.sampled_from(NAMES), ROWS, min_size=1)
    ),
    min_size=1,
    max_size=4,
)


def at(minute):
    return START + timedelta(minutes=minute)


def held_in(folder, **options):
    return HeldValues(Table(str(folder), {}), **options)


def said(profile, **fields):
    cells = {"@profile": [profile], "@exists": [True]}
    return pl.DataFrame(cells | {name: [text] for name, text in fields.items()})


def always():
    """Let everything go on."""


def write(values, writes, first=0):
    """Record observations and deliveries, each at a minute of its own."""
    for minute, (observed, stamp, rows) in enumerate(writes, first):
        schema = {"@profile": pl.String, "@exists": pl.Boolean} | dict.fromkeys(FIELDS, pl.String)
        frame = pl.DataFrame(
            [{"@profile": name, **row} for name, row in rows.items()], schema=schema
        )
        if observed:
            values.observe(frame, stamp=stamp, at=at(minute))
        else:
            values.deliver(frame, seq=100 + minute, at=at(minute))


def readings(values):
    """Read everything, and what of it is as fresh as some minutes."""
    frames = [
        values.of(PROFILES, FIELDS, since=since, fresh=FIELDS[:2]).sort("@profile")
        for since in (None, at(1), at(3))
    ]
    frames.append(values.history_of(PROFILES, FIELDS).sort("@profile"))
    return [frame.to_dicts() for frame in frames]


@settings(max_examples=10)
@given(WRITES, WRITES)
def test_folding_changes_nothing_that_is_read(tmp_path_factory, first, second):
    """Values, absences and how fresh they are read the same before and after folding."""
    values = held_in(tmp_path_factory.mktemp("held"), rows_at_once=3)
    write(values, first)
    before = readings(values)

    assert values.fold(always)
    assert before == readings(values)
    assert values.fold(always), "folding again"
    assert before == readings(values)
    newer = held_in(tmp_path_factory.mktemp("held"))
    for table in (values, newer):
        write(table, [(False, 0, rows) for _, _, rows in second], first=50)
    assert readings(values)[0] == overlaid(before[0], readings(newer)[0])


def test_what_was_delivered_last_is_known_beside_what_was_seen_since(tmp_path):
    """Of each field the last delivery is told apart from later observations, folded or not."""
    values = held_in(tmp_path)
    steps = [
        ("deliver", 1, {"tier": '"gold"', "points": "1"}),
        ("observe", 1, {"tier": '"silver"', "points": "1", "seen": "7"}),
        ("deliver", 2, {"points": "2"}),
        ("observe", 1, {"points": "9", "late": "5"}),
        ("deliver", 3, {"points": "?", "late": "6"}),
        ("observe", 3, {"points": "3"}),
    ]
    expected = [
        {"tier": ('"gold"', '"gold"'), "points": ("1", "1")},
        {"tier": ('"silver"', '"gold"'), "points": ("1", "1"), "seen": ("7", None)},
        {"tier": ('"silver"', '"gold"'), "points": ("2", "2"), "seen": ("7", None)},
        {"points": ("2", "2"), "late": ("5", None)},
        {"points": ("?", "?"), "late": ("6", "6")},
        {"tier": ('"silver"', '"gold"'), "points": ("3", "?"), "late": ("6", "6"),
         "seen": ("7", None)},
    ]  # fmt: skip
    for minute, ((how, stamp, fields), states) in enumerate(zip(steps, expected, strict=True)):
        if how == "deliver":
            values.deliver(said("a", **fields), seq=stamp, at=at(minute))
        else:
            values.observe(said("a", **fields), stamp=stamp, at=at(minute))
        for _ in range(2):
            [row] = values.history_of(PROFILES, list(states)).to_dicts()
            assert states == {name: (row[name], row[f"@sent:{name}"]) for name in states}
            values.fold(always)


def test_a_sample_is_chosen_by_seed_among_those_that_hold_a_field(tmp_path):
    """The same seed chooses the same profiles, however many rows they have; another one others."""
    values = held_in(tmp_path)
    everyone = pl.DataFrame({"@profile": [f"p{n}" for n in range(300)]}).with_columns(
        pl.lit(value=True).alias("@exists"), pl.lit("0").alias("tier")
    )
    assert [] == values.sample(["tier"], 5, 1).to_list()
    values.observe(said("other", points="1"), stamp=0, at=START)
    for seq in (1, 2, 3):
        values.deliver(everyone, seq=seq, at=at(seq))
    first, second = (values.sample(["tier", "never"], 20, seed).to_list() for seed in (1, 2))

    assert (20, 20) == (len(set(first)), len(set(second)))
    assert set(first) != set(second)
    values.fold(always)
    assert first == values.sample(["tier"], 20, 1).to_list()
    assert first == values.sample(["tier"], 40, 1).to_list()[:20]
    assert {f"p{n}" for n in range(300)} == set(values.sample(["tier"], 999, 1))


def overlaid(before, after):
    """Put what was delivered later over what was held, cell by cell."""
    rows = {row["@profile"]: dict(row) for row in before}
    for row in after:
        known = {name: cell for name, cell in row.items() if cell is not None}
        rows[row["@profile"]] = {**row, **rows.get(row["@profile"], {}), **known}
    return [rows[name] for name in sorted(rows)]


def test_every_profile_has_one_row_afterwards(tmp_path):
    """However many rows a profile had, it has one row with its newest stamp."""
    table = Table(str(tmp_path), {})
    values = HeldValues(table, rows_at_once=2)
    for seq in range(1, 7):
        values.deliver(said("ab"[seq % 2], tier=f"{seq}"), seq=seq, at=at(seq))
    assert values.fold(always)

    rows = table.scan().sort("profile").select("profile", "stamp", "tier").collect().rows()
    assert [("a", 6, "6"), ("b", 5, "5")] == rows


def test_of_long_rows_fewer_are_folded_at_once(tmp_path, monkeypatch):
    """Ranges are bounded by the bytes of their rows as well, and together they are everything."""
    values = held_in(tmp_path)
    drawn = random.Random(3)
    texts = [drawn.randbytes(2_000).hex() for _ in range(40)]
    rows = pl.DataFrame({"@profile": [f"p{n:02}" for n in range(40)], "tier": texts})
    values.deliver(rows.with_columns(pl.lit(value=True).alias("@exists")), seq=1, at=at(1))
    assert [(0, SLICES)] == values.slices()

    monkeypatch.setattr(folding, "SIZE_AT_ONCE", 10_000)

    assert 8 <= len(values.slices()) <= 16
    assert values.fold(always)
    ranges = [values.between(*each, ["tier"]) for each in values.slices()]
    assert max(share.height for share in ranges) < 20
    assert texts == pl.concat(ranges).sort("@profile")["tier"].to_list()


def test_a_delivery_stays_recorded_once_after_folding(tmp_path):
    """Settling an old run again after folding adds nothing: its mark survives the rewriting."""
    values = held_in(tmp_path)
    for seq in (1, 2, 3):
        values.deliver(said("a", tier=f"{seq}"), seq=seq, at=at(seq))
    values.fold(always)
    Table(str(tmp_path), {}).open().create_checkpoint()

    values.deliver(said("a", tier="again"), seq=3, at=at(9))
    assert readings(values)[0][0]["tier"] == "3"
    values.deliver(said("a", tier="4"), seq=4, at=at(10))
    assert readings(values)[0][0]["tier"] == "4"


def test_what_stops_folding_leaves_the_table_as_it_was(tmp_path):
    """Stopped between two ranges of slices, folding has changed nothing, and can be done again."""
    table = Table(str(tmp_path), {})
    values = HeldValues(table, rows_at_once=2)
    write(values, [(False, 0, {name: {"@exists": True, "tier": "1"}}) for name in NAMES])
    before, version = readings(values), table.open().version()
    asked = []

    def stop_soon():
        asked.append(1)
        if len(asked) == 2:
            raise Stopped

    with pytest.raises(Stopped):
        values.fold(stop_soon)
    assert (before, version) == (readings(values), table.open().version())
    assert values.fold(always)
    assert before == readings(values)


@pytest.mark.parametrize("made_of_it", [DeltaError, Exception])
def test_what_iterating_raised_comes_out_as_it_was(made_of_it):
    """With one core Delta makes an error of no kind of its own of it."""
    stopped = Stopped()
    with pytest.raises(Stopped) as found, as_it_was([stopped]):
        raise made_of_it("Python exception: Stopped")
    assert stopped is found.value
    with pytest.raises(made_of_it), as_it_was([]):
        raise made_of_it("of Delta itself")


def test_no_table_is_opened_to_make_what_another_is_written_of(tmp_path):
    """On a single core both would wait for each other for good: it is an error on any machine."""
    one, other = (HeldValues(Table(str(tmp_path / name), {})) for name in "ab")
    one.deliver(said("a", tier="1"), seq=1, at=at(1))

    def reading():
        yield said("a", tier="2")
        yield one.of(pl.Series("@profile", ["a"]), ["tier"]).select("@profile", "@exists", "tier")

    with pytest.raises(RuntimeError, match="while another table is written"):
        other.deliver_all(reading, seq=1, at=at(2))
    assert other.table.open() is None


@pytest.mark.parametrize("beside", ["append", "compact"])
def test_who_writes_beside_it_loses_nothing(tmp_path, beside):
    """If another process commits while a table is folded, folding gives way."""
    table = Table(str(tmp_path), {})
    values = HeldValues(table)
    for seq in (1, 2):
        values.deliver(said("a", tier=f"{seq}"), seq=seq, at=at(seq))

    def meddle():
        if beside == "append":
            values.observe(said("a", tier='"seen"'), stamp=2, at=at(3))
        else:
            table.open().optimize.compact()

    expected = '"seen"' if beside == "append" else "2"
    assert not values.fold(meddle)
    assert readings(values)[0][0]["tier"] == expected
    assert table.size().rows == 3 if beside == "append" else 2


def test_folding_waits_until_it_is_worth_it(tmp_path):
    """A small table is folded once it has many files; a folded one when as much came again."""
    table = Table(str(tmp_path), {})
    values = HeldValues(table)
    everyone = pl.DataFrame({"@profile": [f"p{n}" for n in range(140)]}).with_columns(
        pl.lit(value=True).alias("@exists"), pl.lit("0").alias("tier")
    )
    values.deliver(everyone, seq=1, at=START)
    for seq in range(2, MANY_FILES + 1):
        values.deliver(said("p1", tier=f"{seq}"), seq=seq, at=at(seq))
        values.maintain(always)
    assert table.size().rows == 140 + MANY_FILES - 1

    values.deliver(said("p1", tier='"last"'), seq=100, at=at(100))
    values.maintain(always)
    assert (1, 140) == (table.size().files, table.size().rows)

    for seq in range(101, 103 + MANY_FILES):
        values.deliver(said("p1", tier=f"{seq}"), seq=seq, at=at(seq))
        values.maintain(always)
    assert table.size().files < 5, "files are joined"
    assert table.size().rows > 140, "but few rows are no reason to write all of them anew"


def test_profiles_of_one_row_each_are_not_folded(tmp_path):
    """After a first load folding would only copy rows, so files are joined and that is all."""
    table = Table(str(tmp_path), {})
    values = HeldValues(table)

    def refuse():
        raise AssertionError("it is folded")

    for seq in range(1, MANY_FILES + 2):
        values.deliver(said(f"p{seq}", tier=f"{seq}"), seq=seq, at=at(seq))
    values.maintain(refuse)
    assert table.size().files < 5
    assert table.size().rows == table.noted("folded") == MANY_FILES + 1


def test_a_very_large_table_is_looked_at_before_it_is_folded(tmp_path, monkeypatch):
    """The look takes one slice at least, so that nothing is no reason to fold what needs it not."""
    monkeypatch.setattr(folding, "MANY_ROWS", 1)
    monkeypatch.setattr(folding, "ROWS_LOOKED_AT", 1)
    table = Table(str(tmp_path), {})
    values = HeldValues(table, rows_at_once=1)
    everyone = pl.DataFrame({"@profile": [f"p{n}" for n in range(3 * SLICES)]}).with_columns(
        pl.lit(value=True).alias("@exists"), pl.lit("0").alias("tier")
    )
    values.deliver(everyone, seq=1, at=START)

    def refuse():
        raise AssertionError("it is folded")

    values.maintain(refuse)
    assert 3 * SLICES == table.noted("folded")
