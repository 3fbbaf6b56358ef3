"""Which profile a row names: canonical forms, the first of several, and rows that name nobody."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanger.config.models import ImportJob
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.resolve import canonical_key
from exchanger.profiles.reading.typed_rows import Given, cast_rows
from exchanger.profiles.spelling.profile_key import shown

ALIAS = {"alias": {"name": "id", "label": "crm"}}
LABELLED = {"alias": {"name": "id", "label": {"from": "kind"}}}


def job(match: list, fields: dict | None = None, **source: object) -> ImportJob:
    return ImportJob.model_validate(
        {
            "type": "import",
            "source": {"prefix": "in/", **source},
            "match": match,
            "fields": fields or {"x": {"value": 1}},
        }
    )


def give(cells: dict, a_job: ImportJob, json: tuple[str, ...] = ()) -> Given:
    frame = pl.DataFrame(cells)
    textual = all(dtype == pl.String for dtype in frame.dtypes) and not json
    raw = RawColumns(
        frame.with_row_index("@row", offset=1), textual, frozenset(json), key="in/a.csv"
    )
    settled = settle_rules(a_job, raw, {})
    return cast_rows(raw, settled.rules, a_job, 0, settled.kept)


def profiles(found: Given) -> list[str]:
    return found.frame.select(shown(pl.col("@profile"))).to_series().to_list()


@pytest.mark.parametrize(
    ("match", "cell", "key"),
    [
        ({"email": "id"}, "ada@example.com", "email ada@example.com"),
        ({"email": "id"}, "  Ada@Example.COM ", "email ada@example.com"),
        (
            {"email": "id"},
            "ada.b+c_d'e@sub.example-1.co.uk",
            "email ada.b+c_d'e@sub.example-1.co.uk",
        ),
        ({"email": "id"}, "ÄDA@münchen.example", "email äda@münchen.example"),
        ({"phone": "id"}, "+491701234567", "phone +491701234567"),
        ({"phone": "id"}, " +49 (170) 123-45.67 ", "phone +491701234567"),
        ({"phone": "id"}, "+44 (0) 20 7946 0958", "phone +442079460958"),
        ({"phone": "id"}, "'+491701234567", "phone +491701234567"),
        ({"phone": "id"}, "+4930123456.0", "phone +4930123456"),
        ({"phone": "id"}, "+4930123456.00", "phone +4930123456"),
        ({"phone": "id"}, "+33.6.12.34.56.00", "phone +33612345600"),
        ({"phone": "id"}, '="+491701234567"', "phone +491701234567"),
        ({"braze_id": "id"}, " 5f3a9b2c1d ", "braze_id 5f3a9b2c1d"),
        ({"braze_id": "id"}, "12345.0", "braze_id 12345"),
        (ALIAS, "0047", "alias crm 0047"),
        (ALIAS, "12345.0", "alias crm 12345"),
        ({"external_id": "id"}, "Ada@Example.COM", "Ada@Example.COM"),
    ],
)
def test_an_identifier_has_one_canonical_form(match, cell, key):
    """However it is written in a file, one person has one key; external ids keep their case."""
    assert [key] == profiles(give({"id": [cell]}, job([match])))


@pytest.mark.parametrize(
    ("match", "cell", "reason"),
    [
        *[({"email": "id"}, cell, "bad_email") for cell in (
            "ada", "ada@", "@example.com", "ada@example", "a b@example.com", "ada@@example.com",
            "Ada <ada@example.com>", "ada@example.com, bo@example.com", "ada@example.com;",
            "ada@-example.com", "ada@example..com", "ada@127.0.0.1", "mailto:ada@example.com",
            "x" * 65 + "@example.com", "4711")],
        *[({"phone": "id"}, cell, "bad_phone") for cell in (
            "01701234567", "491701234567", "0049 170 1234567", "2125550100", "+49", "+999123456789",
            "+1 800 FLOWERS", "+49 30 123456.0", "+49 170 1234567 ext. 5", "call me",
            "+4917012345678901234567", "+1 123 456 7890")],
        *[(match, cell, "placeholder")
          for match in ({"email": "id"}, {"phone": "id"}, {"braze_id": "id"}, ALIAS)
          for cell in ("null", "#N/A", "-", "undefined")],
        *[(match, "4.9E+12", "rounded_identifier")
          for match in ({"phone": "id"}, {"braze_id": "id"}, ALIAS)],
        *[(match, "a\u200b@example.com", "invisible_sign")
          for match in ({"email": "id"}, {"braze_id": "id"}, ALIAS)],
        *[(match, " ", "no_identifier")
          for match in ({"email": "id"}, {"phone": "id"}, {"braze_id": "id"}, ALIAS)],
        ({"email": "id"}, f"{'x' * 60}@{'y' * 200}.com", "identifier_too_long"),
        (ALIAS, "é" * 119, "identifier_too_long"),
        ({"email": "id"}, "id", "header_again"),
    ],
)  # fmt: skip
def test_what_names_nobody_rejects_its_row(match, cell, reason):
    """A row that would name nobody, or a stranger, is rejected with a word that says why."""
    found = give({"id": [cell]}, job([match]))
    assert ([], [reason]) == (profiles(found), found.rejected["reason"].to_list())
    kind = next(iter(match))
    assert [kind] == found.rejected["field"].to_list()


@pytest.mark.parametrize("match", [{"phone": "id"}, {"braze_id": "id"}, ALIAS])
def test_numbers_and_floats_name_profiles_by_their_digits(match):
    """A table with a missing value makes floats of whole numbers; they are the same people."""
    found = give({"id": [4711.0, None, 4711.5]}, job([match]))
    words = {"phone": "bad_phone"}.get(next(iter(match)))
    reasons = found.rejected["reason"].to_list()
    assert [*([words] if words else []), "no_identifier", "bad_identifier"] == reasons


def test_placeholders_may_be_allowed_but_are_no_addresses():
    """Somebody may be called null; nobody's address is."""
    allowed = {"placeholders": "allow"}
    assert ["alias crm null"] == profiles(give({"id": ["null"]}, job([ALIAS], **allowed)))
    found = give({"id": ["null"]}, job([{"email": "id"}], **allowed))
    assert ["bad_email"] == found.rejected["reason"].to_list()


