"""Where a run takes the values from that its strategies need."""

from __future__ import annotations

import time

import pytest
from support.jobs import import_job
from support.looking import until

LOOKUP = "/users/export/ids"


def job(baseline):
    return import_job(
        fields={
            "points": {"from": "points", "merge": "sum", "type": "integer"},
            "tier": {"from": "tier", "type": "string"},
        },
        baseline=baseline,
    )


@pytest.mark.nightly
def test_what_is_older_than_max_age_is_looked_up_again(exchange):
    """With max_age a sum builds on what others wrote since; without, on what was held."""
    exchange.connection["braze"]["grace"] = "0s"
    # The first delivery of the two attributes is read back, which is a look-up, too.
    for baseline, total, lookups in (("lookup", "13", 2), ({"max_age": "1s"}, "102", 2)):
        exchange.braze.reset()
        profile = f"p{total}"
        exchange.braze.seed([{"external_id": profile, "points": 10}])
        exchange.configure(crm=job(baseline))
        exchange.drop(f"inbox/{profile}-1.csv", f"id,points,tier\n{profile},1,gold\n")
        exchange.ask("run", "crm")
        delivered = time.monotonic()
        assert "11" == exchange.attribute(profile, "points")

        exchange.braze.seed([{"external_id": profile, "points": 100, "tier": "gold"}])
        exchange.drop(f"inbox/{profile}-2.csv", f"id,points,tier\n{profile},2,gold\n")
        until(lambda since=delivered: time.monotonic() > since + 1, "it is not a second old")
        report = exchange.ask("run", "crm")

        assert total == exchange.attribute(profile, "points")
        assert (1, 1) == (report["fields_changed"], report["profiles_updated"])
        assert lookups == exchange.braze.requests(LOOKUP)


SEGMENT = {"segment": "Everybody", "completion": {"poll": "1s", "quiet": "1s"}}
SEGMENT_EXPORT = "/users/export/segment"


def test_a_segment_export_replaces_look_ups(exchange):
    """One complete export tells what everybody holds, and that who is absent from it is new."""
    people = [{"external_id": f"p{n}", "points": n, "email": f"{n}@x.org"} for n in range(60)]
    exchange.braze.seed(people)
    exchange.braze.add_segment("Everybody")
    exchange.connection["braze"]["grace"] = "1h"  # Nothing is read back meanwhile.
    exchange.configure(crm=job({**SEGMENT, "complete": True}))
    exchange.drop("inbox/1.csv", "id,points,tier\np7,1,\np8,1,\nnew,1,\n")

    report = exchange.ask("run", "crm")
    assert ["8", "9", "1"] == [exchange.attribute(p, "points") for p in ("p7", "p8", "new")]
    assert (3, 0) == (report["profiles_new"], report["profiles_skipped"])
    assert "60 profiles was learnt from 'Everybody'" in " ".join(report["notes"])
    asked = exchange.braze.requests(SEGMENT_EXPORT)

    exchange.drop("inbox/2.csv", "id,points,tier\np7,2,\np59,2,\nnew,2,\n")
    exchange.ask("run", "crm")
    assert ["10", "61", "3"] == [exchange.attribute(p, "points") for p in ("p7", "p59", "new")]
    assert (0, asked) == (
        exchange.braze.requests(LOOKUP),
        exchange.braze.requests(SEGMENT_EXPORT),
    ), "what the export told of others is used by later runs"

    exchange.braze.seed([{"external_id": "later", "points": 5}])
    exchange.drop("inbox/3.csv", "id,points,tier\nlater,3,\n")
    exchange.ask("run", "crm")
    assert "8" == exchange.attribute("later", "points")
    assert (1, asked) == (exchange.braze.requests(LOOKUP), exchange.braze.requests(SEGMENT_EXPORT))


def test_absence_from_an_incomplete_segment_tells_nothing(exchange):
    """Who is not in the segment is looked up, unless the export is declared complete."""
    exchange.braze.add_segment("Some", members=["p1"])
    exchange.braze.seed([{"external_id": "p1", "points": 1}, {"external_id": "p2", "points": 2}])
    exchange.configure(crm=job({**SEGMENT, "segment": "Some"}))
    exchange.drop("inbox/1.csv", "id,points,tier\np1,10,\np2,10,\nnew,10,\n")

    exchange.ask("run", "crm")
    assert ["11", "12", "10"] == [exchange.attribute(p, "points") for p in ("p1", "p2", "new")]
    assert 1 == exchange.braze.requests(LOOKUP)


@pytest.mark.nightly
def test_an_export_spares_an_import_its_look_ups(exchange):
    """What an export job saw is known to imports, and older than what a run delivered before."""
    people = [{"external_id": f"p{n}", "points": n, "tags": ["a", "b"]} for n in range(20)]
    exchange.braze.seed(people)
    exchange.braze.add_segment("Everybody")
    exchange.connection["braze"]["grace"] = "1h"
    vip = {
        "type": "export",
        **SEGMENT,
        "fields": {"id": "external_id", "score": "custom_attributes.points"},
        "remaining_fields": {"prefix": ""},
        "target": {"prefix": "out/"},
    }
    exchange.configure(crm=job("lookup"), vip=vip)
    exchange.ask("run", "vip")
    exchange.drop("inbox/1.csv", "id,points,tier\np7,1,gold\np8,1,\n")
    exchange.ask("run", "crm")

    assert ["8", "9"] == [exchange.attribute(p, "points") for p in ("p7", "p8")]
    assert 0 == exchange.braze.requests(LOOKUP)

    exchange.braze.seed([{"external_id": "p7", "points": 7}, {"external_id": "p9", "points": 90}])
    exchange.ask("run", "vip")
    exchange.drop("inbox/2.csv", "id,points,tier\np7,2,\np9,2,\n")
    exchange.ask("run", "crm")
    assert ["10", "92"] == [exchange.attribute(p, "points") for p in ("p7", "p9")]
    assert 0 == exchange.braze.requests(LOOKUP)
