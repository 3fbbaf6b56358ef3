"""A person is erased from what exchanger remembers, and what comes after is right."""

from __future__ import annotations

import io
import shlex

import polars as pl
import pytest
from support.contexts import job_context
from support.fault_proxy import FaultProxy, Schedule
from support.jobs import import_job

from exchanger.jobs.lifecycle.retention import sweep
from exchanger.state.store import open_state

TRACK = "/users/track"
WHO = "person-4711"
FIELDS = {
    "visits": {"from": "visits", "merge": "sum", "type": "integer"},
    "tags": {"from": "tag", "merge": "add"},
    "tier": {"from": "tier", "type": "string"},
}
JOB = import_job(source={"prefix": "inbox/", "order_by": "at"}, fields=FIELDS)
HEADER = "id,visits,tag,tier,at\n"


def naming(exchange, who):
    """Name the objects of the state that say a word anywhere, unpacked."""
    found = []
    for item in exchange.bucket.list("_exchanger/"):
        body, _ = exchange.bucket.read(item.key)
        if item.key.endswith(".parquet"):
            body += str(pl.read_parquet(io.BytesIO(body)).to_dicts()).encode()
        if who.encode() in body:
            found.append(item.key)
    return found


def record_changes(exchange, folder):
    """Record what runs changed by now, as is done once they are many."""
    context = job_context(exchange.bucket, None, folder, record_from=1, sweep_every=0.0)
    sweep(context, open_state(exchange.bucket, context.state_prefix), lambda: None)


def test_nothing_of_a_person_is_left_and_the_next_file_is_right(exchange, tmp_path):
    """
    Held values, what was changed and planned, orders, quarantine, contributions, samples: gone.

    A look beforehand erases nothing. Others stay as they are, also in quarantine; the next file of
    the person adds to what Braze has.
    """
    exchange.configure(crm=JOB)
    told = {"type": "person-4711 is odd", "input_array": "attributes", "index": 0}
    exchange.drop("inbox/1.csv", HEADER + f"{WHO},1,x,gold,1\nb,2,x,gold,1\n")
    exchange.ask("run", "crm")
    exchange.drop("inbox/2.csv", HEADER + f"{WHO},n/a,x,blue,2\nb,no,x,blue,2\nc,7,y,blue,2\n")
    exchange.ask("run", "crm", code=4)
    record_changes(exchange, tmp_path)
    exchange.braze.faults(TRACK, status=400, body={"message": "no", "errors": [told]})
    exchange.drop("inbox/3.csv", HEADER + f"{WHO},10,z,blue,3\nc,1,z,blue,3\n")
    exchange.ask("run", "crm", code=4)
    folders = {key.split("/")[2] for key in naming(exchange, WHO)}
    kept = {"held", "changes", "high-water-marks", "outbox", "acks", "quarantine", "contributions"}
    assert kept <= folders
    before = naming(exchange, WHO)

    looked = exchange.ask("forget", WHO)["connections"][0]
    assert (False, before) == (looked["erased"], naming(exchange, WHO))
    done = exchange.ask("forget", WHO, "--yes")["connections"][0]
    assert (looked["touched"], True) == (done["touched"], done["erased"])
    of_others = ["samples of first deliveries", "members"]
    assert of_others == [kind for kind, rows in done["touched"].items() if not rows]
    assert [] == naming(exchange, WHO)
    assert "nothing is kept of this profile" in exchange.call("forget", WHO).stdout

    assert ("1", '"gold"') == (exchange.attribute(WHO, "visits"), exchange.attribute(WHO, "tier"))
    exchange.drop("inbox/4.csv", HEADER + f"{WHO},100,w,red,4\nb,100,w,red,4\n")
    exchange.ask("run", "crm")
    assert ("101", '["x","w"]', '"red"') == tuple(
        exchange.attribute(WHO, name) for name in ("visits", "tags", "tier")
    )
    assert "102" == exchange.attribute("b", "visits")
    [other] = quarantined(exchange, "000000002.csv")
    assert ("no", True) == (other["value"], '"b"' in other["record"])


