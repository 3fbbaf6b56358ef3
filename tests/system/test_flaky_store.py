"""A store that fails, tears, spoils and forgets to answer: nothing lost, nothing twice."""

from __future__ import annotations

import shutil
import sys

import botocore.endpoint
import pytest
from support.contexts import job_context
from support.fault_proxy import BEFORE, BODY, CORRUPT, FaultProxy, Schedule
from support.jobs import import_model

from exchanger.config.models import BrazeConfig
from exchanger.errors import ExchangerError, StorageChanged, StorageUnreachable
from exchanger.jobs.history.runs import list_runs
from exchanger.jobs.imports import run_import
from exchanger.outside.braze.client import Braze
from exchanger.outside.clock import SystemClock
from exchanger.outside.s3.bucket import Bucket
from exchanger.sandbox import Sandbox

BIG = bytes(range(256)) * 8192
PROFILES = 40
RATE = 0.12
TRIES = 12
GIVER = """
import json, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
count = Path(sys.argv[1])
number = len(count.read_text()) + 1 if count.exists() else 1
count.write_text("x" * number)
print(json.dumps({
    "Version": 1,
    "AccessKeyId": f"TEMPORARY{number}",
    "SecretAccessKey": "dummy",
    "SessionToken": "dummy",
    "Expiration": (datetime.now(UTC) + timedelta(minutes=2)).isoformat(),
}))
"""
IN_CI, AT_NIGHT = range(1), range(1, 20)
JOB = import_model(
    fields={
        "spent": {"from": "spent", "merge": "sum", "type": "decimal", "scale": 2},
        "tags": {"from": "tag", "merge": "add", "items": "string"},
    }
)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    # The pauses of boto3 between its attempts take no clock.
    monkeypatch.setattr(botocore.endpoint.time, "sleep", lambda seconds: None)


@pytest.fixture
def behind(local_s3, s3_config):
    """Put a proxy with a schedule before the store; gives the proxy and the bucket behind it."""
    running = []

    def proxied(schedule, **changes):
        proxy = FaultProxy(local_s3.url, schedule).__enter__()
        running.append(proxy)
        return proxy, Bucket(s3_config.model_copy(update={"endpoint_url": proxy.url, **changes}))

    yield proxied
    for proxy in running:
        proxy.__exit__()


@pytest.fixture
def braze():
    with Sandbox() as sandbox:
        yield sandbox


def context_of(bucket, braze, workdir):
    config = BrazeConfig(endpoint=braze.url, api_key=braze.api_key, batch_size=10)
    return job_context(
        bucket,
        lambda: Braze(config),
        workdir,
        batch_size=10,
        spacing=0.0,
        grace=0.0,
        lease_seconds=60.0,
    )


def run(bucket, braze, tmp_path):
    """Run the job once in a context of its own."""
    workdir = tmp_path / "work"
    workdir.mkdir()
    try:
        return run_import(context_of(bucket, braze, workdir), "crm", JOB)
    finally:
        shutil.rmtree(workdir)


def rows(cents, tag):
    lines = (f"p{n},{(n + cents) / 100:.2f},{tag}\n" for n in range(PROFILES))
    return ("id,spent,tag\n" + "".join(lines)).encode()


def totals(contributions):
    """Tell what Braze must end with for the files of some cents and tags."""
    tags = ",".join(f'"{tag}"' for _, tag in contributions)
    texts = {}
    for n in range(PROFILES):
        cents = sum(n + given for given, _ in contributions)
        texts[f"p{n}"] = (f"{cents / 100:.2f}".rstrip("0").rstrip("."), f"[{tags}]")
    return texts


def state(braze):
    return {
        who: (braze.raw_attribute(who, "spent"), braze.raw_attribute(who, "tags"))
        for who in braze.users()
    }


@pytest.mark.parametrize("kind", [*BEFORE, *BODY, CORRUPT])
def test_a_download_is_whole_or_read_again(bucket, behind, tmp_path, kind):
    """Whatever happens to a body on its way, what lands on disk is what was stored."""
    etag = bucket.write("big", BIG)
    proxy, flaky = behind(Schedule(1))
    proxy.schedule.then(kind)
    flaky.download("big", etag, tmp_path / "big")
    assert BIG == (tmp_path / "big").read_bytes()
    proxy.schedule.then(kind)
    assert (BIG, etag) == flaky.read("big")
    assert 2 == proxy.schedule.done[kind]


