"""A plan before: what would change, what it costs, how long it takes, and whether it would wait."""

from __future__ import annotations

import pytest

JOB = {
    "type": "import",
    "source": {"prefix": "inbox/"},
    "match": [{"external_id": "id"}],
    "fields": {
        "tier": "clear",
        "city": "set",
        "visits": {"merge": "sum"},
        "source": {"value": "crm"},
    },
    "guards": {"max_changed_percent": 10},
}
BEFORE = "id;tier;city;visits\na;gold;Rome;1\nb;gold;Oslo;1\nc;gold;;1\n"
AFTER = "id;tier;city;visits\na;;Rome;2\nb;red;Oslo;0\nc;gold;Kiel;\nd;gold;Kiel;4\ne;;;\n"


def kinds(field):
    return tuple(field[kind] for kind in ("new", "changed", "cleared", "unchanged"))


def test_a_plan_tells_what_changes_in_each_field_and_what_that_takes(exchange):
    """
    New, changed, cleared and unchanged profiles, points and money, requests and look-ups.

    Also what was found out about the file, and that a guard would hold the run back.
    """
    exchange.connection["budget"] = {"price": 0.5, "currency": "EUR"}
    exchange.connection["braze"] |= {"batch_size": 2, "rate_limit": {"requests": 1, "per": "1m"}}
    exchange.configure(crm=JOB)
    exchange.drop("inbox/0.csv", BEFORE)
    assert not exchange.ask("plan", "crm")["would_wait"]
    exchange.connection["braze"]["rate_limit"] = {"requests": 100, "per": "1s"}
    exchange.configure(crm=JOB)
    exchange.ask("run", "crm")

    exchange.connection["braze"]["rate_limit"] = {"requests": 1, "per": "1m"}
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", AFTER)
    plan = exchange.ask("plan", "crm")
    assert {
        "tier": (1, 1, 2, 1),
        "city": (2, 0, 0, 2),
        "visits": (1, 1, 0, 1),
        "source": (2, 0, 0, 3),
    } == {field["field"]: kinds(field) for field in plan["fields"]}
    [tier] = [field for field in plan["fields"] if field["field"] == "tier"]
    assert ("clear", "string", 4, "2.00") == tuple(
        tier[name] for name in ("strategy", "type", "data_points", "cost")
    )
    assert 4 == len(tier["examples"])
    points = sum(field["data_points"] for field in plan["fields"])
    assert (10, "5.00", "EUR") == (points, plan["cost"], plan["currency"])
    assert {"requests": 3, "seconds": 120.0} == plan["sending"]
    assert {"requests": 1, "seconds": 0.0} == plan["looking_up"]
    assert "integer" == plan["columns"]["visits"]
    assert ";" == plan["layout"]["delimiter"]
    assert plan["would_wait"]

    told = exchange.call("plan", "crm", "--rows", "1").stdout
    assert "sending takes 3 requests, about 2 minutes at the rate limit" in told
    assert "tier (clear): 4 profiles, 4 data points, 2.00 EUR; 1 new, 1 changed, 2 clear" in told
    assert "cells between ;" in told
    assert 1 == told.count("-> empty")


@pytest.mark.nightly
def test_what_was_saved_is_told_by_field_and_month(exchange):
    """Whole rows cost what they say; what Braze accepted of it was sent; plan and run agree."""
    fields = {"tier": "set", "visits": {"merge": "sum"}, "home": {"merge": "deep"}}
    exchange.connection["budget"] = {"price": 0.5, "currency": "EUR"}
    exchange.configure(crm=JOB | {"fields": fields, "guards": {}})
    home = '"{""city"":""Rome"",""zip"":""1""}"'
    exchange.drop("inbox/0.csv", f"id,tier,visits,home\na,gold,1,{home}\nb,gold,,\n,x,1,\n")
    exchange.ask("run", "crm", code=4)
    other = home.replace("Rome", "Oslo")
    exchange.drop("inbox/1.csv", f"id,tier,visits,home\na,gold,1,{other}\nb,gold,0,\nb,red,,\n")
    planned = exchange.ask("plan", "crm")["report"]["by_field"]
    report = exchange.ask("run", "crm")
    assert (
        planned
        == report["by_field"]
        == {
            "tier": {"sent": 1, "whole_rows": 3},
            "visits": {"sent": 2, "whole_rows": 2},
            "home": {"sent": 1, "whole_rows": 2},
        }
    )
    assert report["data_points"] == sum(each["sent"] for each in report["by_field"].values())

    [told] = exchange.ask("savings", "crm")
    by_field = {each["field"]: (each["sent"], each["whole_rows"]) for each in told["fields"]}
    assert {"tier": (3, 5), "visits": (3, 3), "home": (3, 4)} == by_field
    assert (9, 12, "1.50", "EUR") == tuple(
        told[name] for name in ("sent", "whole_rows", "worth", "currency")
    )
    assert exchange.braze.meter == told["sent"]
    later = exchange.ask("savings", "--since", "2999-01-01")
    assert [] == later[0]["fields"]
    assert "9 data points sent of 12" in exchange.call("savings").stdout
