"""The rejected rows of many files, each in the shape of its own, against a real S3 protocol."""

import polars as pl
import pytest
from support.contexts import job_context

from exchanger.errors import StorageMissing
from exchanger.jobs.answers import rejected
from exchanger.outside.s3.bucket import Bucket
from exchanger.profiles.frames.columns import FILE, ROW
from exchanger.state.runs.log import ClaimedFile, RunDocument
from exchanger.state.runs.quarantine import quarantined, to_csv

KEYS = ["in/a.csv", "in/b.ndjson", "in/c.csv", "in/d.jsonl", "in/whole.csv"]
FILES = [
    ClaimedFile(key, "e", "s", "rejected" if "whole" in key else "applied", rows=9) for key in KEYS
]
RUN = RunDocument(
    7,
    "r",
    "crm",
    "settled",
    "n",
    1,
    "2026-09-15T10:00:00Z",
    files=tuple(FILES),
    answers={"columns": {}, "format": "auto"},
)


def put_aside(path):
    """Write a quarantine in which rows of the files stand in turn, two of each."""
    rows = [
        (file, row, "spend", "x", "odd", f"row {row}", f'{{"id":"{file}{row}","spend":"=x"}}')
        for row in (3, 5)
        for file in range(len(FILES))
    ]
    columns = [FILE, ROW, "field", "value", "reason", "message", "record"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    frame = frame.with_columns(pl.col(FILE, ROW).cast(pl.UInt32))
    path.write_bytes(to_csv(quarantined(frame, FILES, "rejected")))
    return path


def written(context, path):
    return [*rejected.write_rejected(context, RUN, "out/{}".format, path)]


@pytest.mark.parametrize("at_once", [3, 50_000])
def test_rows_of_many_files_lie_each_in_the_shape_of_its_own(
    bucket, tmp_path, monkeypatch, at_once
):
    """In the order of the file, also where its rows come in several parts; nothing stays behind."""
    monkeypatch.setattr(rejected, "_AT_ONCE", at_once)
    quarantine = put_aside(tmp_path / "q.csv")
    context = job_context(bucket, lambda: None, tmp_path)

    assert {key: f"out/{key}" for key in KEYS[:-1]} == dict(written(context, quarantine))

    for number, key in enumerate(KEYS[:-1]):
        body = bucket.read(f"out/{key}")[0].decode("utf-8-sig")
        if key.endswith(".csv"):
            lines = [f"{number}{row},'=x,{row},spend,row {row}" for row in (3, 5)]
            assert ["id,spend,_row,_column,_reason", *lines] == body.splitlines()
        else:
            own = '"_row":{0},"_column":"spend","_reason":"row {0}"}}'
            lines = [f'{{"id":"{number}{r}","spend":"=x",{own.format(r)}' for r in (3, 5)]
            assert lines == body.splitlines()
    assert [quarantine] == [*tmp_path.iterdir()]


def test_where_rows_cannot_be_written_nothing_stays_on_this_machine(s3_config, tmp_path):
    """They are those of people, and a daemon runs for months."""
    quarantine = put_aside(tmp_path / "q.csv")
    gone = Bucket(s3_config.model_copy(update={"bucket": "no-such-bucket"}))

    with pytest.raises(StorageMissing):
        written(job_context(gone, lambda: None, tmp_path), quarantine)

    assert [quarantine] == [*tmp_path.iterdir()]
