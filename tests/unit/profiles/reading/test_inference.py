"""Which type a whole column of text has, and how it meets the type of earlier files."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.errors import FileRejected
from exchanger.profiles.frames.type_names import own_type, parse_type_name
from exchanger.profiles.reading.inference import SAMPLE, infer_type
from exchanger.profiles.reading.type_widening import keep_type

COLUMNS = [
    (["1", "-20", "0", None], "integer"),
    (["9223372036854775807"], "integer"),
    (["9223372036854775808"], "string"),
    (["1", "007"], "string"),
    (["+5"], "string"),
    (["-0"], "string"),
    ([" 5"], "string"),
    (["1_000"], "string"),
    (["1", "2.50", "3.1"], "decimal(2)"),
    (["0.5", "00.5"], "string"),
    ([".5"], "string"),
    (["5."], "string"),
    (["1,5"], "string"),
    (["123456789012.345"], "decimal(3)"),
    (["1234567890123.4", "0.001"], "float"),
    (["48.85661400000001"], "float"),
    (["12345678901234567.12"], "string"),
    (["1.0e5", "1", "2.5"], "float"),
    (["1e-05", "1E+16"], "float"),
    (["12E3", "17"], "string"),
    (["1e999"], "string"),
    (["1.5", "9223372036854775808"], "string"),
    (["0", "1"], "integer"),
    (["true", "FALSE"], "boolean"),
    (["true", "yes"], "string"),
    (["2026-09-15", "0001-01-01"], "date"),
    (["2026-02-30"], "string"),
    (["3001-01-01"], "string"),
    (["09/15/2026"], "string"),
    (["2026-09-15", "2026-09-15T08:30:00Z"], "datetime"),
    (["2026-09-15 08:30:00"], "datetime"),
    (["NaN", "1.5"], "string"),
    (["Ada"], "string"),
    ([None, None], "None"),
]


@pytest.mark.parametrize(("cells", "expected"), COLUMNS)
def test_a_column_has_the_type_that_every_cell_has(cells, expected):
    """A type is inferred only if every cell is that type's own text; else it is text."""
    assert expected == str(infer_type([pl.Series(cells, dtype=pl.String)]))


@pytest.mark.parametrize(("cells", "expected"), COLUMNS)
def test_pieces_have_the_type_of_the_whole(cells, expected):
    """A column that comes in pieces of one cell has the type that it has at once."""
    assert expected == str(infer_type([pl.Series([cell], dtype=pl.String) for cell in cells]))


def test_digits_count_over_all_pieces():
    """The most digits before the point and behind it may stand in different pieces."""
    pieces = [pl.Series(["123456789012"]), pl.Series(["0.1234"])]

    assert "float" == str(infer_type(pieces))
    assert "decimal(3)" == str(infer_type([pieces[0], pl.Series(["0.123"])]))


def test_one_cell_beyond_the_sample_decides():
    """The entire column counts, not its beginning."""
    cells = pl.Series(["1"] * (SAMPLE + 5))

    assert "integer" == str(infer_type([cells]))
    assert "decimal(1)" == str(infer_type([cells.append(pl.Series(["1.5"]))]))
    assert "string" == str(infer_type([cells.append(pl.Series(["007"]))]))


KEPT = [
    ("integer", "integer", True, "integer"),
    ("integer", "decimal(2)", True, "decimal(2)"),
    ("decimal(2)", "integer", True, "decimal(2)"),
    ("decimal(2)", "decimal(3)", True, "decimal(3)"),
    ("decimal(3)", "decimal(2)", True, "decimal(3)"),
    ("integer", "float", True, None),
    ("integer", "float", False, "float"),
    ("float", "decimal(2)", True, "float"),
    ("decimal(2)", "float", False, None),
    ("string", "integer", True, "string"),
    ("string", "list", False, None),
    ("integer", "string", True, None),
    ("datetime", "date", True, "datetime"),
    ("date", "datetime", True, None),
    ("boolean", "integer", True, None),
    ("json", "list", False, "json"),
    ("list", "json", False, None),
]


@pytest.mark.parametrize(("kept", "found", "textual", "expected"), KEPT)
def test_a_kept_type_widens_or_rejects_the_file(kept, found, textual, expected):
    """Kept numbers widen, kept text takes single values, and any other change is refused."""
    names = parse_type_name(kept), parse_type_name(found)
    if expected is not None:
        assert expected == str(keep_type(*names, textual=textual, column="c", key="k"))
        return
    with pytest.raises(FileRejected, match=r"type:") as caught:
        keep_type(*names, textual=textual, column="c", key="k")
    assert ("type_changed", "c", "k") == (
        caught.value.reason,
        caught.value.column,
        caught.value.key,
    )
    assert kept in caught.value.message
    assert found in caught.value.message


@pytest.mark.parametrize(
    ("kept", "found", "such_as"),
    [
        ("integer", "string", "such as 'type: string'."),
        ("string", "list", "such as 'type: list'."),
        ("list", "json", "such as 'type: json'."),
        ("boolean", "integer", "such as 'type: integer' or 'type: string'."),
        ("boolean", "decimal(2)", "such as 'type: decimal, scale: 2' or 'type: string'."),
    ],
)
def test_a_changed_type_is_answered_with_types_to_write(kept, found, such_as):
    """What is suggested is told once, takes the file, and is ready to be written."""
    names = parse_type_name(kept), parse_type_name(found)
    with pytest.raises(FileRejected) as caught:
        keep_type(*names, textual=False, column="c", key="k")
    assert caught.value.message.endswith(such_as)


def test_an_empty_column_changes_nothing():
    """A column without any value keeps what earlier files said, and says nothing itself."""
    integer = parse_type_name("integer")

    assert integer == keep_type(integer, None, textual=True, column="c", key="k")
    assert keep_type(None, None, textual=True, column="c", key="k") is None


DTYPES = [
    (pl.UInt8(), "integer"),
    (pl.Int128(), "integer"),
    (pl.Float32(), "float"),
    (pl.Decimal(38, 4), "decimal(4)"),
    (pl.Decimal(38, 20), "decimal(15)"),
    (pl.Boolean(), "boolean"),
    (pl.Date(), "date"),
    (pl.Datetime("ns", "Asia/Tokyo"), "datetime"),
    (pl.List(pl.Int64), "list"),
    (pl.Array(pl.Int64, 2), "list"),
    (pl.Struct({"a": pl.Int64}), "json"),
    (pl.String(), "string"),
    (pl.Categorical(), "string"),
    (pl.Null(), "None"),
]


@pytest.mark.parametrize(("dtype", "expected"), DTYPES)
def test_a_typed_column_has_its_own_type(dtype, expected):
    """A column of a typed file has the field type that its own type is closest to."""
    assert expected == str(own_type(dtype))
