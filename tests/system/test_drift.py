"""Values that others change in Braze: seen, told, and treated as the job says."""

from __future__ import annotations

import csv
import io
import json

import pytest

LOOKUP, TRACK = "/users/export/ids", "/users/track"


def job(on_drift="overwrite", **more):
    return {
        "type": "import",
        "source": {"prefix": "inbox/"},
        "match": [{"external_id": "id"}],
        "fields": {
            "tier": {"type": "string", "on_drift": on_drift},
            "points": {"merge": "sum", "type": "integer"},
        },
        **more,
    }


def at_once(exchange):
    """Let Braze show what was sent at once."""
    exchange.connection["braze"]["grace"] = "0s"


def fields_of(report):
    return {one["field"]: (one["equal"], one["changed"]) for one in report["fields"]}


def compared(report):
    names = ("profiles", "compared", "changed", "gone", "pending", "fresh", "absent")
    return {name: report[name] for name in names if report[name]}


def told(exchange):
    """Read the rows of the last quarantine file."""
    key = exchange.ask("runs")[0]["quarantine"]
    return list(csv.DictReader(io.StringIO(exchange.bucket.read(key)[0].decode())))


@pytest.fixture
def sent(exchange):
    """Three profiles that a run has sent."""
    at_once(exchange)
    exchange.configure(crm=job())
    exchange.drop("inbox/1.csv", "id,tier,points\np1,gold,1\np2,gold,2\np3,gold,3\n")
    exchange.ask("run", "crm")
    return exchange


def test_drift_names_what_others_changed_and_sends_nothing(sent):
    """Per field it counts and shows what changed; asked again it tells the same."""
    sent.braze.seed([{"external_id": "p2", "tier": "vip", "points": 70}])
    points, requests = sent.braze.meter, sent.braze.requests(TRACK)
    for _ in range(2):
        report = sent.ask("drift", "crm")
        assert {"profiles": 3, "compared": 3, "changed": 1} == compared(report)
        assert {"tier": (2, 1), "points": (2, 1)} == fields_of(report)
        shown = {one["field"]: one["examples"] for one in report["fields"]}
        assert {"tier": [["p2", '"gold"', '"vip"']], "points": [["p2", "2", "70"]]} == shown
    assert (points, requests) == (sent.braze.meter, sent.braze.requests(TRACK))
    assert (
        "tier: 1 of 3 changed; the next change in a file writes over it"
        in sent.call("drift", "crm").stdout
    )


def test_drift_that_was_undone_is_none(sent):
    """Once Braze has again what was delivered, nothing has drifted."""
    for tier, changed in (("vip", 1), ("gold", 0)):
        sent.braze.seed([{"external_id": "p2", "tier": tier}])
        assert changed == sent.ask("drift", "crm")["changed"]


def test_a_profile_that_is_gone_is_counted_apart(sent):
    """Somebody who was deleted in Braze is no drift of every field, and is new if named again."""
    sent.braze.reset()
    sent.braze.seed(
        [{"external_id": p, "tier": "gold", "points": n} for p, n in (("p1", 1), ("p3", 3))]
    )
    report = sent.ask("drift", "crm")
    assert {"profiles": 3, "compared": 2, "gone": 1} == compared(report)

    sent.configure(crm=job("keep"))
    sent.drop("inbox/2.csv", "id,tier,points\np2,gold,5\n")
    assert 1 == sent.ask("run", "crm")["profiles_new"]
    assert ('"gold"', "5") == (sent.attribute("p2", "tier"), sent.attribute("p2", "points"))


@pytest.mark.parametrize(
    ("policy", "tier", "points", "counts"),
    [
        ("overwrite", '"silver"', "75", {"rows_applied": 2}),
        ("keep", '"vip"', "75", {"rows_applied": 2, "fields_kept": 1}),
        ("quarantine", '"vip"', "70", {"rows_applied": 1, "rows_rejected": 1}),
    ],
)
def test_the_next_run_treats_drift_as_the_field_says(sent, policy, tier, points, counts):
    """
    It writes over what others set, leaves it, or puts the row aside; sums build on Braze's number.

    Whoever has not drifted is served as ever.
    """
    sent.braze.seed([{"external_id": "p2", "tier": "vip", "points": 70}])
    sent.ask("drift", "crm")
    sent.configure(crm=job(policy))
    sent.drop("inbox/2.csv", "id,tier,points\np1,silver,5\np2,silver,5\n")
    report = sent.ask("run", "crm", code=4 if policy == "quarantine" else 0)

    assert (tier, points) == (sent.attribute("p2", "tier"), sent.attribute("p2", "points"))
    assert ('"silver"', "6") == (sent.attribute("p1", "tier"), sent.attribute("p1", "points"))
    assert counts == {name: report[name] for name in counts}
    if policy == "quarantine":
        [row] = told(sent)
        assert ("p2", "tier", "changed_by_others", '"vip"') == tuple(
            row[name] for name in ("profile", "field", "reason", "value")
        )
        assert "Somebody else changed tier in Braze" in row["message"]