def test_what_is_proposed_names_the_same_person_and_connection(exchange):
    """Typed as it stands it erases of whom one looked, in one connection, and no more."""
    exchange.configure(crm=JOB)
    whom = ["o'hara; ann $HOME", "--by", "alias", "--label", "my crm"]
    shown = exchange.call("forget", *whom, "--connection", "main").stdout.splitlines()[-1]
    command = shlex.split(shown.partition("To erase it: ")[2])
    assert ["exchanger", "forget", *whom, "--yes", "--connection", "main"] == command
    exchange.ask(*command[1:])
    refused = exchange.call("forget", "a", "--label", "crm")
    assert (2, True) == (refused.returncode, "only an alias has one" in refused.stderr)


def quarantined(exchange, name):
    body, _ = exchange.bucket.read(f"_exchanger/main/quarantine/crm/{name}")
    return pl.read_csv(body, infer_schema=False).to_dicts()


@pytest.mark.parametrize(
    "baseline", ["assume_empty", pytest.param("lookup", marks=pytest.mark.nightly)]
)
def test_a_sum_builds_on_what_braze_has(exchange, baseline):
    """Also where whoever was never seen is taken for empty: forgotten is not never seen."""
    exchange.configure(crm=JOB | {"source": {"prefix": "inbox/"}, "baseline": baseline})
    exchange.drop("inbox/1.csv", HEADER + f"{WHO},1,x,gold,1\n")
    exchange.ask("run", "crm")
    exchange.ask("forget", WHO, "--yes")
    exchange.drop("inbox/2.csv", HEADER + f"{WHO},10,y,gold,1\nnew,5,y,gold,1\n")
    exchange.ask("run", "crm")
    assert ("11", "5") == (exchange.attribute(WHO, "visits"), exchange.attribute("new", "visits"))


@pytest.mark.nightly
def test_a_replaced_file_brings_no_difference_that_nobody_knows(exchange):
    """The forgotten person's row goes to quarantine; for all others the difference is exact."""
    exchange.configure(crm=JOB | {"source": {"prefix": "inbox/"}})
    exchange.drop("inbox/1.csv", HEADER + f"{WHO},10,x,gold,1\nb,10,x,gold,1\n")
    exchange.ask("run", "crm")
    notes = exchange.ask("forget", WHO, "--yes")["connections"][0]["notes"]
    assert any("a new version of such a file takes nothing back" in note for note in notes)
    exchange.drop("inbox/1.csv", HEADER + f"{WHO},11,x,gold,1\nb,11,x,gold,1\nc,3,x,gold,1\n")
    held = exchange.ask("run", "crm", code=5)
    applied = exchange.ask("approve", str(held["seq"]), code=4)
    assert (1, 2) == (applied["rows_rejected"], applied["rows_applied"])
    assert ["10", "11", "3"] == [exchange.attribute(who, "visits") for who in (WHO, "b", "c")]


@pytest.mark.nightly
def test_what_waits_for_a_person_is_told(exchange):
    """A copy of a file that waits is left as it is, and named with what to type: exit code 4."""
    exchange.configure(crm=JOB | {"source": {"prefix": "inbox/"}})
    exchange.drop("inbox/1.csv", HEADER + f"{WHO},10,x,gold,1\n")
    exchange.ask("run", "crm")
    exchange.drop("inbox/1.csv", HEADER + f"{WHO},11,x,gold,1\n")
    exchange.ask("run", "crm", code=5)
    [left] = exchange.ask("forget", WHO, "--yes", code=4)["connections"][0]["left"]
    assert "run 2 keeps copies of inbox/1.csv" in left
    assert "exchanger discard 2" in left
    exchange.ask("discard", "2")
    exchange.ask("forget", WHO, "--yes")
    assert [] == naming(exchange, WHO)


