"""A field that is summed now, and was not when a file was applied: nothing counts twice."""

from __future__ import annotations

import pytest
from support.jobs import import_job

TRACK = "/users/track"
HEADER = "id,tier,visits,spent\n"
A = HEADER + "a,blue,10,1\nb,blue,20,2\n"


def job(**fields):
    whole = {name: {"from": name, "type": "integer"} | told for name, told in fields.items()}
    return import_job(fields={"tier": {"from": "tier", "type": "string"}} | whole)


SET, SUM = {"merge": "set"}, {"merge": "sum"}


@pytest.fixture
def crm(exchange):
    """A connection whose only file was applied when `visits` was set; it is summed by now."""
    exchange.configure(crm=job(visits=SET))
    exchange.drop("inbox/1.csv", A)
    exchange.ask("run", "crm")
    exchange.configure(crm=job(visits=SUM))
    return exchange


def values(exchange, name="visits"):
    return {who: exchange.attribute(who, name) for who in sorted(exchange.braze.users())}


@pytest.mark.nightly
def test_everything_again_adds_nothing_that_was_set(crm):
    """With --full a file adds nothing to a field that it has set before; --force adds it once."""
    for _ in range(2):
        report = crm.ask("backfill", "crm", "--full")
        assert {"a": "10", "b": "20"} == values(crm)
        assert ("succeeded", 2, 0) == (report["state"], report["rows_read"], report["requests"])
        assert any(
            "visits: nothing was added by inbox/1.csv" in note and "--force" in note
            for note in report["notes"]
        )

    forced = crm.ask("backfill", "crm", "--full", "--force")
    assert any("visits: 30 was added" in note for note in forced["notes"])
    assert {"a": "20", "b": "40"} == values(crm)
    crm.ask("backfill", "crm", "--full")
    assert {"a": "20", "b": "40"} == values(crm)


@pytest.mark.parametrize(
    "merge",
    ["set_if_empty", *(pytest.param(m, marks=pytest.mark.nightly) for m in ("highest", "clear"))],
)
def test_whatever_the_strategy_was(exchange, merge):
    """What any other strategy gave was given, too, even if the field was left out meanwhile."""
    exchange.configure(crm=job(visits={"merge": merge}))
    exchange.drop("inbox/1.csv", A)
    exchange.ask("run", "crm")
    exchange.configure(crm=job())
    exchange.ask("backfill", "crm", "--full")
    exchange.configure(crm=job(visits=SUM))
    exchange.drop("inbox/2.csv", HEADER + "a,gold,5,0\n")

    exchange.ask("backfill", "crm", "--full")
    assert {"a": "15", "b": "20"} == values(exchange)


@pytest.mark.nightly
def test_a_new_summed_field_is_filled_once(exchange):
    """With --full a field that the job did not have gets what old files say, once; others stay."""
    exchange.configure(crm=job(visits=SUM))
    exchange.drop("inbox/1.csv", A)
    exchange.ask("run", "crm")
    exchange.configure(crm=job(visits=SUM, spent=SUM))
    for _ in range(2):
        exchange.ask("backfill", "crm", "--full")
        assert {"a": "10", "b": "20"} == values(exchange)
        assert {"a": "1", "b": "2"} == values(exchange, "spent")

    exchange.drop("inbox/1.csv", HEADER + "a,blue,11,5\n")
    held = exchange.ask("run", "crm", code=5)
    exchange.ask("approve", str(held["seq"]))
    assert {"a": "11", "b": "0"} == values(exchange)
    assert {"a": "5", "b": "0"} == values(exchange, "spent")


@pytest.mark.nightly
def test_a_fill_that_stops_half_way_is_done_once(exchange):
    """Refused by Braze at first, the same command ends it, and adds nothing twice."""
    exchange.configure(crm=job())
    exchange.drop("inbox/1.csv", A)
    exchange.ask("run", "crm")
    exchange.configure(crm=job(visits=SUM))
    exchange.braze.faults(TRACK, status=401, body={"message": "Invalid API key"})
    exchange.ask("backfill", "crm", "--full", code=7)
    exchange.ask("backfill", "crm", "--full")
    assert {"a": "10", "b": "20"} == values(exchange)


@pytest.mark.nightly
def test_a_new_version_of_a_file_that_set_a_field_adds_nothing_to_it(crm):
    """
    It waits, and says so: what the old version brought cannot be told from the rest.

    Its other fields are applied once it is approved. Forced, a version is added in full, and the
    next one brings the difference to it.
    """
    sent = crm.braze.requests(TRACK)
    crm.drop("inbox/1.csv", HEADER + "a,gold,12,1\n")
    held = crm.ask("run", "crm", code=5)
    assert ("held_back", sent) == (held["state"], crm.braze.requests(TRACK))
    assert any("would add nothing to 'visits'" in file["note"] for file in held["files"])
    approved = crm.ask("approve", str(held["seq"]))
    assert any("visits: nothing was added" in note for note in approved["notes"])
    assert ({"a": "10", "b": "20"}, '"gold"') == (values(crm), crm.attribute("a", "tier"))
    crm.ask("backfill", "crm", "--full")
    assert {"a": "10", "b": "20"} == values(crm)

    crm.drop("inbox/1.csv", HEADER + "a,gold,13,1\n")
    held = crm.ask("run", "crm", code=5)
    crm.ask("run", "crm", "--force")
    assert {"a": "23", "b": "20"} == values(crm)
    crm.drop("inbox/1.csv", HEADER + "a,gold,14,1\nb,gold,1,1\n")
    held = crm.ask("run", "crm", code=5)
    crm.ask("approve", str(held["seq"]))
    assert {"a": "24", "b": "21"} == values(crm)


@pytest.mark.nightly
def test_a_copy_of_a_file_that_set_a_field_waits(crm):
    """Equal content under another name is held back; approved, it is added once."""
    crm.drop("inbox/copy.csv", A)
    held = crm.ask("run", "crm", code=5)
    assert ["equal_content"] == [file["outcome"] for file in held["files"]]
    crm.ask("approve", str(held["seq"]))
    assert {"a": "20", "b": "40"} == values(crm)


def test_what_was_dropped_before_it_was_sent_was_not_given(exchange):
    """A file of a run of which nothing was sent has set nothing: with --full it is added."""
    exchange.configure(crm=job(visits=SET))
    exchange.drop("inbox/1.csv", A)
    exchange.braze.faults(TRACK, status=401, body={"message": "Invalid API key"})
    exchange.ask("run", "crm", code=7)
    exchange.ask("discard", "1")
    exchange.configure(crm=job(visits=SUM))
    exchange.ask("backfill", "crm", "--full")
    assert {"a": "10", "b": "20"} == values(exchange)


@pytest.mark.nightly
def test_rows_that_a_new_version_left_out_are_retried_without_the_field(crm):
    """A rejected row of such a version adds nothing to the field either, once it is retried."""
    crm.configure(crm=job(visits=SUM, spent=SUM))
    crm.drop("inbox/1.csv", HEADER + "a,gold,12,1.5\nb,gold,22,2\n")
    held = crm.ask("run", "crm", code=5)
    approved = crm.ask("approve", str(held["seq"]), code=4)
    crm.configure(crm=job(visits=SUM, spent={"merge": "sum", "type": "float"}))
    crm.ask("retry", str(approved["seq"]))
    assert {"a": "10", "b": "20"} == values(crm)
    assert '"gold"' == crm.attribute("a", "tier")
