"""What a run changed is kept: the value before, the wanted one, its row, and what came of it."""

from __future__ import annotations

from urllib.parse import unquote

import polars as pl
import pytest
from support.contexts import job_context

from exchanger.jobs.history.changed_rows import record_changes
from exchanger.jobs.history.changes import changes_of_profiles, changes_of_run
from exchanger.state.store import open_state

TRACK = "/users/track"
JOB = {
    "type": "import",
    "source": {"prefix": "inbox/"},
    "match": [{"external_id": "id"}],
    "fields": {
        "tier": {"from": "tier", "type": "string"},
        "tags": {"from": "tag", "merge": "add"},
        "spent": {"from": "spent", "merge": "sum", "type": "integer"},
    },
}
HEADER = "id,tier,tag,spent\n"
COLUMNS = ("field", "strategy", "before", "given", "wanted", "outcome", "file", "row")


@pytest.fixture
def told(exchange, tmp_path):
    exchange.configure(crm=JOB)
    return Told(exchange, tmp_path)


class Told:
    """What is kept of what runs changed."""

    def __init__(self, exchange, folder):
        self._context = job_context(exchange.bucket, None, folder, record_from=1)
        self.state = open_state(exchange.bucket, self._context.state_prefix)

    def of_profile(self, profile):
        return self.known_of(profile).rows

    def known_of(self, profile):
        return changes_of_profiles(self._context, self.state, pl.Series("@profile", [profile]))

    def record_at_first(self, name, *, last, and_delete=()):
        """Record what runs up to the last changed as soon as an object of that name is read."""
        events = self._context.bucket._client.meta.events

        def record(request, **_):
            if name in unquote(request.url):
                events.unregister("before-send.s3", record)
                record_changes(self._context, self.state, lambda: None, last)
                for folder in and_delete:
                    keys = [item.key for item in self._context.bucket.list(folder)]
                    self._context.bucket.delete(keys)

        events.register("before-send.s3", record)

    def of_run(self, seq):
        run = self.state.runs.read(seq).document
        return pl.concat(changes_of_run(self._context, self.state, run))


def rows(frame, *columns):
    return frame.select(columns or COLUMNS).sort("field").rows()


def test_each_changed_field_is_told_with_its_value_before_and_its_row(exchange, told):
    """By profile over all runs, and by run; of a value that stays there is nothing."""
    exchange.drop("inbox/1.csv", HEADER + "a,gold,x,1\nb,gold,x,1\n")
    exchange.ask("run", "crm")
    exchange.drop("inbox/2.csv", HEADER + "c,blue,,\n")
    exchange.drop("inbox/3.csv", HEADER + "b,gold,,\na,gold,y,2\n")
    exchange.ask("run", "crm")

    assert [
        ("spent", "sum", "null", None, "1", "accepted", "inbox/1.csv", 1),
        ("tags", "add", "null", None, '["x"]', "accepted", "inbox/1.csv", 1),
        ("tier", "set", "null", '"gold"', '"gold"', "accepted", "inbox/1.csv", 1),
    ] == rows(told.of_profile("a").filter(seq=1))
    assert [
        ("spent", "sum", "1", None, "3", "accepted", "inbox/3.csv", 2),
        ("tags", "add", '["x"]', None, '["x","y"]', "accepted", "inbox/3.csv", 2),
    ] == rows(told.of_profile("a").filter(seq=2))
    assert [1, 1, 1] == told.of_profile("b")["seq"].to_list()
    run = told.of_run(2)
    assert {"crm"} == set(run["job"])
    assert ["a", "a", "c"] == sorted(run["profile"])
    assert told.of_profile("nobody").is_empty()


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("meanwhile", "gone"), [("/changes/", ()), ("/outbox/", ("_exchanger/main/outbox/",))]
)
def test_a_change_is_told_once_while_it_is_recorded(exchange, told, meanwhile, gone):
    """Be the sweep done before the table is read, or before the plan is, which then goes."""
    exchange.drop("inbox/1.csv", HEADER + "a,gold,,\n")
    exchange.ask("run", "crm")
    told.record_at_first(meanwhile, last=1, and_delete=gone)

    known = told.known_of("a")

    assert [("tier", '"gold"')] == rows(known.rows, "field", "wanted")
    assert not known.gone


def test_what_braze_refused_is_told_as_such(exchange, told):
    """A retry takes what is left of it, and undoes nothing that a later run has changed."""
    refusal = {"type": "no good", "input_array": "attributes", "index": 0}
    exchange.braze.faults(TRACK, status=400, body={"message": "no", "errors": [refusal]})
    exchange.drop("inbox/1.csv", HEADER + "a,gold,,5\n")
    exchange.ask("run", "crm", code=4)
    assert [("spent", "refused"), ("tier", "refused")] == rows(told.of_run(1), "field", "outcome")
    exchange.drop("inbox/2.csv", HEADER + "a,blue,,\n")
    exchange.ask("run", "crm")
    exchange.ask("retry", "1")
    assert ('"blue"', "5") == (exchange.attribute("a", "tier"), exchange.attribute("a", "spent"))
    assert [("spent", "null", "5", "accepted")] == rows(
        told.of_run(3), "field", "before", "wanted", "outcome"
    )


@pytest.mark.nightly
def test_a_retry_without_the_changes_of_later_runs_is_refused(exchange, told):
    """What a rule of the bucket removed is not guessed: exit code 2, and nothing is sent."""
    exchange.drop("inbox/1.csv", HEADER + "a,gold,,oops\n")
    exchange.ask("run", "crm", code=4)
    exchange.drop("inbox/2.csv", HEADER + "a,blue,,\n")
    exchange.ask("run", "crm")
    later = exchange.bucket.list("_exchanger/main/outbox/000000002")
    exchange.bucket.delete([item.key for item in later])
    exchange.configure(crm=JOB | {"source": {"prefix": "inbox/", "nulls": ["oops"]}})
    refused = exchange.call("retry", "1")
    assert (2, True) == (refused.returncode, "outbox/000000002" in refused.stdout + refused.stderr)
    assert '"blue"' == exchange.attribute("a", "tier")
