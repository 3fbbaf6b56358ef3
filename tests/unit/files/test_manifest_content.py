"""What stands beside a dataset."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from exchanger.files.manifest import Manifest, Part, RunFolder, SchemaColumn, is_newer

FOLDER = RunFolder("exports/vip/", "20260306T030000Z-0011aabb")


def manifest() -> Manifest:
    return Manifest(
        job="vip",
        run_id=FOLDER.run_id,
        segment_id="id-1",
        segment="VIP",
        object_prefix="uuid-1",
        requested_at=datetime(2026, 3, 6, 3, tzinfo=UTC),
        created_at=datetime(2026, 3, 6, 4, tzinfo=UTC),
        format="parquet",
        columns=(SchemaColumn("id", "string"), SchemaColumn("spent", "decimal(2)")),
        parts=(Part("a", 2, 10, "00"), Part("b", 1, 5, "11")),
        duplicates=1,
        warnings=("careful",),
    )


def test_the_manifest_says_all_that_a_reader_needs():
    """Parts with checksums, their totals, the schema in order, and where the data came from."""
    content = json.loads(manifest().to_body())
    assert (3, 15) == (content["rows"], content["bytes"])
    assert [["id", "string"], ["spent", "decimal(2)"]] == content["schema"]
    assert {"key": "a", "rows": 2, "bytes": 10, "sha256": "00"} == content["parts"][0]
    assert ("id-1", "uuid-1") == (content["segment_id"], content["object_prefix"])
    assert "2026-03-06T03:00:00.000000Z" == content["requested_at"]
    assert ["careful"] == content["warnings"]


def test_names_in_the_target():
    """Parts and markers are in the run's folder, the pointer beside the folders."""
    folder = "exports/vip/run=20260306T030000Z-0011aabb/"
    assert folder + "part-00000.csv" == FOLDER.part("part-00000.csv")
    assert (folder + "manifest.json", folder + "_SUCCESS") == (FOLDER.manifest, FOLDER.success)
    assert "exports/vip/latest.json" == FOLDER.latest


@pytest.mark.parametrize(
    ("other", "newer"),
    [
        ({}, True),
        ({"requested_at": "2026-03-06T02:59:59.999999Z", "run_id": "z"}, True),
        ({"requested_at": "2026-03-06T03:00:00.000000Z", "run_id": "1"}, True),
        ({"requested_at": "2026-03-06T03:00:00.000001Z", "run_id": "1"}, False),
    ],
)
def test_the_pointer_goes_by_the_age_of_the_data(other, newer):
    """Newer is what was asked of Braze later."""
    assert newer == is_newer(manifest().pointer(FOLDER.manifest), other)
