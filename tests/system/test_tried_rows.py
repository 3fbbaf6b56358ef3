"""A row that was given by itself counts once, whatever name its file has later."""

from __future__ import annotations

import pytest
from support.tried_jobs import CRM, CRM_FILE, SIGNUPS

SIGNED_UP = "id,at\na,2026-09-01\nb,2026-09-01\nc,2026-09-01\n"


def spent(exchange):
    """What each has spent by now."""
    return [exchange.attribute(who, "spend") for who in "ab"]


def try_and_rename(exchange, job, content, row):
    """Try a row of a file; then the file comes by another name, and the first one is gone."""
    exchange.drop(f"inbox/{job}/a.csv", content)
    exchange.ask("send-test", job, "--row", str(row), "--yes")
    exchange.bucket.delete([f"inbox/{job}/a.csv"])
    exchange.drop(f"inbox/{job}/b.csv", content)
    again = exchange.call("send-test", job, "--row", str(row), "--yes")
    assert (2, True) == (again.returncode, "was given by run 1 before" in again.stderr)


@pytest.mark.nightly
def test_a_renamed_file_gives_the_rest_of_its_sums_without_a_question(exchange):
    """So do its new versions; a further copy is one, and waits as the content was added whole."""
    exchange.configure(crm=CRM)
    try_and_rename(exchange, "crm", CRM_FILE, 2)
    assert "succeeded" == exchange.ask("run", "crm")["state"]
    assert ["12", "9"] == spent(exchange)

    exchange.drop("inbox/crm/b.csv", CRM_FILE.replace("silver,5", "silver,6"))
    exchange.ask("approve", str(exchange.ask("run", "crm", code=5)["seq"]))
    assert ["13", "9"] == spent(exchange)
    exchange.drop("inbox/crm/a.csv", CRM_FILE)
    waits = exchange.ask("run", "crm", code=5)
    assert ["13", "9"] == spent(exchange)
    exchange.ask("approve", str(waits["seq"]))
    assert ["25", "18"] == spent(exchange)


@pytest.mark.nightly
def test_of_two_copies_of_a_tried_file_the_first_is_taken(exchange):
    """The row counts once for both, and the other copy waits as what it is."""
    exchange.configure(crm=CRM)
    for name in "ab":
        exchange.drop(f"inbox/crm/{name}.csv", CRM_FILE)
    exchange.ask("send-test", "crm", "--row", "2", "--yes")
    report = exchange.ask("run", "crm", code=4)
    assert ["applied", "equal_content"] == sorted(file["outcome"] for file in report["files"])
    assert ["12", "9"] == spent(exchange)


@pytest.mark.nightly
def test_a_version_that_waits_brings_the_difference_to_a_tried_row_elsewhere(exchange):
    """It replaces the version before, and its content was tried by another name."""
    exchange.configure(crm=CRM)
    exchange.drop("inbox/crm/b.csv", "id,tier,spend\na,silver,1\n")
    exchange.ask("run", "crm")
    exchange.drop("inbox/crm/a.csv", CRM_FILE)
    exchange.ask("send-test", "crm", "--row", "2", "--yes")
    exchange.bucket.delete(["inbox/crm/a.csv"])
    exchange.drop("inbox/crm/b.csv", CRM_FILE)
    exchange.ask("approve", str(exchange.ask("run", "crm", code=5)["seq"]))
    assert ["12", "9"] == spent(exchange)


@pytest.mark.nightly
def test_a_tried_row_counts_once_also_in_a_file_that_is_forced(exchange):
    """Force adds what was applied before; one row of it was tried, and the file never was."""
    exchange.configure(crm=CRM)
    try_and_rename(exchange, "crm", CRM_FILE, 2)
    exchange.ask("run", "crm", "--force")
    assert ["12", "9"] == spent(exchange)


@pytest.mark.nightly
def test_a_renamed_file_gives_the_rest_of_its_events_without_a_question(exchange):
    """The tried row is repeated with it, and a further copy waits."""
    exchange.configure(signups=SIGNUPS)
    try_and_rename(exchange, "signups", SIGNED_UP, 2)
    report = exchange.ask("run", "signups")
    assert ("succeeded", 1, 2) == tuple(
        report[name] for name in ("state", "rows_repeated", "rows_applied")
    )
    bodies = exchange.braze.bodies("/users/track")
    assert ["b", "a", "c"] == [one["external_id"] for body in bodies for one in body["events"]]
    exchange.drop("inbox/signups/a.csv", SIGNED_UP)
    assert "held_back" == exchange.ask("run", "signups", code=5)["state"]
