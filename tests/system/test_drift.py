"""Values that others change in Braze: seen, told, and treated as the job says."""

from __future__ import annotations

import pytest
from support.jobs import import_job

LOOKUP, TRACK = "/users/export/ids", "/users/track"


def job(on_drift="overwrite", **more):
    return import_job(
        fields={
            "tier": {"type": "string", "on_drift": on_drift},
            "points": {"merge": "sum", "type": "integer"},
        },
        **more,
    )


def at_once(exchange):
    """Let Braze show what was sent at once."""
    exchange.connection["braze"]["grace"] = "0s"


def fields_of(report):
    return {one["field"]: (one["equal"], one["changed"]) for one in report["fields"]}


def compared(report):
    names = ("profiles", "compared", "changed", "gone", "pending", "fresh", "absent")
    return {name: report[name] for name in names if report[name]}


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
    sent.braze.seed([{"external_id": "p2", "tier": "gold", "points": 2}])
    assert 0 == sent.ask("drift", "crm")["changed"], "others undid it"
    assert (points, requests) == (sent.braze.meter, sent.braze.requests(TRACK))


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


def test_the_next_run_treats_drift_as_the_field_says(exchange):
    """
    It writes over what others set, leaves it, or puts the row aside; sums build on Braze's number.

    Whoever has not drifted is served as ever, and a further file finds the same.
    """
    at_once(exchange)
    policies = ("overwrite", "keep", "quarantine")
    fields = {name: {"type": "string", "on_drift": name} for name in policies}
    fields["points"] = {"merge": "sum", "type": "integer"}
    exchange.configure(crm=job() | {"fields": fields})
    header = "id,overwrite,keep,quarantine,points\n"
    exchange.drop("inbox/1.csv", header + "p1,a,a,a,1\np2,a,a,a,1\np3,a,a,a,1\n")
    exchange.ask("run", "crm")
    theirs = {"external_id": "p2", "overwrite": "x", "keep": "x", "points": 70}
    exchange.braze.seed([theirs, {"external_id": "p3", "quarantine": "x"}])
    exchange.ask("drift", "crm")

    for n, ours, total in ((2, "b", 75), (3, "c", 80)):
        lines = "".join(f"p{who},{ours},{ours},{ours},5\n" for who in (1, 2, 3))
        exchange.drop(f"inbox/{n}.csv", header + lines)
        report = exchange.ask("run", "crm", code=4)
        assert {
            "p1": [f'"{ours}"', f'"{ours}"', f'"{ours}"', str(total - 69)],
            "p2": [f'"{ours}"', '"x"', f'"{ours}"', str(total)],
            "p3": ['"a"', '"a"', '"x"', "1"],
        } == {p: [exchange.attribute(p, f) for f in fields] for p in ("p1", "p2", "p3")}
        assert (2, 1, 1) == tuple(
            report[name] for name in ("rows_applied", "rows_rejected", "fields_kept")
        )
        [row] = exchange.quarantined(report)
        assert ("p3", "quarantine", "changed_by_others", '"x"') == tuple(
            row[name] for name in ("profile", "field", "reason", "value")
        )
        assert "Somebody else changed quarantine in Braze" in row["message"]


def test_who_was_sent_just_now_is_left_out(sent):
    """Within the grace Braze may show the value before, so such profiles tell nothing."""
    sent.connection["braze"]["grace"] = "1h"
    sent.configure(crm=job())
    sent.braze.seed([{"external_id": "p1", "tier": "before"}])
    report = sent.ask("drift", "crm")
    assert {"profiles": 3, "fresh": 3} == compared(report)
    assert {"tier": (0, 0), "points": (0, 0)} == fields_of(report)
    assert "3 left out, as they were sent just now" in sent.call("drift", "crm").stdout


@pytest.mark.nightly
def test_who_is_about_to_be_sent_is_left_out(sent):
    """What an unfinished run may have sent or may yet send is no drift of others."""
    sent.drop("inbox/2.csv", "id,tier,points\np1,silver,1\n")
    sent.braze.faults(TRACK, status=500, times=50)
    sent.ask("run", "crm", code=7)
    sent.braze.seed([{"external_id": "p1", "tier": "silver"}, {"external_id": "p2", "tier": "x"}])
    report = sent.ask("drift", "crm")
    assert {"profiles": 3, "compared": 2, "changed": 1, "pending": 1} == compared(report)


@pytest.mark.nightly
def test_a_sample_is_some_of_them(exchange):
    """As many as were asked for are looked up, or all of them."""
    at_once(exchange)
    exchange.configure(crm=job(baseline="assume_empty"))
    rows = "".join(f"p{n},gold,1\n" for n in range(120))
    exchange.drop("inbox/1.csv", f"id,tier,points\n{rows}")
    exchange.ask("run", "crm")
    report = exchange.ask("drift", "crm", "--sample", "20", "--seed", "3")
    assert {"profiles": 20, "compared": 20} == compared(report)
    assert 1 == exchange.braze.requests(LOOKUP)
    assert {"profiles": 120, "compared": 120} == compared(exchange.ask("drift", "crm", "--full"))
    assert 4 == exchange.braze.requests(LOOKUP)


SEGMENT = {"segment": "Some", "completion": {"poll": "1s", "quiet": "1s", "confirm": False}}


def test_all_are_compared_through_one_export_where_there_is_a_segment(sent):
    """Being absent from the export tells something only where it is declared complete."""
    sent.braze.add_segment("Some", members=["p1", "p2"])
    sent.braze.seed([{"external_id": "p2", "tier": "vip"}])
    before = sent.braze.requests(LOOKUP)
    for complete, kind in ((False, "absent"), (True, "gone")):
        sent.configure(crm=job(baseline={**SEGMENT, "complete": complete}))
        report = sent.ask("drift", "crm", "--full")
        assert {"profiles": 3, "compared": 2, "changed": 1, kind: 1} == compared(report)
        assert {"tier": (1, 1), "points": (2, 0)} == fields_of(report)
    assert before == sent.braze.requests(LOOKUP)


def test_drift_of_nothing_held(exchange):
    """Before the first run there is nothing to compare, and nobody is asked."""
    exchange.configure(crm=job())
    report = exchange.ask("drift", "crm")
    assert ([], {}) == (report["fields"], compared(report))
    assert "no drift" in report["notes"][0]
