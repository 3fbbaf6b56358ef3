"""Rows of a file: which are given, which are rejected, and in what words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from json import dumps, loads

import polars as pl
import pytest
from support.jobs import import_model

from exchanger.config.models import ImportJob, RemainingFields
from exchanger.errors import FileRejected
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.typed_rows import Given, cast_rows
from exchanger.profiles.validation.messages import REJECTED, SENTENCES


def job(fields: dict, **source: object) -> ImportJob:
    return import_model(source={"prefix": "in/", **source}, fields=fields)


def give(frame: pl.DataFrame, a_job: ImportJob, *, json: frozenset[str] = frozenset()) -> Given:
    textual = all(dtype == pl.String for dtype in frame.dtypes) and not json
    raw = RawColumns(frame.with_row_index("@row", offset=1), textual, json, key="in/a.csv")
    settled = settle_rules(a_job, raw, {})
    return cast_rows(raw, settled.rules, a_job, 3, settled.kept)


IDENTIFIERS = [
    (pl.Series(["007", " a b ", "é" * 493 + "x"]), ["007", "a b", "é" * 493 + "x"], []),
    (pl.Series([None, " ", "a"]), ["a"], ["no_identifier"] * 2),
    (pl.Series(["é" * 494]), [], ["identifier_too_long"]),
    (pl.Series([7, None, 8]), ["7", "8"], ["no_identifier"]),
    (pl.Series([7.0, None, float("nan")]), ["7"], ["no_identifier"] * 2),
    (pl.Series([7.0, 7.5, float("inf")]), ["7"], ["bad_identifier"] * 2),
    (pl.Series([2.0**53 - 1, 2.0**60]), [str(2**53 - 1)], ["inexact_identifier"]),
    (pl.Series([2.0**24 - 1, 2.0**24], dtype=pl.Float32), ["16777215"], ["inexact_identifier"]),
    (pl.Series([Decimal("7.00"), Decimal("8.00")]), ["7", "8"], []),
    (
        pl.Series([Decimal("7.00"), Decimal("7.50"), None]),
        ["7"],
        ["bad_identifier", "no_identifier"],
    ),
    (pl.Series([True, None]), [], ["bad_identifier", "no_identifier"]),
    (pl.Series([["a"]]), [], ["bad_identifier"]),
    (pl.Series([date(2026, 1, 1)]), [], ["bad_identifier"]),
]


@pytest.mark.parametrize(("cells", "profiles", "reasons"), IDENTIFIERS)
def test_identifiers_are_trimmed_text_or_reject_their_row(cells, profiles, reasons):
    """Text and whole numbers name profiles; nothing else does, and no row is lost."""
    given = give(pl.DataFrame({"id": cells}), job({"x": {"value": 1}}))

    assert profiles == given.frame["@profile"].to_list()
    assert reasons == given.rejected["reason"].to_list()


def test_json_identifiers_are_text_or_whole_numbers():
    """In a column of JSON texts, strings and integers name profiles; other values do not."""
    cells = pl.Series(['" 007 "', "12", "1.0", "true", "null", '["a"]', '""'])
    given = give(pl.DataFrame({"id": cells}), job({"x": {"value": 1}}), json=frozenset({"id"}))

    assert ["007", "12", "1"] == given.frame["@profile"].to_list()
    assert [
        "bad_identifier",
        "no_identifier",
        "bad_identifier",
        "no_identifier",
    ] == given.rejected["reason"].to_list()


INVISIBLE = [*"\u200b\x1f\u2060\x7f\x00\ufeff\u00ad\u202e\u3164\t"]


@pytest.mark.parametrize(("match", "cell"), [
    ("external_id", "J\ufffdrg-1"), ("email", "j\ufffdrg@example.com"), ("braze_id", "\ufffd"),
])  # fmt: skip
def test_an_identifier_that_lost_a_letter_names_nobody(match, cell):
    """What stands where a letter could not be read stands for any letter, and so for any person."""
    a_job = import_model(
        source={"prefix": "in/"}, match=[{match: "id"}], fields={"x": {"value": 1}}
    )
    given = give(pl.DataFrame({"id": [cell]}), a_job)

    assert ["lost_letter"] == given.rejected["reason"].to_list()
    assert "Export the file again" in given.rejected["message"][0]


def test_whoever_has_such_an_identifier_can_be_named():
    """People of before, of whom a lost letter is known, stay within reach."""
    given = give(
        pl.DataFrame({"id": ["J\ufffdrg-1"]}), job({"x": {"value": 1}}, placeholders="allow")
    )

    assert ["J\ufffdrg-1"] == given.frame["@profile"].to_list()


@pytest.mark.parametrize("sign", INVISIBLE)
@pytest.mark.parametrize("json", [False, True])
def test_a_sign_that_nobody_sees_rejects_its_row_and_is_shown(sign, json):
    """Wherever it stands, it would make another profile; the message shows which sign it is."""
    texts = [f"z{sign}1", "z1"] if sign == "\t" else [f"z{sign}1", f"{sign}z1", f"z1{sign}", "z1"]
    cells = pl.Series([dumps(text) if json else text for text in texts])
    given = give(
        pl.DataFrame({"id": cells}),
        job({"x": {"value": 1}}),
        json=frozenset({"id"} if json else ()),
    )

    assert ["z1"] == given.frame["@profile"].to_list()
    assert {"invisible_sign"} == set(given.rejected["reason"])
    if not json:
        assert f"z<U+{ord(sign):04X}>1" in given.rejected["message"][0]


FOOTERS = [
    *("Total", "total", "TOTAL:", "Grand Total", "Subtotal", "Totals", "Summe", "Gesamtergebnis"),
    *("Total général", "Total general", "Totale complessivo", "(2 rows)", "2 rows selected."),
    *("(1 row affected)", "(1,234 rows affected)", "3 rows in set (0.00 sec)", "10 records"),
    *("Record count: 2", "Rows: 5", "Total records: 1,234", "Number of rows = 3", "count=7"),
    *("Total: 123.50", "EOF", "<EOF>", "End of file", "*** End of Report ***"),
]
PLACEHOLDERS = [
    *("null", "NULL", "None", "NaN", "nan", "NA", "N/A", "n/a", "n.a.", "#N/A", "#NV", "#REF!"),
    *(
        "#DIV/0!",
        "#NAME?",
        "#WERT!",
        "-",
        "--",
        "\u2014",
        "?",
        "...",
        "undefined",
        "[object Object]",
    ),
    *(
        "(null)",
        "<null>",
        "<NA>",
        "'null'",
        "{}",
        "[]",
        "\\N",
        "(not set)",
        "NaT",
        "-nan",
        "1.#QNAN",
    ),
    *("TRUE", "false", "(blank)", "(Empty)"),
    *("{{customer_id}}", "${id}", "00000000-0000-0000-0000-000000000000"),
]
ROUNDED = ["4.9E+12", "4,9E+12", "5E+12", "4.91725e+12", "1.2345678901234568e+17", "4.91725E12"]
GROUPED = ["1,234", "12,345", "7,012,345,678,901", "-1,234.00"]
NAMES = [
    *("12,34", "1,2345", "1234,567", "0,123,4", "01,234", "a1,234", "1 234 567"),
    *(
        "nancy",
        "Total Recall",
        "Count Basie",
        "count-7",
        "eofficer",
        "End",
        "Records: Ada",
        "row5",
        "totally",
        "total-4",
        "2 rows 3",
        "Nan Goldin",
        "nullable",
        "12E3",
        "12e3",
        "1E5",
        "none-42",
        "infinity",
        "a-",
        "-1",
        "#1",
        "0",
        "NAM",
    ),
    *("E+12", "'s-Hertogenbosch", "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}", "\N{GRINNING FACE}"),
]


@pytest.mark.parametrize("json", [False, True])
@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (PLACEHOLDERS, "placeholder"),
        (FOOTERS, "table_footer"),
        (ROUNDED, "rounded_identifier"),
        (GROUPED, "grouped_identifier"),
    ],
)
def test_what_stands_for_a_missing_identifier_names_nobody(texts, reason, json):
    """Such texts would be one profile for many people: rejected, unless they are allowed."""
    cells = pl.Series([dumps(text) if json else text for text in texts])
    columns = frozenset({"id"} if json else ())
    strict = give(pl.DataFrame({"id": cells}), job({"x": {"value": 1}}), json=columns)
    allowed = give(
        pl.DataFrame({"id": cells}), job({"x": {"value": 1}}, placeholders="allow"), json=columns
    )

    assert [(text, reason) for text in cells] == list(
        strict.rejected.select("value", "reason").iter_rows()
    )
    assert texts == allowed.frame["@profile"].to_list()


def test_names_that_look_a_little_like_placeholders_are_names():
    """A needless rejection costs a customer."""
    given = give(pl.DataFrame({"id": NAMES}), job({"x": {"value": 1}}))

    assert NAMES == given.frame["@profile"].to_list()


def test_a_whole_number_with_a_point_is_the_number():
    """Tools that read numbers as floats write 12345.0: one profile, however its cell is typed."""
    texts = pl.Series(["12345.0", "12345", "12345.00", "00123.0", "1.5", "-7.0"])
    given = give(pl.DataFrame({"id": texts}), job({"x": {"value": 1}}))

    assert ["12345", "12345", "12345", "00123.0", "1.5", "-7"] == given.frame["@profile"].to_list()
    assert 3 == given.noted["pointed"].sum()


@pytest.mark.parametrize("fields", [{"f": {}}, {"f": {"type": "string"}}, {"f": {"type": "json"}}])
def test_nulls_count_in_columns_of_texts_and_numbers(fields):
    """A text that means null names nobody and says nothing, also where cells are JSON texts."""
    frame = pl.DataFrame({"id": ['"NULL"', "5"], "f": ["5", '"NULL"']})
    given = give(frame, job(fields, nulls=["NULL"]), json=frozenset({"id", "f"}))

    assert [("5", None)] == given.frame.select("@profile", "f").rows()
    assert ["no_identifier"] == given.rejected["reason"].to_list()


def test_fields_and_patterns_have_nulls_of_their_own():
    """A text means nothing where it is named, also for the type of the column; not elsewhere."""
    a_job = job({"a": {"nulls": ["NA"]}, "b": {}}, nulls=["-"])
    block = RemainingFields(columns="n_*", nulls=("NA",))
    a_job = a_job.model_copy(update={"remaining_fields": (block, RemainingFields())})
    row = {
        "id": ["x", "y"],
        "a": ["NA", "1"],
        "b": ["NA", "-"],
        "n_a": ["NA", "2"],
        "c": ["NA", "-"],
    }
    given = give(pl.DataFrame(row), a_job)

    assert [(None, "NA", None, "NA"), (1, None, 2, None)] == (
        given.frame.select("a", "b", "n_a", "c").rows()
    )


def test_dates_of_unknown_order_are_taken_for_none():
    """What Braze would read month first rejects its row, but where the job says that it is text."""
    dates = ["25/12/1990", "05/04/1990", "09/15/2026", "5/4/1990"]
    frame = pl.DataFrame({"id": ["a", "b", "c", "d"], "born": dates})
    inferred = give(frame, job({"born": {}}))
    listed = give(frame, job({"born": {"type": "list", "items": "date", "split": "|"}}))
    declared = give(frame, job({"born": {"type": "string"}}))
    name = give(frame, job({"first_name": {"from": "born"}}))
    remaining = job({}).model_copy(update={"remaining_fields": (RemainingFields(),)})

    # 5/4/1990 is no date for Braze, whatever comes first.
    for given in (inferred, give(frame, remaining)):
        # 25/12 shows that the column has the day first, so 09/15 is a slip.
        assert ["5/4/1990"] == given.frame["born"].to_list()
        assert ["day_or_month"] * 3 == given.rejected["reason"].to_list()
    assert [] == listed.frame["@profile"].to_list()
    assert ["day_or_month"] * 4 == listed.rejected["reason"].to_list()
    assert dates == declared.frame["born"].to_list()
    assert dates == name.frame["first_name"].to_list()
    assert "Write the year first" in inferred.rejected["message"][0]


def test_dates_that_do_not_sort_as_text_order_nothing():
    """Rows whose order is a date with the year last would apply in a wrong order."""
    frame = pl.DataFrame({"id": ["a", "b", "c"], "at": ["15.09.2026", "12/25/2025 10:00", "x"]})
    given = give(frame, job({"x": {"value": 1}}, order_by="at"))

    assert ["c"] == given.frame["@profile"].to_list()
    assert ["year_last"] * 2 == given.rejected["reason"].to_list()


WRAPPED = [
    ('="00123"', "00123"),
    (' ="00123" ', "00123"),
    ('="say ""hi"""', 'say "hi"'),
    ("'+33612345679", "+33612345679"),
    ("'=A1", "=A1"),
    ("'@ada", "@ada"),
    ("'-5 to 7", "-5 to 7"),
    ("'\tx", "\tx"),
    ('\'="00123"', "00123"),
    ('=""', None),
    ("'tis", "'tis"),
    ("'s-Hertogenbosch", "'s-Hertogenbosch"),
    ("'00123", "'00123"),
    ("''", "''"),
    ("=A1", "=A1"),
    ('="a"&"b"', '="a"&"b"'),
]