def test_a_body_that_is_always_torn_never_becomes_data(bucket, behind, tmp_path):
    """If no reading is whole the download fails as corrupt, in words that are ours."""
    etag = bucket.write("big", BIG)
    _, flaky = behind(Schedule(1, rate=1.0, kinds=("torn",)))
    flaky._clock = NoWaiting()
    with pytest.raises(ExchangerError) as failed:
        flaky.download("big", etag, tmp_path / "big")
    assert 6 == failed.value.exit_code


class NoWaiting(SystemClock):
    def sleep(self, seconds):
        pass


@pytest.mark.parametrize("kind", ["lost", "error_after"])
def test_a_conditional_write_that_lost_its_answer_can_be_told_from_a_race(bucket, behind, kind):
    """
    Sent again, our own write meets itself: it fails as changed, and the object there is ours.

    One that somebody else won looks the same, but for the body.
    """
    proxy, flaky = behind(Schedule(1))
    proxy.schedule.then(kind)
    with pytest.raises(StorageChanged):
        flaky.write("one", b"nonce-1", if_none_match=True)
    body, etag = flaky.read("one")
    assert b"nonce-1" == body
    proxy.schedule.then(kind)
    with pytest.raises(StorageChanged):
        flaky.write("one", b"nonce-2", if_match=etag)
    assert b"nonce-2" == flaky.read("one")[0]
    with pytest.raises(StorageChanged):
        flaky.write("one", b"nonce-3", if_match=etag)
    assert b"nonce-2" == flaky.read("one")[0]


def test_a_store_that_is_down_is_unreachable(bucket, behind):
    """When every attempt fails the error is one that may be tried again later."""
    bucket.write("one", b"1")
    _, flaky = behind(Schedule(1, rate=1.0, kinds=("slow_down", "error", "reset")))
    flaky._clock = NoWaiting()
    for call in (lambda: flaky.read("one"), lambda: flaky.write("two", b"2")):
        with pytest.raises(StorageUnreachable) as failed:
            call()
        assert failed.value.retryable


@pytest.mark.parametrize(
    "seed", [*IN_CI, *(pytest.param(n, marks=pytest.mark.nightly) for n in AT_NIGHT)]
)
def test_totals_are_exact_once_faults_stop(bucket, behind, braze, tmp_path, seed):
    """
    However a store fails, an import ends exactly, after as many starts as it takes.

    Files arrive between the starts. Every failure is one of ours that exits as S3's or as busy.
    """
    proxy, flaky = behind(Schedule(seed, rate=RATE))
    contributions = [(10, "x"), (200, "y"), (3000, "z")][: 2 if seed in IN_CI else 3]
    failures = []
    for cents, tag in contributions:
        bucket.write(f"inbox/{tag}.csv", rows(cents, tag))
        for _ in range(TRIES):
            try:
                run(flaky, braze, tmp_path)
                break
            except ExchangerError as error:
                failures.append(error)
    proxy.schedule.rate = 0.0
    run(flaky, braze, tmp_path)

    assert totals(contributions) == state(braze)
    assert {6, 8} >= {error.exit_code for error in failures}, failures
    assert proxy.schedule.done.total() > 10
    applied = [run for run in list_runs(context_of(bucket, braze, tmp_path)) if run.get("seq")]
    assert len(contributions) * PROFILES == sum(one["rows_applied"] for one in applied)


