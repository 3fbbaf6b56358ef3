"""Export jobs against the local Braze and the local S3, over HTTP, in stepped time."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import polars as pl
import pytest
from support import export_places
from support.export_places import (
    ALL,
    EXPORT,
    PEOPLE,
    Killed,
    Place,
    expected,
    job,
    without_confirmation,
)

from exchanger.errors import ExportEmpty, ExportIncomplete, FileRejected, SegmentMissing
from exchanger.jobs.exports import run_export
from exchanger.outside.s3.bucket import Bucket
from exchanger.sandbox import Sandbox, SandboxSettings

place = export_places.place


def test_parquet_equals_the_workspace(place):
    """A dataset read back has exactly the users and values that Braze holds, typed."""
    report = place.run()
    frame = place.frame(report.manifest).sort("external_id")
    rows = expected(place)
    assert [row["external_id"] for row in rows] == frame["external_id"].to_list()
    assert [row["points"] for row in rows] == frame["points"].to_list()
    assert [row["spent"] for row in rows] == frame["spent"].to_list()
    assert [row["tags"] for row in rows] == frame["tags"].to_list()
    assert [json.dumps(r["mixed"]) for r in rows] == frame["mixed"].to_list()
    pref = [None if text is None else json.loads(text) for text in frame["pref"]]
    assert [row.get("pref") for row in rows] == pref
    assert {datetime(2026, 9, 15, tzinfo=UTC)} == set(frame["seen"])
    assert pl.Datetime("ms", "UTC") == frame.schema["seen"]
    assert (25, 25) == (report.rows_written, len(frame))


def test_several_types_become_json_with_a_warning(place):
    """A column with numbers and text is JSON text, and report and manifest say so."""
    report = place.run()
    manifest = place.document(report.manifest)
    assert ["mixed", "json"] in manifest["schema"]
    assert [note for note in report.notes if "'mixed'" in note] == manifest["warnings"]
    assert "succeeded" == report.state


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("format_", "read"),
    [
        ("parquet", pl.read_parquet),
        ("csv", pl.read_csv),
        ("ndjson", lambda body: pl.read_ndjson(body, infer_schema_length=None)),
    ],
)
def test_columns_that_differ_in_case_alone_get_other_names(place, format_, read):
    """Each value is in a column that no reader confuses with another; run and manifest say so."""
    place.sandbox.seed([{"external_id": f"v{n}", "Plan": f"a{n}"} for n in range(3)])
    place.sandbox.seed([{"external_id": f"v{n}", "plan": f"b{n}"} for n in range(2)])
    place.sandbox.seed([{"external_id": "v0", "PLAN": "c", "EMAIL": "shadow", "@row": 1}])
    report = place.run(target={"prefix": "exports/all/", "format": format_})
    frame = place.frame(report.manifest, read)
    assert len(frame.columns) == len({name.lower() for name in frame.columns})
    names = ["Plan", "custom_attributes.plan", "custom_attributes.custom_attributes.PLAN"]
    (row,) = frame.filter(pl.col("external_id") == "v0").to_dicts()
    assert ["a0", "b0", "c"] == [row[name] for name in names]
    assert ("shadow", 3) == (row["custom_attributes.EMAIL"], frame["Plan"].count())
    told = [note for note in report.notes if "in case alone" in note]
    assert ["'EMAIL'", "'PLAN'", "'plan'"] == [note.split()[2] for note in told]
    assert set(told) < set(place.document(report.manifest)["warnings"])


def test_a_column_without_a_value_is_told(place):
    """A path that no user has is perhaps misspelt, so the report names it; others are not named."""
    fields = {"id": {"from": "external_id"}, "tipo": {"from": "custom_attributes.vipp"}}
    report = place.run(fields=fields)
    (note,) = [note for note in report.notes if "is empty" in note]
    assert "column 'tipo' is empty: no user of the segment has custom_attributes.vipp" in note


@pytest.mark.parametrize(
    ("format_", "read"),
    [("csv", pl.read_csv), ("ndjson", lambda body: pl.read_ndjson(body, infer_schema_length=None))],
)
def test_text_formats_equal_the_workspace(place, format_, read):
    """CSV and NDJSON read back with the users and values that Braze holds, in parts."""
    target = {"prefix": "exports/text/", "format": format_, "rows_per_part": 10}
    report = place.run(target=target, fields={"id": {"from": "external_id"}})
    manifest = place.document(report.manifest)
    frame = place.frame(report.manifest, read).sort("id")
    rows = expected(place)
    assert [10, 10, 5] == [part["rows"] for part in manifest["parts"]]
    assert [row["external_id"] for row in rows] == frame["id"].to_list()
    assert [row["spent"] for row in rows] == frame["spent"].to_list()
    assert [row["vip"] for row in rows] == frame["vip"].to_list()


def test_ndjson_holds_real_values(place):
    """NDJSON has lists and objects as they are, of each value its own type."""
    report = place.run(target={"prefix": "exports/all/", "format": "ndjson"})
    key = place.document(report.manifest)["parts"][0]["key"]
    lines = map(json.loads, place.bucket.read(key)[0].splitlines())
    found = {line["external_id"]: (line["tags"], line["pref"], line["mixed"]) for line in lines}
    assert {row["external_id"]: (row["tags"], row["pref"], row["mixed"]) for row in PEOPLE} == found


@pytest.mark.nightly
def test_files_that_appear_late_are_part_of_the_dataset(place):
    """A pause between files longer than the quiet time ends nothing while Braze says it runs."""
    place.sandbox.change(seconds_per_file=200)
    report = place.run()
    assert 25 == report.rows_written


def test_duplicates_across_files_are_left_out(place):
    """A user exported in several files has one row, and the report counts the others."""
    place.sandbox.change(export_repeats=3)
    report = place.run()
    assert 25 == report.rows_written == place.frame(report.manifest)["external_id"].n_unique()
    assert 6 == place.document(report.manifest)["duplicates"]
    assert any(note.startswith("6 users") for note in report.notes)


def test_restart_waits_for_the_same_export(place):
    """After a kill while waiting, the next run asks for no other export."""
    place.clock.stop_after = 25
    with pytest.raises(Killed):
        place.run(completion=without_confirmation())
    place.clock.stop_after = None
    report = place.run(completion=without_confirmation())
    assert 1 == place.sandbox.requests(EXPORT)
    assert 25 == report.rows_written


def test_a_stop_ends_waiting_and_the_next_run_goes_on(place):
    """A process asked to stop reports that nothing was exported, and the export is kept."""
    context = place.context()
    context.stopping.set()
    report = run_export(context, "everybody", job())
    assert ("partial", 4, None) == (report.state, report.exit_code, report.manifest)
    assert 25 == place.run(completion=without_confirmation()).rows_written
    assert 1 == place.sandbox.requests(EXPORT)


def test_a_timeout_keeps_the_export_for_the_next_run(place):
    """An export not complete in time is an error; the next run waits for that same one."""
    place.sandbox.change(seconds_per_file=1000)
    with pytest.raises(ExportIncomplete):
        place.run(completion=without_confirmation(timeout=100))
    place.sandbox.advance(3000)
    report = place.run(completion=without_confirmation())
    assert (1, 25) == (place.sandbox.requests(EXPORT), report.rows_written)


@pytest.mark.nightly
def test_an_export_that_others_run_is_waited_out(place):
    """While somebody else exports the segment, the run waits and then asks for its own."""
    place.sandbox.change(seconds_per_file=100)

    async def ask_elsewhere() -> None:
        async with place.context().braze() as braze:
            segment = (await braze.segments())[0]
            await braze.export_segment(segment.id, ["email"])

    asyncio.run(ask_elsewhere())
    report = place.run()
    assert (25, "u-0") == (report.rows_written, place.frame(report.manifest)["external_id"].min())


def test_a_silent_failure_is_no_empty_dataset(place):
    """An export that ends without files is told from an empty segment, and asked for anew."""
    place.sandbox.change(export_fail_after_files=0)
    place.clock.on_wait.append(lambda: place.sandbox.change(export_fail_after_files=None))
    with pytest.raises(ExportIncomplete):
        place.run()
    assert [] == place.keys("exports/")
    place.clock.on_wait.clear()
    assert 25 == place.run().rows_written


def test_without_confirmation_no_files_is_incomplete(place):
    """Without confirmation an export without files never counts as complete."""
    place.sandbox.add_segment("Nobody", members=[])
    with pytest.raises(ExportIncomplete) as caught:
        place.run(segment="Nobody", completion=without_confirmation())
    assert caught.value.empty_folder.startswith(f"s3://{place.bucket.name}/segment-export/")
    assert [] == place.keys("exports/")


@pytest.mark.parametrize("empty_export", ["nothing", "file"])
def test_an_empty_segment_gives_an_empty_dataset(place, empty_export):
    """With `empty: allow`, or a file without users, it is columns and no rows, and a note."""
    place.sandbox.change(empty_export=empty_export)
    place.sandbox.add_segment("Nobody", members=[])
    allowed = {} if empty_export == "file" else {"empty": "allow"}
    report = place.run(segment="Nobody", **allowed)
    frame = place.frame(report.manifest)
    assert (0, ["external_id", "email"]) == (report.rows_written, frame.columns)
    assert any("empty" in note for note in report.notes)


def test_unknown_and_ambiguous_segments(place):
    """A misspelt segment is answered with near names."""
    with pytest.raises(SegmentMissing) as caught:
        place.run(segment="Everybdy")
    assert [ALL] == caught.value.near
    assert 0 == place.sandbox.requests(EXPORT)


def test_latest_points_at_the_newest_manifest(place):
    """The pointer leads to the newest run, and manifest and marker are there."""
    first = place.run()
    place.clock.sleep(60)
    second = place.run()
    latest = place.document("exports/all/latest.json")
    assert second.manifest == latest["manifest"] != first.manifest
    assert second.manifest.replace("manifest.json", "_SUCCESS") in place.keys("exports/all/")


def test_latest_never_goes_back(place):
    """A run whose data was asked for earlier leaves a newer pointer alone."""
    newer = {"manifest": "elsewhere", "requested_at": "2999-01-01T00:00:00.000000Z", "run_id": "z"}
    place.bucket.write("exports/all/latest.json", json.dumps(newer).encode())
    report = place.run()
    assert newer == place.document("exports/all/latest.json")
    assert any("newer" in note for note in report.notes)


def test_litter_of_a_dead_run_is_removed(place, monkeypatch):
    """Parts of a run that died before its manifest are gone after the next run."""
    write = Bucket.write

    def dies(self, key, body, **options):
        if key.endswith("manifest.json"):
            raise Killed
        return write(self, key, body, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "write", dies)
        with pytest.raises(Killed):
            place.run()
    litter = place.keys("exports/all/run=")
    place.bucket.write("exports/all/run=19990101T000000Z-00000000/part-00000.parquet", b"not ours")
    report = place.run()
    left = place.keys("exports/all/run=")
    assert litter
    assert not set(litter) & set(left)
    assert "exports/all/run=19990101T000000Z-00000000/part-00000.parquet" in left
    assert 25 == report.rows_written


def test_confirming_exports_leave_nothing_behind(place):
    """What the export that was only asked for confirmation wrote is removed."""
    place.sandbox.change(seconds_per_file=0)
    report = place.run(raw="keep")
    wanted = place.document(report.manifest)["object_prefix"]
    found = {key.split("/")[-2] for key in place.keys("segment-export/")}
    assert {wanted} == found


def test_the_address_is_used_without_connected_storage(s3_config, tmp_path):
    """Without storage connected to Braze the export is downloaded, and nothing secret is kept."""
    with Sandbox(SandboxSettings(users_per_file=10, seconds_per_file=30)) as sandbox:
        sandbox.seed([{k: v for k, v in row.items() if v is not None} for row in PEOPLE])
        sandbox.add_segment(ALL)
        place = Place(sandbox, s3_config, tmp_path / "work")
        report = place.run()
        assert (25, 1) == (report.rows_written, sandbox.requests(EXPORT))
        assert place.document("_exchanger/main/exports/everybody.json")["url"] is None
        sandbox.add_segment("Nobody", members=[])
        with pytest.raises(ExportEmpty) as caught:
            place.run(segment="Nobody")
        assert ("", 0) == (caught.value.folder, caught.value.estimate)


def test_only_what_is_needed_is_asked_for(place):
    """The request names the standard fields and custom attributes of the columns, and braze_id."""
    fields = {"id": {"from": "external_id"}, "color": {"from": "custom_attributes.pref.color"}}
    report = place.run(fields=fields, remaining_fields=None)
    body = place.sandbox.bodies(EXPORT)[0]
    assert ["braze_id", "external_id"] == body["fields_to_export"]
    assert ["pref", "pref.color"] == body["custom_attributes_to_export"]
    assert {"red", None} == set(place.frame(report.manifest)["color"])


def test_a_damaged_archive_is_an_error_and_the_next_run_asks_anew(place):
    """A file of the export that is cut short fails the run; the next one exports again."""
    run_folder = "exports/all/run="

    def damage() -> None:
        for key in place.keys("segment-export/"):
            place.bucket.write(key, place.bucket.read(key)[0][:40])
        place.clock.on_wait.clear()

    place.clock.on_wait.append(lambda: place.clock.passed > 80 and damage())
    with pytest.raises(FileRejected):
        place.run()
    assert [] == place.keys(run_folder)
    assert 25 == place.run().rows_written
