import polars as pl
import pytest

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import contributions, fold, superseded

DTYPES = {
    "string": pl.String,
    "integer": pl.Int64,
    "decimal": pl.Int64,
    "float": pl.Float64,
    "list": pl.List(pl.String),
}


def rule(merge, kind="string"):
    return Rule("field", "field", kind, FieldConfig(merge=merge, scale=2))


def given(values, kind="string", *, said=None, order=None, files=None):
    """Rows of one profile, in order."""
    frame = pl.DataFrame(
        {
            "@profile": ["ada"] * len(values),
            "@file": pl.Series(files or [0] * len(values), dtype=pl.UInt32),
            "@row": pl.Series(range(1, len(values) + 1), dtype=pl.UInt32),
            "field": pl.Series(values, dtype=DTYPES[kind]),
        }
    )
    if said is not None:
        frame = frame.with_columns(pl.Series("@said:field", said))
    return frame if order is None else frame.with_columns(pl.Series("@order", order))


@pytest.mark.parametrize(
    ("merge", "kind", "values", "folded"),
    [
        ("set", "string", ["a", "b", None], "b"),
        ("set", "string", [None, None], None),
        ("set", "list", [["1", "2", "1"], None], ["1", "2"]),
        ("set_if_empty", "string", [None, "a", "b"], "a"),
        ("sum", "integer", [1, None, 2], 3),
        ("sum", "integer", [None, None], None),
        ("sum", "integer", [2**63 - 1, 2**63 - 1], 2**64 - 2),
        ("sum", "decimal", [10, 20], 30),
        ("sum", "float", [0.5, 0.25], 0.75),
        ("add", "list", [["2", "1"], None, ["3", "2"]], ["2", "1", "3"]),
        ("add", "list", [None, None], None),
        ("remove", "list", [["2"], ["1", "2"]], ["2", "1"]),
        ("highest", "integer", [1, 3, None, 2], 3),
        ("lowest", "integer", [2, 1, None, 3], 1),
    ],
)
def test_rows_of_a_profile_fold_to(merge, kind, values, folded):
    """Each strategy folds as the merge table says, and nothing given stays nothing."""
    result = fold(given(values, kind), [rule(merge, kind)])
    assert [folded] == result["field"].to_list()
    assert [(1, len(values), len(values))] == [
        (1, *row) for row in result.select("@row", "@rows").iter_rows()
    ]


@pytest.mark.parametrize(
    ("values", "said", "folded", "spoken"),
    [
        (["a", None], [True, True], None, True),
        (["a", None], [True, False], "a", True),
        ([None, "b"], [True, True], "b", True),
        ([None, None], [None, False], None, False),
    ],
)
def test_clear_takes_the_last_row_that_speaks(values, said, folded, spoken):
    """An empty value of a row that speaks counts; a row without the column does not."""
    result = fold(given(values, said=said), [rule("clear")])
    assert [(folded, spoken)] == list(result.select("field", "@said:field").iter_rows())


def test_one_row_folds_like_many():
    """A profile named by one row has the types and the uniqueness of one named by several."""
    several = fold(given([["1", "1"], None], "list"), [rule("set", "list")])
    assert [["1"]] == several["field"].to_list()
    single = fold(given([["1", "1"]], "list"), [rule("set", "list")])
    assert [["1"]] == single["field"].to_list()
    assert pl.Int128 == fold(given([1], "integer"), [rule("sum", "integer")])["field"].dtype


def test_order_by_comes_before_the_place_in_the_file():
    """The highest key applies last; a row without a key applies first."""
    rows = given(["late", "early", "keyless"], order=[9, 1, None])
    assert ["late"] == fold(rows, [rule("set")])["field"].to_list()
    assert ["keyless"] == fold(rows, [rule("set_if_empty")])["field"].to_list()


def test_later_files_come_after_earlier_ones_whatever_the_frame_s_order():
    """Rows apply by file, then by row."""
    rows = given(["new", "old"], files=[1, 0])
    assert ["new"] == fold(rows, [rule("set")])["field"].to_list()


def test_float_sums_do_not_depend_on_the_order_of_rows():
    """The same floats in another order give the same last digit."""
    values = [0.1, 1e15, -1e15, 0.7, 0.3]
    one = fold(given(values, "float"), [rule("sum", "float")])["field"][0]
    other = fold(given(values[::-1], "float"), [rule("sum", "float")])["field"][0]
    assert one == other


@pytest.mark.parametrize(
    ("merge", "kind", "values", "rows"),
    [
        ("set", "string", ["a", None, "b", None], [1]),
        ("set_if_empty", "string", [None, "a", "b"], [3]),
        ("sum", "integer", [1, 2], []),
        ("add", "list", [["1"], ["1"]], []),
        ("remove", "list", [["1"], ["1"]], []),
        ("highest", "integer", [1, 3, 2, None], [1, 3]),
        ("lowest", "integer", [2, 1, None], [1]),
        ("set", "string", ["alone"], []),
    ],
)
def test_a_row_is_superseded_when_others_override_all_it_said(merge, kind, values, rows):
    """The winner survives, a row that said nothing is not superseded."""
    assert rows == superseded(given(values, kind), [rule(merge, kind)])["@row"].to_list()


def test_under_clear_an_empty_row_can_supersede_and_be_superseded():
    """Saying "empty" is saying something."""
    rows = given([None, "a", None, None], said=[True, True, True, False])
    assert [1, 2] == superseded(rows, [rule("clear")])["@row"].to_list()


def test_one_surviving_value_keeps_a_row():
    """A row overridden in one field and summed in another is applied."""
    frame = given(["a", "b"]).with_columns(pl.Series("total", [1, 2]))
    total = Rule("total", "total", "integer", FieldConfig(merge="sum"))
    assert [] == superseded(frame, [rule("set"), total])["@row"].to_list()
    assert [1] == superseded(frame, [rule("set")])["@row"].to_list()


def test_contributions_tell_what_each_file_gave():
    """Sums and unions are kept per file; other strategies and silence leave nothing."""
    rows = given([110, 20, None, 5], "decimal", files=[0, 0, 1, 2])
    assert [("ada", 0, "field", "1.3"), ("ada", 2, "field", "0.05")] == list(
        contributions(rows, [rule("sum", "decimal")]).iter_rows()
    )
    assert 0 == contributions(rows, [rule("set", "decimal")]).height
    tags = given([['"a"'], ['"b"', '"a"']], "list", files=[0, 0])
    assert ['["a","b"]'] == contributions(tags, [rule("add", "list")])["given"].to_list()
