"""Objects and arrays of objects, merged in parts, through the command line."""

from __future__ import annotations

import json

import pytest

JOB = {
    "type": "import",
    "source": {"prefix": "inbox/"},
    "match": [{"external_id": "id"}],
    "fields": {
        "prefs": {"merge": "deep"},
        "basket": {"merge": "rows", "key": "sku"},
        "wishes": {"merge": "rows", "key": "sku", "complete": True},
        "address": {"type": "json"},
    },
}


def rows(*people):
    """Write NDJSON of an identifier and what each row says."""
    lines = [{"id": name, **dict.fromkeys(JOB["fields"]), **said} for name, said in people]
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def sent(exchange, earlier=0):
    """Take what was sent after some requests, by profile, without the identifier."""
    bodies = exchange.braze.bodies("/users/track")[earlier:]
    objects = [one for body in bodies for one in body["attributes"]]
    return {one["external_id"]: {k: v for k, v in one.items() if k[:2] != "ex"} for one in objects}


def held(exchange, profile, name):
    """Read an attribute as Braze has it."""
    return json.loads(exchange.attribute(profile, name))


def test_only_what_changes_inside_of_values_is_sent(exchange):
    """
    Leaves and items that Braze has stay there unsent; nothing is sent for what is the same; and
    what nobody knows is looked up once.
    """
    exchange.connection["braze"]["grace"] = "10m"  # So nothing is read back meanwhile.
    exchange.braze.seed(
        [
            {
                "external_id": "ada",
                "prefs": {"color": "red", "size": {"shoe": 42, "hat": "M"}},
                "basket": [{"sku": "a", "n": 1, "price": 2.5}, {"sku": "b", "n": 1, "price": 3}],
                "wishes": [{"sku": "x", "n": 1}, {"sku": "y", "n": 1}],
            }
        ]
    )
    exchange.configure(crm=JOB)
    changes = {
        "prefs": {"size": {"shoe": 43.5}, "since": {"$time": "2026-09-15"}},
        "basket": [{"sku": "b", "n": 2}],
        "wishes": [{"sku": "y", "n": 1}],
    }
    exchange.drop("inbox/1.ndjson", rows(("ada", changes)))

    plan = exchange.ask("plan", "crm")
    report = exchange.ask("run", "crm")

    costs = {field["field"]: field["data_points"] for field in plan["fields"]}
    assert {"prefs": 2, "basket": 1, "wishes": 1, "address": 0} == costs
    assert {
        "ada": {
            "_merge_objects": True,
            "prefs": {"size": {"shoe": 43.5}, "since": {"$time": "2026-09-15"}},
            "basket": {
                "$update": [
                    {
                        "$identifier_key": "sku",
                        "$identifier_value": "b",
                        "$new_object": {"n": 2},
                    }
                ]
            },
            "wishes": {"$remove": [{"$identifier_key": "sku", "$identifier_value": "x"}]},
        }
    } == sent(exchange)
    assert {
        "color": "red",
        "size": {"shoe": 43.5, "hat": "M"},
        "since": "2026-09-15T00:00:00.000Z",
    } == held(exchange, "ada", "prefs")
    assert [
        {"sku": "a", "n": 1, "price": 2.5},
        {"sku": "b", "n": 2, "price": 3},
    ] == held(exchange, "ada", "basket")
    assert [{"sku": "y", "n": 1}] == held(exchange, "ada", "wishes")
    assert 4 == exchange.braze.meter == report["data_points"]
    looked_up = exchange.braze.requests("/users/export/ids")

    exchange.drop("inbox/2.ndjson", rows(("ada", changes)))
    again = exchange.ask("run", "crm")

    assert (0, 1) == (again["rows_applied"], again["rows_unchanged"])
    assert {} == sent(exchange, earlier=1)
    assert (looked_up, []) == (exchange.braze.requests("/users/export/ids"), again["notes"])


