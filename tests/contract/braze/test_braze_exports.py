"""Exports of segments, look-ups and listings: what is asked, and what answers mean."""

from __future__ import annotations

import gzip
from decimal import Decimal

import pytest

from exchanger.errors import (
    BrazeForbidden,
    BrazeRefused,
    BrazeUnreachable,
    ExportRunning,
)
from exchanger.outside.braze.answers import ExportStarted, Segment

PREFIX = "bb8e2a91-c4aa-478b-b3f2-a4ee91731ad1-1464728599"


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(
    ("extra", "url"),
    [
        ({}, None),
        ({"url": None}, None),
        ({"url": ""}, None),
        ({"url": "https://x/y"}, "https://x/y"),
    ],
)
async def test_an_export_begins(workspace, status, extra, url):
    """The prefix is taken from any 2xx; the address may be absent, null or there."""
    body = {"message": "success", "object_prefix": PREFIX, **extra}
    async with workspace({"status": status, "body": body}) as w:
        started = await w.braze.export_segment("seg-1", ["email"], ["tier"])
    assert ExportStarted(PREFIX, url) == started
    assert {
        "segment_id": "seg-1",
        "fields_to_export": ["email"],
        "custom_attributes_to_export": ["tier"],
        "output_format": "gzip",
    } == w.asked[0].json
    assert "/users/export/segment" == w.asked[0].path


async def test_custom_attributes_are_named_only_if_asked_for(workspace):
    """Without a list of custom attributes the request has none, and the format can be zip."""
    async with workspace({"body": {"object_prefix": PREFIX}}) as w:
        await w.braze.export_segment("seg-1", ["custom_attributes"], output_format="zip")
    assert {
        "segment_id": "seg-1",
        "fields_to_export": ["custom_attributes"],
        "output_format": "zip",
    } == w.asked[0].json


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "2"}, {"X-RateLimit-Reset": "2"}])
async def test_a_running_export_is_told_apart(workspace, headers):
    """429 for longer than a few seconds means: most likely one is running."""
    busy = {"status": 429, "body": {"message": "Rate Limited"}, "headers": headers}
    async with workspace(busy) as w:
        with pytest.raises(ExportRunning) as running:
            await w.braze.export_segment("seg-1", ["email"])
    assert ("seg-1", "Rate Limited", True) == (
        running.value.segment,
        running.value.detail,
        running.value.retryable,
    )
    assert 1 < len(w.asked) < 30
    assert w.waited <= 10


async def test_an_export_is_not_waited_for_an_hour(workspace):
    """Told to come back in an hour, the caller hears of it at once."""
    async with workspace({"status": 429, "headers": {"Retry-After": "3600"}}) as w:
        for _ in range(2):
            with pytest.raises(ExportRunning):
                await w.braze.export_segment("seg-1", ["email"])
    assert (2, 0) == (len(w.asked), w.waited)


async def test_a_short_rate_limit_is_overcome(workspace):
    """A 429 that is over in a moment is only a rate limit."""
    async with workspace({"status": 429}, {"body": {"object_prefix": PREFIX}}) as w:
        assert PREFIX == (await w.braze.export_segment("seg-1", ["email"])).object_prefix


async def test_a_lost_answer_shows_as_a_running_export(workspace):
    """When the start went through but its answer was lost, the second attempt finds it running."""
    async with workspace({"body": '{"message":"succ'}, {"status": 429}) as w:
        with pytest.raises(ExportRunning):
            await w.braze.export_segment("seg-1", ["email"])


async def test_other_faults_of_an_export_are_unreachable(workspace):
    """Faults of the server are not mistaken for a running export."""
    async with workspace({"status": 500}) as w:
        with pytest.raises(BrazeUnreachable) as unreachable:
            await w.braze.export_segment("seg-1", ["email"])
    assert 500 == unreachable.value.status


@pytest.mark.parametrize(
    ("says", "taken"),
    [
        ({"status": 201}, True),
        ({"status": 200, "body": ""}, True),
        ({"status": 404, "body": {"message": "Not Found"}}, False),
        ({"status": 400, "body": {"message": "no"}}, False),
    ],
)
async def test_cancelling_is_best_effort(workspace, says, taken):
    """Whether Braze takes a cancellation is told, and an unknown endpoint is no failure."""
    async with workspace(says) as w:
        assert taken is await w.braze.cancel_export("seg-1")
    assert ("/export/segment/cancel", {"segment_id": "seg-1"}) == (
        w.asked[0].path,
        w.asked[0].json,
    )


