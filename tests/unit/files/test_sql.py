"""SQL over the rows of a file: which rows it makes, their numbers, their types, and what fails."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pytest

from exchanger.config.models import Source
from exchanger.config.queries import wording_fault
from exchanger.errors import FileRejected
from exchanger.files.formats.read import RawTable, read_table
from exchanger.files.formats.sql import query_fault
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.files.scratch.spill import Scratch

PEOPLE = "id,tier,points\na,gold,1\nb,,2\nc,silver,30\na,gold,4\n"


def read(
    folder: Path, sql: str, content: str | bytes = PEOPLE, kind: str = "csv", rows: int = 0
) -> RawTable:
    path = folder / "download"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    scratch = Scratch(folder, MemoryBudget(rows=rows) if rows else None)
    return read_table(path, f"a.{kind}", Source(prefix="in/", sql=sql), scratch=scratch)


@pytest.mark.parametrize("most", [0, 2])
@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select * from self where tier is not null",
         [("a", "gold", "1", 1), ("c", "silver", "30", 3), ("a", "gold", "4", 4)]),
        ("select upper(id) as id from self order by id desc",
         [("A", 1), ("B", 2), ("C", 3), ("A", 4)]),
        ("select id, sum(cast(points as int)) as points from self group by id",
         [("a", "5", 1), ("b", "2", 2), ("c", "30", 3)]),
        ("select id, sum(cast(points as int)) as points from self group by all",
         [("a", "5", 1), ("b", "2", 2), ("c", "30", 3)]),
        ("-- from x\nselect id, row_number() over (partition by id order by points) as n from self",
         [("a", "1", 1), ("b", "1", 2), ("c", "1", 3), ("a", "2", 4)]),
        ('with t as (select id, "@row" from self where points > \'2\') select * from t',
         [("c", 3), ("a", 4)]),
        ('select id, max("@row") as "@row" from self group by id',
         [("b", 2), ("c", 3), ("a", 4)]),
        ("select count(*) as n, 'from (' as x from self", [("4", "from (", 1)]),
        ("select id, cast(points as double) / 4 as q, points = '2' as b from self where id <> 'c'",
         [("a", "0.25", "false", 1), ("b", "0.5", "true", 2), ("a", "1", "false", 4)]),
        ("select id, array_agg(tier) as tiers from self group by id having count(*) > 1",
         [("a", '["gold","gold"]', 1)]),
        ("select id from self where false", []),
    ],
)  # fmt: skip
def test_a_row_keeps_the_number_of_the_first_row_that_it_is_made_of(tmp_path, most, sql, expected):
    """Also where the file is too large for memory; of a file that is all text, all stays text."""
    table = read(tmp_path, sql, rows=most)
    assert (expected, True) == (table.frame.rows(), table.textual)
    assert {pl.String(), pl.UInt32()} >= {*table.frame.schema.values()}
    codes = [note.code for note in table.notes]
    assert (["sql_rows"] if len(expected) != 4 else []) == codes
    assert len(expected) == table.rows


def test_a_column_that_cannot_be_used_is_told_with_the_reason(tmp_path):
    """To the query it is not there, which alone would be no help."""
    body = io.BytesIO()
    pl.DataFrame({"id": ["a"], "raw": [b"x"]}).write_parquet(body)
    with pytest.raises(
        FileRejected, match=r"holds .*binary.*, which no attribute can be"
    ) as caught:
        read(tmp_path, "select id, raw from self", body.getvalue(), "parquet")
    assert "sql_failed" == caught.value.reason
    assert [("a", 1)] == read(
        tmp_path, "select * from self", body.getvalue(), "parquet"
    ).frame.rows()


def test_rows_that_cannot_be_read_stay_beside(tmp_path):
    """They are counted, and named as before."""
    table = read(tmp_path, "select id from self where id <> 'b'", "id,x\na,1\nb,2\nc,3,4\nd,5\n")
    assert [("a", 1), ("d", 4)] == table.frame.rows()
    assert [(3, "ragged_row")] == table.bad_rows.select("@row", "reason").rows()
    assert 3 == table.rows


def test_types_of_parquet_and_ndjson_go_in_and_come_out(tmp_path):
    """Numbers stay numbers, and lists and objects JSON."""
    body = io.BytesIO()
    frame = pl.DataFrame({"id": [1, 2], "amount": [1.5, 2.5], "tags": [["x"], ["y", "z"]]})
    frame.write_parquet(body)
    table = read(tmp_path, "select id, amount * 2 as a, tags from self", body.getvalue(), "parquet")
    assert [(1, 3.0, ["x"], 1), (2, 5.0, ["y", "z"], 2)] == table.frame.rows()
    lines = "\n".join(json.dumps({"id": n, "o": {"k": n}, "n": n}) for n in (7, 8))
    table = read(tmp_path, "select id, o, n + 1 as n from self where n > 7", lines, "ndjson")
    assert [(8, '{"k":8}', 9, 2)] == table.frame.rows()
    assert {"o"} == table.json_columns


def test_a_column_of_several_kinds_is_refused_rather_than_chosen_with_its_quotes(tmp_path):
    """Of NDJSON such a column is JSON text inside of the query; lists and objects are as such."""
    lines = '{"id":5,"o":{"k":1}}\n{"id":"u1","o":[2]}\n'
    with pytest.raises(FileRejected) as caught:
        read(tmp_path, "select id as customer, o from self", lines, "ndjson")
    assert ("sql_mixed", "id") == (caught.value.reason, caught.value.column)


@pytest.mark.parametrize(
    ("sql", "reason", "says"),
    [
        ("select name from self", "sql_failed", "name"),
        ("select id, count(*) from self group by tier", "sql_failed", "id"),
        ("select cast(tier as int) as n from self", "sql_failed", "tier"),
        ("select distinct id from self", "sql_rows", 'MIN("@row")'),
        ("select id from self union all select tier from self", "sql_rows", '"@row"'),
        ("select id, unnest(array[1,2]) as n from self", "sql_rows", "several times"),
        ('select id, 1 as "@row" from self', "sql_rows", "several times"),
        ('select id, id as "@row" from self', "sql_rows", "do not say"),
    ],
)  # fmt: skip
def test_a_query_that_does_not_fit_a_file_rejects_it_in_words(tmp_path, sql, reason, says):
    """Rows of which nobody could say where they come from are no rows of a job."""
    with pytest.raises(FileRejected) as caught:
        read(tmp_path, sql)
    assert reason == caught.value.reason
    assert says in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select * from self", ""),
        ("with t as (select id from self) select * from t;", ""),
        ("select nothing, a.b from self as a", ""),
        ("", "begins with SELECT or WITH"),
        ("drop table self", "begins with SELECT or WITH"),
        ("-- a\n/* b */ delete from self", "begins with SELECT or WITH"),
        ("select * from read_csv('/etc/hosts')", "read_csv"),
        ("select * from \"read_csv\"('/etc/hosts') cross join self", "read_csv"),
        ("select * from `read_csv` ('/etc/hosts')", "read_csv"),
        ("select $$'$$ as q, id from read_csv('/etc/hosts')", "single quotes"),
        (r"select E'\'' as q from read_csv('/etc/hosts') where 'x' = 'x'", "single quotes"),
        ("select id, read_at from self", ""),
        ("select * from rows", "table self"),
        ("select id from self; select 2", "one (and only one) statement"),
        ("select nofunc(id) from self", "nofunc"),
        ("select id from self where (x", "Expected"),
    ],
)
def test_what_is_no_query_is_told_before_any_file_is_there(sql, says):
    """Which columns there are, only files tell; a query of a job reads no files of its own."""
    told = wording_fault(sql) or query_fault(sql)
    assert says in told
    assert bool(says) == bool(told)
