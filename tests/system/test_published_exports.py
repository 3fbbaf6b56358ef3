"""What happens around the publishing of an export: failures, stops, and what is cleared away."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from support.export_places import ALL, PEOPLE, Killed, Place, job

from exchanger.errors import Stopped, StorageDenied
from exchanger.jobs.exports import run_export
from exchanger.jobs.runtime.cancellation import stoppable
from exchanger.outside.s3.bucket import Bucket
from exchanger.sandbox import Sandbox, SandboxSettings

STATE = "_exchanger/main/"
GARBAGE = "_delta_log/00000000000000000000.json"


@pytest.fixture
def place(local_s3, s3_config, tmp_path):
    settings = SandboxSettings(users_per_file=10, seconds_per_file=20)
    with Sandbox(settings, s3=local_s3, bucket=s3_config.bucket) as sandbox:
        sandbox.seed([{k: v for k, v in row.items() if v is not None} for row in PEOPLE])
        sandbox.add_segment(ALL)
        yield Place(sandbox, s3_config, tmp_path / "work")


def run_folders(place):
    return sorted({key.split("/")[2] for key in place.keys("exports/all/run=")})


@pytest.mark.parametrize(
    ("table", "said"),
    [("held", "imports have to look up what this export showed"),
     ("run-index", "this run is not in the list of runs")],
)  # fmt: skip
def test_state_that_cannot_be_written_fails_no_export(place, table, said):
    """The dataset is published and the run a success; a note says what is missing, and why."""
    place.bucket.write(f"{STATE}{table}/{GARBAGE}", b"garbage")
    report = place.run()
    assert ("succeeded", 25) == (report.state, report.rows_written)
    assert report.manifest == place.document("exports/all/latest.json")["manifest"]
    assert [True] == [note.startswith(said) for note in report.notes if "something failed" in note]


def test_what_cannot_be_cleared_away_fails_no_export(place, monkeypatch):
    """A bucket in which nothing may be deleted gets its dataset; the next run removes the rest."""

    def denied(self, keys):
        for key in keys:
            raise StorageDenied("delete", self.name, key)

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "delete", denied)
        report = place.run()
    assert ("succeeded", 25) == (report.state, report.rows_written)
    assert any("the next run removes what is not needed" in note for note in report.notes)
    assert place.keys("segment-export/")
    place.clock.sleep(60)
    place.run()
    assert [] == place.keys("segment-export/")


def test_a_stop_while_an_export_is_read_publishes_nothing(place):
    """Asked to stop between two archives, it ends as done in part; the next run takes the same."""
    asked = []
    context = place.context()

    class Progress:
        def step(self, what, total=None):
            asked.append(what)

        def advance(self, units):
            if asked[-1] == stop_in:
                context.stopping.set()

    for stop_in in ("reading the export", "remembering what Braze holds", "writing the dataset"):
        asked.clear()
        place.workdir.mkdir(exist_ok=True)
        object.__setattr__(context, "progress", Progress())
        report = run_export(context, "everybody", job())
        assert ("partial", 4, None) == (report.state, report.exit_code, report.manifest)
        assert stop_in == asked[-1]
        context.stopping.clear()
        assert [] == [key for key in place.keys("exports/all/") if "manifest" in key]
    assert 25 == place.run().rows_written
    assert 1 == len(run_folders(place)), "what was begun was removed"
    full = [one for one in place.sandbox.bodies("/users/export/segment")
            if one["fields_to_export"] != ["braze_id"]]  # fmt: skip
    assert 1 == len(full), "one export was asked for"


async def test_a_stop_ends_what_does_not_end_by_itself():
    """Work that goes on after a stop, such as a large download, is cancelled."""
    ended = []

    async def endless():
        try:
            await asyncio.sleep(600)
        finally:
            ended.append(True)

    stopping = threading.Event()
    asyncio.get_running_loop().call_later(0.05, stopping.set)
    with pytest.raises(Stopped):
        await stoppable(endless(), stopping, patience=0.1)
    assert [True] == ended


@pytest.mark.parametrize(("raw", "left"), [({}, False), ({"raw": "keep"}, True)])
def test_raw_files_of_the_export_go_once_it_is_published(place, raw, left):
    """Only what this export brought is removed; files of others below the same folder stay."""
    segment = place.sandbox.add_segment(ALL)
    folder = f"segment-export/{segment}/{place.clock.now():%Y-%m-%d}/somebody-elses-1"
    place.bucket.write(f"{folder}/a.gz", b"x")
    report = place.run(**raw)
    wanted = place.document(report.manifest)["object_prefix"]
    found = {key.split("/")[-2] for key in place.keys("segment-export/")}
    assert {"somebody-elses-1"} | ({wanted} if left else set()) == found


def test_datasets_beyond_the_newest_are_removed(place):
    """With `keep: 2` two of the job's datasets stay; what others published there stays too."""
    foreign = "exports/all/run=19990101T000000Z-x-00000000/"
    place.bucket.write(f"{foreign}manifest.json", json.dumps({"job": "other"}).encode())
    place.bucket.write(f"{foreign}part-00000.parquet", b"theirs")
    target = {"prefix": "exports/all/", "keep": 2}
    manifests = []
    for _ in range(3):
        manifests.append(place.run(target=target).manifest)
        place.clock.sleep(60)
    kept = {key.split("/")[2] for key in manifests[-2:]} | {foreign.split("/")[2]}
    assert kept == set(run_folders(place))
    assert manifests[-1] == place.document("exports/all/latest.json")["manifest"]


def test_a_dataset_of_newer_data_is_never_removed(place):
    """A run whose data was asked for earlier keeps itself and all that are newer."""
    newer = {"job": "everybody", "requested_at": "2999-01-01T00:00:00.000000Z", "run_id": "z"}
    for number in range(2):
        key = f"exports/all/run=2999010{number}T000000Z-z/manifest.json"
        place.bucket.write(key, json.dumps(newer | {"run_id": f"z{number}"}).encode())
    old = place.run().manifest
    place.clock.sleep(60)
    report = place.run(target={"prefix": "exports/all/", "keep": 1})
    assert {"run=29990100T000000Z-z", "run=29990101T000000Z-z", report.manifest.split("/")[2]} == (
        set(run_folders(place))
    )
    assert old.split("/")[2] not in run_folders(place)


def test_a_run_that_dies_while_it_removes_leaves_nothing_for_good(place, monkeypatch):
    """The manifest goes first; the parts without one are removed by the next run."""
    target = {"prefix": "exports/all/", "keep": 1}
    first = place.run(target=target).manifest
    place.clock.sleep(60)
    delete = Bucket.delete

    def dies(self, keys):
        keys = list(keys)
        delete(self, keys)
        if any(key.endswith("manifest.json") for key in keys):
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "delete", dies)
        with pytest.raises(Killed):
            place.run(target=target)
    litter = place.keys(first.removesuffix("manifest.json"))
    assert litter
    assert first not in litter
    place.clock.sleep(60)
    last = place.run(target=target).manifest
    assert [last.split("/")[2]] == run_folders(place)