@pytest.mark.parametrize(("cell", "text"), WRAPPED)
def test_what_other_tools_put_around_text_is_no_part_of_it(cell, text):
    """An apostrophe against formulas and a formula against lost zeros are undone, in any column."""
    frame = pl.DataFrame({"id": ["a"], "c": [cell], "other": [cell], "l": [cell]})
    a_job = job({"f": {"from": "c"}, "l": {"type": "list", "split": "|"}})
    a_job = a_job.model_copy(update={"remaining_fields": (RemainingFields(prefix="x_"),)})
    given = give(frame, a_job)

    assert (text, text) == given.frame.select("f", "x_other").row(0)
    members = given.frame["l"].to_list()[0]
    assert text == (members and loads(members[0]))
    assert 3 * (text != cell) == given.noted["wrapped"].sum()


def test_an_identifier_is_read_without_what_is_around_it():
    """A formula of nothing but text, and an apostrophe that makes text of digits, are no part."""
    cells = ['="00123"', "'+336", "'tis", "'00123", "'7", "'7012345678901", "'12a", "''1"]
    given = give(pl.DataFrame({"id": cells}), job({"x": {"value": 1}}))

    names = ["00123", "+336", "'tis", "00123", "7", "7012345678901", "'12a", "''1"]
    assert names == given.frame["@profile"].to_list()
    assert 5 == given.noted["wrapped"].sum()


