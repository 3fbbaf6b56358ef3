"""A job in shadow plans on schedule, sends nothing, and is compared with what Braze then holds."""

from __future__ import annotations

from support.jobs import import_job

TRACK = "/users/track"
FIELDS = {
    "tier": {"from": "tier", "type": "string"},
    "visits": {"from": "visits", "merge": "sum", "type": "integer"},
}
SHADOW = import_job(
    fields=FIELDS,
    delivery={"shadow": True, "compare_after": "1s"},
    guards={"max_data_points": 3},
)


def wait_for_grace(exchange):
    """Let the runs so far be older than the grace, by the clock of S3, which is what counts."""
    runs = [item.key for item in exchange.bucket.list("_exchanger/main/runs/0")]
    while any(exchange.bucket.head(key).age.total_seconds() < 2 for key in runs):
        pass


def test_a_job_in_shadow_sends_nothing_and_tells_how_far_braze_agrees_later(exchange):
    """
    Files are taken and planned; guards say what they would hold back, and hold nothing.

    Another tool brings one value, and not the other; the next call tells so, once. Nothing of it
    counts: a job that goes live sends all that it is given then, and has saved nothing before.
    """
    exchange.braze.seed([{"external_id": "a", "tier": "gold", "visits": 5}])
    exchange.configure(crm=SHADOW)
    exchange.drop("inbox/1.csv", "id,tier,visits\na,red,2\nb,red,1\n,x,\n")
    report = exchange.ask("run", "crm", code=4)
    assert (0, 0, 2, 1) == tuple(
        report[name] for name in ("data_points", "rows_applied", "rows_skipped", "rows_rejected")
    )
    [first, *_] = report["notes"]
    assert "nothing was sent. It would have been 2 objects with 4 data points" in first
    assert "So a run that sends would have waited for you." in report["notes"]
    assert (0, 0) == (exchange.braze.requests(TRACK), exchange.braze.meter)
    fate = exchange.call("files", "inbox/1.csv").stdout
    assert "nothing of it sent, as its job is in shadow" in fate

    for words in (("retry", "1"), ("approve", "1"), ("undo", "1", "--yes")):
        refused = exchange.call(*words)
        assert (2, True) == (refused.returncode, "its job is in shadow" in refused.stderr)

    exchange.braze.seed([{"external_id": "a", "tier": "red", "visits": 7}])
    wait_for_grace(exchange)
    told = exchange.ask("run", "crm")
    assert "nothing_to_do" == told["state"]
    [found] = [fact for fact in told["facts"] if fact["code"] == "shadow_compared"]
    assert (1, 2, 4, 2) == tuple(found[name] for name in ("run", "profiles", "values", "differing"))
    assert {"profiles": 2, "values": 4, "differing": 2} == exchange.ask("show", "1")["verified"]
    assert [note for note in told["notes"] if 'One would have "red" and has nothing.' in note]
    again = exchange.ask("run", "crm")["facts"]
    assert [] == [fact for fact in again if fact["code"].startswith("shadow")]
    assert [] == exchange.ask("savings")[0]["fields"]

    exchange.configure(crm=import_job(fields=FIELDS))
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    exchange.drop("inbox/2.csv", "id,tier,visits\na,blue,1\nb,red,1\n")
    live = exchange.ask("run", "crm")
    assert ("succeeded", 2) == (live["state"], live["rows_applied"])
    assert ("8", '"blue"', "1") == (
        exchange.attribute("a", "visits"),
        exchange.attribute("a", "tier"),
        exchange.attribute("b", "visits"),
    )
