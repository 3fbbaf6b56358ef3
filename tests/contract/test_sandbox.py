"""The local Braze over HTTP: what a client can see of track, look-up and inspection."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.sandbox_calls import IDS, TRACK, call, people, post, track

from exchanger.sandbox import Sandbox

NEEDS_ID = "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"
ONLY_ONE = "You must specify only one of 'external_id', 'user_alias' or 'braze_id'"
NOTHING_VALID = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."
STATES = "must be 'subscribed', 'unsubscribed', or 'opted_in'"
TIME = "2026-01-02T03:04:05Z"


def test_partial_failure_names_the_objects(braze: Sandbox) -> None:
    """Bad objects are named by index, array and sentence; the others are applied."""
    status, answer = track(
        braze,
        {"external_id": "a", "x": 1},
        {"external_id": "b", "email_subscribe": "yes"},
        {"external_id": "c", "x": 1},
        {"external_id": "d", "push_subscribe": 1},
        {"external_id": "e", "braze_id": "f"},
    )
    assert status == 201
    assert answer == {
        "message": "success",
        "attributes_processed": 2,
        "errors": [
            {"index": 1, "input_array": "attributes", "type": f"'email_subscribe' {STATES}"},
            {"index": 3, "input_array": "attributes", "type": f"'push_subscribe' {STATES}"},
            {"index": 4, "input_array": "attributes", "type": ONLY_ONE},
        ],
    }
    assert {"a", "c"} == set(braze.users())


@pytest.mark.parametrize(
    ("array", "given", "sentence"),
    [
        ("attributes", {"x": 1}, NEEDS_ID),
        ("attributes", {"external_id": ""}, NEEDS_ID),
        ("attributes", {"external_id": "é" * 494},
         "'external_id' must not be larger than 987 bytes"),
        ("attributes", {"external_id": "a", "email": "no"},
         "The value provided for the 'email' field is not a valid email."),
        ("attributes", {"external_id": "a", "email": ""},
         "The value provided for the 'email' field is not a valid email."),
        ("attributes", {"external_id": "a", "current_location": {"longitude": 1}},
         "'current_location' must be an object with longitude and latitude"),
        ("attributes", {"external_id": "a", "subscription_groups": {}},
         "'subscription_groups' must be an array"),
        ("attributes", 7, "each element must be an object"),
        ("events", {"external_id": "a", "time": TIME}, "'name' is required"),
        ("events", {"external_id": "a", "name": "e", "time": "now"}, "'time' is not valid"),
        ("purchases", {"external_id": "a", "product_id": "p", "currency": "EUR", "price": 1,
                       "time": TIME, "quantity": 101}, "'quantity' is not valid"),
    ],
)  # fmt: skip
def test_request_without_a_valid_object(
    braze: Sandbox, array: str, given: Any, sentence: str
) -> None:
    """When every object is bad the answer is a 400 that still names them."""
    error = {"type": sentence, "input_array": array, "index": 0}
    assert (400, {"message": NOTHING_VALID, "errors": [error]}) == track(braze, **{array: [given]})


def test_empty_request(braze: Sandbox) -> None:
    """A request without objects is a 400 without errors."""
    assert (400, {"message": NOTHING_VALID}) == track(braze)


@pytest.mark.parametrize(
    ("mode", "attributes", "events", "status"),
    [
        ("combined", 75, 0, 201),
        ("combined", 76, 0, 400),
        ("combined", 40, 36, 400),
        ("per_array", 75, 75, 201),
        ("per_array", 0, 76, 400),
    ],
)
def test_too_many_objects(
    braze: Sandbox, mode: str, attributes: int, events: int, status: int
) -> None:
    """75 objects fit, over all arrays or in each, as the account's limit says."""
    braze.change(track_limit_mode=mode)
    happened = [{"external_id": "a", "name": "e", "time": TIME}] * events
    answered, body = track(braze, *people(attributes), events=happened)
    assert status == answered
    assert ("success" if status == 201 else "Max Input Length Exceeded") == body["message"]
    assert (attributes if status == 201 else 0) == len(
        [name for name in braze.users() if name != "a"]
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"message": "success", "attributes_processed": 1}),
        (
            {"empty_errors": "null"},
            {"message": "success", "attributes_processed": 1, "errors": None},
        ),
        ({"empty_errors": "list"}, {"message": "success", "attributes_processed": 1, "errors": []}),
    ],
)
def test_answers_braze_leaves_open(
    braze: Sandbox, changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Errors of a request without any are left out, null or empty, as the settings say."""
    braze.change(track_status=200, **changes)
    assert (200, expected) == track(braze, {"external_id": "a"})


@pytest.mark.parametrize(
    ("counters", "expected"),
    [("absent", {}), ("zero", {"attributes_processed": 0})],
)
def test_counter_of_an_array_that_failed(
    braze: Sandbox, counters: str, expected: dict[str, int]
) -> None:
    """The counter of an array without a valid object is left out or 0; errors may be codes."""
    braze.change(failed_counters=counters, error_style="code")
    bad = {"external_id": "a", "email": "no"}
    _, answer = track(braze, bad, events=[{"external_id": "a", "name": "e", "time": TIME}])
    error = {"type": "EMAIL_BAD_FORMAT", "input_array": "attributes", "index": 0}
    assert {"message": "success", "events_processed": 1, "errors": [error]} | expected == answer


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "expected"),
    [
        ("POST", TRACK, {"authorization": "Bearer wrong"}, b"{}", (401, "Invalid API key: wrong")),
        ("POST", TRACK, {"authorization": ""}, b"{}", (401, "Unauthorized")),
        ("GET", "/segments/list", {}, None, (403, "Access Denied")),
        ("POST", TRACK + "/", {}, b"{}", (404, "Not Found")),
        ("GET", TRACK, {}, None, (404, "Not Found")),
        ("POST", TRACK, {"content_type": "text/plain"}, b"{}", (415, "Unsupported Media Type")),
        ("POST", TRACK, {"content_type": ""}, b"{}", (415, "Unsupported Media Type")),
        ("POST", TRACK, {}, b" " * (4 * 1024 * 1024 + 1), (413, "Request Entity Too Large")),
    ],
)  # fmt: skip
def test_door(
    braze: Sandbox,
    *,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes | None,
    expected: tuple[int, str],
) -> None:
    """What is wrong with a request as such is told by status and message."""
    braze.change(api_keys={"sandbox-key": ["users.track"]})
    status, _, answer = call(braze, method, path, body, **headers)
    assert expected == (status, answer["message"])


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"attributes":[{"n":NaN}]}', b"\xff"])
def test_body_that_is_no_json(braze: Sandbox, body: bytes) -> None:
    """A syntax error is told in a field error, not message."""
    expected = {"error": "Error while parsing request body. Please check your syntax."}
    assert (400, expected) == post(braze, TRACK, body)


def test_identifiers_and_creation(braze: Sandbox) -> None:
    """External ids, e-mails and phones create profiles; aliases do only when told; flags hold."""
    alias = {"alias_name": "n", "alias_label": "l"}
    _, answer = track(
        braze,
        {"external_id": "a", "x": 1},
        {"external_id": "b", "x": 1, "_update_existing_only": True},
        {"user_alias": alias, "x": 1},
        {"braze_id": "ffffffffffffffffffffffff", "x": 1},
        {"email": "m@example.com", "x": 1},
        {"phone": "+4912345", "x": 1},
        {"user_alias": {"alias_name": "m", "alias_label": "l"}, "_update_existing_only": False},
    )
    assert answer == {"message": "success", "attributes_processed": 7}
    _, _, inside = call(braze, "GET", "/sandbox/users")
    assert [
        {"external_id": "a"},
        {"email": "m@example.com"},
        {"phone": "+4912345"},
        {"user_aliases": [{"alias_name": "m", "alias_label": "l"}]},
    ] == [
        {
            name: user[name]
            for name in ("external_id", "email", "phone", "user_aliases")
            if name in user
        }
        for user in inside["users"]
    ]


def test_shared_email_prefers_the_identified(braze: Sandbox) -> None:
    """Of several profiles with an e-mail, the newest with an external id is updated."""
    shared = "s@example.com"
    track(braze, {"email": shared, "x": 0})
    track(braze, {"external_id": "a", "email": shared}, {"external_id": "b", "email": shared})
    track(braze, {"external_id": "a", "y": 1})
    anonymous = call(braze, "GET", "/sandbox/users")[2]["users"][0]["braze_id"]
    track(braze, {"braze_id": anonymous, "y": 1})
    track(braze, {"email": shared.upper(), "x": 9})
    assert "9" == braze.raw_attribute("a", "x")
    assert braze.raw_attribute("b", "x") is None


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("first_name", "Ada", '"Ada"'),
        ("First_Name", "Ada", '"Ada"'),
        ("first_name", "x" * 256, None),
        ("country", "Australia", '"AU"'),
        ("country", "gb", '"GB"'),
        ("country", "Atlantis", None),
        ("gender", "X", None),
        ("time_zone", "Europe/Paris", '"Europe/Paris"'),
        ("time_zone", "Mars/Olympus", None),
        ("dob", "1980-12-21", '"1980-12-21"'),
        ("dob", "21.12.1980", None),
        ("date_of_first_session", "2026-09-15", '"2026-09-15T00:00:00.000Z"'),
        ("email_subscribe", "opted_in", '"opted_in"'),
        ("price", 12.3, "12.3"),
    ],
)
def test_fields_as_stored(braze: Sandbox, name: str, value: Any, expected: str | None) -> None:
    """Standard fields keep what is valid and ignore the rest; other names are custom."""
    assert 201 == track(braze, {"external_id": "a", name: value})[0]
    assert expected == braze.raw_attribute("a", name)


def test_null_removes(braze: Sandbox) -> None:
    """A null removes a standard field and a custom attribute, and costs what any update costs."""
    track(braze, {"external_id": "a", "first_name": "Ada", "tier": "gold"})
    track(braze, {"external_id": "a", "first_name": None, "tier": None})
    assert {"first_name", "custom_attributes"}.isdisjoint(braze.users()["a"])
    assert 4 == braze.meter


def test_number_text_survives(braze: Sandbox) -> None:
    """A number is stored, looked up and inspected with the very text that was sent."""
    post(braze, TRACK, b'{"attributes":[{"external_id":"a","p":12.30}]}')
    assert "12.30" == braze.raw_attribute("a", "p")
    assert "12.30" == braze.bodies(TRACK)[0]["attributes"][0]["p"].text
    connection = http.client.HTTPConnection(urlsplit(braze.url).netloc, timeout=10)
    connection.request("GET", "/sandbox/users/a")
    assert b'{"p":12.30}' in connection.getresponse().read()
    connection.close()


def test_lookup(braze: Sandbox) -> None:
    """A look-up gives the fields asked for, leaves out what is empty, and names unknown ids."""
    track(braze, {"external_id": "a", "first_name": "Ada", "tags": [], "t": "2026-09-15"})
    asked = ["external_id", "braze_id", "first_name", "last_name", "custom_attributes", "nonsense"]
    status, answer = post(braze, IDS, {"external_ids": ["a", "nope"], "fields_to_export": asked})
    braze_id = braze.users()["a"]["braze_id"]
    user = {
        "external_id": "a",
        "braze_id": braze_id,
        "first_name": "Ada",
        "custom_attributes": {"t": "2026-09-15T00:00:00.000Z"},
        "appboy_id": braze_id,
    }
    assert (201, [user], ["nope"]) == (status, answer["users"], answer["invalid_user_ids"])


@pytest.mark.parametrize(
    ("changes", "body", "expected"),
    [
        ({}, {"external_ids": ["a"] * 51, "fields_to_export": ["email"]},
         (400, "The max number of ids per request was exceeded")),
        ({}, {"external_ids": ["a"]}, (400, "fields_to_export must be provided")),
        ({"lookup_requires_fields": False}, {"external_ids": ["a"]}, (201, "success")),
        ({"unknown_fields": "refused"}, {"external_ids": ["a"], "fields_to_export": ["nonsense"]},
         (400, "fields_to_export has invalid fields: nonsense")),
    ],
)  # fmt: skip
def test_lookup_rules(
    braze: Sandbox, changes: dict[str, Any], body: dict[str, Any], expected: tuple[int, str]
) -> None:
    """50 ids at most; fields are required, and unknown ones refused, where the settings say."""
    braze.change(**changes)
    status, answer = post(braze, IDS, body)
    assert expected == (status, answer["message"])


def test_events_and_purchases_are_counted(braze: Sandbox) -> None:
    """Events and purchases show in the profile, in USD, and cost a data point each."""
    bought = {"external_id": "a", "product_id": "p", "currency": "EUR", "price": 2.5,
              "quantity": 2, "time": TIME}  # fmt: skip
    track(braze, events=[{"external_id": "a", "name": "e", "time": TIME}], purchases=[bought])
    user, when = braze.users()["a"], "2026-01-02T03:04:05.000Z"
    assert [{"name": "e", "first": when, "last": when, "count": 1}] == user["custom_events"]
    assert [{"name": "p", "first": when, "last": when, "count": 2}] == user["purchases"]
    assert (5.5, {"event:e": 1, "purchase:p": 2}) == (user["total_revenue"], braze.points_by_name())


def test_segments_are_listed_in_pages(braze: Sandbox) -> None:
    """Segments come 100 to a page, oldest first unless asked otherwise."""
    ids = [braze.add_segment(f"S{n}") for n in range(101)]
    pages = [
        [one["id"] for one in call(braze, "GET", f"/segments/list?page={page}")[2]["segments"]]
        for page in range(3)
    ]
    assert [ids[:100], ids[100:], []] == pages
    newest = call(braze, "GET", "/segments/list?sort_direction=desc")[2]["segments"][0]
    assert "S100" == newest["name"]
    details = call(braze, "GET", f"/segments/details?segment_id={ids[3]}")[2]
    assert "S3" == details["name"]


def test_inspection_over_http(braze: Sandbox) -> None:
    """What tests arrange in Python, a terminal can arrange and see below /sandbox."""
    users = [{"external_id": "a", "n": 1}, {"external_id": "b"}]
    assert (200, {"seeded": 2}) == post(braze, "/sandbox/seed", {"users": users})
    assert (200, {"added": 1}) == post(braze, "/sandbox/faults", {"endpoint": TRACK, "status": 500})
    assert 400 == post(braze, "/sandbox/faults", {"endpoint": TRACK, "statsu": 500})[0]
    assert 500 == track(braze, {"external_id": "a"})[0]
    assert 200 == post(braze, "/sandbox/segments", {"name": "VIP", "members": ["a"]})[0]
    assert ["a"] == call(braze, "GET", "/sandbox/segments")[2]["segments"][0]["members"]
    assert 7 == post(braze, "/sandbox/settings", {"track_objects": 7})[1]["track_objects"]
    assert {"data_points": 0, "by_name": {}} == call(braze, "GET", "/sandbox/meter")[2]
    noted = call(braze, "GET", f"/sandbox/requests?endpoint={TRACK}&last=1")[2]
    assert ({TRACK: 1}, [TRACK]) == (noted["counts"], [one["endpoint"] for one in noted["last"]])
    assert 404 == call(braze, "GET", "/sandbox/users/nobody")[0]
    post(braze, "/sandbox/reset", {})
    assert {} == braze.users()
