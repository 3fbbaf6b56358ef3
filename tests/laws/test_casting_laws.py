"""Casting agrees with plain Python, and inference never changes what was written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import oracle
from support.jobs import import_model

from exchanger.profiles.casting.usual import read_usual
from exchanger.profiles.casting.values import CastOptions, cast_values
from exchanger.profiles.frames.raw_columns import FilledCells, RawColumns, without_empty
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.reading.inference import infer_type
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.typed_rows import cast_rows

STRATEGIES = ("set", "clear", "sum", "set_if_empty", "highest", "lowest", "add", "remove")

few = settings(max_examples=60, deadline=None, derandomize=True)

spaces = st.sampled_from(["", " ", "  "])
integers = st.one_of(st.integers(-50, 50), st.integers(-(2**65), 2**65))
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**16), max_value=10**16)
noise = st.text(st.sampled_from("0123456789+-.,eE xtruefalsyno"), max_size=8)


def cast(cells: list, dtype: pl.DataType, **reading: object) -> list:
    """Cast cells; a fault shows as its word, in brackets."""
    raw = without_empty(pl.Series(cells, dtype=dtype), ())
    casted = cast_values(raw, CastOptions(**reading))
    pairs = zip(casted.values.to_list(), casted.faults.to_list(), strict=True)
    return [value if fault is None else f"<{fault}>" for value, fault in pairs]


def integer_of(text: str) -> object:
    cell = text.strip()
    if not cell:
        return None
    digits = cell[1:] if cell[0] in "+-" else cell
    digits = digits.removesuffix(".0") if digits.endswith(".0") else digits.removesuffix(".00")
    if not (digits.isascii() and digits.isdigit()):
        return "<not_an_integer>"
    cell = cell.partition(".")[0]
    return int(cell) if -(2**63) <= int(cell) < 2**63 else "<integer_too_big>"


def decimal_of(text: str, scale: int) -> object:
    cell = text.strip()
    if not cell:
        return None
    try:
        value = None if set(cell) & set("eExX_") or " " in cell else Decimal(cell)
    except ArithmeticError:
        value = None
    if value is None:
        return "<not_a_number>"
    units = value.scaleb(scale)
    if units != units.to_integral_value():
        return "<too_many_places>"
    return int(units) if abs(units) < 10**15 else "<too_many_digits>"


def float_units(value: float, scale: int) -> object:
    units = int(Decimal(repr(value)).scaleb(scale).to_integral_value(ROUND_HALF_EVEN))
    return units if abs(units) < 10**15 else "<too_many_digits>"


@few
@given(st.lists(st.one_of(st.tuples(spaces, integers.map(str), spaces).map("".join), noise)))
@example(["9223372036854775808", "-9223372036854775808", "+07"])
def test_integers_of_text_agree_with_python(cells):
    """A cell is the integer that Python reads in it, or a reason where Python finds none."""
    expected = [integer_of(cell) for cell in cells]

    assert expected == cast(cells, pl.String(), type="integer")


@few
@given(st.lists(st.one_of(decimals.map(lambda d: format(d, "f")), noise)), st.integers(0, 6))
@example(["12.30", "-0.05", ".5", "5.", "999999999999999"], 2)
def test_decimals_of_text_agree_with_python(cells, scale):
    """A cell is the exact number that Python's Decimal reads in it, in units of the scale."""
    expected = [decimal_of(cell, scale) for cell in cells]

    assert expected == cast(cells, pl.String(), type="decimal", scale=scale)


@few
@given(
    st.lists(
        st.one_of(
            st.floats(-1e13, 1e13),
            st.integers(-(10**6), 10**6).map(lambda n: n / 1000),
            st.integers(-(10**6), 10**6).map(lambda n: n + 0.5),
        )
    ),
    st.integers(0, 6),
)
@example([2.675, 1.005, 0.125, 0.375, 1.145, 5e-324], 2)
def test_floats_round_half_even_by_their_text(cells, scale):
    """A float becomes the decimal that its shortest text rounds to, half to even."""
    expected = [float_units(cell, scale) for cell in cells]

    assert expected == cast(cells, pl.Float64(), type="decimal", scale=scale)


@few
@given(st.lists(st.one_of(st.sampled_from(["true", "F", "YES", "no", "1", "0", "T"]), noise)))
def test_booleans_of_text_agree_with_a_table(cells):
    """Only the eight words are truth, in any case."""
    words = {"true": True, "t": True, "1": True, "yes": True}
    words |= {"false": False, "f": False, "0": False, "no": False}
    expected = [
        words.get(cell.strip().lower(), "<not_a_boolean>") if cell.strip() else None
        for cell in cells
    ]

    assert expected == cast(cells, pl.String(), type="boolean")