async def test_look_up_as_measured(workspace):
    """Profiles, and ids that Braze does not know, come back apart; external_id is always asked."""
    body = (
        '{"message":"success","users":[{"external_id":"u-1","email":"ada@example.com"}],'
        '"invalid_user_ids":["nope"]}'
    )
    async with workspace({"body": body}) as w:
        answer = await w.braze.export_ids(["u-1", "nope", "silent"], ["email"])
    assert [{"external_id": "u-1", "email": "ada@example.com"}] == answer.users
    assert (["nope"], ["silent"]) == (answer.unknown, answer.unanswered)
    assert {
        "external_ids": ["u-1", "nope", "silent"],
        "fields_to_export": ["external_id", "email"],
    } == w.asked[0].json


@pytest.mark.parametrize(
    ("body", "unknown", "unanswered"),
    [
        ('{"users":[],"invalid_user_ids":["nope"]}', ["nope"], []),
        ('{"message":"success","users":[]}', [], ["nope"]),
        ('{"message":"success","users":[],"invalid_user_ids":null}', [], ["nope"]),
    ],
)
async def test_nobody_found(workspace, body, unknown, unanswered):
    """What Braze says it does not know is unknown; what it is silent about is neither."""
    async with workspace({"body": body}) as w:
        answer = await w.braze.export_ids(["nope"], ["external_id"])
    assert ([], unknown, unanswered) == (answer.users, answer.unknown, answer.unanswered)


async def test_numbers_keep_their_digits(workspace):
    """Neither large integers nor decimals lose a digit in a look-up."""
    body = (
        '{"users":[{"external_id":"a","appboy_id":"x","braze_id":"x","custom_attributes":'
        '{"big":123456789012345678901234567890,"money":12.30,"tiny":0.1,"whole":7}}]}'
    )
    async with workspace({"body": body}) as w:
        (user,) = (await w.braze.export_ids(["a"], ["custom_attributes"])).users
    values = user["custom_attributes"]
    assert 123456789012345678901234567890 == values["big"]
    assert ("12.30", "0.1", 7) == (str(values["money"]), str(values["tiny"]), values["whole"])
    assert isinstance(values["money"], Decimal)


@pytest.mark.parametrize(
    "body", ["", "[]", '{"message":"success"}', '{"users":[1]}', '{"users":NaN}']
)
async def test_a_look_up_that_cannot_be_read_is_not_taken_for_empty(workspace, body):
    """An answer without a list of profiles is a fault, never 'no such profile'."""
    async with workspace({"body": body}) as w:
        with pytest.raises(BrazeUnreachable):
            await w.braze.export_ids(["a"], ["email"])


async def test_too_many_ids_are_not_asked(workspace):
    """More than 50 at once is the caller's mistake; none at all needs no request."""
    async with workspace({"body": {"users": []}}) as w:
        with pytest.raises(ValueError, match="51"):
            await w.braze.export_ids([str(n) for n in range(51)], ["email"])
        assert [] == (await w.braze.export_ids([], ["email"])).users
    assert [] == w.asked


async def test_braze_refuses_too_many_ids(workspace):
    """Braze's own refusal keeps its words."""
    message = "The max number of ids per request was exceeded"
    async with workspace({"status": 400, "body": {"message": message}}) as w:
        with pytest.raises(BrazeRefused) as refused:
            await w.braze.export_ids(["a"], ["email"])
    assert message == refused.value.detail


def page(start, count):
    return {
        "body": {
            "message": "success",
            "segments": [
                {"id": f"id-{n}", "name": f"Segment {n}", "analytics_tracking_enabled": True}
                for n in range(start, start + count)
            ],
        }
    }


