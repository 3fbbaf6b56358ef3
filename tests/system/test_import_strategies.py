"""Every strategy through the command line: what Braze is told, and what it has afterwards."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime

import polars as pl
import pyarrow as pa
import pytest
from support.jobs import import_job

TRACK, LOOKUP = "/users/track", "/users/export/ids"
JOB = import_job(
    fields={
        "tier": {"from": "tier", "type": "string"},
        "home": {"from": "home", "merge": "clear", "type": "string"},
        "spent": {"from": "spent", "merge": "sum", "type": "decimal", "scale": 2},
        "visits": {"from": "visits", "merge": "sum", "type": "integer"},
        "tags": {"from": "tags", "merge": "add", "split": "|"},
        "muted": {"from": "muted", "merge": "remove", "split": "|"},
        "first_shop": {"from": "shop", "merge": "set_if_empty", "type": "string"},
        "best": {"from": "best", "merge": "highest", "type": "integer"},
        "cheapest": {"from": "cheapest", "merge": "lowest", "type": "decimal", "scale": 2},
        "source_system": {"value": "crm"},
    }
)
COLUMNS = "id,tier,home,spent,visits,tags,muted,shop,best,cheapest\n"
ATTRIBUTES = list(JOB["fields"])


def sent(exchange, since=0):
    """List the objects sent to Braze from a request on, by profile, without their identifier."""
    bodies = exchange.braze.bodies(TRACK)[since:]
    objects = [dict(one) for body in bodies for one in body["attributes"]]
    return {one.pop("external_id"): one for one in objects}


def state(exchange, profile, names=None):
    """Read the JSON texts of the attributes that a profile has."""
    found = {name: exchange.attribute(profile, name) for name in names or ATTRIBUTES}
    return {name: text for name, text in found.items() if text is not None}


def test_given_meets_unknown_empty_and_held(exchange):
    """
    Each cell of the merge table gives its value, to the character, and only changes are sent.

    ``new`` is unknown to Braze, ``bare`` is known there without any of the fields, and ``old`` has
    values that somebody else wrote; all three are unknown to us before the first run.
    """
    exchange.braze.seed(
        [
            {"external_id": "bare", "unrelated": 1},
            {
                "external_id": "old",
                "tier": "gold",
                "home": "Bern",
                "spent": 10.25,
                "visits": 7,
                "tags": ["b", "a"],
                "muted": ["x", "y", "z"],
                "first_shop": "Basel",
                "best": 50,
                "cheapest": 4.5,
                "unrelated": 1,
            },
        ]
    )
    exchange.connection["braze"]["grace"] = "1h"  # Nothing is read back meanwhile.
    exchange.configure(crm=JOB)
    row = ",silver,,0.10,2,c|a|c,x|z,Zug,40,4.75\n"
    exchange.drop("inbox/1.csv", COLUMNS + "".join(who + row for who in ("new", "bare", "old")))

    report = exchange.ask("run", "crm")

    fresh = {
        "tier": '"silver"',
        "spent": "0.1",
        "visits": "2",
        "tags": '["c","a"]',
        "first_shop": '"Zug"',
        "best": "40",
        "cheapest": "4.75",
        "source_system": '"crm"',
    }
    assert fresh == state(exchange, "new") == state(exchange, "bare")
    assert {
        "tier": '"silver"',
        "spent": "10.35",
        "visits": "9",
        "tags": '["b","a","c"]',
        "muted": '["y"]',
        "first_shop": '"Basel"',
        "best": "50",
        "cheapest": "4.5",
        "source_system": '"crm"',
    } == state(exchange, "old")
    assert {"tier", "home", "spent", "visits", "tags", "muted", "source_system"} == set(
        sent(exchange)["old"]
    )
    assert set(fresh) | {"home"} == set(sent(exchange)["new"]) | {"home"}
    assert (3, 3, 3) == (report["rows_read"], report["rows_applied"], report["profiles_new"])
    assert 1 == exchange.braze.requests(LOOKUP)

    requests = exchange.braze.requests(TRACK)
    exchange.drop(
        "inbox/2.csv",
        COLUMNS
        + "new,,Rome,-0.10,,b,,Chur,41,4.74\n"
        + "bare,silver,,,,c|a,q,Chur,39,4.76\n"
        + "old,gold,Bern,0.01,1,,y,,51,\n",
    )
    report = exchange.ask("run", "crm")

    assert {
        "new": {"home", "spent", "tags", "best", "cheapest"},
        "old": {"tier", "home", "spent", "visits", "muted", "best"},
    } == {who: set(fields) for who, fields in sent(exchange, requests).items()}
    assert fresh == state(exchange, "bare")
    assert fresh | {
        "home": '"Rome"',
        "spent": "0",
        "tags": '["c","a","b"]',
        "best": "41",
        "cheapest": "4.74",
    } == state(exchange, "new")
    assert {
        "tier": '"gold"',
        "home": '"Bern"',
        "spent": "10.36",
        "visits": "10",
        "tags": '["b","a","c"]',
        "first_shop": '"Basel"',
        "best": "51",
        "cheapest": "4.5",
        "source_system": '"crm"',
    } == state(exchange, "old")
    assert (1, 2, 0, 1) == (
        report["rows_unchanged"],
        report["profiles_updated"],
        report["profiles_new"],
        report["profiles_unchanged"],
    )
    assert 11 == report["fields_changed"]
    assert 1 == exchange.braze.requests(LOOKUP)


def test_only_what_a_strategy_needs_is_looked_up(exchange):
    """Set, clear and static values ask nothing; a field that is known is never asked for again."""
    fields = JOB["fields"]
    simple = JOB | {"fields": {name: fields[name] for name in ("tier", "home", "source_system")}}
    exchange.configure(simple=simple, sums=JOB | {"fields": {"visits": fields["visits"]}})
    exchange.drop("inbox/1.csv", "id,tier,home,visits\na,gold,Bern,1\nb,,,\n")

    simple_report, sums_report = exchange.ask("run", "simple", "sums")

    assert {"a": {"tier", "home", "source_system"}, "b": {"home", "source_system"}} == {
        who: set(fields) for who, fields in sent(exchange).items() if "visits" not in fields
    } | {"a": {"tier", "home", "source_system"}}
    assert ("simple", 2) == (simple_report["job"], simple_report["profiles_new"])
    assert ("sums", 1, 1) == (
        sums_report["job"],
        sums_report["profiles_updated"],
        sums_report["profiles_unchanged"],
    )
    asked = exchange.braze.bodies(LOOKUP)
    assert [["a"]] == [body["external_ids"] for body in asked]
    assert "1" == exchange.attribute("a", "visits")

    requests = exchange.braze.requests(TRACK)
    exchange.drop("inbox/again.csv", "id,tier,home,visits\nb,,,\na,gold,Bern,1\n")
    again = exchange.ask("run", "simple")
    assert ("succeeded", 2, 0) == (again["state"], again["rows_unchanged"], again["requests"])
    assert requests == exchange.braze.requests(TRACK)


def test_remaining_columns_in_every_format(exchange):
    """Columns that nothing names are sent under a prefix, typed over the whole file."""
    job = JOB | {
        "fields": {"tier": "set"},
        "remaining_fields": {"merge": "set", "prefix": "crm_"},
    }
    exchange.configure(crm=job)
    exchange.drop(
        "inbox/1.ndjson.gz",
        gzip.compress(b'{"id": "n", "tier": "gold", "n": 1, "t": "007", "l": ["x", "y"]}\n'),
    )
    exchange.drop(
        "inbox/2.csv.zst",
        pa.Codec("zstd").compress(b"id,tier,n,zip,ok\nz,silver,2,01234,true\n", asbytes=True),
    )
    body = io.BytesIO()
    moment = datetime(2026, 1, 2, 3, tzinfo=UTC)
    pl.DataFrame({"id": ["p"], "tier": ["blue"], "n": [3], "when": [moment]}).write_parquet(body)
    exchange.drop("inbox/3.parquet", body.getvalue())

    assert "succeeded" == exchange.ask("run", "crm")["state"]

    names = ["tier", *(f"crm_{name}" for name in ("n", "t", "l", "zip", "ok", "when", "id"))]
    assert {
        "tier": '"gold"',
        "crm_n": "1",
        "crm_t": '"007"',
        "crm_l": '["x","y"]',
    } == state(exchange, "n", names)
    assert {
        "tier": '"silver"',
        "crm_n": "2",
        "crm_zip": '"01234"',
        "crm_ok": "true",
    } == state(exchange, "z", names)
    assert {
        "tier": '"blue"',
        "crm_n": "3",
        "crm_when": '"2026-01-02T03:00:00.000Z"',
    } == state(exchange, "p", names)


@pytest.mark.nightly
def test_profiles_that_do_not_exist_are_not_created(exchange):
    """
    Without create_missing Braze skips strangers, so nothing is held of them.

    Once somebody creates the profile, the same values are sent to it.
    """
    exchange.braze.seed([{"external_id": "known", "visits": 5}])
    fields = {"tier": {"from": "tier", "type": "string"}, "visits": JOB["fields"]["visits"]}
    exchange.configure(crm=JOB | {"create_missing": False, "fields": fields})
    exchange.drop("inbox/1.csv", "id,tier,visits\nknown,gold,1\nstranger,gold,1\nsilent,gold,\n")

    planned = exchange.ask("plan", "crm")
    report = exchange.ask("run", "crm")

    unseen = "were never seen in Braze: 1, with 1 data points."
    assert [1, 1] == [
        sum(unseen in note for note in told["notes"]) for told in (planned["report"], report)
    ]
    assert {"known"} == set(exchange.braze.users())
    assert "6" == exchange.attribute("known", "visits")
    assert {"known", "silent"} == set(sent(exchange))
    assert all(one["_update_existing_only"] is True for one in sent(exchange).values())
    assert (1, 1) == (report["profiles_skipped"], report["rows_skipped"])

    exchange.braze.seed([{"external_id": "stranger"}, {"external_id": "silent"}])
    exchange.drop("inbox/2.csv", "id,tier,visits\nknown,gold,\nstranger,gold,2\nsilent,gold,\n")
    report = exchange.ask("run", "crm")
    assert ('"gold"', "2") == (
        exchange.attribute("stranger", "tier"),
        exchange.attribute("stranger", "visits"),
    )
    assert '"gold"' == exchange.attribute("silent", "tier")
    assert (1, 0) == (report["profiles_unchanged"], report["profiles_skipped"])
    assert any("were never seen in Braze: 1, with 1" in note for note in report["notes"])
    exchange.configure(crm=JOB | {"fields": fields})
    exchange.drop("inbox/3.csv", "id,tier,visits\nnew,gold,\n")
    assert [] == exchange.ask("run", "crm")["notes"]


def test_another_spelling_of_the_same_value_is_no_change(exchange):
    """Dates, countries and numbers compare as Braze stores them, also after a look-up."""
    exchange.braze.seed(
        [{"external_id": "a", "since": "2026-09-15T00:00:00.000Z", "country": "CH", "rank": 3}]
    )
    job = JOB | {
        "fields": {
            "since": {"from": "since", "type": "date", "merge": "set_if_empty"},
            "seen": {"from": "seen", "type": "datetime"},
            "country": {"from": "country", "merge": "set_if_empty"},
            "rank": {"from": "rank", "type": "float", "merge": "highest"},
            "tags": {"from": "tags", "type": "list", "split": "|"},
        }
    }
    exchange.configure(crm=job)
    header = "id,since,seen,country,rank,tags\n"
    exchange.drop("inbox/1.csv", header + "a,2026-09-15,2026-09-15T08:30:00+02:00,ch,3.0,x|y\n")
    exchange.ask("run", "crm")
    assert {"a": {"seen", "tags"}} == {who: set(one) for who, one in sent(exchange).items()}
    assert '"2026-09-15T06:30:00.000Z"' == exchange.attribute("a", "seen")

    exchange.drop("inbox/2.csv", header + "a,2026-09-14,2026-09-15 06:30:00,Ch,3,y|x\n")
    report = exchange.ask("run", "crm")
    assert ("succeeded", 1, 0) == (
        report["state"],
        report["profiles_unchanged"],
        report["requests"],
    )


def test_rows_apply_in_the_order_of_a_column(exchange):
    """The latest row of a profile wins whatever its place; rows without a time come first."""
    job = JOB | {
        "source": {"prefix": "inbox/", "order_by": "at"},
        "fields": {
            "tier": {"from": "tier", "type": "string"},
            "home": {"from": "home", "merge": "clear", "type": "string"},
        },
    }
    exchange.configure(crm=job)
    exchange.drop("inbox/1.csv", "id,at,tier,home\na,2026-03-01,gold,\na,2026-01-01,blue,Bern\n")
    exchange.drop("inbox/2.csv", "id,at,tier,home\na,2026-02-01,red,Rome\na,,grey,Oslo\n")
    report = exchange.ask("run", "crm")
    assert {"tier": '"gold"'} == state(exchange, "a", ["tier", "home"])
    assert (4, 1, 3) == (
        report["rows_read"],
        report["rows_applied"],
        report["rows_superseded"],
    )


def test_a_plan_writes_nothing_and_tells_what_the_run_then_does(exchange):
    """Every count of a plan equals the run's, and the bucket and Braze stay as they were."""
    exchange.braze.seed([{"external_id": "old", "visits": 7, "tier": "gold"}])
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", COLUMNS + "old,gold,,1,1,a,,,,\nnew,gold,,1,1,a,,,,\n,x,,,,,,,,\n")
    exchange.drop("inbox/2.csv", "no,such,columns\n1,2,3\n")

    def everything():
        return {item.key: (item.etag, item.last_modified) for item in exchange.bucket.list("")}

    before = everything()
    plan = exchange.ask("plan", "crm")
    planned = plan["report"]
    assert before == everything()
    assert (0, 0) == (exchange.braze.requests(TRACK), exchange.braze.meter)

    report = exchange.ask("run", "crm", code=4)
    kinds = [
        name
        for name in report
        if name.startswith(("rows_", "profiles_")) or name in ("fields_changed", "data_points")
    ]
    assert {name: planned[name] for name in kinds} == {name: report[name] for name in kinds}
    assert planned["files"] == report["files"]
    assert report["data_points"] == exchange.braze.meter
    assert 2 == plan["lookups"]
    by_field = {field["field"]: field["profiles"] for field in plan["fields"]}
    assert {name: by_field[name] for name in ("visits", "tier", "muted")} == {
        "visits": 2,
        "tier": 1,
        "muted": 0,
    }
