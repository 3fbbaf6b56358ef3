"""What a file gave to a sum counts once, whatever the file or the job is called."""

from __future__ import annotations

import pytest
from support.jobs import import_job

TRACK = "/users/track"
JOB = import_job(
    fields={
        "visits": {"from": "visits", "merge": "sum", "type": "integer"},
        "tier": {"from": "tier", "type": "string"},
    }
)


def outcomes(report):
    return {file["key"].removeprefix("inbox/"): file["outcome"] for file in report["files"]}


@pytest.mark.long(18)
def test_equal_and_replaced_files_wait_for_force(exchange):
    """
    Of files with equal content one is counted; a new version of a counted file waits too.

    Each waiting file is named, and ``--force`` adds it in full, once.
    """
    exchange.configure(crm=JOB)
    first = "id,visits,tier\na,1,blue\nb,2,blue\n"
    exchange.drop("inbox/1.csv", first)
    exchange.drop("inbox/2.csv", first)
    report = exchange.ask("run", "crm", code=4)
    assert {"1.csv": "applied", "2.csv": "equal_content"} == outcomes(report)
    assert ("1", "2") == (exchange.attribute("a", "visits"), exchange.attribute("b", "visits"))
    assert "inbox/1.csv" in report["files"][1]["note"]

    exchange.drop("inbox/1.csv", "id,visits,tier\na,10,gold\n")
    report = exchange.ask("run", "crm", code=5)
    assert ("held_back", {"1.csv": "replaced"}) == (report["state"], outcomes(report))
    assert "--force" in report["files"][0]["note"]
    assert '"blue"' == exchange.attribute("a", "tier")
    assert ["inbox/1.csv", "inbox/2.csv"] == [
        note.split(" ")[0] for note in exchange.ask("run", "crm")["notes"]
    ]

    report = exchange.ask("run", "crm", "--force")
    assert {"1.csv": "applied", "2.csv": "applied"} == outcomes(report)
    assert ("12", "4") == (exchange.attribute("a", "visits"), exchange.attribute("b", "visits"))
    assert any("visits: 13 was added" in note for note in report["notes"])
    forced = exchange.ask("run", "crm", "--force")
    assert ("nothing_to_do", []) == (forced["state"], forced["notes"])


def test_a_renamed_job_counts_nothing_twice(exchange):
    """A job under a new name meets its files as equal content, and sends nothing."""
    exchange.configure(before=JOB)
    exchange.drop("inbox/1.csv", "id,visits,tier\na,1,blue\n")
    exchange.ask("run", "before")
    exchange.configure(after=JOB)
    sent = exchange.braze.requests(TRACK)
    report = exchange.ask("run", "after", code=5)
    assert {"1.csv": "equal_content"} == outcomes(report)
    (file,) = report["files"]
    assert file["note"].startswith("Job 'before' added it already, in run 1. To add it once more:")
    assert (sent, "1") == (exchange.braze.requests(TRACK), exchange.attribute("a", "visits"))


@pytest.mark.nightly
def test_two_jobs_of_a_connection_share_what_is_held(exchange):
    """Jobs take turns in one command; what the first one sent, the second one knows."""
    lookups = "/users/export/ids"
    shop = JOB | {"source": {"prefix": "shop/"}, "fields": {"visits": JOB["fields"]["visits"]}}
    web = JOB | {"source": {"prefix": "web/"}, "fields": {"tier": JOB["fields"]["tier"]}}
    exchange.connection["braze"]["grace"] = "1h"  # Nothing is read back meanwhile.
    exchange.configure(shop=shop, web=web)
    exchange.drop("shop/1.csv", "id,visits\na,1\n")
    exchange.drop("web/1.csv", "id,tier\na,gold\n")
    shop_report, web_report = exchange.ask("run", "shop", "web")
    assert [1, 2] == [shop_report["seq"], web_report["seq"]]
    assert (1, 0) == (shop_report["profiles_new"], shop_report["profiles_updated"])
    assert (0, 1) == (web_report["profiles_new"], web_report["profiles_updated"])

    exchange.drop("shop/2.csv", "id,visits\na,2\n")
    exchange.drop("web/2.csv", "id,tier\n" + "a,gold\n" * 2)
    shop_report, web_report = exchange.ask("run", "shop", "web")
    assert ("3", '"gold"') == (exchange.attribute("a", "visits"), exchange.attribute("a", "tier"))
    assert (1, 1) == (shop_report["requests"], web_report["profiles_unchanged"])
    assert 1 == exchange.braze.requests(lookups)