@pytest.mark.nightly
@pytest.mark.parametrize("with_others", [True, pytest.param(False, marks=pytest.mark.nightly)])
def test_a_file_replaced_between_list_and_read_is_taken_as_it_is_then(
    bucket, behind, braze, tmp_path, with_others
):
    """No version is read that was not listed: the next listing takes the new one, and only it."""
    bucket.write("inbox/a.csv", rows(10, "old"))
    contributions = [(200, "new")]
    if with_others:
        bucket.write("inbox/b.csv", rows(3000, "other"))
        contributions = [(3000, "other"), (200, "new")]
    proxy, flaky = behind(Schedule(1))
    replaced = []

    def replace_once(exchange):
        if exchange.command == "GET" and exchange.path.endswith("inbox/a.csv") and not replaced:
            replaced.append(bucket.write("inbox/a.csv", rows(200, "new")))

    proxy.before_each(replace_once)
    reports = [run(flaky, braze, tmp_path) for _ in range(2)]
    assert {"failed", "partial"}.isdisjoint(report.state for report in reports)
    assert totals(contributions) == state(braze)
    assert len(contributions) == sum(len(report.files) for report in reports)


@pytest.mark.nightly
def test_a_file_deleted_between_list_and_read_is_left_out(bucket, behind, braze, tmp_path):
    """What is no longer there is not applied, and does not keep others from being."""
    bucket.write("inbox/a.csv", rows(10, "x"))
    bucket.write("inbox/b.csv", rows(200, "y"))
    proxy, flaky = behind(Schedule(1))

    def delete(exchange):
        if exchange.command == "GET" and exchange.path.endswith("inbox/a.csv"):
            bucket.delete(["inbox/a.csv"])

    proxy.before_each(delete)
    assert ["inbox/b.csv"] == [file.key for file in run(flaky, braze, tmp_path).files]
    assert totals([(200, "y")]) == state(braze)


@pytest.mark.nightly
def test_a_listing_whose_pages_change_while_they_are_read(bucket, behind, braze, tmp_path):
    """
    Every file counts once, whatever comes and goes between two pages of a listing.

    What came before the place where the listing stood is taken by the next run.
    """
    for name, cents in {"b": 1, "c": 20, "d": 300, "e": 4000}.items():
        bucket.write(f"inbox/{name}.csv", rows(cents, name))
    proxy, flaky = behind(Schedule(1))
    pages = []

    def change(exchange):
        if "list-type=2" in exchange.path and "prefix=inbox" in exchange.path:
            exchange.path += "&max-keys=2"
            pages.append(exchange.path)
            if len(pages) == 2:
                bucket.write("inbox/a.csv", rows(50_000, "a"))
                bucket.delete(["inbox/e.csv"])
                bucket.write("inbox/f.csv", rows(600_000, "f"))

    proxy.before_each(change)
    taken = [[file.key[6] for file in run(flaky, braze, tmp_path).files] for _ in range(3)]
    assert ["a", "b", "c", "d", "f"] == sorted(name for names in taken for name in names)
    assert "a" not in taken[0] or len(pages) > 4
    assert [] == taken[-1]
    contributions = {"a": 50_000, "b": 1, "c": 20, "d": 300, "f": 600_000}
    cents = {
        who: texts[0] for who, texts in totals([(n, t) for t, n in contributions.items()]).items()
    }
    assert cents == {who: texts[0] for who, texts in state(braze).items()}


@pytest.mark.nightly
def test_temporary_credentials_are_renewed_by_the_chain(
    bucket, behind, braze, tmp_path, monkeypatch
):
    """
    Without configured keys AWS's chain is asked again before keys expire, for tables as well.

    The process that gives them makes a new key each time; each is good for two minutes, and
    botocore renews what is good for less than ten.
    """
    giver = tmp_path / "giver.py"
    giver.write_text(GIVER)
    (tmp_path / "config").write_text(
        f"[default]\ncredential_process = {sys.executable} {giver} {tmp_path / 'count'}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    bucket.write("inbox/a.csv", rows(10, "x"))
    proxy, flaky = behind(Schedule(1), access_key_id=None, secret_access_key=None)
    used = {"boto": set(), "tables": set()}

    def remember(exchange):
        key = exchange.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        is_boto = "boto" in exchange.headers["User-Agent"].lower()
        used["boto" if is_boto else "tables"].add(key)

    proxy.before_each(remember)
    run(flaky, braze, tmp_path)
    assert totals([(10, "x")]) == state(braze)
    assert all(len(keys) > 2 for keys in used.values()), used
    assert all(key.startswith("TEMPORARY") for keys in used.values() for key in keys)
