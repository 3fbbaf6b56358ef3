"""What later runs did to the people of a run, told at a cost that does not grow with its size."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

import polars as pl
import pytest
from support.contexts import job_context
from support.jobs import import_model

from exchanger.errors import StateMissing
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.history.other_keys import held_of_people
from exchanger.jobs.history.taken_back import to_take_back
from exchanger.jobs.runtime.import_context import ImportContext
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.state.runs.log import RunDocument
from exchanger.state.store import open_state
from exchanger.state.swept import Marks

JULY, SEPTEMBER = datetime(2026, 7, 5, 10, tzinfo=UTC), datetime(2026, 9, 1, 10, tzinfo=UTC)
PROFILES = [f"p{number}" for number in range(8)]
RUNS, CHANGED = 20, (5, 10, 15)


@pytest.fixture
def call(bucket, tmp_path):
    """A job whose first run has changed a few profiles, as three of many later ones have."""
    context = job_context(bucket, None, tmp_path, bounds=MemoryBudget(rows=2))
    state = open_state(bucket, context.state_prefix)
    ended(state, 1, JULY, PROFILES)
    for seq in range(2, RUNS + 1):
        at = JULY if seq <= 15 else SEPTEMBER
        ended(state, seq, at, PROFILES[:2] if seq in CHANGED else [])
    state.swept.save(Marks(recorded=RUNS))
    job = import_model(fields={"tier": {"from": "tier"}})
    return ImportContext(context, state, "crm", job, ImportOptions())


def ended(state, seq, at, changed, *, recorded=True):
    """Remember a run of a time, and what it changed."""
    state.runs.create(
        RunDocument(
            seq=seq,
            run_id=f"run-{seq}",
            job="crm",
            state="settled",
            nonce=f"{seq}",
            counter=1,
            created_at=at.isoformat(),
            acked_at=at.isoformat(),
            objects=len(changed),
            fields={"tier": {"merge": "set", "type": "string"}},
        )
    )
    rows = pl.DataFrame(
        {"@profile": changed, "@file": None, "@row": None, "outcome": "accepted"},
        schema={"@profile": pl.String, "@file": pl.UInt32, "@row": pl.UInt32, "outcome": pl.String},
    ).with_columns(
        pl.lit(f'"{seq - 1}"').alias("before:tier"), pl.lit(f'"{seq}"').alias("wanted:tier")
    )
    if recorded and changed:
        state.changes.record(lambda: iter([rows]), seq=seq, at=at)


def found(call):
    scratch = Scratch(call.context.workdir, call.context.bounds)
    run = call.state.runs.read(1).document
    newest = call.state.runs.newest()
    return to_take_back(call, scratch, run, newest.document.seq)


def test_the_document_of_a_later_run_is_read_once_however_many_profiles_there_are(call):
    """Also where whole months have nothing recorded, for which the runs themselves must answer."""
    read = Counter()
    call.context.bucket._client.meta.events.register(
        "before-send.s3", lambda request, **_: read.update([unquote(urlsplit(request.url).path)])
    )

    back = found(call)

    assert len(back.ours) == 4
    later = back.later.whole()
    assert [*CHANGED] == sorted(later.filter(pl.col("@profile") == "p0")["seq"])
    at = f"/{call.context.bucket.name}/"
    times = {seq: read[f"{at}{call.state.names.run(seq)}"] for seq in range(2, RUNS)}
    assert {1} == {times[seq] for seq in CHANGED}
    # Those of September answer for the months of which there is no table; others need not be read.
    assert {0, 1} == {*times.values()}


def test_people_are_seen_by_every_key_whichever_parts_these_are_in(call):
    """What a later run did by an alias is told of its person, and so is what is held by it."""
    held, people = call.state.held, pl.Series("@profile", PROFILES)
    aliases = pl.Series("@profile", [f"alias\x1fcrm\x1f{name}" for name in PROFILES])
    known = people.to_frame().with_columns(pl.lit(value=True).alias("@exists"))
    held.deliver(known.with_columns(pl.lit('"1"').alias("tier")), seq=1, at=JULY)
    named = known.with_columns(aliases, pl.format('"{}"', people).alias("@identified"))
    held.observe(named.with_columns(pl.lit('"x"').alias("tier")), stamp=RUNS, at=SEPTEMBER)
    ended(call.state, RUNS + 1, SEPTEMBER, aliases.to_list())

    back = found(call)

    later = back.later.whole().filter(pl.col("seq") == RUNS + 1)
    assert PROFILES == sorted(set(later["@profile"]) & {*PROFILES})
    parts = range(len(back.ours))
    now = [
        held_of_people(held, back.ours.profiles(number), back.said.part(number), ["tier"])
        for number in parts
    ]
    assert dict.fromkeys(PROFILES, '"x"') == dict(
        pl.concat(now).select("@profile", "tier").iter_rows()
    )


def test_a_table_that_is_gone_is_not_taken_for_a_month_without_changes(call):
    """Nobody knows what stood there, so nothing is taken back."""
    ended(call.state, RUNS + 1, SEPTEMBER, PROFILES[:1], recorded=False)
    call.state.swept.save(Marks(recorded=RUNS + 1))

    with pytest.raises(StateMissing, match="2026-09"):
        found(call)
