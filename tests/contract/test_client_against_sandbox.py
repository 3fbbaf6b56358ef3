"""
The client against every variant of what Braze leaves open: it behaves the same in each.

The same questions are put to workspaces that differ in one behaviour that is not documented.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import polars as pl
import pytest
from pydantic import SecretStr
from support.contexts import job_context
from support.workspaces import BAD, GOOD, SteppedClock, body, workspace

from exchanger.config.models import BrazeConfig, Completion, ExportJob
from exchanger.errors import BrazeForbidden, BrazeKeyRefused, BrazeRefused, BrazeUnreachable
from exchanger.jobs.exports import run_export
from exchanger.outside.braze.client import Braze
from exchanger.profiles.exported.held_rows import fields_to_export, held_form
from exchanger.sandbox import Sandbox, SandboxSettings

TRACK_VARIANTS = [
    {"track_status": 200},
    {"track_status": 201},
    {"track_status": 202},
    {"empty_errors": "absent"},
    {"empty_errors": "null"},
    {"empty_errors": "list"},
    {"failed_counters": "absent"},
    {"failed_counters": "zero"},
    {"error_style": "sentence"},
    {"error_style": "code"},
    {"header_dialect": "epoch"},
    {"header_dialect": "relative"},
    {"track_limit_mode": "combined"},
    {"track_limit_mode": "per_array"},
    {"apply_delay": 1.0},
    {"apply_delay": 1.0, "apply_reorder": True},
]


def label(variant):
    return ",".join(f"{name}={value}" for name, value in variant.items())


@pytest.mark.parametrize("variant", TRACK_VARIANTS, ids=label)
async def test_what_is_taken_and_what_is_refused(variant):
    """Taken, partly refused, and entirely refused requests are told apart in every variant."""
    async with workspace(**variant) as (braze, sandbox):
        taken = await braze.track(body(GOOD))
        assert (True, {}, ()) == (taken.accepted, taken.refused, taken.warnings)

        partly = await braze.track(body(BAD, GOOD, BAD))
        assert (True, {0, 2}) == (partly.accepted, set(partly.refused))
        assert all("email" in reason.lower() for reason in partly.refused.values())

        none = await braze.track(body(BAD))
        assert (False, {0}) == (none.accepted, set(none.refused))

        sandbox.advance(10)
        assert {"a"} == set(sandbox.users())
        assert "1.5" == sandbox.raw_attribute("a", "points")
        assert 3 == sandbox.requests("/users/track")


@pytest.mark.parametrize(
    "variant",
    [
        {"header_dialect": "epoch", "headers_on_429": True},
        {"header_dialect": "epoch", "headers_on_429": False},
        {"header_dialect": "relative"},
    ],
    ids=label,
)
async def test_rate_limits_are_waited_out(variant):
    """However the limit is told, every request gets through, and few are sent in vain."""
    async with workspace(track_requests=2, track_window=3, **variant) as (braze, sandbox):
        profiles = [f'{{"external_id":"p{n}","n":{n}}}' for n in range(8)]
        answers = await asyncio.gather(*(braze.track(body(one)) for one in profiles))
        assert all(answer.accepted for answer in answers)
        assert 8 == len(sandbox.users())
        assert 8 <= sandbox.requests("/users/track") <= 8 * 4


@pytest.mark.parametrize("status", [400, 413])
async def test_a_request_that_is_too_large_is_refused_as_a_whole(status):
    """Whatever the status of an oversize request, it is a refusal that names no object."""
    async with workspace(oversize_status=status, max_body_bytes=100) as (braze, sandbox):
        with pytest.raises(BrazeRefused) as caught:
            await braze.track(body(GOOD, *[GOOD] * 9))
        assert (status, 1) == (caught.value.status, sandbox.requests("/users/track"))
        assert {} == sandbox.users()


@pytest.mark.parametrize(
    "variant",
    [
        {"lookup_status": 200},
        {"lookup_status": 201},
        {"lookup_requires_fields": True},
        {"lookup_requires_fields": False},
        {"unknown_fields": "ignored"},
        {"unknown_fields": "refused"},
        {"created_at_style": "iso"},
        {"created_at_style": "utc"},
    ],
    ids=label,
)
async def test_look_ups_become_the_same_held_values(variant):
    """Known, empty and absent are told apart, with the digits that Braze has."""
    async with workspace(**variant) as (braze, sandbox):
        sandbox.seed([{"external_id": "a", "points": 12.3, "email": "a@example.com"}])
        fields = ["points", "email", "tier"]
        answer = await braze.export_ids(["a", "nobody"], fields_to_export(fields))
        assert (["nobody"], []) == (answer.unknown, answer.unanswered)
        users = {user["external_id"]: user for user in answer.users}
        held = held_form(users, answer.unknown, fields)
        assert [
            ("a", True, "12.3", '"a@example.com"', "null"),
            ("nobody", False, "null", "null", "null"),
        ] == held.rows()


@pytest.mark.parametrize(
    "variant",
    [
        {"export_status": 200},
        {"export_status": 201},
        {"created_at_style": "iso"},
        {"created_at_style": "utc"},
        {"unknown_fields": "refused"},
        {"users_per_file": 1, "seconds_per_file": 2.0},
        {"users_per_file": 2, "export_repeats": 1},
    ],
    ids=label,
)
def test_exports_become_the_same_dataset(variant, bucket, tmp_path):
    """Statuses, spellings, and how users spread over files make no difference to the columns."""
    people = [{"external_id": f"p{n}", "points": n, "since": "2026-09-15"} for n in range(5)]
    frame, sandbox = exported(people, variant, bucket, tmp_path)
    assert 5 == frame.height
    assert [f"p{n}" for n in range(5)] == frame["external_id"].sort().to_list()
    assert 10 == frame["points"].sum()
    assert pl.Datetime("ms", "UTC") == frame["created_at"].dtype
    assert 0 == frame["created_at"].null_count()
    assert sandbox.requests("/users/export/segment") >= 1


@pytest.mark.parametrize("empty_export", ["nothing", "file"])
def test_an_empty_segment_is_an_empty_dataset(empty_export, bucket, tmp_path):
    """A segment without users gives no rows, whether Braze then writes a file or none."""
    frame, _ = exported([], {"empty_export": empty_export}, bucket, tmp_path)
    assert (0, ["external_id", "points", "created_at"]) == (frame.height, frame.columns)


def exported(people, variant, bucket, workdir):
    """Export a segment of these people, without connected storage, and read it."""
    with Sandbox(SandboxSettings(**variant)) as sandbox:
        sandbox.seed(people)
        sandbox.add_segment("Everybody")
        clock = SteppedClock(sandbox)
        config = BrazeConfig(endpoint=sandbox.url, api_key=SecretStr(sandbox.api_key))
        context = job_context(bucket, lambda: Braze(config, clock=clock), workdir, clock=clock)
        job = ExportJob.model_validate(
            {
                "type": "export",
                "segment": "Everybody",
                "empty": "allow",
                "fields": {
                    "external_id": {"from": "external_id"},
                    "points": {"from": "custom_attributes.points", "type": "integer"},
                    "created_at": {"from": "created_at", "type": "datetime"},
                },
                "target": {"prefix": "exports/all/"},
                "completion": Completion(poll=timedelta(seconds=5), quiet=timedelta(seconds=20)),
            }
        )
        report = run_export(context, "everybody", job)
        prefix = report.manifest.rpartition("/")[0]
        parts = [one.key for one in bucket.list(prefix) if one.key.endswith(".parquet")]
        frames = [pl.read_parquet(bucket.read(key)[0]) for key in parts]
        return pl.concat(frames), sandbox


@pytest.mark.parametrize("rates", [{"error_rate": 0.3}, {"lost_answer_rate": 0.3}], ids=label)
async def test_errors_and_lost_answers_are_sent_again(rates):
    """Every object arrives although some answers never do; sending twice changes nothing."""
    async with workspace(seed=3, **rates) as (braze, sandbox):
        for n in range(30):
            answer = await braze.track(body(f'{{"external_id":"p{n}","n":{n}}}'))
            assert answer.accepted
        assert [str(n) for n in range(30)] == [
            sandbox.raw_attribute(f"p{n}", "n") for n in range(30)
        ]
        assert sandbox.requests("/users/track") == braze.requests > 30


async def test_a_server_that_never_recovers_is_unreachable():
    """After all attempts the client gives up, and says that the outcome is open."""
    async with workspace(error_rate=1.0) as (braze, sandbox):
        with pytest.raises(BrazeUnreachable) as caught:
            await braze.track(body(GOOD))
        assert (True, True) == (caught.value.uncertain, caught.value.status >= 500)
        assert {} == sandbox.users()


async def test_a_wrong_key_and_a_missing_permission_are_not_tried_again():
    """401 and 403 come back at once, and the key is not in what they say."""
    async with workspace(key="not-the-key") as (braze, sandbox):
        with pytest.raises(BrazeKeyRefused) as caught:
            await braze.track(body(GOOD))
        assert "not-the-key" not in str(caught.value)
        assert 1 == sandbox.requests("/users/track")
    granted = {"sandbox-key": frozenset({"segments.list"})}
    async with workspace(api_keys=granted) as (braze, sandbox):
        with pytest.raises(BrazeForbidden) as forbidden:
            await braze.track(body(GOOD))
        assert 403 == forbidden.value.status
        assert [] == await braze.segments()
        assert 1 == sandbox.requests("/users/track")
