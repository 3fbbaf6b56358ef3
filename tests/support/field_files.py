"""Files as people send them, read as a run reads them, without a bucket or a Braze."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from dataclasses import replace as changed
from pathlib import Path

import polars as pl

from exchanger.config.models import ImportJob, Source
from exchanger.errors import FileRejected
from exchanger.files.formats.read import read_table
from exchanger.jobs.reading.alike import raw_columns
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.reading.contract import ColumnChange
from exchanger.profiles.reading.field_columns import fed_by, left_out
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.typed_rows import cast_rows
from exchanger.profiles.spelling.json_values import fragment


@dataclass
class Taken:
    """
    What became of one file.

    ``people`` has the JSON text of each field that a row of a person speaks of, ``bad`` row and
    reason of what was rejected, ``why`` the reason that the file is rejected as a whole, ``words``
    all that is told, ``layout`` what detection decided, ``noted`` what was counted of cells,
    ``fields`` which ones it feeds, ``changes`` how its columns differ from those of the job.
    """

    people: dict[str, dict[str, str]] = field(default_factory=dict)
    bad: list[tuple[int, str]] = field(default_factory=list)
    why: str = ""
    words: str = ""
    left_out: list[str] = field(default_factory=list)
    layout: dict[str, str] = field(default_factory=dict)
    noted: set[str] = field(default_factory=set)
    types: dict[str, str] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    changes: list[ColumnChange] = field(default_factory=list)


def take(key: str, body: bytes, *, fields: dict, kept: dict | None = None, **job) -> Taken:
    """
    Read a file and tell what a run would make of it.

    Args:
        key: Its name.
        body: Its bytes.
        fields: Those of the job, in the long form or as a strategy alone.
        kept: Types of columns that earlier files have shown.
        job: More of the job; keys of ``source`` under that name.
    """
    source = Source(prefix="in/", **job.pop("source", {}))
    long = {name: {"merge": f} if isinstance(f, str) else f for name, f in fields.items()}
    model = ImportJob.model_validate(
        {"type": "import", "match": [{"external_id": "customer_id"}], "fields": long, **job}
        | {"source": source}
    )
    try:
        return _take(f"in/{key}", body, model, kept or {})
    except FileRejected as error:
        return Taken(why=error.reason, words=error.message)


def _take(key: str, body: bytes, job: ImportJob, kept: dict) -> Taken:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(body)
        table = read_table(path, key, job.source, expected=fed_by(job))
        rows = pl.concat([table.empty, *table.pieces()])
        bad = [piece.select("@row", "reason", "message") for piece in table.bad_pieces()]
    raw = changed(raw_columns(table, table.empty, key), pieces=lambda *_: iter([rows]))
    settled = settle_rules(job, raw, kept)
    given = cast_rows(raw_columns(table, rows, key), settled.rules, job, 0, settled.kept)
    found = pl.concat([*bad, given.rejected.select("@row", "reason", "message")]).sort("@row")
    folded = fold(given.frame, settled.rules)
    shown = folded.select(
        "@profile", *(fragment(r, pl.col(r.name)).alias(r.name) for r in settled.rules)
    )
    people = {
        row.pop("@profile"): {name: text for name, text in row.items() if text is not None}
        for row in shown.to_dicts()
    }
    return Taken(
        people,
        [(row, reason) for row, reason in found.select("@row", "reason").rows()],
        words=" ".join([*found["message"], *given.dropped["message"]]),
        left_out=[name for names in left_out(job, raw).values() for name in names],
        layout=dict(table.layout),
        noted={name for name in given.noted.columns[1:] if given.noted[name].sum()},
        types=dict(settled.kept),
        fields=[rule.name for rule in settled.rules],
        changes=[*settled.changes],
    )
