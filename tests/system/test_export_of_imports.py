"""What was imported, exported again and read back: the workspace as it is, in every format."""

from __future__ import annotations

import io
import json
from decimal import Decimal

import polars as pl
import pytest
from support.jobs import import_job

FORMATS = ("parquet", "csv", "ndjson")
IMPORT = import_job(
    fields={
        "email": "set",
        "tier": {"from": "tier", "merge": "clear", "type": "string"},
        "spent": {"from": "spent", "merge": "sum", "type": "decimal", "scale": 2},
        "visits": {"from": "visits", "merge": "sum", "type": "integer"},
        "tags": {"from": "tags", "merge": "add", "split": "|"},
        "seen": {"from": "seen", "merge": "highest", "type": "datetime"},
        "vip": {"from": "vip", "type": "boolean"},
    }
)
COLUMNS = {
    "external_id": "external_id",
    "email": "email",
    "tier": "custom_attributes.tier",
    "spent": {"from": "custom_attributes.spent", "type": "decimal", "scale": 2},
    "visits": {"from": "custom_attributes.visits", "type": "integer"},
    "tags": {"from": "custom_attributes.tags", "type": "list"},
    "seen": {"from": "custom_attributes.seen", "type": "datetime"},
    "vip": {"from": "custom_attributes.vip", "type": "boolean"},
}
PROFILES = 250
NAMES = ["Ada, the first", 'Bo "B"', "Zoë\nand line two", "007", ""]


def export(format_):
    return {
        "type": "export",
        "segment": "Everybody",
        "fields": COLUMNS,
        "target": {"prefix": f"exports/{format_}/", "format": format_, "rows_per_part": 100},
        "completion": {"poll": "1s", "quiet": "1s"},
    }


def drops():
    """Two files that name every third profile twice."""
    for name, step in (("1.parquet", 1), ("2.parquet", 3)):
        ids = range(0, PROFILES, step)
        frame = pl.DataFrame(
            {
                "id": [f"p{n}" for n in ids],
                "email": [f"P{n}@example.com" if n % 2 else None for n in ids],
                "tier": [NAMES[(n + step) % len(NAMES)] for n in ids],
                "spent": [(n * 7 % 1000) / 100 for n in ids],
                "visits": [n - 100 for n in ids],
                "tags": [f"t{n % 4}|ü{step}" if n % 5 else "" for n in ids],
                "seen": [f"2026-0{step}-{n % 28 + 1:02}T01:02:03Z" for n in ids],
                "vip": [[True, False, None][n % 3] for n in ids],
            }
        )
        body = io.BytesIO()
        frame.write_parquet(body)
        yield name, body.getvalue()


def workspace(exchange):
    """Read every profile as the JSON values that the workspace has, by external id."""
    found = {}
    for who in exchange.braze.users():
        texts = {name: exchange.attribute(who, name) for name in IMPORT["fields"]}
        found[who] = {
            name: None if text is None else json.loads(text, parse_float=Decimal)
            for name, text in texts.items()
        }
    return found


def dataset(exchange, format_, manifest_key):
    """Read all parts of a data set, and bring each cell to its JSON value."""
    manifest = json.loads(exchange.bucket.read(manifest_key)[0])
    bodies = [exchange.bucket.read(part["key"])[0] for part in manifest["parts"]]
    read = {
        "parquet": pl.read_parquet,
        "csv": lambda body: pl.read_csv(body, infer_schema=False),
        "ndjson": lambda body: pl.read_ndjson(body, infer_schema_length=None),
    }[format_]
    frame = pl.concat([read(body) for body in bodies], how="vertical_relaxed")
    assert manifest["rows"] == frame.height
    return {
        row.pop("external_id"): {name: as_json(name, cell) for name, cell in row.items()}
        for row in frame.iter_rows(named=True)
    }


def as_json(name, cell):
    """Undo what a format does to a value: text for all in CSV, floats in NDJSON, real times."""
    if cell is None:
        return None
    if name == "spent":
        return Decimal(str(cell)).normalize()
    if name == "seen":
        text = cell if isinstance(cell, str) else f"{cell:%Y-%m-%dT%H:%M:%S}"
        return text[:19].replace(" ", "T")
    if not isinstance(cell, str) or name in ("email", "tier"):
        return cell
    return json.loads(cell)


def expected(profiles):
    return {
        who: values
        | {
            "spent": Decimal(values["spent"]).normalize(),
            "seen": values["seen"][:19],
        }
        for who, values in profiles.items()
    }


@pytest.mark.nightly
def test_exports_of_imports_equal_the_workspace(exchange):
    """Text, numbers, lists, times and booleans come back from all formats as they were sent."""
    exchange.braze.add_segment("Everybody")
    exchange.configure(crm=IMPORT, **{format_: export(format_) for format_ in FORMATS})
    for name, body in drops():
        exchange.drop(f"inbox/{name}", body)
        exchange.ask("run", "crm")
    held = expected(workspace(exchange))
    assert PROFILES == len(held)
    assert {None, "Ada, the first", 'Bo "B"', "Zoë\nand line two", "007"} == {
        one["tier"] for one in held.values()
    }

    reports = exchange.ask("run", *FORMATS)

    for format_, report in zip(FORMATS, reports, strict=True):
        assert (format_, PROFILES) == (report["job"], report["rows_written"])
        assert held == dataset(exchange, format_, report["manifest"])
