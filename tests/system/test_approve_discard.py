"""``approve`` and ``discard``: what happens to runs that wait, and to runs that cannot go on."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML
from support.jobs import import_job

TRACK = "/users/track"
JOB = import_job(
    fields={
        "visits": {"from": "visits", "merge": "sum", "type": "integer"},
        "tier": {"from": "tier", "type": "string"},
    }
)
HEADER = "id,visits,tier\n"


def visits(exchange):
    return {who: exchange.attribute(who, "visits") for who in sorted(exchange.braze.users())}


@pytest.mark.nightly
def test_a_copy_is_added_once_it_is_approved(exchange):
    """Equal content under another name waits; approving it adds it once more, and only once."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,1,gold\n")
    exchange.ask("run", "crm")
    exchange.drop("inbox/2.csv", HEADER + "a,1,gold\n")
    held = exchange.ask("run", "crm", code=5)
    assert any("visits: 1 would be added" in note for note in held["notes"])
    exchange.bucket.delete(["inbox/2.csv"])

    exchange.ask("approve", str(held["seq"]))
    assert {"a": "2"} == visits(exchange)
    exchange.ask("approve", str(held["seq"]), code=2)
    assert {"a": "2"} == visits(exchange)


@pytest.mark.nightly
def test_what_waits_for_a_person_is_told_until_it_is_decided(exchange):
    """A later run that did all it could does not hide that files of an earlier one wait."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,1,gold\n")
    exchange.ask("run", "crm")
    exchange.drop("inbox/2.csv", HEADER + "a,1,gold\n")
    exchange.ask("run", "crm", code=5)
    exchange.drop("inbox/3.csv", HEADER + "b,7,gold\n")
    later = exchange.ask("run", "crm")
    assert [note for note in later["notes"] if "inbox/2.csv waits in run 2" in note]

    [entry] = exchange.ask("jobs", "--waiting")
    [held] = entry["held_back"]
    assert (0, 2, ["inbox/2.csv"], {}) == (
        entry["files_waiting"],
        held["run"],
        held["files"],
        held["applied_since"],
    )
    shown = exchange.call("jobs", "--waiting").stdout.splitlines()
    assert (
        "  1 file waits for a person in run 2: exchanger approve 2, or exchanger discard 2" in shown
    )
    assert "    inbox/2.csv" in shown
    [latest] = exchange.ask("runs", "--latest")
    assert (3, [2]) == (latest["seq"], latest["held_back"])
    assert "run 2 waits for a person" in exchange.call("runs", "--latest").stdout

    exchange.ask("discard", "2")
    assert [] == exchange.ask("jobs", "--waiting")[0]["held_back"]
    assert [] == exchange.ask("runs", "--latest")[0]["held_back"]


def test_a_run_whose_job_was_renamed_says_so(exchange):
    """Whoever decides about it is told to put the job back, not that they named a wrong job."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,x,gold\n")
    exchange.ask("run", "crm", code=4)
    exchange.configure(people=JOB)
    for words in (["retry", "1"], ["undo", "1"], ["undo", "1", "--yes"], ["approve", "1"]):
        error = exchange.ask(*words, code=2)["error"]
        assert "the configuration has no job 'crm' any more; put it back" in error["message"], words
        assert "exchanger show 1" in error["next"]