def test_text_of_typed_files_may_begin_with_an_apostrophe():
    """Only CSV has that apostrophe; the formula is undone everywhere."""
    frame = pl.DataFrame({"id": [5], "c": ["'=A1"], "d": ['="007"']})
    given = give(frame, job({"c": {}, "d": {}}))
    mixed = give(
        pl.DataFrame({"id": ['"a"', "5"], "c": ['"=\\"007\\""', "7"]}),
        job({"c": {"type": "string"}, "j": {"from": "c", "type": "json"}}),
        json=frozenset({"id", "c"}),
    )

    assert ("'=A1", "007") == given.frame.select("c", "d").row(0)
    assert [("007", '"007"'), ("7", "7")] == mixed.frame.select("c", "j").rows()


def test_a_column_is_typed_by_what_its_cells_mean():
    """Guarded negative numbers are numbers, and a formula says that its digits are text."""
    frame = pl.DataFrame({"id": ["a", "b"], "n": ["3", "'-5"], "zip": ['="75001"', '="01067"']})
    given = give(frame, job({"n": {}, "zip": {}}))

    assert [(3, "75001"), (-5, "01067")] == given.frame.select("n", "zip").rows()


def test_identifiers_with_accents_apart_are_counted():
    """They look like those with accented letters, and are other people to Braze: both stay."""
    apart, whole = "Zoe\u0308-1", "Zo\u00eb-1"
    given = give(
        pl.DataFrame({"id": [apart, whole, "plain-1", "\u4f60"]}), job({"x": {"value": 1}})
    )
    assert [apart, whole, "plain-1", "\u4f60"] == given.frame["@profile"].to_list()
    assert 1 == given.noted["decomposed"].sum()


