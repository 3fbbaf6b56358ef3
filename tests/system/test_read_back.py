"""What Braze ignores without a word is noticed after the first delivery."""

from __future__ import annotations

import pytest
from support.jobs import import_job

LOOKUP = "/users/export/ids"
JOB = import_job(
    fields={
        "tier": {"from": "tier", "type": "string"},
        "visits": {"from": "visits", "type": "integer"},
        "tags": {"from": "tags", "type": "list", "split": "|"},
    }
)
HEADER = "id,tier,visits,tags\n"
ROWS = "".join(f"p{n},gold,{n},x|y\n" for n in range(60))


def wait_for_grace(exchange):
    """Let the runs so far be older than the grace, by the clock of S3, which is what counts."""
    runs = [item.key for item in exchange.bucket.list("_exchanger/main/runs/0")]
    while any(exchange.bucket.head(key).age.total_seconds() < 2 for key in runs):
        pass


@pytest.mark.nightly
def test_an_ignored_value_is_told_once(exchange):
    """
    A blocklisted attribute is named after the grace, with how many of the sample and an example.

    One request reads the sample; what stuck is not named; nothing is asked or told again.
    """
    exchange.configure(crm=JOB)
    exchange.braze.change(blocklist=["tier"])
    exchange.drop("inbox/1.csv", HEADER + ROWS)
    first = exchange.ask("run", "crm")
    assert [] == first["notes"]
    wait_for_grace(exchange)
    report = exchange.ask("run", "crm")
    assert "nothing_to_do" == report["state"]
    (note,) = report["notes"]
    assert "'tier' and did not keep it: of 25 profiles that were read back, 25 " in note
    assert 'One was sent "gold" and has nothing.' in note
    assert 1 == exchange.braze.requests(LOOKUP)

    exchange.drop("inbox/2.csv", HEADER + "new,blue,1,x\n")
    exchange.ask("run", "crm")
    wait_for_grace(exchange)
    assert [] == exchange.ask("run", "crm")["notes"]
    assert 1 == exchange.braze.requests(LOOKUP)


@pytest.mark.nightly
def test_a_forced_type_is_told_in_the_next_run(exchange):
    """The next run of the job reports it beside what it does itself, and keeps it in its report."""
    exchange.configure(crm=JOB)
    exchange.braze.change(forced_types={"tier": "number", "visits": "number"})
    exchange.drop("inbox/1.csv", HEADER + "a,gold,1,x\nb,7,2,y\nc,blue,3,z\n")
    exchange.ask("run", "crm")
    wait_for_grace(exchange)
    exchange.drop("inbox/2.csv", HEADER + "c,grey,4,z\nd,grey,4,z\n")
    report = exchange.ask("run", "crm")
    (note,) = report["notes"]
    assert "'tier'" in note
    assert report["notes"] == exchange.ask("show", str(report["seq"]))["notes"]


@pytest.mark.nightly
def test_what_changed_since_and_what_stuck_is_not_told(exchange):
    """Values that later runs changed are left out, as are those that Braze has as sent."""
    exchange.configure(crm=JOB)
    exchange.braze.change(blocklist=["tier"])
    exchange.drop("inbox/1.csv", HEADER + "a,gold,1,x|y\n")
    exchange.ask("run", "crm")
    exchange.drop("inbox/2.csv", HEADER + "a,blue,1,x|y\n")
    exchange.ask("run", "crm")
    wait_for_grace(exchange)
    assert [] == exchange.ask("run", "crm")["notes"]


@pytest.mark.nightly
def test_a_key_that_may_not_read_is_told_and_disturbs_nothing(exchange):
    """Without the permission to look up, the job goes on; a note says that nobody has looked."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,gold,1,x\n")
    exchange.ask("run", "crm")
    wait_for_grace(exchange)
    exchange.braze.faults(LOOKUP, status=403, body={"message": "no"}, times=9)
    exchange.drop("inbox/2.csv", HEADER + "b,gold,1,x\n")
    report = exchange.ask("run", "crm")
    assert ("succeeded", 1) == (report["state"], report["rows_applied"])
    (note,) = report["notes"]
    assert "tier, visits, tags" in note
    assert "could not be read back" in note


@pytest.mark.nightly
def test_a_time_inside_of_json_stuck_and_is_not_sent_again(exchange):
    """Braze gives a nested time back as text: that is what was sent, and costs nothing again."""
    at = '{"at":{"$time":"2020-05-28T10:00:00Z"},"n":1}'
    job = JOB | {"fields": {"props": {"from": "props", "type": "json"}}}
    exchange.configure(crm=job)
    exchange.drop("inbox/1.ndjson", f'{{"id":"a","props":{at}}}\n')
    first = exchange.ask("run", "crm")
    assert '{"at":"2020-05-28T10:00:00.000Z","n":1}' == exchange.attribute("a", "props")
    assert (2, 2) == (first["data_points"], exchange.braze.meter)
    wait_for_grace(exchange)
    assert [] == exchange.ask("run", "crm")["notes"]
    assert 1 == exchange.braze.requests(LOOKUP)

    exchange.drop("inbox/2.ndjson", f'{{"id":"a","props":{at}}}\n')
    assert 0 == exchange.ask("run", "crm")["fields_changed"]
    assert 2 == exchange.braze.meter


@pytest.mark.nightly
def test_a_share_of_what_a_run_sent_is_verified(exchange):
    """
    After the grace the next call reads a sample back, once, and tells what Braze does not have.

    The run that sent it has it in its report as well; `runs` and `status` show it.
    """
    exchange.configure(crm=JOB | {"delivery": {"verify": {"sample": "50%"}}})
    exchange.drop("inbox/1.csv", HEADER + ROWS)
    exchange.ask("run", "crm")
    exchange.braze.seed([{"external_id": f"p{n}", "tier": "stolen"} for n in range(60)])
    wait_for_grace(exchange)
    exchange.drop("inbox/2.csv", HEADER + "new,blue,1,x\n")
    told = exchange.ask("run", "crm")
    [found] = [fact for fact in told["facts"] if fact["code"] == "verified"]
    assert 10 < found["profiles"] < 50
    assert (1, 3 * found["profiles"], found["profiles"]) == (
        found["run"], found["values"], found["differing"],
    )  # fmt: skip
    shown = exchange.ask("show", "1")
    assert {name: found[name] for name in ("profiles", "values", "differing")} == shown["verified"]
    assert found in shown["facts"]
    assert [note for note in shown["notes"] if "'tier' and did not keep it" in note]
    assert [1, 2] == sorted(run["seq"] for run in exchange.ask("runs"))
    assert (
        f"{found['differing']} of {found['values']} values read back"
        in exchange.call("runs").stdout
    )
    [job] = exchange.ask("status")["jobs"]
    assert (1, found["values"]) == (job["verified"]["run"], job["verified"]["values"])

    wait_for_grace(exchange)
    [note] = exchange.ask("run", "crm")["notes"]
    assert "3 values of 1 profiles that run 2 sent were read back, and Braze has them" in note
    asked = exchange.braze.requests(LOOKUP)
    assert [] == exchange.ask("run", "crm")["notes"]
    assert asked == exchange.braze.requests(LOOKUP)