def test_a_label_may_stand_in_a_column():
    """An alias is its label and its name; without label a row names nobody."""
    cells = {"id": ["1", "1", "2", None], "kind": ["crm", " pos ", None, None]}
    found = give(cells, job([LABELLED]))
    assert ["alias crm 1", "alias pos 1"] == profiles(found)
    assert ["no_alias_label", "no_identifier"] == found.rejected["reason"].to_list()
    assert (
        "Row 3, column kind is empty, so the alias of this row has no label and names no profile. "
        "Fill it in, or set one 'label:' for all rows in 'match'."
    ) == found.rejected["message"][0]


def in_order(**cells):
    match = [{"external_id": "id"}, {"alias": {"name": "number", "label": {"from": "kind"}}},
             {"email": "mail"}]  # fmt: skip
    columns = {"id": None, "number": None, "kind": None, "mail": None} | cells
    frame = {name: pl.Series([value], dtype=pl.String) for name, value in columns.items()}
    found = give(frame, job(match))
    return profiles(found) or found.rejected.select("reason", "field").rows()


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"id": "a", "number": "1", "mail": "a@example.com"}, ["a"]),
        ({"number": "1", "kind": "crm", "mail": "a@example.com"}, ["alias crm 1"]),
        ({"mail": "A@example.com"}, ["email a@example.com"]),
        ({"kind": "crm", "mail": "a@example.com"}, ["email a@example.com"]),
        ({}, [("no_identifier", "external_id")]),
        ({"kind": "crm"}, [("no_identifier", "external_id")]),
        ({"id": "null", "mail": "a@example.com"}, [("placeholder", "external_id")]),
        ({"number": "1", "mail": "a@example.com"}, [("no_alias_label", "alias")]),
        ({"mail": "nobody"}, [("bad_email", "email")]),
        ({"id": "a", "mail": "nobody"}, ["a"]),
    ],
)
def test_the_first_with_a_value_names_the_profile(cells, told):
    """A value that is none is not passed over for the next: the row might be somebody else's."""
    assert told == in_order(**cells)


def test_a_row_without_any_identifier_names_all_columns_that_are_empty():
    """The message says which columns might have named somebody."""
    cells = {name: pl.Series([None], dtype=pl.String) for name in ("id", "mail", "tel")}
    match = [{"external_id": "id"}, {"email": "mail"}, {"phone": "tel"}]
    found = give(cells, job(match))
    assert (
        "Row 1, column id is empty, and so are mail and tel, so the row names no profile. "
        "Fill it in, or remove the row."
    ) == found.rejected["message"].item()


def test_columns_that_name_profiles_are_no_attributes():
    """The rest of the columns is taken without any that ``match`` reads."""
    match = [{"external_id": "id"}, {"alias": {"name": "number", "label": {"from": "kind"}}},
             {"email": "mail"}]  # fmt: skip
    taking = job(match).model_copy(update={"fields": {}})
    taking = ImportJob.model_validate(
        taking.model_dump(by_alias=True, exclude_unset=True) | {"remaining_fields": [{}]}
    )
    cells = {"id": ["a"], "number": ["1"], "kind": ["crm"], "mail": ["a@example.com"], "x": ["1"]}
    assert ["x"] == [name for name in give(cells, taking).frame.columns if name[0] != "@"]