@pytest.mark.nightly
def test_files_that_were_applied_since_are_told(exchange):
    """Once --force applied what waited, the run that waits says so, and so does its approval."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,1,gold\n")
    exchange.ask("run", "crm")
    exchange.drop("inbox/2.csv", HEADER + "a,1,gold\n")
    exchange.ask("run", "crm", code=5)
    exchange.ask("run", "crm", "--force")
    assert {"a": "2"} == visits(exchange)

    told = "Run 3 has applied a version of inbox/2.csv after this run was held back"
    shown = exchange.ask("show", "2")
    assert ({"inbox/2.csv": 3}, "held_back") == (shown["applied_since"], shown["state"])
    assert told in shown["notes"][-1]
    assert "1 file applied since by run 3" in exchange.call("runs").stdout
    waiting = exchange.call("jobs", "--waiting").stdout
    assert "its files were applied since by run 3: exchanger discard 2" in waiting
    report = exchange.ask("approve", "2")
    assert "discarded" == report["state"]
    assert "inbox/2.csv was left out: run 3 applied" in report["notes"][-1]
    assert {"a": "2"} == visits(exchange)


@pytest.mark.nightly
def test_an_approval_beyond_what_was_shown_is_held_back_again(exchange):
    """If a run would add more by now than a person was shown, it shows that and waits again."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,10,gold\nb,1,gold\n")
    exchange.ask("run", "crm")
    exchange.drop("inbox/1.csv", HEADER + "a,12,gold\nb,1,gold\n")
    second = exchange.ask("run", "crm", code=5)
    exchange.drop("inbox/1.csv", HEADER + "a,3,gold\nb,1,gold\n")
    third = exchange.ask("run", "crm", code=5)
    assert any("visits: -7 would" in note for note in third["notes"])
    exchange.ask("approve", str(second["seq"]))
    assert {"a": "12", "b": "1"} == visits(exchange)

    sent = exchange.braze.requests(TRACK)
    report = exchange.ask("approve", str(third["seq"]), code=5)
    assert ("held_back", sent) == (report["state"], exchange.braze.requests(TRACK))
    assert any("visits: -9 would" in note for note in report["notes"])
    exchange.ask("approve", str(third["seq"]))
    assert {"a": "3", "b": "1"} == visits(exchange)


@pytest.mark.nightly
def test_a_number_that_two_connections_have_is_asked_about(exchange):
    """Each connection counts its runs from 1; nothing is decided about a run that is not named."""
    exchange.configure(crm=JOB)
    two = {"eu": exchange.connection, "us": exchange.connection}
    jobs = {
        name: JOB | {"connection": name, "source": {"prefix": f"{name}/"}} for name in sorted(two)
    }
    with exchange.config.open("w") as file:
        YAML().dump({"connections": two, "jobs": jobs}, file)
    for name in two:
        exchange.drop(f"{name}/1.csv", HEADER + f"{name},1,gold\n")
        exchange.ask("run", name)

    assert ["us", "eu"] == [run["connection"] for run in exchange.ask("runs")]
    for verb in ("show", "discard", "approve", "retry"):
        asked = exchange.call(verb, "1")
        assert 2 == asked.returncode
        assert "Each of the connections eu and us has a run 1." in asked.stderr
        assert "--connection eu" in asked.stderr
    assert "us" == exchange.ask("show", "1", "--connection", "us")["job"]


@pytest.mark.nightly
def test_what_could_be_typed_is_not_said_any_more_once_it_is_decided(exchange):
    """Neither of a run that was dropped nor of one that was released; of what waits it is."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,1,gold\n")
    exchange.ask("run", "crm")
    for number, decide in ((2, "discard"), (3, "approve")):
        key = f"inbox/{number}.csv"
        exchange.drop(key, HEADER + f"a,1,{'gold' * (number - 1)}\n")
        exchange.configure(crm=JOB | {"guards": {"max_data_points": 1}})
        exchange.ask("run", "crm", code=5)
        for shown in (("show", str(number)), ("files", key)):
            assert f"exchanger approve {number}" in exchange.call(*shown).stdout
        exchange.ask(decide, str(number))
        for shown in (("show", str(number)), ("files", key)):
            text = exchange.call(*shown).stdout
            assert f"exchanger approve {number}" not in text
            assert key in text


@pytest.mark.nightly
def test_a_discarded_version_was_never_there(exchange):
    """Discarding sends nothing, and the next version is compared with the last applied one."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,1,gold\n")
    exchange.ask("run", "crm")
    exchange.drop("inbox/1.csv", HEADER + "a,5,gold\n")
    held = exchange.ask("run", "crm", code=5)
    sent = exchange.braze.requests(TRACK)
    report = exchange.ask("discard", str(held["seq"]))
    assert ("discarded", sent) == (report["state"], exchange.braze.requests(TRACK))
    assert "discarded" == exchange.ask("discard", str(held["seq"]))["state"]
    exchange.ask("approve", str(held["seq"]), code=2)
    idle = exchange.ask("run", "crm", "--force")
    assert ("nothing_to_do", []) == (idle["state"], idle["notes"])
    assert "discarded" == exchange.ask("show", str(held["seq"]))["state"]

    exchange.drop("inbox/1.csv", HEADER + "a,4,gold\n")
    again = exchange.ask("run", "crm", code=5)
    exchange.ask("approve", str(again["seq"]))
    assert {"a": "4"} == visits(exchange)


