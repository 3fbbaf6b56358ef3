"""What /users/track answers, in Braze's own words, and what the client makes of it."""

from __future__ import annotations

import pytest

from exchanger.errors import BrazeForbidden, BrazeKeyRefused, BrazeRefused, BrazeUnreachable

BODY = b'{"attributes":[{"external_id":"a"},{"external_id":"b"}]}'

PARTIAL = """{"attributes_processed": 2,
 "errors": [
   {"index": 1, "input_array": "attributes", "type": "'email_subscribe' must be 'subscribed', \
'unsubscribed', or 'opted_in'"},
   {"index": 3, "input_array": "attributes", "type": "'push_subscribe' must be 'subscribed', \
'unsubscribed', or 'opted_in'"},
   {"index": 4, "input_array": "attributes", "type": "You must specify only one of 'external_id', \
'user_alias' or 'braze_id'"}],
 "message": "success"}"""

ALL_INVALID = """{"message":"Valid data must be provided in the 'attributes', 'events', or \
'purchases' fields.",
 "errors":[{"type":"'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required",\
"input_array":"attributes","index":0}]}"""


async def test_the_request_is_the_body_as_given_with_the_key(workspace, key):
    """The body is sent untouched to the documented path, with the key as a bearer token."""
    async with workspace({}) as w:
        await w.braze.track(BODY)
    (asked,) = w.asked
    assert ("POST", "/users/track", BODY) == (asked.method, asked.path, asked.body)
    assert f"Bearer {key}" == asked.headers["Authorization"]
    assert "application/json" == asked.headers["Content-Type"]


@pytest.mark.parametrize(
    "says",
    [
        {"body": '{"message":"success","attributes_processed":2,"events_processed":1}'},
        {"body": {"message": "success"}},
        {"body": {"message": "success", "attributes_processed": 2, "errors": None}},
        {"body": {"message": "success", "attributes_processed": 2, "errors": []}},
        {"status": 200},
        {"status": 202},
        {"status": 202, "body": {"message": "queued"}},
        {"status": 201, "body": {"message": "queued"}},
        {"headers": {"Content-Type": "text/plain"}},
    ],
)
async def test_every_form_of_success_is_accepted(workspace, says):
    """Any 2xx with a JSON object counts as accepted, with or without counters and errors."""
    async with workspace(says) as w:
        answer = await w.braze.track(BODY)
    assert (True, {}, (), False) == (
        answer.accepted,
        answer.refused,
        answer.warnings,
        answer.uncertain,
    )
    assert 1 == w.braze.requests


async def test_partial_failure_as_measured(workspace):
    """Objects that Braze names are refused with its reason; the others are accepted."""
    async with workspace({"body": PARTIAL}) as w:
        answer = await w.braze.track(BODY)
    states = "must be 'subscribed', 'unsubscribed', or 'opted_in'"
    assert {
        1: f"'email_subscribe' {states}",
        3: f"'push_subscribe' {states}",
        4: "You must specify only one of 'external_id', 'user_alias' or 'braze_id'",
    } == answer.refused
    assert (True, ()) == (answer.accepted, answer.warnings)


async def test_all_invalid_is_about_objects(workspace):
    """A 400 that names objects refuses those; nothing was processed, so the others go again."""
    async with workspace({"status": 400, "body": ALL_INVALID}) as w:
        answer = await w.braze.track(BODY)
    reason = "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"
    assert (False, {0: reason}) == (answer.accepted, answer.refused)
    assert 1 == len(w.asked)