def test_trimmed_identifiers_are_counted():
    """The rows whose identifier had white space around it are counted."""
    given = give(pl.DataFrame({"id": [" a", "b ", "c", None]}), job({"x": {"value": 1}}))

    assert 2 == given.noted["trimmed"].sum()


def test_a_row_is_rejected_with_every_reason():
    """A row with several bad fields has an entry for each, and none of its values is given."""
    frame = pl.DataFrame({"id": ["a", None, "c"], "n": ["1", "x", "3"], "b": ["yes", "no", "?"]})
    given = give(frame, job({"n": {"type": "integer"}, "b": {"type": "boolean"}}))

    assert ["a"] == given.frame["@profile"].to_list()
    assert [
        (3, 2, "external_id", None, "no_identifier"),
        (3, 2, "n", "x", "not_an_integer"),
        (3, 3, "b", "?", "not_a_boolean"),
    ] == given.rejected.select("@file", "@row", "field", "value", "reason").rows()


MESSAGES = [
    (
        {"n": {"from": "c", "type": "integer"}},
        "1,5",
        (
            'Row 1, column c: "1,5" is not a whole number. Write it with the digits 0 to 9 alone, '
            "without separators; say how all are written, 'thousands' in 'csv' of the source; or "
            "set another 'type:' for this field."
        ),
    ),
    (
        {"n": {"from": "c", "type": "decimal", "scale": 2}},
        "1.234",
        (
            'Row 1, column c: "1.234" has more than the 2 decimal places of this field. Round it, '
            "or set a larger 'scale:'."
        ),
    ),
    (
        {"n": {"from": "c", "type": "date"}},
        "15.09.2026",
        (
            'Row 1, column c: "15.09.2026" is not a date or time that Braze reads. Write it like '
            "2026-09-15 or 2026-09-15T08:30:00Z."
        ),
    ),
    (
        {"n": {"from": "c", "type": "datetime"}},
        "2026-03-29T02:30:00",
        (
            'Row 1, column c: "2026-03-29T02:30:00" does not exist in the time zone Europe/Paris, '
            "where the clocks go forward over it. Write the time with its offset, like "
            "2026-09-15T08:30:00Z."
        ),
    ),
    (
        {"n": {"from": "c", "type": "json"}},
        "{",
        'Row 1, column c: "{" is not valid JSON. Write it like ["a", "b"] or {"a": 1}.',
    ),
]


