"""A run over many small files takes of them what it would take of each by itself."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.contexts import job_context
from support.jobs import import_model

from exchanger.config.models import BrazeConfig
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.jobs.intake.requests import FileRequest
from exchanger.jobs.reading.read import read_files
from exchanger.jobs.runtime.import_context import ImportContext
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.outside.braze.client import Braze
from exchanger.outside.s3.bucket import Bucket
from exchanger.profiles.frames.columns import FILE, ROW
from exchanger.profiles.reading.inference import infer_type, infer_types
from exchanger.state.runs.log import ClaimedFile
from exchanger.state.store import open_state

TOGETHER = MemoryBudget()
ONE_BY_ONE = MemoryBudget(rows=3)
"""No file is so small that it is looked at with others, and each comes in pieces."""

CELLS = ["1", "20", "1.5", "0.25", "x", "", " 7", "'=1", "2026-09-15", "true", "n/a", "1e5"]
CELLS += ["2026-09-15T08:30:00Z", '="5"', "null", "007", "123456789012.5", "0.00001"]
NAMES = ["u1", "u2", " u3", "4.0", "", "null", "id"]
VALUES = [1, 2.5, "x", None, "2026-09-15", True, {"a": None, "b": 1}, [1, 2], "n/a"]

ORDERS = ["1", "2", "10", ""]
NUMBERS = ["1", "20", "", "3", "1.5"]
COLUMNS = [("a", "n", "o"), ("a", "n", "o"), ("n", "o", "a"), ("n", "o"), ("a", "n", "o", "@file")]
row = st.fixed_dictionaries(
    {
        "id": st.sampled_from(NAMES),
        "a": st.sampled_from(CELLS),
        "n": st.sampled_from(NUMBERS),
        "o": st.sampled_from(ORDERS),
        "@file": st.sampled_from(CELLS),
    }
)
csv_files = st.tuples(
    st.sampled_from(COLUMNS),
    st.lists(row, max_size=5),
    st.sampled_from(["", "", "ragged,row,with,too,many,cells,in,it", "id,a"]),
)
json_files = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from(["u1", "u9", " u3", ""])},
        optional={"a": st.sampled_from(VALUES), "n": st.sampled_from([1, 2.5]), "o": st.just(1)},
    ),
    max_size=4,
)
odd_files = st.sampled_from([b"", b"\xff\xfe", b"nobody,a\n1,2\n", b'id,a\n"u1,2\n', b"{}\n[]\n"])
FIELDS = st.fixed_dictionaries(
    {"n": st.sampled_from(["set", "sum", "highest", {"merge": "sum", "type": "integer"}])}
)
KNOWN = st.sampled_from(["", "new version", "copy", "rejected"])


def as_csv(file):
    columns, rows, last = file
    lines = [",".join(("id", *columns))]
    lines += [",".join(row[name] for name in ("id", *columns)) for row in rows]
    return ("\n".join([*lines, *([last] if last else [])]) + "\n").encode()


def as_json(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


tables = csv_files.map(as_csv)
contents = st.one_of(tables, tables, json_files.map(as_json), odd_files)


@dataclass(frozen=True)
class Case:
    """Files of a run, and what is known and asked of them."""

    files: list[bytes]
    fields: dict = field(default_factory=lambda: {"n": "sum"})
    order: bool = False
    known: str = ""
    most: int = 2_000_000
    as_if_new: bool = False
    chosen: bool = False


cases = st.builds(
    Case,
    files=st.lists(contents, min_size=2, max_size=7),
    fields=FIELDS,
    order=st.booleans(),
    known=KNOWN,
    most=st.sampled_from([2_000_000, 2_000_000, 4]),
    as_if_new=st.booleans(),
    chosen=st.booleans(),
)
EXACT = [b"id,a,n\nu1,123456789012.5,1\nu1,0.00001,1\n", b"id,a,n\nu2,0.5,2\n"]
WIDENED = [b"id,a,n\nu1,1,1\n", b"id,a,n\nu2,1.5,2\n", b"id,a,n\nu3,2,3\n"]
INTERLEAVED = [
    b"id,a,n\n u1,x,1\n,y,2\nu4,z,3\n",
    b"id,n,a\n u2,1,x\n,2,y\nu5,3,z\n",
    b"id,a,n\n u3,'=1,1\n,y,2\nu6,z,3\n",
]
UNORDERED = [b"id,o,n\nu1,true,1\nragged\n", b"id,o,n\nu2,false,1\nragged\n"]
COPIED = [b"id,a,n\nu1,x,1\n", b"id,a,n\nu1,x,1\n", b"id,n,a\nu2,1,\n", b"", b"id,a,n\n,x,1\n"]


@pytest.fixture(scope="module")
def store(local_s3):
    """A bucket for all examples, each of which has folders of its own."""
    from exchanger.config.models import S3Config

    local_s3.create_bucket("many-files")
    keys = {"access_key_id": local_s3.access_key, "secret_access_key": local_s3.secret_key}
    place = {"region": local_s3.region, "endpoint_url": local_s3.url}
    return Bucket(S3Config(bucket="many-files", **place, **keys)), count(1)


def a_call(bucket, folder, case, here):
    fields = {
        name: {"merge": how} if isinstance(how, str) else how for name, how in case.fields.items()
    }
    order = {"order_by": "o"} if case.order else {}
    job = import_model(
        source={"prefix": f"{folder}in/", "nulls": ["n/a"]} | order,
        fields=fields,
        remaining_fields=[{"merge": "set"}],
        max_rows_per_run=case.most,
    )
    context = job_context(
        bucket,
        lambda: Braze(BrazeConfig(endpoint="http://127.0.0.1:9", api_key="none")),
        here,
        state_prefix=f"{folder}state/",
        spacing=0.0,
        grace=0.0,
        lease_seconds=6.0,
    )
    state = open_state(bucket, context.state_prefix)
    return ImportContext(context, state, "crm", job, ImportOptions(full=case.as_if_new))


def what_was_read(call, requests, bounds):
    """Spell everything that a batch says, so that two can be compared."""
    bounded = replace(call, context=replace(call.context, bounds=bounds))
    batch = read_files(bounded, requests, call.job.max_rows_per_run, without_all=True)
    given = batch.given.whole()
    rejected = [frame.rows() for frame in batch.rejected.frames()]
    return {
        "given": given.select(sorted(given.columns)).sort(FILE, ROW).to_dict(as_series=False),
        "types": {name: str(dtype) for name, dtype in sorted(given.schema.items())},
        "rejected": [row for rows in rejected for row in rows],
        "corrections": batch.corrections.whole().rows(),
        "files": batch.files,
        "rules": list(batch.rules.items()),
        "kept": (batch.types, batch.words, batch.took_rows),
        "counts": (batch.rows, batch.left, batch.superseded),
        "waiting": [(file.claim, file.request.counting) for file in batch.waiting],
        "notes": batch.notes,
        "stray": batch.stray,
        "untold": batch.untold,
    }


def remember(call, request, body_sha, how):
    """Record that an earlier run met the key, or the content, of a file."""
    claim = ClaimedFile(request.key, "other", body_sha, "applied", 3, sums=("n",))
    if how == "new version":
        claim = replace(claim, sha256="another")
    elif how == "copy":
        claim = replace(claim, key=f"{request.key}.before")
    elif how == "rejected":
        claim = replace(claim, rejected=3)
    call.state.file_ledger.record("crm", [claim], seq=1)


@example(case=Case(EXACT))
@example(case=Case(WIDENED))
@example(case=Case(INTERLEAVED))
@example(case=Case(INTERLEAVED, chosen=True))
@example(case=Case(UNORDERED, order=True))
@example(case=Case(COPIED))
@example(case=Case(COPIED, known="copy", as_if_new=True))
@settings(max_examples=25, deadline=None)
@given(case=cases)
def test_files_read_together_give_what_each_gives(store, case):
    """Rows, rejections, counts, types, notes: nothing depends on how many files go at once."""
    bucket, numbers = store
    folder = f"{next(numbers)}/"
    with tempfile.TemporaryDirectory() as here:
        call = a_call(bucket, folder, case, Path(here))
        requests = []
        for number, body in enumerate(case.files):
            key = f"{folder}in/{number}.{'ndjson' if body[:1] == b'{' else 'csv'}"
            rows = pl.Series([1, 3], dtype=pl.UInt32) if case.chosen and number % 2 else None
            etag = bucket.write(key, body)
            requests.append(FileRequest(key, etag, size=len(body), rows=rows))
        if case.known:
            last = hashlib.sha256(case.files[-1]).hexdigest()
            remember(call, requests[-1], last, case.known)
        together = what_was_read(call, requests, TOGETHER)
        one_by_one = what_was_read(call, requests, ONE_BY_ONE)
    assert one_by_one == together


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.sampled_from([cell for cell in CELLS if cell.strip()]))),
        max_size=6,
    )
)
def test_each_of_many_files_has_the_type_that_it_has_alone(files):
    """What one file says of a column decides nothing about the next."""
    cells = pl.Series([cell for file in files for cell in file], dtype=pl.String)
    numbers = pl.Series([n for n, file in enumerate(files) for _ in file], dtype=pl.UInt32)

    found = infer_types(numbers, cells)

    alone = {n: infer_type([pl.Series(file, dtype=pl.String)]) for n, file in enumerate(files)}
    assert {n: name for n, name in alone.items() if name is not None} == found
