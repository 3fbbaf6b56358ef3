"""Who comes and leaves between snapshots, whatever their order, their size and their parts."""

import io
import tempfile
from collections import Counter
from functools import cache
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

from exchanger.app.messages.plans import describe_plan
from exchanger.errors import PlanMoved, PlanUnusable
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.jobs.imports import run_import
from exchanger.jobs.plan import plan_import
from exchanger.jobs.planning.preview import OwedRemoval
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


@cache
def owing_at():
    """Find the write after which somebody is owed what the job says of people who left."""
    for nth in range(8, 40):
        club = owing(nth)
        [*_, last] = club.runs()
        club.close()
        if last.left and last.state in ENDED and not last.removed_by:
            return nth
    raise AssertionError("at no write")


@pytest.fixture
def owed():
    """Somebody has left, and nothing became of that yet."""
    with capture_logs():
        club = owing(owing_at())
        club.time.advance(LEASE + 1)
        yield club
        club.close()


def ask(club, folder, verb=run_import, job=LEAVING, **options):
    """Tell what a verb reports, as a process of its own does it."""
    workdir = folder / f"{len([*folder.iterdir()])}"
    workdir.mkdir()
    context = club.context(Process(club.time, None), workdir)
    return verb(context, "club", job, ImportOptions(**options))


def test_who_is_owed_something_gets_it_once_the_job_is_live(owed, tmp_path):
    """In shadow they stay owed; a saved plan that would overtake them is refused, and says why."""
    owed.shadow = True
    owed.put(3, "ada", "bob")
    owed.come_to_rest()
    assert not owed.events()
    [told] = [n for n in owed.runs()[-1].report["facts"] if n["code"] == "leavers_not_done"]
    assert (1, "shadow") == (told["people"], told["why"])
    owed.shadow = False
    context = owed.context(Process(owed.time, None), tmp_path)
    known = identity_of(context), configuration_of(LEAVING), owed.runs()[-1].seq
    with pytest.raises(PlanMoved, match="What becomes of people who left with the snapshot"):
        ask(owed, tmp_path, saved=SavedPlan("club", *known, files=()))
    owed.come_to_rest()
    assert {"cyd": 1} == owed.events()


def test_a_plan_tells_what_is_owed_from_before(owed, tmp_path):
    """It comes first and is no part of the counts, so such a plan cannot be saved."""
    for number in (2, 3):
        owed.put(number, "ada", "bob")
        plan = ask(owed, tmp_path, plan_import)
        assert OwedRemoval(run=2, people=1, does="event:Left", data_points=1) == plan.owed
        with pytest.raises(PlanUnusable, match="people who left with run 2 comes first"):
            plan.save(tmp_path / "plan.json")
        first, *_ = (line for line in describe_plan(plan.to_dict()) if "first:" in line)
        assert "1 person who left" in first
    owed.come_to_rest()
    assert ask(owed, tmp_path, plan_import).owed is None


def undone(report):
    """Tell why nothing became of people who left, as a report notes it."""
    return [note.facts["why"] for note in report.facts if note.code == "leavers_not_done"]


def test_who_cannot_be_removed_any_more_is_told_and_keeps_no_job_busy(owed, tmp_path):
    """Whom to remove is lost: a poll says so without taking the lease, and so does the next run."""
    [left] = [key for key in owed.store.objects if key.endswith("-left.parquet")]
    owed.store.drop(left)
    lease = owed.store.get(owed.state().names.lease)
    idle = ask(owed, tmp_path)
    assert ("nothing_to_do", ["lost"]) == (idle.state, undone(idle))
    assert lease == owed.store.get(owed.state().names.lease)
    owed.put(3, "ada", "bob")
    assert (["lost"], []) == (undone(ask(owed, tmp_path)), undone(ask(owed, tmp_path)))
    assert not owed.events()


def test_who_was_to_get_something_else_is_told(owed, tmp_path):
    """The job says something else by now, which nobody was shown of these people."""
    source = LEAVING.source.model_copy(update={"on_removed": "clear_fields"})
    other = LEAVING.model_copy(update={"source": source})
    assert ["otherwise"] == undone(ask(owed, tmp_path, job=other))
    assert not owed.events()