@pytest.mark.parametrize(("fields", "cell", "message"), MESSAGES)
def test_a_rejection_says_where_what_and_what_to_do(fields, cell, message):
    """The message names the row, the column and the value, and ends in what to do."""
    frame = pl.DataFrame({"id": ["a"], "c": [cell]})
    given = give(frame, job(fields, timezone="Europe/Paris"))

    assert message == given.rejected["message"].item()


def test_a_row_without_identifier_is_told_so():
    """The message about a missing identifier shows no value, as there is none."""
    given = give(pl.DataFrame({"id": [None, "b"]}), job({"x": {"value": 1}}))

    assert (
        "Row 1, column id is empty, so the row names no profile. Fill it in, or remove the row."
        == given.rejected["message"].item()
    )


def test_a_long_value_is_shortened_in_its_message():
    """A message shows the beginning of a long value; the value itself is kept in full."""
    frame = pl.DataFrame({"id": ["a"], "c": ["x" * 300]})
    given = give(frame, job({"n": {"from": "c"}}))

    assert "x" * 300 == given.rejected["value"].item()
    assert f'"{"x" * 100}" is longer' in given.rejected["message"].item()


@pytest.mark.parametrize("reason", SENTENCES)
def test_every_reason_has_a_sentence_that_says_what_to_do(reason):
    """Every sentence continues the name of the column, and gives an advice after it."""
    sentence = SENTENCES[reason].format(
        scale=2,
        timezone="UTC",
        longest=987,
        beside="",
        key="sku",
        whom="nobody",
        catalog="shop",
        takes="number",
    )

    assert sentence.split()[0] in {"is", "has", "holds", "does"}
    assert sentence.count(". ") >= 1
    assert sentence.endswith(".")


