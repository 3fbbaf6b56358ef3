# ruff: noqa: E501, RUF001 - a row of the table is a line; signs as people write them
"""
Files as people's programs write them, one row for each kind that was met, and relatives of it.

The numbers are those of the reports. Kinds that are about more than the content of one file have
tests of their own: of names and arrival, of the surroundings, of exports.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import zlib
from datetime import datetime
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.field_files import take

TIER = {"tier": "set"}
SPEND = {"spend": {"merge": "sum", "type": "integer"}}
MONEY = {"x": {"merge": "sum", "type": "decimal", "scale": 2}}
TAGS = {"tags": {"merge": "add", "split": ","}}
DAY = {"born": {"type": "date"}}
ANY = {"x": "set"}
REST = {"fields": {}, "remaining_fields": [{"prefix": "crm_"}]}
NULL = {"nulls": ["NULL"]}
LINES = "customer_id,tier\nh1,gold\n"


def lines(*objects) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in objects)


def parquet(columns: dict, **options) -> bytes:
    body = io.BytesIO()
    pq.write_table(pa.table(columns), body, **options)
    return body.getvalue()


def packed(*layers, text: str = LINES) -> bytes:
    body = text.encode()
    for pack in layers:
        body = pack(body)
    return body


EITHER = b"0|" + b"a,b\n" * 8 + b"<" + b"c,d\n" * 4
"""Text, and what snappy makes of other text."""


def raw_snappy(text: str) -> bytes:
    return bytes(pa.compress(text.encode(), codec="snappy", asbytes=True))


def ids(values: list, *, of: str = "csv") -> tuple[str, str | bytes]:
    """Write identifiers, with a 1 to be summed beside each."""
    if of == "csv":
        cells = (json.dumps(v, ensure_ascii=False).replace("\\", "") for v in values)
        return "a.csv", "customer_id,spend\n" + "".join(f"{cell},1\n" for cell in cells)
    if of == "ndjson":
        return "a.ndjson", lines(*({"customer_id": v, "spend": 1} for v in values))
    return "a.parquet", parquet({"customer_id": values, "spend": [1] * len(values)})


def bool8(*values: int) -> pa.Array:
    return pa.ExtensionArray.from_storage(pa.bool8(), pa.array(values, pa.int8()))


WINDOW = bytes.fromhex(
    "28b52ffd04a8c90000637573746f6d65725f69642c746965720a7a312c676f6c640a75dac3f5"
)
FAR = [datetime(2300, 1, 1), datetime(1, 1, 1)]  # noqa: DTZ001 - as Parquet has them
GOLD = {"h1": "tier=gold"}
BOTH = {"h1": "tier=gold", "h2": "tier=x"}

# The number, the file, the job; whom it gives what; which rows are rejected, or why the file is.
TAKEN = [
    ("R8", "a.csv", "sep=;\ncustomer_id;tier\nh1;gold\n", {}, GOLD, []),
    ("R8", "a.csv", '\ufeff"sep=;"\r\ncustomer_id;tier\r\nh1;gold\r\n', {}, GOLD, []),
    ("R8", "a.csv", "SEP=\t\ncustomer_id\ttier\nh1\tgold\n", {}, GOLD, []),
    ("R9", "a.csv", "customer_id, tier\nh1,gold\n", {}, GOLD, []),
    ("R9", "a.csv", "customer_id,tier, city \nh1,x,Lyon\n", REST, {"h1": "crm_tier=x crm_city=Lyon"}, []),
    ("R9", "a.csv", "\ufeff\ufeff" + LINES, {}, GOLD, []),
    ("R9", "a.ndjson", lines({"customer_id ": "h1", "\u200btier": "gold"}), {}, GOLD, []),
    ("R10", "a.csv", ",customer_id,tier\n0,h1,gold\n", REST, {"h1": "crm_tier=gold"}, []),
    ("R10", "a.csv", "customer_id,,tier, ,\nh1,1,gold,2,\n", REST, {"h1": "crm_tier=gold"}, []),
    ("R10", "a.parquet", parquet({"": [1], "customer_id": ["h1"], "tier": ["gold"]}), {}, GOLD, []),
    ("R11", "a.csv", "customer_id,tier\nh1,gold,\nh2,x,\n", {}, BOTH, []),
    ("R11", "a.csv", "customer_id,tier,\nh1,gold,\nh2,x,\n", {}, BOTH, []),
    ("R11", "a.csv", "customer_id,tier\nh1,gold\nh2,x,y\n", {}, GOLD, [(2, "ragged_row")]),
    ("R12", "a.csv", LINES + "customer_id,tier\nh2,x\n", {}, BOTH, []),
    ("R12", "a.csv.gz", gzip.compress(LINES.encode()) + packed(gzip.compress, text="customer_id,tier\nh2,x\n"), {}, BOTH, []),
    ("R12", "a.csv", LINES + "CUSTOMER_ID,TIER\nh2,x\n", {}, BOTH, [(2, "header_again")]),
    ("R12", "a.csv", "customer_id,spend\nh1,1\n customer_id ,spend\nh2,2\n", {"fields": SPEND}, {"h1": "spend=1", "h2": "spend=2"}, []),
    ("R12", "a.csv", 'customer_id,tags\nh1,"a,b"\ncustomer_id,tags\nh2,c\n', {"fields": TAGS}, {"h1": 'tags=["a","b"]', "h2": 'tags=["c"]'}, []),
    ("R13", "a.csv", 'customer_id,tier\nb1,"Ada \\"Queen\\" L"\n', {}, "backslash_escapes", None),
    ("R13", "a.csv", 'customer_id,tier\n"b\\"1",gold\n', {}, "backslash_escapes", None),
    ("R13", "a.csv", 'customer_id,x\nb1,"{\\"a\\": 1}"\n', {"fields": {"x": {"type": "json"}}}, "backslash_escapes", None),
    ("R13", "a.csv", 'customer_id,tier\nh1,"C:\\dir\\"\n', {}, {"h1": "tier=C:\\\\dir\\\\"}, []),
    ("R14", "a.csv", 'customer_id,tier\n="00123",="01067"\n', {}, {"00123": "tier=01067"}, []),
    ("R14", "a.csv", 'customer_id,tier\n"=""00123""","=""01067"""\n', REST, {"00123": "crm_tier=01067"}, []),
    ("R14", "a.parquet", parquet({"customer_id": ['="00123"'], "tier": ['="01"']}), {}, {"00123": "tier=01"}, []),
    ("R15", "a.csv", "customer_id,tier\ne2,'+33612345679\ne3,'=A1\n'-e4,'tis\n", {}, {"e2": "tier=+33612345679", "e3": "tier==A1", "-e4": "tier='tis"}, []),
    ("R15", "a.csv", "customer_id,spend\ne2,'-5\n", {"fields": SPEND}, {"e2": "spend=-5"}, []),
    ("R15", "a.ndjson", lines({"customer_id": "e", "tier": "'s-Hertogenbosch"}), {}, {"e": "tier='s-Hertogenbosch"}, []),
    ("R16", "a.csv", "customer_id,x\na,１２３\nb,१२.५\nc,1\n", {"fields": MONEY}, {"c": "x=1"}, [(1, "not_a_number"), (2, "not_a_number")]),
    ("R16", "a.ndjson", lines({"customer_id": "a", "x": "١٢٣"}), {"fields": {"x": {"merge": "highest", "type": "integer"}}}, {}, [(1, "not_an_integer")]),
    ("R16", "a.csv", "customer_id,x\na,２０２６-０９-１５\n", {"fields": ANY}, {"a": "x=２０２６-０９-１５"}, []),
    ("R17", "a.csv", "customer_id,born\na,25/12/1990\nb,05/04/1990\nc,1990-04-05\nd,09/15/2026\n", {"fields": DAY}, {"c": "born=1990-04-05"}, [(1, "day_or_month"), (2, "day_or_month"), (4, "day_or_month")]),
    ("R17", "a.csv", "customer_id,born\na,05/04/1990\n", {"fields": {"dob": {"from": "born", "type": "date"}}}, {}, [(1, "day_or_month")]),
    ("R17", "a.csv", "customer_id,born\na,05/04/1990\nb,09/15/2026\n", REST, {"b": "crm_born=09/15/2026"}, [(1, "day_or_month")]),
    ("R17", "a.csv", "customer_id,born,tier\na,05/04/1990,x\n", {"source": {"order_by": "born"}}, {}, [(1, "year_last")]),
    *(("R18", *ids([f"z{sign}1", "z1"], of=of), {"fields": SPEND}, {"z1": "spend=1"}, [(1, "invisible_sign")])
      for sign, of in [("\u200b", "csv"), ("\x1f", "ndjson"), ("\u2060", "parquet"), ("\x7f", "csv"), ("\0", "parquet"), ("\xa0", "csv")]),
    *(("R19", *ids([word, word, "nancy"], of=of), {"fields": SPEND}, {"nancy": "spend=1"}, [(1, "placeholder"), (2, "placeholder")])
      for word, of in [("null", "csv"), ("#REF!", "csv"), ("[object Object]", "ndjson"), ("-", "csv"), ("(null)", "parquet")]),
    ("R19", *ids(["u1", "Total"]), {"fields": SPEND}, {"u1": "spend=1"}, [(2, "table_footer")]),
    ("R20", *ids(["4.91725E+12", "4.91725E+12", "12E3"]), {"fields": SPEND}, {"12E3": "spend=1"}, [(1, "rounded_identifier"), (2, "rounded_identifier")]),
    ("R20", *ids(["4,91725E+12", "1.0E7"], of="ndjson"), {"fields": SPEND}, {}, [(1, "rounded_identifier"), (2, "rounded_identifier")]),
    ("R20", *ids(["9.00720E+15", "9007200000000000"], of="parquet"), {"fields": SPEND}, {"9007200000000000": "spend=1"}, [(1, "rounded_identifier")]),
    ("R21", *ids(["12345.0", "12345"]), {"fields": SPEND}, {"12345": "spend=2"}, []),
    ("R21", *ids([12345.0, 12345.5, "12345"], of="ndjson"), {"fields": SPEND}, {"12345": "spend=2"}, [(2, "bad_identifier")]),
    ("R21", *ids([Decimal("1.00"), Decimal("2.50")], of="parquet"), {"fields": SPEND}, {"1": "spend=1"}, [(2, "bad_identifier")]),
    ("R22", "a.ndjson", lines({"customer_id": "NULL", "tier": "x"}, {"customer_id": 5, "tier": "y"}), {"source": NULL}, {"5": "tier=y"}, [(1, "no_identifier")]),
    ("R22", "a.ndjson", lines({"customer_id": "1", "x": "NULL"}, {"customer_id": "5", "x": 7}), {"source": NULL, "fields": {"x": "sum"}}, {"1": "", "5": "x=7"}, []),
    ("R22", "a.ndjson", lines({"customer_id": "1", "o": "NULL", "tier": "a"}, {"customer_id": 1, "o": 7, "tier": "b"}), {"source": {**NULL, "order_by": "o"}}, {"1": "tier=b"}, []),
    ("R22", "a.ndjson", lines({"customer_id": "1", "tags": ["NULL", "a", 5]}), {"source": NULL, "fields": {"tags": "add"}}, {"1": 'tags=["a",5]'}, []),
    ("R23", "a.csv", "customer_id,x\na,1.0E7\nb,4.2451267E7\nc,-1.5e-1\n", {"fields": MONEY}, {"a": "x=10000000", "b": "x=42451267", "c": "x=-0.15"}, []),
    ("R23", "a.csv", "customer_id,spend\na,1.0E3\nb,1.5E0\nc,4.91725E+07\n", {"fields": SPEND}, {"a": "spend=1000"}, [(2, "not_an_integer"), (3, "rounded_number")]),
    ("R23", "a.csv", 'customer_id,x\na,"1,0E7"\n', {"fields": MONEY, "source": {"csv": {"decimal": ","}}}, {"a": "x=10000000"}, []),
    ("R23", "a.csv", "customer_id,x\na,4.91725E+12\nb,1E9999\n", {"fields": MONEY}, {}, [(1, "rounded_number"), (2, "not_a_number")]),
    ("codes", "a.csv", "customer_id,x\na,12E3\nb,17\n", {"fields": ANY}, {"a": "x=12E3", "b": "x=17"}, []),
    ("codes", "a.csv", "customer_id,x\na,1.2E3\nb,1e-05\n", {"fields": ANY}, {"a": "x=1200", "b": "x=0.00001"}, []),
    ("R25", "a.csv.gz", packed(gzip.compress, gzip.compress), {}, GOLD, []),
    ("R25", "a.csv.gz.gz", packed(gzip.compress, gzip.compress), {}, GOLD, []),
    ("R25", "a.csv.bz2", packed(bz2.compress), {}, "packed", None),
    ("R25", "a.csv.gz", packed(lzma.compress, gzip.compress), {}, "packed", None),
    ("R25", "a.csv", packed(zlib.compress), {}, "packed", None),
    ("R25", "a.csv.snappy", raw_snappy(LINES), {}, "packed", None),
    ("R25", "a.csv", raw_snappy(LINES + "h9,Köln\n" * 900), {}, "packed", None),
    *(("R25", f"a.csv.{end}", packed(text=text), {}, GOLD, [])
      for end in ("snappy", "SNAPPY", "gz", "zst", "bz2", "lz4")
      for text in (LINES, f"\ufeff{LINES}", LINES + "h1,gold\n" * 900)),
    *(("R25", f"a.csv.{end}", f"customer_id,tier\nh1,gold\nh1,{word}\n".encode(code), {}, {"h1": f"tier={word}"}, [])
      for end in ("snappy", "gz", "zst", "xz")
      for word, code in [("Müller", "cp1252"), ("Łódź", "utf-16")]),
    *(("R25", f"a.{end}", lines({"customer_id": "h1", "tier": "gold"}), {}, GOLD, []) for end in ("ndjson.snappy", "json.bz2")),
    ("R25", "a.parquet.snappy", parquet({"customer_id": ["h1"], "tier": ["gold"]}), {}, GOLD, []),
    ("R25", "a.csv.snappy", EITHER, {}, "packed", None),
    ("R25", "a.csv.gz", b"\0\1\2" * 50, {}, "damaged_gzip", None),
    ("R25", "a.csv", "xœ,customer_id,tier\n1,h1,gold\n".encode("cp1252"), {}, GOLD, []),
    ("R25", "a.csv", "x^2,customer_id,tier\n1,h1,gold\n", {}, GOLD, []),
    ("R26", "a.csv.gz", packed(gzip.compress) + b"\n", {}, GOLD, []),
    ("R26", "a.csv.gz", packed(gzip.compress) + b"\r\n" + gzip.compress(b"h2,x\n") + bytes(600), {}, BOTH, []),
    ("R26", "a.csv.gz", packed(gzip.compress) + b"\nmore", {}, "damaged_gzip", None),
    ("R27", "a.csv.zst", WINDOW, {}, "large_window", None),
    ("R28", "a.ndjson", '{"customer_id":"k4"}{"customer_id":"k5"}\n{"customer_id":"k6"}\n', {}, "not_ndjson", None),
    ("R28", "a.ndjson", '{"customer_id":"k4"}\r{"customer_id":"k5"}\r', {}, "not_ndjson", None),
    ("R28", "a.json", '\x1e{"customer_id":"h1","tier":"gold"}\n\x1e{"customer_id":"h2","tier":"x"}\n', {}, BOTH, []),
    ("R29", "a.ndjson", '[\n  {"customer_id":"k7"},\n  {"customer_id":"k8"}\n]\n', {}, "not_ndjson", None),
    ("R29", "a.ndjson", '{"customer_id":"k7"},\n{"customer_id":"k8"}\n', {}, "not_ndjson", None),
    ("R29", "a.json", '{\n  "customer_id":"k7"\n}\n{\n  "customer_id":"k8"\n}\n', {}, "not_ndjson", None),
    ("R30", "a.ndjson", lines({"customer_id": "m1", "city": "Lyon"}), {"fields": {"tier": "clear", "city": "set"}}, {"m1": "city=Lyon"}, []),
    ("R30", "a.ndjson", lines({"customer_id": "m1"}), {"fields": {"spend": {"merge": "sum"}, "tags": "add"}}, {"m1": ""}, []),
    ("R30", "a.ndjson", lines({"customer_id": "m1"}), {"source": {"order_by": "at"}}, "missing_column", None),
    ("R30", "a.csv", "customer_id,city\nm1,Lyon\n", {"fields": {"tier": "clear", "city": "set"}}, "missing_column", None),
    *(("R31", "a.parquet", parquet({"customer_id": ["a", "b"], "t": made}, use_deprecated_int96_timestamps=old), {"fields": {"t": rule}}, far, [])
      for old in (True, False)
      for made, rule, far in [
          (pa.array(FAR, pa.timestamp("us")), {"merge": "highest"}, {"a": "t=2300-01-01T00:00:00.000Z", "b": "t=0001-01-01T00:00:00.000Z"}),
          (pa.array([[t] for t in FAR], pa.list_(pa.timestamp("us"))), {"merge": "add"}, {"a": 't=["2300-01-01T00:00:00.000Z"]', "b": 't=["0001-01-01T00:00:00.000Z"]'}),
      ]),
    ("R32", "a.parquet", parquet({"customer_id": ["h1"], "tier": ["x"], "__index_level_0__": [3]}), REST, {"h1": "crm_tier=x"}, []),
    ("R32", "a.parquet", parquet({"customer_id": ["h1"], "tier": ["x"], "__null_dask_index__": [3]}), REST, {"h1": "crm_tier=x"}, []),
    ("R32", "a.parquet", parquet({"customer_id": ["h1"], "__index_level_0__": [3]}), {"fields": {"n": {"from": "__index_level_0__"}}}, {"h1": "n=3"}, []),
    ("R38", "a.csv", 'customer_id,tags\na,"[""a"",""b""]"\nb,"a,b"\n', {"fields": TAGS}, {"a": 'tags=["a","b"]', "b": 'tags=["a","b"]'}, []),
    ("R38", "a.csv", "customer_id,tags\na,\"['a', 'b']\"\nb,[a]\n", {"fields": TAGS}, {"b": 'tags=["[a]"]'}, [(1, "printed_list")]),
    ("R38", "a.csv", 'customer_id,tags\na,"[1,2]"\n', {"fields": {"tags": {**TAGS["tags"], "items": "integer"}}}, {"a": "tags=[1,2]"}, []),
    ("R39", "a.csv", 'customer_id,tags\na,"{a,b}"\nb,{}\n', {"fields": {"tags": "add"}}, {"b": ""}, [(1, "printed_list")]),
    ("R39", "a.csv", "customer_id,tags\na,\"('a', 'b')\"\nb,red (dark)\n", {"fields": TAGS}, {"b": 'tags=["red (dark)"]'}, [(1, "printed_list")]),
    ("R39", "a.ndjson", lines({"customer_id": "a", "tags": "{'a'}"}), {"fields": {"tags": "add"}}, {}, [(1, "printed_list")]),
    ("R45", "a.csv", LINES + "\x1a", {}, GOLD, []),
    ("R45", "a.csv", LINES + "\x1a" * 50, {}, GOLD, []),
    ("R45", "a.ndjson", lines({"customer_id": "h1", "tier": "gold"}) + "\x1a", {}, GOLD, []),
    ("R47", "a.parquet", parquet({"customer_id": ["a", "b"], "x": bool8(1, 0)}), {"fields": ANY}, {"a": "x=true", "b": "x=false"}, []),
    ("R47", "a.parquet", parquet({"customer_id": ["a"], "x": bool8(1)}), {"fields": {"x": "add"}}, {"a": "x=[true]"}, []),
    ("R47", "a.parquet", parquet({"customer_id": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(16)] * 2, pa.binary(16)))}), {}, "unusable_column", None),
]  # fmt: skip
NUMBERS = [each[0] for each in TAKEN]