def test_a_profile_that_needs_both_ways_gets_one_object_that_replaces(exchange):
    """
    Braze merges all objects of an object or none: where one must lose a key, whatever else would
    be merged goes as a whole, and comes to the same.
    """
    exchange.braze.seed(
        {
            "external_id": name,
            "prefs": {"color": "red", "size": 42},
            "basket": [{"sku": "a", "n": 1, "price": 2}],
            "address": {"city": "Paris", "zip": "75001"},
        }
        for name in ("ada", "bob")
    )
    exchange.configure(crm=JOB | {"fields": JOB["fields"] | {"address": {"merge": "deep"}}})
    exchange.drop("inbox/1.ndjson", rows(("ada", {"address": {"zip": "75001"}})))
    exchange.ask("run", "crm")
    exchange.configure(crm=JOB)
    changes = {"prefs": {"size": 43}, "basket": [{"sku": "a", "n": 2}]}
    exchange.drop(
        "inbox/2.ndjson",
        rows(
            ("ada", changes | {"address": {"city": "Rome", "zip": "00118"}}),
            ("bob", changes | {"address": {"city": "Rome"}}),
        ),
    )
    exchange.ask("run", "crm")

    prefs = {"color": "red", "size": 43}
    basket = [{"sku": "a", "n": 2, "price": 2}]
    objects = sent(exchange)
    assert {"size": 43} == objects["ada"]["prefs"]
    assert objects["ada"]["_merge_objects"] is True
    assert {"prefs": prefs, "basket": basket, "address": {"city": "Rome"}} == objects["bob"]
    for name in ("ada", "bob"):
        assert (prefs, basket) == (held(exchange, name, "prefs"), held(exchange, name, "basket"))
    assert {"city": "Rome", "zip": "00118"} == held(exchange, "ada", "address")
    assert {"city": "Rome"} == held(exchange, "bob", "address")


def test_what_cannot_be_merged_is_rejected_with_its_reason(exchange):
    """Values of another shape, items without their key, and what Braze would drop as too large."""
    big = [{"sku": str(n), "text": "x" * 250} for n in range(360)]
    exchange.braze.seed([{"external_id": "big", "basket": big}, {"external_id": "odd", "prefs": 7}])
    exchange.configure(crm=JOB)
    more = [{"sku": f"n{n}", "text": "y" * 250} for n in range(30)]
    exchange.drop(
        "inbox/1.ndjson",
        rows(
            ("a", {"prefs": [1]}),
            ("b", {"basket": {"sku": "a"}}),
            ("c", {"basket": [{"n": 1}]}),
            ("d", {"basket": [{"sku": "a"}, {"sku": "a", "n": 2}]}),
            ("big", {"basket": more}),
            ("odd", {"prefs": {"color": "red"}}),
            ("new", {"prefs": {"color": "red"}}),
        ),
    )
    report = exchange.ask("run", "crm", code=4)

    assert {
        (1, "not_an_object"),
        (2, "not_objects"),
        (3, "no_item_key"),
        (4, "same_item_key"),
        (5, "too_large"),
        (6, "held_type"),
    } == set(exchange.rejected(report))
    assert {"new"} == set(sent(exchange))
    assert 360 == len(held(exchange, "big", "basket"))


@pytest.mark.nightly
def test_what_braze_refused_is_given_again_without_what_others_changed_since(exchange):
    """`retry` merges what the rows gave into what Braze has by then."""
    exchange.braze.seed(
        [
            {
                "external_id": "ada",
                "prefs": {"color": "red", "size": 42},
                "basket": [{"sku": "a", "n": 1}, {"sku": "b", "n": 1}],
            }
        ]
    )
    exchange.configure(crm=JOB)
    told = {"type": "forbidden", "input_array": "attributes", "index": 0}
    no = {"message": "no", "errors": [told]}
    exchange.braze.faults("/users/track", status=400, body=no)
    changes = {"prefs": {"size": 43}, "basket": [{"sku": "b", "n": 2}]}
    exchange.drop("inbox/1.ndjson", rows(("ada", changes)))
    report = exchange.ask("run", "crm", code=4)
    exchange.braze.seed([{"external_id": "ada", "prefs": {"color": "blue", "size": 42}}])
    exchange.ask("drift", "crm", "--full")

    exchange.ask("retry", report["run_id"])

    assert {"color": "blue", "size": 43} == held(exchange, "ada", "prefs")
    assert [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}] == held(exchange, "ada", "basket")