def test_the_given_frame_has_the_promised_columns_and_types():
    """Each type has its one dtype, control columns come first, and clear fields say so."""
    cells = {
        "i": "1",
        "f": "1.0e0",
        "d": "1.50",
        "b": "true",
        "day": "2026-01-02",
        "at": "2026-01-02T03:04:05Z",
        "s": "a",
        "l": "a",
        "j": "[1]",
    }
    fields = {name: {} for name in cells} | {
        "l": {"merge": "add"},
        "j": {"type": "json", "merge": "clear"},
        "static": {"value": True},
    }
    frame = pl.DataFrame({"id": ["p"]} | {name: [cell] for name, cell in cells.items()})
    given = give(frame, job(fields, order_by="at"))

    assert {
        "@profile": pl.String,
        "@file": pl.UInt32,
        "@row": pl.UInt32,
        "@order": pl.Datetime("us", "UTC"),
        "i": pl.Int64,
        "f": pl.Float64,
        "d": pl.Int64,
        "b": pl.Boolean,
        "day": pl.Date,
        "at": pl.Datetime("ms", "UTC"),
        "s": pl.String,
        "l": pl.List(pl.String),
        "j": pl.String,
        "static": pl.Boolean,
        "@said:j": pl.Boolean,
    } == dict(given.frame.schema)
    assert (3, 150, True, ("j",)) == (
        given.frame["@file"].item(),
        given.frame["d"].item(),
        given.frame["@said:j"].item(),
        given.said,
    )


def test_a_file_of_no_rows_gives_no_rows():
    """A header alone gives empty frames with all columns, static ones too."""
    frame = pl.DataFrame(schema={"id": pl.String, "n": pl.String, "l": pl.String})
    fields = {"n": {"type": "integer"}, "l": {"merge": "add", "split": "|"}, "x": {"value": 1}}
    given = give(frame, job(fields, order_by="n"))

    assert (0, 0) == (given.frame.height, given.rejected.height)
    assert ["@profile", "@file", "@row", "@order", "n", "l", "x"] == given.frame.columns
    assert REJECTED == dict(given.rejected.schema)


STATIC = [
    ({"value": "crm"}, "crm"),
    ({"value": 3}, 3),
    ({"value": 2.5}, 2.5),
    ({"value": True}, True),
    ({"value": 12.5, "type": "decimal", "scale": 2}, 1250),
    ({"value": "2026-01-02", "type": "date"}, date(2026, 1, 2)),
    ({"value": "a|b", "type": "list", "split": "|"}, ['"a"', '"b"']),
    ({"value": ""}, None),
]


@pytest.mark.parametrize(("config", "expected"), STATIC)
def test_a_static_value_is_given_by_every_row(config, expected):
    """A static value has the type of its YAML, or the declared one, in every row."""
    given = give(pl.DataFrame({"id": ["a", "b"]}), job({"x": config}))

    assert [expected] * 2 == given.frame["x"].to_list()


def test_a_static_value_that_is_not_of_its_type_rejects_the_file():
    """A static value that cannot be cast is a mistake of the job, named as such."""
    with pytest.raises(FileRejected, match="The 'value:' of field 'x' is no integer") as caught:
        give(pl.DataFrame({"id": ["a"]}), job({"x": {"value": "a", "type": "integer"}}))

    assert "static_value" == caught.value.reason