def naming_beside(exchange, who):
    """Name the objects beside the folders of jobs that say a word."""
    found = []
    for item in exchange.bucket.list("in"):
        body, _ = exchange.bucket.read(item.key)
        if item.key.endswith(".parquet"):
            body = str(pl.read_parquet(io.BytesIO(body)).to_dicts()).encode()
        if who.encode() in body and ("_rejected/" in item.key or "_reports/" in item.key):
            found.append(item.key)
    return found


@pytest.mark.nightly
def test_rows_of_others_in_an_answer_stay_though_the_file_is_gone(exchange):
    """
    Rejected rows in Parquet are written again from what lies there; whoever is left is left.

    Where that could not be done the person is found there when it is tried again.
    """
    job = import_job(source={"prefix": "in/"}, fields={"visits": FIELDS["visits"]})
    exchange.configure(crm=job)
    frame = pl.DataFrame({"id": [WHO, "b", "c"], "visits": ["x", "y", "3"]})
    frame.write_parquet(body := io.BytesIO())
    exchange.drop("in/a.parquet", body.getvalue())
    frame.head(1).write_parquet(alone := io.BytesIO())
    exchange.drop("in/alone.parquet", alone.getvalue())
    exchange.ask("run", "crm", code=4)
    answers = ["in_rejected/1/a.parquet", "in_rejected/1/alone.parquet"]
    assert answers == [k for k in naming_beside(exchange, WHO) if k.endswith(".parquet")]
    exchange.bucket.delete(["in/a.parquet", "in/alone.parquet"])

    store = exchange.connection["s3"]["endpoint_url"]
    with FaultProxy(store, Schedule(0), locked="in_reports/") as proxy:
        exchange.connection["s3"]["endpoint_url"] = proxy.url
        exchange.configure(crm=job)
        assert exchange.call("forget", WHO, "--yes").returncode
    exchange.connection["s3"]["endpoint_url"] = store
    exchange.configure(crm=job)
    exchange.ask("forget", WHO, "--yes")
    assert [] == naming_beside(exchange, WHO)
    [left] = [item.key for item in exchange.bucket.list("in_rejected/")]
    rows = pl.read_parquet(io.BytesIO(exchange.bucket.read(left)[0]))
    assert (answers[0], [("b", 2)]) == (left, rows.select("id", "_row").rows())


@pytest.mark.nightly
def test_answers_of_a_job_that_is_gone_are_found_and_are_no_drops(exchange):
    """Where a run has answered is told by its document, whatever the configuration says by then."""
    crm, mail = (
        import_job(source={"prefix": "in/crm/"}, fields={name: FIELDS[name]})
        for name in ("visits", "tier")
    )
    exchange.configure(crm=crm, mail=mail)
    exchange.drop("in/crm/a.csv", HEADER + f"{WHO},n/a,x,gold,1\nb,no,x,blue,2\nc,1,x,red,3\n")
    exchange.ask("run", "crm", code=4)
    named = ["in/crm_rejected/1/crm/a.csv", "in/crm_reports/a.csv.crm.html"]
    assert {*named} <= {*naming_beside(exchange, "n/a")}

    wide = import_job(source={"prefix": "in/"}, fields={"tag": "set"})
    exchange.configure(wide=wide)
    taken = exchange.ask("run", "wide")
    assert ["in/crm/a.csv"] == [file["key"] for file in taken["files"]]
    [said] = exchange.ask("files", named[0])
    assert ("ours", []) == (said["why"], said["jobs"])
    exchange.configure(wide=wide | {"source": {"prefix": "in/", "pattern": "*.csv"}})
    assert [] == [note for note in exchange.ask("run", "wide")["notes"] if "crm_re" in note]
    exchange.ask("forget", WHO, "--yes")
    assert [] == naming_beside(exchange, WHO)
    assert {"in/crm_rejected/1/crm/a.csv"} == {
        item.key for item in exchange.bucket.list("in/crm_rejected/")
    }
    assert "b" in exchange.bucket.read("in/crm_rejected/1/crm/a.csv")[0].decode()