@pytest.mark.parametrize("merge", ["set", "clear"])
def test_the_address_that_names_a_row_is_not_set_as_well(merge):
    """It is so already; a row that something else names sets it."""
    match = [{"external_id": "id"}, {"email": "mail"}, {"phone": "tel"}]
    fields = {"email": {"from": "mail", "merge": merge}, "phone": {"from": "tel"}}
    cells = {
        "id": ["a", None, None],
        "mail": ["A@example.com", "B@example.com", None],
        "tel": ["+491701234567"] * 3,
    }
    found = give(cells, job(match, fields)).frame
    assert ["A@example.com", None, None] == found["email"].to_list()
    assert ["+491701234567", "+491701234567", None] == found["phone"].to_list()
    if merge == "clear":
        assert [True, False, False] == found["@said:email"].to_list()


KINDS = ("external_id", "braze_id", "alias", "email", "phone")
SPELLINGS = {
    "email": {"email a@example.com": ["a@example.com", "A@Example.com", " a@EXAMPLE.com "],
              "email b@example.com": ["b@example.com", "B@example.com"]},
    "phone": {"phone +491701234567": ["+491701234567", "+49 170 1234567", "+49 (0170) 123-4567"],
              "phone +12125550100": ["+12125550100", "+1 (212) 555-0100"]},
    "alias": {"alias crm 7": ["7", " 7", "7.0"], "alias crm 07": ["07"]},
    "braze_id": {"braze_id 5f": ["5f", " 5f "], "braze_id 7": ["7", "7.00"]},
    "external_id": {"a@example.com": ["a@example.com"], "A@example.com": ["A@example.com"],
                    "7": ["7", "7.0"]},
}  # fmt: skip


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(st.randoms(use_true_random=False), st.permutations(KINDS), st.integers(1, 5))
def test_rows_of_one_key_fold_as_if_they_were_applied_one_by_one(draw, kinds, count):
    """Whatever the spellings, sums and last values are those of a dictionary of people."""
    kinds = kinds[:count]
    rows, sums, last = [], {}, {}
    for number in range(draw.randrange(1, 30)):
        row, key = {}, None
        for kind in kinds:
            if draw.random() < 0.4:
                continue
            person = draw.choice(sorted(SPELLINGS[kind]))
            row[kind] = draw.choice(SPELLINGS[kind][person])
            key = key or person
        rows.append({"n": str(number), **{kind: row.get(kind, "") for kind in kinds}})
        if key is not None:
            sums[key], last[key] = sums.get(key, 0) + number, number
    match = [{kind: {"name": kind, "label": "crm"} if kind == "alias" else kind} for kind in kinds]
    fields = {"total": {"from": "n", "merge": "sum", "type": "integer"},
              "last": {"from": "n", "merge": "set", "type": "integer"}}  # fmt: skip
    a_job = job(match, fields)
    found = give(pl.DataFrame(rows).to_dict(as_series=False), a_job)
    rules = [Rule(name, "n", "integer", config) for name, config in a_job.fields.items()]
    folded = fold(found.frame, rules).select(shown(pl.col("@profile")), "total", "last").rows()
    assert {key: (sums[key], last[key]) for key in sums} == {k: (int(t), n) for k, t, n in folded}


@pytest.mark.parametrize(
    ("kind", "text", "label", "key"),
    [
        ("external_id", "12345.0", "", "12345.0"),
        ("email", "Ada@Example.com", "", "email ada@example.com"),
        ("phone", "+49 170 1234567", "", "phone +491701234567"),
        ("alias", "7", "crm", "alias crm 7"),
        ("alias", "7", "", None),
        ("email", "ada", "", None),
        ("phone", "0170", "", None),
    ],
)
def test_a_person_may_write_a_key_as_in_a_file(kind, text, label, key):
    """What is typed for one person is read like a cell."""
    found = canonical_key(kind, text, label)
    assert key == (found and found.replace("\x1f", " "))


CODES = [
    "ada-1",
    "007",
    "12345",
    "12345.0",
    "4.9E+12",
    "00000000-0000-0000-0000-000000000000",
    "0000000-",
    " a1",
    "a1\n",
    "'=1",
    '="00123"',
    "null",
    "ada",
    "",
    None,
    "a@b1",
    "é1",
    "x" * 996 + "1",
    "x" * 997 + "1",
]
"""Identifiers of all kinds: the first are codes as programs give them, the others are not."""


@pytest.mark.parametrize("nulls", [[], ["007"]])
@pytest.mark.parametrize("cell", CODES)
def test_a_code_is_read_alike_in_every_company(cell, nulls):
    """Whether a column is read the quick way changes no identifier, and no fault."""
    a_job = job([{"external_id": "id"}], nulls=nulls)
    alone = give({"id": pl.Series([cell, cell], dtype=pl.String)}, a_job)
    company = give({"id": pl.Series([cell, cell, "ada lovelace"], dtype=pl.String)}, a_job)
    assert [*profiles(alone), "ada lovelace"] == profiles(company)
    assert alone.rejected.equals(company.rejected)
    assert alone.noted.equals(company.noted)
