"""A plan that a guard says no to sends nothing: its files wait, or what it takes up stays."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial

import pytest

from exchanger.app.messages.notes.words import in_words, with_words
from exchanger.app.wiring import open_context
from exchanger.config.loading.load import load_config
from exchanger.errors import RunUnsuitable
from exchanger.jobs.intake.requests import FileRequest
from exchanger.jobs.lifecycle.create_run import create_run, hold_files, leave_as_it_is
from exchanger.jobs.lifecycle.finish import finish
from exchanger.jobs.reading.read import read_files
from exchanger.jobs.runtime.import_context import ImportContext
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.runtime.report import numbered_report
from exchanger.notes import Note
from exchanger.state.store import open_state

JOB = {
    "type": "import",
    "source": {"prefix": "inbox/"},
    "match": [{"external_id": "id"}],
    "fields": {
        "visits": {"from": "visits", "merge": "sum", "type": "integer"},
        "tier": {"from": "tier", "type": "string"},
    },
}
FILE = "id,visits,tier\na,1,gold\nb,2,gold\n"


def at_most(profiles):
    """A guard, as configuration will have them."""

    def guard(exposure):
        new = exposure.profiles_new
        return [Note("many_new", {"new": new, "most": profiles})] if new > profiles else []

    return guard


@contextmanager
def planning(exchange, seq=1):
    """Read the waiting file as a run of this number would."""
    config = load_config(exchange.config, exchange.environment)
    with open_context(config, "main") as context:
        state = open_state(context.bucket, context.state_prefix)
        call = ImportContext(context, state, "crm", config.jobs["crm"], ImportOptions())
        batch = read_files(
            call, [FileRequest("inbox/1.csv", context.bucket.head("inbox/1.csv").etag)]
        )
        yield call, numbered_report(call, seq), batch


def begin(exchange, job=JOB):
    """A run has been before, so that the state is whose it is."""
    exchange.configure(crm=job)
    exchange.drop("inbox/0.csv", "id,visits,tier\nz,1,gold\n")
    exchange.ask("run", "crm")
    exchange.drop("inbox/1.csv", FILE)


def hold(exchange, job=JOB):
    begin(exchange, job)
    with planning(exchange, 2) as (call, report, batch):
        wait = partial(hold_files, call, report, batch)
        held = create_run(call, report, batch, hold=wait, guards=[at_most(9), at_most(1)])
        return with_words(finish(call.context, call.state, held))


def test_a_run_that_a_guard_holds_back_waits_and_is_sent_once_approved(exchange):
    """Nothing is sent before, the file is not taken by a later run, and approving applies it."""
    report = hold(exchange)
    why = str(Note("many_new", {"new": 2, "most": 1}))
    assert ("held_back", {"visits": "3"}) == (report.state, report.totals)
    assert why in report.notes
    [file] = report.files
    assert ("inbox/1.csv", "guarded") == (file.key, file.outcome)
    said = " ".join(map(in_words, file.facts))
    assert why in said
    assert "exchanger approve 2" in said

    for force in ([], ["--force"]):
        later = exchange.ask("run", "crm", *force)
        assert "nothing_to_do" == later["state"]
        assert [note for note in later["notes"] if "a guard holds it back" in note]
    assert ["z"] == sorted(exchange.braze.users())

    done = exchange.ask("approve", "2")
    assert ("succeeded", 2) == (done["state"], done["rows_applied"])
    assert "1" == exchange.attribute("a", "visits")


def test_what_a_guard_held_back_can_be_dropped(exchange):
    """Discarding it leaves Braze as it is, and its file is decided about."""
    hold(exchange)
    exchange.ask("discard", "2")
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    assert ["z"] == sorted(exchange.braze.users())


def test_a_newer_version_that_was_applied_meanwhile_is_not_undone(exchange):
    """Approving what a guard held back leaves out files of which a newer version counts."""
    hold(exchange, JOB | {"fields": {"tier": "set"}})
    exchange.drop("inbox/1.csv", "id,visits,tier\na,1,silver\n")
    exchange.ask("run", "crm")
    exchange.ask("approve", "2")
    assert '"silver"' == exchange.attribute("a", "tier")


def test_a_run_that_takes_up_another_leaves_that_one_as_it_is(exchange):
    """A guard that says no to an approval or a retry makes no run, and says why."""
    begin(exchange)
    with planning(exchange, 2) as (call, report, batch):
        stay = partial(leave_as_it_is, call, 1, "retry")
        with pytest.raises(RunUnsuitable, match="many new"):
            create_run(call, report, batch, hold=stay, guards=[at_most(0)], parent=1)
        assert 1 == call.state.runs.newest().document.seq
    assert ["z"] == sorted(exchange.braze.users())


def test_a_plan_that_all_guards_let_through_counts(exchange):
    """Guards that have nothing to say change nothing."""
    begin(exchange)
    with planning(exchange, 2) as (call, report, batch):
        stored = create_run(call, report, batch, hold=pytest.fail, guards=[at_most(2)])
        assert ("planned", 2) == (stored.document.state, stored.document.objects)
    assert ["crm"] == [run["job"] for run in exchange.ask("runs", "--latest")]