@pytest.mark.nightly
def test_a_run_that_cannot_be_delivered_is_dropped(exchange):
    """
    A run stuck on a revoked key is discarded: acknowledged objects stay, the rest was never sent.

    Its files are not planned again, other files go on, and nothing that was not sent is held.
    """
    exchange.connection["braze"]["batch_size"] = 1
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "".join(f"p{n},1,gold\n" for n in range(60)))
    exchange.braze.faults(TRACK, status=401, times=99, skip=1)
    exchange.ask("run", "crm", code=7)
    exchange.braze.clear_faults()
    sent = set(exchange.braze.users())
    assert 0 < len(sent) < 60
    requests = exchange.braze.requests(TRACK)

    report = exchange.ask("discard", "1")
    assert ("discarded", 60, len(sent), 60 - len(sent)) == (
        report["state"],
        report["rows_read"],
        report["rows_applied"],
        report["rows_skipped"],
    )
    assert not any("uncertain" in note for note in report["notes"])
    assert report["requests"] == requests == exchange.braze.requests(TRACK)
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    exchange.ask("discard", "1", code=2)

    exchange.drop("inbox/2.csv", HEADER + "".join(f"p{n},10,gold\n" for n in range(60)))
    exchange.ask("run", "crm")
    assert {f"p{n}": "11" if f"p{n}" in sent else "10" for n in range(60)} == visits(exchange)


@pytest.mark.nightly
def test_a_discarded_run_decides_no_types(exchange):
    """The types of a run that a person dropped while it was under way are told anew."""
    exchange.configure(crm=JOB | {"fields": {"n": "set"}})
    exchange.drop("inbox/1.csv", "id,n\na,x\n")
    exchange.braze.faults(TRACK, status=401, times=9)
    exchange.ask("run", "crm", code=7)
    exchange.braze.clear_faults()
    exchange.ask("discard", "1")
    assert [] == exchange.ask("savings")[0]["fields"], "nothing was saved by dropping it"
    exchange.drop("inbox/2.csv", "id,n\na,5\n")
    exchange.ask("run", "crm")

    assert "5" == exchange.attribute("a", "n")


@pytest.mark.nightly
def test_what_was_sent_without_an_answer_is_uncertain_after_a_discard(exchange):
    """An object whose answers were all lost is looked up before a sum builds on it."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,1,gold\n")
    exchange.ask("run", "crm")
    exchange.braze.faults(TRACK, drop="after")
    exchange.braze.faults(TRACK, status=401, times=9)
    exchange.drop("inbox/2.csv", HEADER + "a,2,gold\n")
    exchange.ask("run", "crm", code=7)
    exchange.braze.clear_faults()
    assert {"a": "3"} == visits(exchange)
    report = exchange.ask("discard", "2")
    assert any("uncertain" in note for note in report["notes"])
    assert any("may have cost, and that are not counted: 1." in note for note in report["notes"])

    exchange.drop("inbox/3.csv", HEADER + "a,10,gold\n")
    exchange.ask("run", "crm")
    assert {"a": "13"} == visits(exchange)
