"""Held values made anew from an export of a segment."""

from __future__ import annotations

import signal

import pytest
from support.jobs import import_job
from support.looking import until

LOOKUP, TRACK, EXPORT = "/users/export/ids", "/users/track", "/users/export/segment"
COMPLETION = {"poll": "1s", "quiet": "1s", "confirm": False}
LIMIT = 60


def job(**baseline):
    return import_job(
        fields={
            "tier": {"type": "string"},
            "points": {"merge": "sum", "type": "integer"},
        },
        baseline={"segment": "Everybody", "completion": COMPLETION, **baseline},
    )


def fields_of(report):
    return {one["field"]: (one["equal"], one["changed"], one["new"]) for one in report["fields"]}


def kinds(report):
    names = ("profiles", "fresh", "absent", "unseen")
    return {name: report[name] for name in names if report[name]}


@pytest.fixture
def crm(exchange):
    """A connection in which three profiles were delivered, and a segment of everybody."""
    exchange.connection["braze"]["grace"] = "0s"
    exchange.braze.add_segment("Everybody")
    exchange.configure(crm=job() | {"baseline": "assume_empty"})
    exchange.drop("inbox/1.csv", "id,tier,points\np1,gold,1\np2,gold,2\np3,gold,3\n")
    exchange.ask("run", "crm")
    exchange.configure(crm=job())
    return exchange


@pytest.mark.nightly
def test_what_others_changed_is_learnt_and_told(crm):
    """It counts per field what was equal, changed and new, and spares runs the look-ups."""
    crm.braze.seed([{"external_id": "p2", "points": 70}, {"external_id": "p4", "points": 4}])
    report = crm.ask("rebuild", "crm")
    assert {"profiles": 4} == kinds(report)
    assert {"points": (2, 1, 1), "tier": (3, 0, 1)} == fields_of(report)
    assert [["p2", "2", "70"]] == report["fields"][0]["examples"]

    crm.drop("inbox/2.csv", "id,tier,points\np1,gold,1\np2,gold,1\np4,gold,1\n")
    crm.ask("run", "crm")
    assert ["2", "71", "5"] == [crm.attribute(p, "points") for p in ("p1", "p2", "p4")]
    asked = [body["external_ids"] for body in crm.braze.bodies(LOOKUP)]
    assert not any("p4" in profiles for profiles in asked), "it was learnt"
    assert "points: 4 equal, 0 changed" in crm.call("rebuild", "crm").stdout


@pytest.mark.nightly
def test_who_is_not_in_the_export_does_not_exist_only_if_that_was_declared(crm):
    """Otherwise what is held of such a profile stays as it was."""
    crm.braze.add_segment("Two", members=["p1", "p2"])
    for options, kind in (((), "unseen"), (("--complete",), "absent")):
        report = crm.ask("rebuild", "crm", "--segment", "Two", *options)
        assert {"profiles": 2, kind: 1} == kinds(report)
    crm.drop("inbox/2.csv", "id,tier,points\np3,gold,1\n")
    assert 1 == crm.ask("run", "crm")["profiles_new"]
    assert "1" == crm.attribute("p3", "points")


@pytest.mark.nightly
def test_a_value_that_was_sent_just_now_stays(crm):
    """Within the grace Braze may show the value before, so the export does not undo the run."""
    crm.connection["braze"]["grace"] = "1h"
    crm.configure(crm=job())
    crm.braze.seed([{"external_id": "p2", "points": 0}, {"external_id": "p4", "points": 4}])
    report = crm.ask("rebuild", "crm")
    assert {"profiles": 4, "fresh": 3} == kinds(report)
    crm.drop("inbox/2.csv", "id,tier,points\np2,,5\np4,,5\n")
    crm.ask("run", "crm")
    assert ["7", "9"] == [crm.attribute(p, "points") for p in ("p2", "p4")]


@pytest.mark.nightly
def test_an_unfinished_run_is_finished_first(crm):
    """What a run had still to send is sent, and then the export shows it."""
    crm.drop("inbox/2.csv", "id,tier,points\np1,gold,10\n")
    crm.braze.faults(TRACK, status=500, times=50)
    crm.ask("run", "crm", code=7)
    crm.braze.clear_faults()
    report = crm.ask("rebuild", "crm")
    assert "11" == crm.attribute("p1", "points")
    assert {"points": (3, 0, 0), "tier": (3, 0, 0)} == fields_of(report)
    assert "Finished run" in report["notes"][0]


@pytest.mark.nightly
def test_killed_and_run_again(crm):
    """One at a time; after a kill the next call waits for the same export, and learns the same."""
    crm.braze.change(seconds_per_file=LIMIT)
    crm.braze.seed([{"external_id": "p2", "points": 70}])
    process = crm.start("rebuild", "crm")
    until(lambda: list(crm.bucket.list("_exchanger/main/exports/")))
    crm.drop("inbox/2.csv", "id,tier,points\np1,gold,1\n")
    busy = crm.call("run", "crm", "--wait", "0s")
    assert (8, True) == (busy.returncode, f"process {process.pid}" in busy.stderr)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=LIMIT)
    crm.braze.advance(LIMIT)

    assert {"points": (2, 1, 0), "tier": (3, 0, 0)} == fields_of(crm.ask("rebuild", "crm"))
    assert 1 == crm.braze.requests(EXPORT)


def test_a_segment_must_be_named(crm):
    """Without one the command line is wrong; a name that Braze does not know is an error, too."""
    crm.configure(crm=job() | {"baseline": "lookup"})
    done = crm.call("rebuild", "crm")
    assert (2, True) == (done.returncode, "name a segment" in done.stderr)
    assert 3 == crm.call("rebuild", "crm", "--segment", "Nobody").returncode