@pytest.mark.parametrize(
    ("errors", "refused", "warnings"),
    [
        (
            [{"index": 0, "input_array": "attributes", "type": "EMAIL_BAD_FORMAT"}],
            {0: "EMAIL_BAD_FORMAT"},
            (),
        ),
        (
            [
                {"index": 1, "input_array": "attributes", "type": "first"},
                {"index": 1, "input_array": "attributes", "type": "second"},
                {"index": 1, "input_array": "attributes", "type": "first"},
            ],
            {1: "first; second"},
            (),
        ),
        ([{"index": 2, "type": "no array named"}], {2: "no array named"}, ()),
        (
            [{"index": 2, "input_array": "attributes", "reason": "no type"}],
            {2: '{"index":2,"input_array":"attributes","reason":"no type"}'},
            (),
        ),
        (
            [{"index": 0, "input_array": "attributes", "type": {"code": 7}}],
            {0: '{"code":7}'},
            (),
        ),
        (
            [{"index": 0, "input_array": "events", "type": "odd"}],
            {},
            ('{"index":0,"input_array":"events","type":"odd"}',),
        ),
        (
            [{"input_array": "attributes", "type": "where?"}],
            {},
            ('{"input_array":"attributes","type":"where?"}',),
        ),
        (
            [{"index": True, "input_array": "attributes", "type": "x"}],
            {},
            ('{"index":true,"input_array":"attributes","type":"x"}',),
        ),
        (
            [{"index": -1, "input_array": "attributes", "type": "x"}],
            {},
            ('{"index":-1,"input_array":"attributes","type":"x"}',),
        ),
        (["a minor error message"], {}, ("a minor error message",)),
        ("one sentence", {}, ("one sentence",)),
        ({"odd": 1}, {}, ('{"odd":1}',)),
    ],
)
async def test_no_error_is_lost(workspace, errors, refused, warnings):
    """Every error is either a refusal of an object or a warning, in whatever shape it comes."""
    async with workspace({"body": {"message": "success", "errors": errors}}) as w:
        answer = await w.braze.track(BODY)
    assert (True, refused, warnings) == (answer.accepted, answer.refused, answer.warnings)


@pytest.mark.parametrize(
    ("status", "body", "detail"),
    [
        (400, {"message": "Max Input Length Exceeded"}, "Max Input Length Exceeded"),
        (
            400,
            {"error": "valid application/json must be passed"},
            "valid application/json must be passed",
        ),
        (
            400,
            "Error while parsing request body. Please check your syntax.",
            "Error while parsing request body. Please check your syntax.",
        ),
        (
            400,
            {
                "message": "Valid data must be provided in the 'attributes', 'events', or "
                "'purchases' fields."
            },
            "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields.",
        ),
        (400, {"message": "Bad Request", "errors": ["why"]}, 'Bad Request; ["why"]'),
        (404, {"message": "Not Found"}, "Not Found"),
        (413, {"message": "Request Entity Too Large"}, "Request Entity Too Large"),
        (413, "<html>too large</html>", "<html>too large</html>"),
        (415, {"message": "Unsupported Media Type"}, "Unsupported Media Type"),
        (302, "", ""),
    ],
)
async def test_what_is_about_the_request_is_refused_at_once(workspace, status, body, detail):
    """An answer that names no object refuses the request; it is not sent again."""
    headers = {"Location": "https://elsewhere.example/"} if status == 302 else {}
    async with workspace({"status": status, "body": body, "headers": headers}) as w:
        with pytest.raises(BrazeRefused) as refused:
            await w.braze.track(BODY)
    assert (status, detail, False) == (
        refused.value.status,
        refused.value.detail,
        refused.value.uncertain,
    )
    assert 1 == len(w.asked)


async def test_a_body_over_the_limit_is_not_sent(workspace):
    """More than 4 MB are refused here as Braze would, so that the caller sends less."""
    async with workspace({}) as w:
        with pytest.raises(BrazeRefused) as refused:
            await w.braze.track(b" " * 4_000_001)
        assert 413 == refused.value.status
        assert (await w.braze.track(b" " * 4_000_000)).accepted
    assert 1 == len(w.asked)


async def test_an_unknown_key_is_refused_without_its_echo(workspace, key):
    """Braze echoes the key of a 401; it is in no word of the error."""
    async with workspace({"status": 401, "body": {"message": f"Invalid API key: {key}"}}) as w:
        with pytest.raises(BrazeKeyRefused) as refused:
            await w.braze.track(BODY)
    assert "Invalid API key: [redacted]" == refused.value.detail
    assert key not in repr(refused.value) + str(refused.value) + repr(w.braze)
    assert 1 == len(w.asked)


async def test_a_missing_permission_is_told_apart(workspace):
    """403 means that the key is known but may not."""
    async with workspace({"status": 403, "body": {"message": "Access Denied"}}) as w:
        with pytest.raises(BrazeForbidden) as refused:
            await w.braze.track(BODY)
    assert "Access Denied" == refused.value.detail
    assert 1 == len(w.asked)


async def test_a_fault_that_echoes_the_key_is_redacted(workspace, key):
    """Whatever the status, the key is in no error."""
    async with workspace({"status": 500, "body": f"crash near Bearer {key}"}) as w:
        with pytest.raises(BrazeUnreachable) as unreachable:
            await w.braze.track(BODY)
    assert "crash near Bearer [redacted]" == unreachable.value.detail
