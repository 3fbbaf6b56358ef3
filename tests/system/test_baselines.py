"""Where a run takes the values from that its strategies need."""

from __future__ import annotations

LOOKUP = "/users/export/ids"


def job(baseline):
    return {
        "type": "import",
        "source": {"prefix": "inbox/"},
        "match": [{"external_id": "id"}],
        "fields": {
            "points": {"from": "points", "merge": "sum", "type": "integer"},
            "tier": {"from": "tier", "type": "string"},
        },
        "baseline": baseline,
    }


def test_what_is_older_than_max_age_is_looked_up_again(exchange):
    """With max_age a sum builds on what others wrote since; without, on what was held."""
    exchange.connection["braze"]["grace"] = "0s"
    for baseline, total, lookups in (("lookup", "13", 1), ({"max_age": "1s"}, "102", 2)):
        exchange.braze.reset()
        profile = f"p{total}"
        exchange.braze.seed([{"external_id": profile, "points": 10}])
        exchange.configure(crm=job(baseline))
        exchange.drop(f"inbox/{profile}-1.csv", f"id,points,tier\n{profile},1,gold\n")
        exchange.ask("run", "crm")
        assert "11" == exchange.attribute(profile, "points")

        exchange.braze.seed([{"external_id": profile, "points": 100, "tier": "gold"}])
        exchange.drop(f"inbox/{profile}-2.csv", f"id,points,tier\n{profile},2,gold\n")
        exchange.ask("jobs")
        report = exchange.ask("run", "crm")

        assert total == exchange.attribute(profile, "points")
        assert (1, 1) == (report["fields_changed"], report["profiles_updated"])
        assert lookups == exchange.braze.requests(LOOKUP)