def test_what_a_policy_kept_stays_kept(sent):
    """Folding the held values and further files do not forget that somebody else set a value."""
    sent.braze.seed([{"external_id": "p2", "tier": "vip"}])
    sent.ask("drift", "crm")
    sent.configure(crm=job("keep"))
    for n, tier in enumerate(("silver", "bronze"), 2):
        sent.drop(f"inbox/{n}.csv", f"id,tier,points\np2,{tier},1\n")
        assert 1 == sent.ask("run", "crm")["fields_kept"]
    assert '"vip"' == sent.attribute("p2", "tier")
    sent.braze.seed([{"external_id": "p2", "tier": "gold"}])
    sent.ask("drift", "crm")
    sent.drop("inbox/9.csv", "id,tier,points\np2,iron,1\n")
    assert 0 == sent.ask("run", "crm")["fields_kept"]
    assert '"iron"' == sent.attribute("p2", "tier")


def test_who_was_sent_just_now_is_left_out(exchange):
    """Within the grace Braze may show the value before, so such profiles tell nothing."""
    exchange.configure(crm=job())
    exchange.drop("inbox/1.csv", "id,tier,points\np1,gold,1\np2,gold,2\n")
    exchange.connection["braze"]["grace"] = "0s"
    exchange.configure(crm=job())
    exchange.ask("run", "crm")
    exchange.connection["braze"]["grace"] = "1h"
    exchange.configure(crm=job())
    exchange.braze.seed([{"external_id": "p1", "tier": "before"}])
    report = exchange.ask("drift", "crm")
    assert {"profiles": 2, "fresh": 2} == compared(report)
    assert {"tier": (0, 0), "points": (0, 0)} == fields_of(report)


def test_who_is_about_to_be_sent_is_left_out(sent):
    """What an unfinished run may have sent or may yet send is no drift of others."""
    sent.drop("inbox/2.csv", "id,tier,points\np1,silver,1\n")
    sent.braze.faults(TRACK, status=500, times=50)
    sent.ask("run", "crm", code=7)
    sent.braze.seed([{"external_id": "p1", "tier": "silver"}, {"external_id": "p2", "tier": "x"}])
    report = sent.ask("drift", "crm")
    assert {"profiles": 3, "compared": 2, "changed": 1, "pending": 1} == compared(report)


def test_a_sample_is_some_of_them_and_the_same_each_time(exchange):
    """As many as were asked for are looked up; another seed chooses others."""
    at_once(exchange)
    exchange.configure(crm=job(baseline="assume_empty"))
    rows = "".join(f"p{n},gold,1\n" for n in range(120))
    exchange.drop("inbox/1.csv", f"id,tier,points\n{rows}")
    exchange.ask("run", "crm")
    asked = []
    for seed in ("1", "1", "2"):
        report = exchange.ask("drift", "crm", "--sample", "20", "--seed", seed)
        assert {"profiles": 20, "compared": 20} == compared(report)
        asked.append(json.dumps(exchange.braze.bodies(LOOKUP)[-1], default=str))
    assert asked[0] == asked[1] != asked[2]
    assert {"profiles": 120, "compared": 120} == compared(exchange.ask("drift", "crm", "--full"))


SEGMENT = {"segment": "Some", "completion": {"poll": "1s", "quiet": "1s"}}


@pytest.mark.parametrize(
    ("complete", "expected"),
    [
        (True, {"profiles": 3, "compared": 2, "changed": 1, "gone": 1}),
        (False, {"profiles": 3, "compared": 2, "changed": 1, "absent": 1}),
    ],
)
def test_all_are_compared_through_one_export_where_there_is_a_segment(sent, complete, expected):
    """Being absent from the export tells something only where it is declared complete."""
    sent.braze.add_segment("Some", members=["p1", "p2"])
    sent.braze.seed([{"external_id": "p2", "tier": "vip"}])
    sent.configure(crm=job(baseline={**SEGMENT, "complete": complete}))
    before = sent.braze.requests(LOOKUP)
    report = sent.ask("drift", "crm", "--full")
    assert expected == compared(report)
    assert {"tier": (1, 1), "points": (2, 0)} == fields_of(report)
    assert before == sent.braze.requests(LOOKUP)


def test_drift_of_nothing_held(exchange):
    """Before the first run there is nothing to compare, and nobody is asked."""
    exchange.configure(crm=job())
    report = exchange.ask("drift", "crm")
    assert ([], {}) == (report["fields"], compared(report))
    assert "no drift" in report["notes"][0]
    assert 2 == exchange.call("drift", "crm", "--full", "--sample", "3").returncode