@pytest.mark.parametrize(
    ("pages", "asked", "found"),
    [
        ([page(0, 3)], 1, 3),
        ([page(0, 100), page(100, 7)], 2, 107),
        ([page(0, 100), page(0, 0)], 2, 100),
        ([page(0, 100), page(0, 100)], 2, 100),
        ([page(0, 0)], 1, 0),
    ],
)
async def test_segments_are_listed_to_the_end(workspace, pages, asked, found):
    """Pages are read until one is short, empty, or brings nothing new."""
    async with workspace(*pages) as w:
        segments = await w.braze.segments()
    assert [f"id-{n}" for n in range(found)] == [segment.id for segment in segments]
    assert [str(n) for n in range(asked)] == [asked.query["page"] for asked in w.asked]


async def test_segments_have_tags_or_not(workspace):
    """Tags may be there, null, or left out."""
    listed = [
        {"id": "1", "name": "VIP", "analytics_tracking_enabled": False, "tags": ["a", "b"]},
        {"id": "2", "name": "None", "tags": None},
        {"id": "3", "name": "Bare"},
    ]
    async with workspace({"status": 200, "body": {"segments": listed}}) as w:
        assert [
            Segment("1", "VIP", ("a", "b")),
            Segment("2", "None"),
            Segment("3", "Bare"),
        ] == await w.braze.segments()


async def test_listing_without_permission(workspace):
    """A key that may not list segments is told apart from an empty workspace."""
    async with workspace({"status": 403, "body": {"message": "Access Denied"}}) as w:
        with pytest.raises(BrazeForbidden) as refused:
            await w.braze.segments()
    assert "/segments/list" == refused.value.endpoint


@pytest.mark.parametrize("status", [403, 404])
async def test_a_download_that_is_not_there_yet(workspace, tmp_path, status):
    """403 and 404 mean: not yet. Nothing is written."""
    async with workspace({"status": status, "body": "<Code>AccessDenied</Code>"}) as w:
        there = await w.braze.download(w.stand_in.url + "/e.zip?X=%2Fa", tmp_path / "e.zip")
    assert not there
    assert [] == list(tmp_path.iterdir())


async def test_a_download_is_written_whole_and_without_the_key(workspace, tmp_path):
    """A file that was cut short is fetched again; the signed address is kept, the key not sent."""
    content = gzip.compress(b"{}\n" * 100_000, mtime=0)
    says = {"status": 200, "body": content, "headers": {"Content-Type": "application/zip"}}
    async with workspace({**says, "cut": True}, says) as w:
        url = w.stand_in.url + "/e.zip?X-Amz-Signature=a%2Fb%3D%41"
        assert await w.braze.download(url, tmp_path / "e.zip")
    assert content == (tmp_path / "e.zip").read_bytes()
    assert ["e.zip"] == [path.name for path in tmp_path.iterdir()]
    assert ["X-Amz-Signature=a%2Fb%3D%41"] * 2 == [asked.raw_query for asked in w.asked]
    assert [None, None] == [asked.headers.get("Authorization") for asked in w.asked]


async def test_a_failed_download_does_not_tell_the_signature(workspace, tmp_path):
    """The address of an export is a secret of its own."""
    async with workspace({"status": 500, "body": ""}) as w:
        with pytest.raises(BrazeUnreachable) as unreachable:
            await w.braze.download(w.stand_in.url + "/e?Signature=abc", tmp_path / "e")
        with pytest.raises(BrazeRefused) as refused:
            await w.braze.download("http://elsewhere.example/e?Signature=abc", tmp_path / "e")
    assert "abc" not in repr(unreachable.value) + repr(refused.value)
    assert [] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("data", "size"),
    [
        ([{"time": "2026-10-07", "size": 5}, {"time": "2026-10-08", "size": 7}], 7),
        ([{"time": "2026-10-08", "size": 7}, {"time": "2026-10-07", "size": 5}], 7),
        ([{"time": "2026-10-07", "size": 0}, {"time": "2026-10-08"}, 3], 0),
        ([{"time": "2026-10-07", "size": None}], None),
        ([], None),
    ],
)
async def test_the_newest_size_of_a_segment(workspace, data, size):
    """Of the days that have a size the newest counts, in whatever order they come; perhaps none."""
    async with workspace({"body": {"message": "success", "data": data}}) as w:
        assert size == await w.braze.segment_size("seg-1")
    assert "/segments/data_series" == w.asked[0].path.partition("?")[0]