@few
@given(st.lists(st.dates(max_value=date(3000, 12, 31)), max_size=8), st.booleans())
def test_dates_read_back_from_their_text(days, american):
    """A date is the one that was written, if its day cannot be taken for its month."""
    form = "{:%m/%d/}{:04}" if american else "{1:04}{0:-%m-%d}"
    cells = [form.format(day, day.year) for day in days]

    known = [not american or day.day > 12 or day.day == day.month for day in days]
    expected = [day if sure else "<day_or_month>" for day, sure in zip(days, known, strict=True)]
    assert expected == cast(cells, pl.String(), type="date")


@few
@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(1, 1, 3), datetime(2999, 12, 30)),  # noqa: DTZ001  # zones are put on below
            st.integers(-14 * 60, 14 * 60),
        ),
        max_size=8,
    ),
    st.sampled_from(["T", " "]),
    st.sampled_from(["microseconds", "milliseconds", "seconds", "minutes"]),
)
def test_times_with_an_offset_are_their_instant(times, separator, precision):
    """A time with an offset is the instant that Python reads in it, to the millisecond."""
    cells = [
        at.replace(tzinfo=timezone(timedelta(minutes=offset))).isoformat(separator, precision)
        for at, offset in times
    ]
    read = [datetime.fromisoformat(cell).astimezone(UTC) for cell in cells]
    expected = [at.replace(microsecond=at.microsecond // 1000 * 1000) for at in read]

    assert expected == cast(cells, pl.String(), type="datetime")


usual = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.decimals(-(10**4), 10**4, places=2).map(lambda d: format(d, "f")),
    st.sampled_from(["true", "false", "1e5", "-0", "+7", "007", "5.", ".5", "1" * 19, "nan"]),
    st.datetimes().map(lambda t: f"{t.isoformat(timespec='milliseconds')}Z"),
    st.datetimes().map(lambda t: f"{t.isoformat(timespec='seconds')}Z"),
    st.datetimes().map(lambda t: t.isoformat(" ", "seconds")),
    st.dates().map(str),
    st.none(),
)
columns_of_usual = st.one_of(
    st.lists(usual, max_size=6),
    st.lists(st.sampled_from(["true", "false", None]), max_size=6),
    st.lists(st.datetimes().map(lambda t: f"{t.isoformat(timespec='milliseconds')}Z"), max_size=6),
    st.lists(st.datetimes().map(lambda t: t.isoformat(" ", "seconds")), max_size=6),
    st.lists(st.dates().map(str), max_size=6),
    st.lists(st.floats(allow_infinity=False, allow_nan=False).map(repr), max_size=6),
    st.lists(decimals.map(lambda d: format(d, "f")), max_size=6),
    st.lists(integers.map(str), max_size=6),
)


@few
@given(
    columns_of_usual,
    st.sampled_from(["integer", "float", "decimal", "boolean", "date", "datetime"]),
    st.sampled_from([{}, {"decimal": ","}, {"thousands": ","}, {"timezone": "Europe/Paris"}]),
)
@example(["2026-03-29 02:30:00"], "datetime", {"timezone": "Europe/Paris"})
@example(["0000-01-01", "3001-01-01"], "date", {})
@example(["9" * 400], "float", {})
@example(["999999999999999.9"], "decimal", {})
def test_the_quick_way_reads_what_the_close_one_reads(cells, kind, options):
    """A column that is read without a close look has the very values that one would find."""
    raw = pl.Series(cells, dtype=pl.String)
    reading = CastOptions(type=kind, scale=2, **options)
    quickly = read_usual(raw, reading)
    if quickly is None:
        return

    closely = cast_values(without_empty(raw, ()), reading)
    assert closely.values.equals(quickly.values, check_dtypes=True)
    assert [None] * len(cells) == closely.faults.to_list() == quickly.faults.to_list()


@few
@given(columns_of_usual, st.lists(st.sampled_from(["'=1", '="7"', '=""', "  ", None]), max_size=1))
def test_a_type_is_the_one_that_a_close_look_at_all_cells_tells(cells, others):
    """The type of a column of a large file is that of its cells without what is around them."""
    told = pl.Series("x", [*others, *cells], dtype=pl.String)
    frame = pl.DataFrame([told.alias("id"), told]).with_row_index("@row", 1)
    whole = RawColumns(frame, textual=True)
    raw = replace(whole, frame=frame.clear(), pieces=lambda names: iter([frame.select(names)]))
    job = import_model(fields={"x": {"merge": "set"}}, match=[{"external_id": "id"}])
    closely = infer_type(FilledCells(whole, "x", ()))

    assert settle_rules(job, raw, {}).kept.get("x") == (closely and str(closely))


typed = st.one_of(
    st.tuples(st.just("integer"), st.lists(st.integers(-(2**63), 2**63 - 1).map(str))),
    st.tuples(
        st.just("decimal"),
        st.lists(st.decimals(-(10**8), 10**8, places=3).map(lambda d: format(d, "f"))),
    ),
    st.tuples(st.just("boolean"), st.lists(st.booleans().map(str))),
    st.tuples(st.just("date"), st.lists(st.dates(max_value=date(3000, 1, 1)).map(str))),
    st.tuples(st.just("datetime"), st.lists(st.datetimes().map(lambda t: f"{t:%Y-%m-%dT%H:%M}"))),
    st.tuples(st.just("float"), st.lists(st.floats(allow_nan=False).map(lambda f: f"{f:e}"))),
)


@few
@given(typed)
def test_a_rendered_type_is_inferred_as_itself_or_text(case):
    """Writing values of a type and inferring gives that type, or text; never another type."""
    name, cells = case
    found = infer_type([pl.Series(cells, dtype=pl.String)])

    assert (found.type if found else name) in {name, "string"}


@few
@given(st.lists(noise.filter(str.strip), min_size=1))
def test_an_inferred_type_casts_every_cell(cells):
    """What is inferred over a file rejects no row of that file, and keeps the number's digits."""
    column = pl.Series(cells, dtype=pl.String)
    found = infer_type([column])
    values = cast(cells, pl.String(), type=found.type, scale=found.scale)

    assert not [value for value in values if str(value).startswith("<")]
    if found.type == "integer":
        assert cells == [str(value) for value in values]
    if found.type == "decimal":
        assert [Decimal(cell) for cell in cells] == [
            Decimal(value).scaleb(-found.scale) for value in values
        ]


@few
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ada", "bob"]), st.sampled_from(["", "3", "7", "x", "7|x", "-"])
        ),
        max_size=8,
    ),
    st.sampled_from(["drop_value", None]),
)
@example([("ada", "7"), ("ada", "x"), ("bob", "x"), ("bob", "")], "drop_value")
def test_a_value_that_is_left_out_is_one_that_no_row_gave(rows, on_invalid):
    """
    Whatever the strategy, what is left out changes nothing, and rows are given or rejected whole.

    Plain Python applies the rows one by one, in which it says nothing.
    """
    fields = {
        name: {"from": "x", "merge": name}
        | ({"items": "integer", "split": "|"} if name in ("add", "remove") else {"type": "integer"})
        for name in STRATEGIES
    }
    job = import_model(fields=fields, on_invalid=on_invalid)
    cells = {"id": [name for name, _ in rows], "x": [cell for _, cell in rows]}
    frame = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String)).with_row_index("@row", 1)
    raw = RawColumns(frame, textual=True, key="in/a.csv")
    rules = settle_rules(job, raw, {}).rules
    made = cast_rows(raw, rules, job, 0)

    faulty = {n for n, (_, cell) in enumerate(rows, 1) if any(sign in cell for sign in "x-")}
    left = [n for n in range(1, len(rows) + 1) if on_invalid or n not in faulty]
    assert left == made.frame["@row"].to_list()
    assert (faulty if on_invalid else set()) == set(made.dropped["@row"])
    folded = {row["@profile"]: row for row in fold(made.frame, rules).iter_rows(named=True)}
    for name in STRATEGIES:
        listed = name in ("add", "remove")
        spec = oracle.Field(name, "list" if listed else "integer")
        for profile in folded:
            mine = [cell for n, (whom, cell) in enumerate(rows, 1) if whom == profile and n in left]
            givens = [
                oracle.given_of(
                    spec, _plain(cell, listed=listed), usable="x" not in cell and "-" not in cell
                )
                for cell in mine
            ]
            said = [given for given in givens if given is not oracle.SILENT]
            value = None
            for given_value in said:
                value = oracle.step(
                    replace(spec, strategy="add") if listed else spec, value, given_value
                )
            found = folded[profile][name]
            assert value == ([int(text) for text in found] if listed and found else found), name
            if name == "clear":
                assert bool(said) == folded[profile]["@said:clear"]


def _plain(cell: str, *, listed: bool) -> object:
    """Read a cell of digits; what cannot be used is told by its own."""
    if not cell or not cell.isdigit():
        return None
    return [int(cell)] if listed else int(cell)