ORDERS = [
    (["10", "9", None], [10, 9, None]),
    (["1.5", "10", "2"], [1.5, 10.0, 2.0]),
    (
        ["2026-01-02", "2026-01-01T00:00:00.000001Z"],
        [datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1, UTC)],
    ),
    (["b", "a"], ["b", "a"]),
]


@pytest.mark.parametrize(("cells", "expected"), ORDERS)
def test_rows_order_by_what_the_text_means(cells, expected):
    """Numbers order as numbers, times as instants to the microsecond, other text as text."""
    frame = pl.DataFrame({"id": ["p"] * len(cells), "o": cells})
    given = give(frame, job({"x": {"value": 1}}, order_by="o"))

    assert expected == given.frame["@order"].to_list()


def test_a_declared_type_also_orders_and_is_named_once():
    """A field's declared type decides how its column orders; a bad cell is one entry."""
    frame = pl.DataFrame({"id": ["a", "b"], "o": ["2026-01-02", "soon"]})
    given = give(frame, job({"o": {"type": "date"}}, order_by="o"))

    assert [datetime(2026, 1, 2, tzinfo=UTC)] == given.frame["@order"].to_list()
    assert [("o", "not_a_time")] == given.rejected.select("field", "reason").rows()


def test_what_has_no_order_rejects_the_file():
    """Lists cannot order rows, so the file is rejected and ``order_by`` named."""
    frame = pl.DataFrame({"id": ["a"], "o": [["x"]]})
    with pytest.raises(FileRejected, match="has no order") as caught:
        give(frame, job({"x": {"value": 1}}, order_by="o"))

    assert "bad_order" == caught.value.reason


@pytest.mark.parametrize("cells", [pl.Series(["a", "id"]), pl.Series(["a", " id "])])
def test_a_header_among_the_rows_names_nobody(cells):
    """Nobody is called like the column of identifiers: such a row is a header."""
    given = give(pl.DataFrame({"id": cells, "n": [1, 2]}), job({"n": {}}))

    assert ["a"] == given.frame["@profile"].to_list()
    assert [(2, "header_again")] == given.rejected.select("@row", "reason").rows()


TEXTS = [
    "plain",
    "trailing ",
    " leading",
    "\u00a0",
    " ",
    "",
    None,
    "'=1",
    "'tis",
    '="00123"',
    '=""',
    "=1+1",
    '"quoted"',
    "25/12/1990",
    "12/25/1990",
    "05/04/1990",
    "n/a",
    "é" * 255,
    "x" * 256,
]


@pytest.mark.parametrize("cell", TEXTS)
@pytest.mark.parametrize("config", [{}, {"trim": True}, {"too_long": "cut"}, {"nulls": ["n/a"]}])
def test_text_is_read_alike_in_every_company(cell, config):
    """Whether a column of text is read the quick way changes no value, and no fault."""
    a_job = job({"text": {"from": "text", "type": "string", **config}}, csv={"delimiter": ","})
    texts = pl.DataFrame({"id": ["a", "b"], "text": [cell, " odd"]})
    alone, company = give(texts[:1], a_job), give(texts, a_job)

    assert alone.frame["text"].to_list() == company.frame["text"].to_list()[: alone.frame.height]
    assert alone.rejected.equals(company.rejected)
    assert alone.noted.equals(company.noted)


def test_text_that_stands_for_a_missing_value_is_counted():
    """A name is sent as it stands, and told where programs write so for want of one."""
    words = ["NULL", "\\N", "#N/A", "undefined", "None", "nan", "Null", "gold", None]
    frame = pl.DataFrame({"id": [f"a{n}" for n in range(len(words))], "tier": words, "n": words})
    fields = {"tier": {}, "n": {"type": "string"}, "tags": {"from": "tier", "type": "list"}}
    given = give(frame, job(fields))
    meant = give(frame, job({"tier": {}}, nulls=["Null", *words[:6]]))

    assert words == given.frame["tier"].to_list()
    # Somebody eats None of it, and Null is a name.
    assert [10] == given.noted["stand_ins"].to_list()
    assert meant.noted.is_empty()
