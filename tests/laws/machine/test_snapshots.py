"""Who comes and leaves between snapshots, whatever their order, their size and their parts."""

import io
import tempfile
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from support.jobs import import_model
from support.machine.parts import PROFILES, WHOLE, Connection

from exchanger.files.scratch.budget import MemoryBudget

JOB = import_model(
    source={"prefix": "inbox/", "mode": "snapshot"},
    fields={"age": {"from": "age", "merge": "set", "type": "integer"}},
    guards={"max_leavers_percent": 100, "empty_file": "ignore"},
)
TAKEN, REJECTED, GONE = "1", "x", None
"""A row of somebody that is taken, one that is rejected, and none."""
snapshots = st.lists(
    st.fixed_dictionaries(
        {name: st.sampled_from((TAKEN, TAKEN, REJECTED, GONE)) for name in PROFILES}
    ),
    min_size=2,
    max_size=4,
)


def members_of(state, store):
    """Read whom the job has."""
    known = state.members.of("crm")
    return {
        name
        for key in (known.keys if known else ())
        for name in pl.read_parquet(io.BytesIO(store.get(key).body))["@profile"]
    }


@seed(20261130)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=snapshots, rows=st.sampled_from((1, 2, 250_000)))
def test_members_are_those_who_were_taken_and_are_still_named(files, rows):
    """In one part or in many, the state has whom sets say, and leavers are counted likewise."""
    bounds = WHOLE if rows == WHOLE.rows else MemoryBudget(rows=rows, size=1 << 20, room=0)
    with tempfile.TemporaryDirectory() as folder:
        crm = Connection(Path(folder), bounds, JOB)
        members, known = set(), False
        for number, file in enumerate(files):
            named = {name for name, cell in file.items() if cell is not GONE}
            taken = {name for name, cell in file.items() if cell == TAKEN}
            text = "id,age\n" + "".join(f"{name},{file[name]}\n" for name in sorted(named))
            report = crm.run({f"inbox/{number}.csv": text.encode()})["report"]
            if not named:
                continue
            left = members - named if known else set()
            assert (len(left), len(members)) == (report["leavers"], report["members_before"])
            members, known = (members & named) | taken, True
            assert members == members_of(crm.state, crm.store)
