"""Jobs whose newest file is the whole truth: who left, and what becomes of them."""

from __future__ import annotations

JOB = {
    "type": "import",
    "source": {"prefix": "inbox/", "mode": "snapshot"},
    "match": [{"external_id": "id"}],
    "fields": {
        "tier": {"from": "tier", "type": "string"},
        "age": {"from": "age", "type": "integer"},
    },
}


def rows(*who, tier="gold", age="30"):
    return "id,tier,age\n" + "".join(f"{one},{tier},{age}\n" for one in who)


def test_who_is_missing_in_a_snapshot_is_told_against_the_one_before(exchange):
    """
    The first file is where it begins. Whoever is named is there, also by a row that is rejected.

    Of several new files the newest counts alone, and one without rows says nothing.
    """
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", rows(*"abcdefgh"))
    first = exchange.ask("run", "crm")
    assert (0, 0) == (first["leavers"], first["members_before"])
    assert [note for note in first["notes"] if "first snapshot" in note]

    exchange.drop("inbox/2.csv", rows("x"))
    exchange.drop("inbox/3.csv", rows(*"abcdefg", "i").replace("b,gold,30", "b,gold,old"))
    planned = exchange.ask("plan", "crm")["report"]
    second = exchange.ask("run", "crm", code=4)
    for report in (planned, second):
        assert (1, 8) == (report["leavers"], report["members_before"])
        assert "Missing in the newest file: 1 of 8 people whom this job had." in report["notes"]
    assert ["superseded", "applied"] == sorted(
        (f["outcome"] for f in second["files"]), reverse=True
    )
    assert '"gold"' == exchange.attribute("h", "tier")

    assert 2 == exchange.ask("forget", "h")["connections"][0]["touched"]["members"]
    exchange.ask("forget", "h", "--yes")
    assert 0 == exchange.ask("forget", "h")["connections"][0]["touched"]["members"]
    exchange.configure(crm=JOB | {"guards": {"empty_file": "ignore"}})
    exchange.drop("inbox/4.csv", rows())
    assert 0 == exchange.ask("run", "crm")["leavers"]
    exchange.drop("inbox/5.csv", rows(*"abcdefgi"))
    third = exchange.ask("run", "crm")
    assert (0, 8) == (third["leavers"], third["members_before"])


def test_a_folder_of_changes_takes_nobody_away(exchange):
    """
    A file that lacks almost everybody waits, with the numbers, and so does an empty one.

    Once a newer snapshot was applied, approving an older one drops it.
    """
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", rows(*"abcdefgh"))
    exchange.ask("run", "crm")
    exchange.drop("inbox/2.csv", rows("a", "z", tier="iron"))
    waits = exchange.ask("run", "crm", code=5)
    told = (
        "Missing in the newest file: 7 of 8 people whom this job had (87.5 %); 20 % may be "
        "(max_leavers_percent)."
    )
    assert told in waits["notes"]
    exchange.drop("inbox/3.csv", rows())
    assert "inbox/3.csv has no rows" in " ".join(exchange.ask("run", "crm", code=5)["notes"])
    assert '"gold"' == exchange.attribute("a", "tier")
    assert "z" not in exchange.braze.users()

    exchange.drop("inbox/4.csv", rows(*"abcdefg"))
    assert 1 == exchange.ask("run", "crm")["leavers"]
    assert "discarded" == exchange.ask("approve", "2")["state"]
    assert '"gold"' == exchange.attribute("a", "tier")
    exchange.drop("inbox/5.csv", rows("a"))
    exchange.ask("run", "crm", code=5)
    assert 6 == exchange.ask("approve", "5")["leavers"]
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