@pytest.mark.parametrize(
    ("key", "body", "job", "outcome", "bad"),
    [each[1:] for each in TAKEN],
    ids=[f"{name}-{NUMBERS[:at].count(name)}" for at, name in enumerate(NUMBERS)],
)
def test_a_file_gives_what_its_maker_means_or_says_why_not(key, body, job, outcome, bad):
    """Each value is what stands there, or its row or file is rejected with the true reason."""
    found = take(key, body.encode() if isinstance(body, str) else body, **{"fields": TIER, **job})

    if isinstance(outcome, str):
        assert outcome == found.why, found.words
        return
    assert not found.why, found.words
    people = {
        who: " ".join(f"{name}={text.strip(chr(34))}" for name, text in given.items())
        for who, given in found.people.items()
    }
    assert outcome == people
    assert bad == found.bad


@pytest.mark.parametrize(
    ("key", "body", "column", "kept", "told"),
    [
        ("a.csv", "customer_id,x\na,1\nb,2\nc,n/a\n", "x", "integer", "row 3: 'n/a'"),
        ("a.csv", "customer_id,x\na,2026-01-01\nb,soon\n", "x", "date", "row 2: 'soon'"),
        # Of another spelling, though each can be read as the kept type.
        ("a.csv", "customer_id,x\na,1\nb,1.5\nc,007\n", "x", "integer", "row 3: '007'"),
        ("a.csv", "customer_id,x\na,1\nb,1.0E7\n", "x", "integer", "row 2: '1.0E7'"),
        ("a.csv", "customer_id,x\na,1.5\nb,1e-5\n", "x", "decimal(2)", "row 2: '1e-5'"),
        ("a.csv", "customer_id,x\na,1.5\nb,+5\n", "x", "float", "row 2: '+5'"),
        ("a.csv", "customer_id,x\na,true\nb,1\n", "x", "boolean", "row 2: '1'"),
        ("a.csv", "customer_id,x\na,\nb,2026-01-01 10:00:00\n", "x", "date", "row 2: '2026-01-01 10"),
        ("a.csv", "customer_id,x\na,2026-01-01\nb,2026-13-01\n", "x", "date", "row 2: '2026-13-01'"),
        ("a.csv", "customer_id,x\na,5\nb,99999999999999999999\n", "x", "integer", "row 2: '9999"),
        ("a.ndjson", lines({"customer_id": "a", "x": 1}, {"customer_id": "b", "x": "?"}), "x",
         "integer", "row 2: '\"?\"'"),
    ],
)  # fmt: skip
def test_what_changes_the_type_of_a_column_is_named(key, body, column, kept, told):
    """R7: the file waits for somebody, who is told which cell it is about, and what to write."""
    nothing = {"nulls": ["-"]}
    if key == "a.csv":  # What means nothing is no such cell.
        body = body.replace("\na,", "\nn,-\na,")
        told = re.sub(r"row (\d)", lambda row: f"row {int(row[1]) + 1}", told)
    found = take(key, body.encode(), fields=ANY, kept={column: kept}, source=nothing)

    assert "type_changed" == found.why
    assert told in found.words
    assert "write 'type:' for this field" in found.words


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (packed(bz2.compress), "packed as bzip2"),
        (EITHER, "under a name without .snappy"),
        (raw_snappy(LINES + "h9,Köln\n" * 900), "packed as snappy"),
        (b'{"entries":[]}', "Its columns are: entries. Correct"),
        (b'{"entries":[]}', "No column of the job is in it: if it is no data, let 'pattern'"),
        (b"# hello\n", "let 'pattern' in 'source' leave it out"),
        (WINDOW, "--long"),
        (b'{"customer_id":"a"}{"customer_id":"b"}\n', "several objects stand on one line"),
        (b"customer_id,spend\na,4.91725E+12\n", "no room for its digits"),
    ],
)
def test_the_words_lead_to_the_cure(body, says):
    """Whoever made the file learns what is the matter with it, not what came of that."""
    key = "a.ndjson" if body[:1] == b"{" else "a.csv"
    key += ".snappy" if body == EITHER else ""
    assert says in take(key, body, fields=SPEND).words


