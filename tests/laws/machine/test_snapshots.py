"""Who comes and leaves between snapshots, whatever their order, their size and their parts."""

import io
import tempfile
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from support.jobs import import_model
from support.machine.parts import PROFILES, WHOLE, Connection
from support.machine.past import documents
from support.machine.processes import Fault, Process
from support.machine.scene import LEASE, Scene
from support.machine.telling import some

from exchanger.errors import PlanMoved
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.jobs.imports import run_import
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.runtime.saved_plan import SavedPlan, configuration_of, identity_of
from exchanger.state.runs.log import ENDED

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


def members_of(state, store, job="crm"):
    """Read whom a job has."""
    known = state.members.of(job)
    return {
        name
        for key in (known.keys if known else ())
        for name in pl.read_parquet(io.BytesIO(store.get(key).body))["@profile"]
    }


@pytest.mark.nightly
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


LEAVING = import_model(
    source={"prefix": "inbox/club/", "mode": "snapshot", "on_removed": {"event": "Left"}},
    fields={"tier": {"from": "tier", "merge": "set", "type": "string"}},
    guards={"max_leavers_percent": 100},
)
NIGHTLY, OTHERS = pytest.mark.nightly, ("pause", "fail")
EFFECTS = [
    *some("write", range(26), by_day=5),
    *some("commit", range(8), by_day=3),
    *some("read", range(0, 40, 2), by_day=8),
    *some("track", range(3)),
]


class Club(Scene):
    """One job of snapshots, whose leavers get an event."""

    jobs = ("club",)
    shadow = False

    def configured(self, job):
        """The job."""
        delivery = LEAVING.delivery.model_copy(update={"shadow": self.shadow})
        return LEAVING.model_copy(update={"delivery": delivery})

    def put(self, number, *names):
        """Drop a snapshot."""
        body = "id,tier\n" + "".join(f"{name},{number}\n" for name in names)
        self.store.put(f"inbox/club/{number}.csv", body.encode())
        self.time.advance(1)

    def events(self):
        """How often Braze has counted the event of each."""
        contents = [landed.content for landed in self.workspace.landed]
        return Counter(one["external_id"] for one in contents if one.get("name") == "Left")


@pytest.mark.parametrize("fate", ["crash", *(pytest.param(f, marks=NIGHTLY) for f in OTHERS)])
@pytest.mark.parametrize(("kind", "nth"), EFFECTS)
def test_who_left_gets_the_event_once_whatever_is_killed_when(kind, nth, fate):
    """Or is in doubt and told; a second snapshot, that lacks the same people, adds nothing."""
    with capture_logs():
        club = Club()
        club.put(1, "ada", "bob", "cyd", "dan")
        club.start("club")
        club.put(2, "ada", "bob")
        club.start("club", [Fault(kind, nth, fate, after=True)])
        club.come_to_rest()
        club.put(3, "ada", "bob")
        club.come_to_rest()
        state = club.state()
        runs = documents(club.store, state.names)
        doubtful = sum(run.report["rows_in_doubt"] for run in runs)
        counted = club.events()
        assert {run.state for run in runs} <= ENDED
        assert {"ada", "bob"} == members_of(state, club.store, "club")
        assert 1 == sum(run.leavers_of > 0 for run in runs)
        assert {*counted} <= {"cyd", "dan"}
        assert all(count == 1 for count in counted.values())
        assert 2 - doubtful <= len(counted)
        club.close()


def owing(nth):
    """Tell of two snapshots; the process dies at a write while it deals with the second."""
    club = Club()
    club.put(1, "ada", "bob", "cyd")
    club.start("club")
    club.put(2, "ada", "bob")
    club.start("club", [Fault("write", nth, "crash", after=True)])
    return club


def test_who_is_owed_something_gets_it_once_the_job_is_live(tmp_path):
    """In shadow they stay owed; a saved plan that would overtake them is refused, and says why."""
    with capture_logs():
        for nth in range(8, 40):
            club = owing(nth)
            club.time.advance(LEASE + 1)
            [*_, last] = club.runs()
            if last.left and last.state in ENDED and not last.removed_by:
                break
            club.close()
        club.shadow = True
        club.put(3, "ada", "bob")
        club.come_to_rest()
        assert not club.events()
        club.shadow = False
        context = club.context(Process(club.time, None), tmp_path)
        known = identity_of(context), configuration_of(LEAVING), club.runs()[-1].seq
        options = ImportOptions(saved=SavedPlan("club", *known, files=()))
        with pytest.raises(PlanMoved, match="What becomes of people who left with the snapshot"):
            run_import(context, "club", LEAVING, options)
        club.come_to_rest()
        assert {"cyd": 1} == club.events()
        club.close()