def test_a_column_that_is_in_the_name_of_a_folder_is_told_so():
    """Hive and Spark leave a column out by which they part files: no reader finds it in them."""
    body = parquet({"customer_id": ["a"], "dtx": ["1"]})
    found = take("country=FR/dt=2026-09-15/part-0.parquet", body, fields={"dt": "set"})
    assert "missing_column" == found.why
    assert "no column 'dt'. It is in the name of a folder alone: dt=2026-09-15." in found.words


def test_a_name_that_only_looks_like_the_one_of_the_job_is_spelled_out():
    """A letter and its accent may be one sign or two, which nobody sees."""
    found = take("a.csv", "customer_id,pre\u0301nom\na,1\n".encode(), fields={"prénom": "set"})
    assert "missing_column" == found.why
    assert r"It has 'pre\u0301nom', which looks alike" in found.words


def test_files_of_every_kind_are_there():
    """Each kind of the reports that is about content has its example and two relatives."""
    about_content = {*range(7, 24), *range(25, 33), 38, 39, 45, 47} - {7, 24}
    rare = {"R27": 1}
    for number in about_content:
        name = f"R{number}"
        assert NUMBERS.count(name) >= rare.get(name, 3), name


def test_a_frame_of_text_is_read_as_it_was_written():
    """Text that any program may write comes through as it is: nothing is rejected needlessly."""
    texts = ["nancy", "12E3", "'s-Hertogenbosch", "tmp.part-1", "NULLO", "1/2", "{x", "(a)", "=A1"]
    frame = pl.DataFrame({"customer_id": [f"p{n}" for n in range(len(texts))], "tier": texts})
    for key, body in (
        ("a.csv", frame.write_csv().encode()),
        ("a.ndjson", frame.write_ndjson().encode()),
        ("a.parquet", parquet(frame.to_dict(as_series=False))),
    ):
        found = take(key, body, fields=TIER)
        assert texts == [json.loads(given["tier"]) for given in found.people.values()]
        assert not found.bad
