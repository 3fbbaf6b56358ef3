"""What the bucket remembers, over a real S3 interface."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from moto.s3.models import s3_backends

from exchanger.errors import StateDamaged, StorageChanged, StorageMissing, StorageUnreachable
from exchanger.notes import noted
from exchanger.outside.delta.table import Table
from exchanger.state.documents import from_body, to_body
from exchanger.state.held.forgetting import count_rows, forget_rows
from exchanger.state.held.reading import newest_said
from exchanger.state.names import StateNames, field_of, table_column
from exchanger.state.runs.first_deliveries import Sample
from exchanger.state.runs.index import RunIndex
from exchanger.state.runs.log import ClaimedFile, RunDocument
from exchanger.state.store import open_state

AT = datetime(2026, 9, 15, 10, tzinfo=UTC)
PROFILES = pl.Series("@profile", ["a", "b", "never"])


@pytest.fixture
def state(bucket):
    return open_state(bucket, "_exchanger/main/")


def document(seq, nonce="n1", **changes):
    return RunDocument(
        **{
            "seq": seq,
            "run_id": f"run-{seq}",
            "job": "crm",
            "state": "planned",
            "nonce": nonce,
            "counter": 1,
            "created_at": AT.isoformat(),
            **changes,
        }
    )


def said(profile, **fields):
    cells = {"@profile": [profile], "@exists": [True]}
    return pl.DataFrame(cells | {name: [text] for name, text in fields.items()})


def held(state, *fields):
    rows = state.held.of(PROFILES, fields).sort("@profile")
    return {row["@profile"]: row for row in rows.to_dicts()}


def test_a_run_number_is_given_once(state):
    """Of two processes that plan the same number, exactly one succeeds."""
    state.runs.create(document(1, "mine"))

    with pytest.raises(StorageChanged):
        state.runs.create(document(1, "theirs"))
    assert state.runs.newest().document.nonce == "mine"


def test_our_own_lost_answer_is_recognised(state):
    """A create that reached S3 but whose answer was lost counts as ours when it is tried again."""
    first = state.runs.create(document(1, "mine"))

    assert state.runs.create(document(1, "mine")).etag == first.etag


def test_a_document_is_changed_only_from_the_version_that_was_read(state):
    """A transition from a version that somebody else has replaced is refused."""
    stored = state.runs.create(document(1))
    state.runs.change(stored, state="delivering")

    with pytest.raises(StorageChanged):
        state.runs.change(stored, state="settled")
    assert state.runs.newest().document.state == "delivering"


def test_the_newest_run_is_found_without_its_hint(state, bucket):
    """The pointer object is a hint: a stale, damaged or missing one hides no run."""
    for seq in (1, 2, 3):
        state.runs.create(document(seq))
    for hint in (b'{"format": 1, "seq": 1}', b"not json", None):
        if hint is None:
            bucket.delete([state.names.newest_run])
        else:
            bucket.write(state.names.newest_run, hint)

        assert state.runs.newest().document.seq == 3


def test_a_document_reads_back_as_written(state):
    """Everything in a run document survives the way through the bucket."""
    file = ClaimedFile("in/a.csv", "e1", "sha", "applied", 10, ("total",), "note")
    written = document(1, files=(file,), types={"a": "integer"}, report={"rows_read": 10})
    state.runs.create(written)

    assert written == state.runs.read(1).document


def test_a_damaged_document_is_named(state, bucket):
    """A run document that is not ours to read stops the run, with its key."""
    bucket.write(state.names.run(1), b'{"format": 1, "seq": 1}')

    with pytest.raises(StateDamaged, match=r"runs/000000001\.json"):
        state.runs.newest()


@pytest.mark.parametrize(
    ("states", "grace", "stamp"),
    [
        ([], 0, 0),
        (["settled", "settled"], 0, 2),
        (["settled", "settled"], 300, 0),
        (["settled", "settled", "delivering"], 0, 2),
        (["settled", "held_back"], 0, 2),
    ],
)
def test_an_observation_is_as_old_as_the_last_run_that_braze_shows(state, states, grace, stamp):
    """Runs that have not ended, or ended within the grace, may not be seen yet: none of them."""
    for seq, name in enumerate(states, start=1):
        state.runs.create(document(seq, state=name))

    assert stamp == state.runs.settled(grace)


@pytest.mark.parametrize(
    ("young", "stamp", "listings"),
    [(0, 2_100, 1), (999, 1_101, 1), (1_000, 1_100, 2), (2_100, 0, 3)],
)
def test_many_runs_within_the_grace_are_asked_a_thousand_at_a_time(
    state, bucket, young, stamp, listings
):
    """The ages of runs come from listings: however many they are, none is asked by itself."""
    now = datetime.now(UTC).replace(tzinfo=None)
    old = now - timedelta(seconds=330)
    runs = 2_100
    body = document(runs, state="settled").to_bytes()
    store = s3_backends["123456789012"]["aws"]
    for seq in range(1, runs + 1):
        written = store.put_object(bucket.name, state.names.run(seq), body)
        written.last_modified = now if seq > runs - young else old
    bucket.write(state.names.newest_run, b'{"format": 1, "seq": %d}' % runs)
    asked = []
    bucket._client.meta.events.register("before-send.s3", lambda request, **_: asked.append(1))

    assert stamp == state.runs.settled(300)
    # The newest run: its hint, a listing from there on, its document.
    assert 3 + listings == len(asked)


def test_nothing_is_held_of_profiles_never_seen(state):
    """A profile without any row is absent from the answer, not full of empty fields."""
    assert held(state, "tier") == {}
    state.held.deliver(said("a", tier='"gold"'), seq=1, at=AT)

    assert set(held(state, "tier")) == {"a"}


def test_a_field_never_spoken_of_is_unknown(state):
    """Unknown (null) is kept apart from known empty (the text null), also for new columns."""
    state.held.deliver(said("a", tier="null"), seq=1, at=AT)

    assert held(state, "tier", "points")["a"] == {
        "@profile": "a",
        "@exists": True,
        "tier": "null",
        "points": None,
    }


def test_the_newest_stamp_wins_over_the_newest_commit(state):
    """An observation of an older state that is committed later does not undo a delivery."""
    state.held.deliver(said("a", tier='"gold"'), seq=5, at=AT)
    state.held.observe(said("a", tier='"silver"', points="1"), stamp=4, at=AT)

    row = held(state, "tier", "points")["a"]
    assert ('"gold"', "1") == (row["tier"], row["points"])


def test_an_observation_of_the_same_stamp_wins(state):
    """What was seen after run 5 settled is newer than what run 5 delivered."""
    state.held.observe(said("a", tier='"seen"'), stamp=5, at=AT)
    state.held.deliver(said("a", tier='"sent"'), seq=5, at=AT)

    assert held(state, "tier")["a"]["tier"] == '"seen"'


def test_of_a_person_the_newest_counts_by_whichever_key(state):
    """Of one moment that of the own key; that nobody has an old id says nothing of the person."""
    for seq, (key, tier) in enumerate([("new", '"gold"'), ("mail", '"blue"')], start=1):
        state.held.deliver(said(key, tier=tier), seq=seq, at=AT)
    old = said("old", points="?").with_columns(pl.lit(value=False).alias("@exists"))
    state.held.deliver(pl.concat([old, said("new", points="7")]), seq=3, at=AT)
    keys = pl.DataFrame({"@profile": ["new", "mail", "old"], "@linked": ["new"] * 3})

    fields = ["tier", "points"]
    [person] = newest_said(state.held.said_of(keys, fields), fields).to_dicts()

    assert {"@profile": "new", "@exists": True, "tier": '"blue"', "points": "7"} == person


def test_a_delivery_is_recorded_once(state, bucket):
    """Settling the same run again adds nothing, as after a crash in the middle of settling."""
    for text in ('"gold"', '"other"'):
        state.held.deliver(said("a", tier=text), seq=1, at=AT)

    assert held(state, "tier")["a"]["tier"] == '"gold"'


def test_names_that_delta_would_confuse_stay_apart(state):
    """Attributes that differ only in case, or hold any character, are columns of their own."""
    fields = {"Tier": "1", "tier": "2", "Fav colour (%)": "3", "été,;{}\n\t=": "4"}
    state.held.deliver(said("a", **fields), seq=1, at=AT)

    row = held(state, *fields)["a"]
    assert fields == {name: row[name] for name in fields}
    assert list(fields) == [field_of(table_column(name)) for name in fields]


def test_the_latest_version_of_a_key_counts(state):
    """A to B to A is three versions: only the last is known as applied."""
    files = [ClaimedFile("in/a.csv", etag, f"sha-{etag}", "applied") for etag in ("A", "B", "A")]
    for seq, file in enumerate(files[:2], start=1):
        state.file_ledger.record("crm", [file], seq=seq)

    assert {"in/a.csv": ("B", "applied", 2)} == state.file_ledger.snapshot().latest("crm")
    state.file_ledger.record("crm", [files[2]], seq=3)
    assert {"in/a.csv": ("A", "applied", 3)} == state.file_ledger.snapshot().latest("crm")
    assert state.file_ledger.snapshot().latest("other") == {}


def test_sums_are_remembered_for_the_connection(state):
    """Content that fed a sum is recognised for any job and name, but only for that sum."""
    for seq in (1, 2):
        state.runs.create(document(seq, fields={"total": {"merge": "sum"}}))
    file = ClaimedFile("in/a.csv", "e", "sha-1", "applied", sums=("total",))
    state.file_ledger.record("crm", [file], seq=1)
    waiting = ClaimedFile("in/b.csv", "e", "sha-2", "equal_content", sums=("total",))
    state.file_ledger.record("crm", [waiting], seq=2)
    snapshot = state.file_ledger.snapshot()

    assert {"total": ("crm", "in/a.csv", 1, True)} == snapshot.given("sha-1", ["total", "x"])
    assert {} == snapshot.given("sha-2", ["total"])
    assert "sha-1" == snapshot.last_version("in/a.csv", ["total"])
    assert snapshot.last_version("in/b.csv", ["total"]) is None


SUMMED, SET = {"merge": "sum"}, {"merge": "set"}


def applied_in_turn(state, *runs):
    """Record runs of one file, each with its fields; of how it was applied, a few words."""
    for seq, (how, etag, fields) in enumerate(runs, start=1):
        dropped = how == "discarded"
        run = document(seq, fields=fields, discarded=dropped)
        state.runs.create(run)
        sums = tuple(name for name, told in fields.items() if told == SUMMED and not dropped)
        outcome = "applied" if how in ("whole", "difference") else how
        replaces = how == "difference"
        file = ClaimedFile("in/a.csv", etag, etag, outcome, sums=sums, replaces=replaces)
        state.file_ledger.record("crm", [file], seq=seq)
    return state.file_ledger.snapshot()


@pytest.mark.parametrize(
    ("runs", "made_up"),
    [
        ([("whole", "A", {"x": SUMMED})], [1]),
        ([("whole", "A", {"y": SUMMED})], []),
        ([("whole", "A", {"x": SET})], None),
        ([("discarded", "A", {"x": SET})], []),
        ([("whole", "A", {"x": SUMMED}), ("whole", "A", {"y": SUMMED})], [1]),
        ([("whole", "A", {"x": SET}), ("whole", "A", {"x": SUMMED})], [2]),
        ([("whole", "A", {"x": SUMMED}), ("whole", "B", {"x": SET})], None),
        ([("whole", "A", {"x": SET}), ("difference", "B", {"x": SUMMED})], None),
        (
            [
                ("whole", "A", {"x": SUMMED}),
                ("whole", "B", {"x": SUMMED}),
                ("difference", "C", {"x": SUMMED}),
                ("retried", "C", {"x": SUMMED}),
                ("retried", "A", {"x": SUMMED}),
            ],
            [2, 3, 4],
        ),
    ],
)
def test_what_a_file_counts_for_is_told_per_field(state, runs, made_up):
    """Runs of other fields do not count; what was not summed cannot be told, until it is forced."""
    assert made_up == applied_in_turn(state, *runs).summed_by("in/a.csv", "x")


def test_what_was_given_otherwise_was_given(state):
    """A field that a file has set was given, too; one that its runs did not have was not."""
    snapshot = applied_in_turn(
        state, ("whole", "A", {"x": SET}), ("whole", "A", {"y": SUMMED}), ("discarded", "B", {})
    )
    given = snapshot.given("A", ["x", "y", "z"])
    assert {"x": ("crm", "in/a.csv", 1, False), "y": ("crm", "in/a.csv", 2, True)} == given
    assert ("A", "A", None) == tuple(snapshot.last_version("in/a.csv", [n]) for n in "xyz")
    assert {1: False, 2: False} == snapshot.summed_since("in/a.csv", ["x", "y"], 0)
    assert {} == snapshot.summed_since("in/a.csv", ["z"], 0)


def test_a_version_that_brought_a_difference_is_known(state):
    """It is told by the last time that version was applied, not by others of its key."""
    snapshot = applied_in_turn(
        state,
        ("whole", "A", {"x": SUMMED}),
        ("difference", "B", {"x": SUMMED}),
        ("retried", "B", {"x": SUMMED}),
    )
    told = [snapshot.brought_difference("in/a.csv", etag) for etag in ("A", "B", "C")]
    assert [False, True, False] == told


def test_runs_that_wait_are_told_until_they_are_decided(state):
    """A run waits for a person until its files were dropped, or applied by the run that took it."""
    files = [ClaimedFile(f"in/{n}.csv", "e", f"sha-{n}", "replaced") for n in range(4)]
    for seq, file in enumerate(files, start=1):
        state.file_ledger.record("other" if seq == 4 else "crm", [file], seq=seq)
    assert [1, 2, 3] == state.file_ledger.snapshot().undecided("crm")
    state.file_ledger.discard("crm", files[:1], seq=1)
    state.file_ledger.record("crm", [replace(files[1], outcome="applied")], seq=5, parent=2)
    assert [3] == state.file_ledger.snapshot().undecided("crm")
    state.file_ledger.record("crm", [replace(files[2], outcome="corrected")], seq=6, releases=3)
    assert [] == state.file_ledger.snapshot().undecided("crm")
    assert [] == state.file_ledger.snapshot().undecided("none")


def test_finished_runs_are_listed_once_and_newest_first(state):
    """A report recorded twice is one run; the newest comes first."""
    for seq, day in ((1, 14), (2, 15), (2, 15)):
        time = f"2026-09-{day}T10:00:00+00:00"
        report = {"run_id": f"r{seq}", "job": "crm", "seq": seq, "state": "succeeded"}
        state.run_index.record(report | {"started_at": time, "finished_at": time})

    assert ["r2", "r1"] == [report["run_id"] for report in state.run_index.newest(10)]
    assert [] == state.run_index.newest(10, "other")


def test_what_runs_cost_since_a_time_counts_each_run_once(state):
    """A run that was finished later, or amended, costs what was told last; earlier ones nothing."""

    def record(seq, day, hour, points, **other):
        times = {"started_at": f"{day}T10:00:00+00:00", "finished_at": f"{day}T{hour}:00:00+00:00"}
        note = {"code": "never_seen", "profiles": 1, "data_points": 99}
        report = {"files": [{"facts": [note]}], "data_points": points, **times, **other}
        state.run_index.amend({"run_id": f"r{seq}", "job": "crm", "seq": seq} | report)

    since = datetime(2026, 9, 15, tzinfo=UTC)
    assert [] == state.run_index.costs(since)
    record(1, "2026-09-14", 11, 1000, state="succeeded")
    record(2, "2026-09-15", 11, 3, state="failed")
    record(2, "2026-09-15", 12, 7, state="succeeded")
    record(3, "2026-09-16", 11, 0, state="held_back")
    record(4, "2026-09-16", 12, 5, state="partial")
    for zone in ("UTC", "Europe/Berlin", "America/New_York"):
        same = since.astimezone(ZoneInfo(zone))
        assert [5, 7] == sorted(cost for _, cost in state.run_index.costs(same))


def test_a_run_is_taken_back_unless_that_was_taken_back_as_well(state):
    """However often it went to and fro, the last word counts."""
    for seq, run in {1: 0, 2: 1, 3: 2, 4: 1, 5: 0, 6: 5, 7: 6}.items():
        facts = [noted("takes_back", run=run).to_dict()] if run else []
        times = {"started_at": f"2026-09-15T10:0{seq}:00+00:00"}
        times |= {"finished_at": times["started_at"]}
        report = {"run_id": f"r{seq}", "job": "crm", "seq": seq, "state": "succeeded"}
        state.run_index.record(report | times | {"facts": facts})
    assert {1: 4, 2: 3, 6: 7} == state.run_index.taken_back()


def test_the_file_before_is_the_last_one_with_rows_that_the_job_applied(state):
    """Empty files, those that wait or were given again, and those of other jobs are no measure."""
    ledger = state.file_ledger
    assert ledger.snapshot().last_applied("crm") is None

    def claim(key, rows, outcome="applied"):
        return ClaimedFile(key, "e", key, outcome, rows)

    ledger.record("crm", [claim("a", 9), claim("b", 8), claim("c", 0)], seq=1)
    assert ("b", 8) == ledger.snapshot().last_applied("crm")
    ledger.record("crm", [claim("d", 7, "guarded"), claim("e", 6, "rejected")], seq=2)
    ledger.record("crm", [claim("a", 5, "retried")], seq=3)
    ledger.record("other", [claim("f", 4)], seq=4)
    assert ("b", 8) == ledger.snapshot().last_applied("crm")


class NotingTable(Table):
    """A table that notes how many reports were read from it."""

    def __init__(self, folder):
        super().__init__(folder, {})
        self.reports = 0

    def collect(self, rows, *, streaming=False):
        found = super().collect(rows, streaming=streaming)
        self.reports += found.height if "report" in found.columns else 0
        return found


def test_only_the_reports_that_are_shown_are_read(tmp_path):
    """However many runs there were, a listing reads as many reports as it shows."""
    runs = RunIndex(NotingTable(str(tmp_path)))
    for seq in range(1, 41):
        hour = f"2026-09-15T{seq % 24:02}:{seq:02}:00+00:00"
        report = {"run_id": f"r{seq}", "job": f"job{seq % 3}", "seq": seq, "state": "succeeded"}
        runs.record(report | {"started_at": hour, "finished_at": hour})
    failed = {"run_id": "f1", "job": "job0", "seq": None, "state": "failed"}
    runs.record(failed | dict.fromkeys(("started_at", "finished_at"), "2026-09-14T00:00:00+00:00"))

    def reading(ask):
        before = runs._table.reports
        return ask(), runs._table.reports - before

    newest, read = reading(lambda: runs.newest(10, latest=True))
    assert (["r23", "r22", "r21"], 3) == ([report["run_id"] for report in newest], read)
    listed, read = reading(lambda: runs.newest(4, "job1"))
    assert (["r22", "r19", "r40", "r16"], 4) == ([report["run_id"] for report in listed], read)
    for name, run_id in (("7", "r7"), ("r7", "r7"), ("f1", "f1")):
        report, read = reading(lambda name=name: runs.find(name))
        assert (run_id, 1) == (report["run_id"], read)
    assert (None, 0) == reading(lambda: runs.find("99"))


def test_what_is_known_of_a_file_is_found_among_many(state):
    """By its key, its content and its version, whatever else is there; nothing is copied for it."""
    names = [f"inbox/2026/{n % 12 + 1:02}/profiles_part-{n:05}.csv.gz" for n in range(500)]
    files = [
        ClaimedFile(name, f"etag-{n}", f"{n % 250:064x}", "applied", sums=("spent",))
        for n, name in enumerate(names)
    ]
    state.file_ledger.record("crm", files[:250], seq=1)
    state.file_ledger.record("crm", files[250:], seq=2)
    snapshot = state.file_ledger.snapshot()

    some = [names[3], names[499], "inbox/new.csv"]
    every = snapshot.latest("crm")
    assert 500 == len(every)
    assert {name: every[name] for name in some[:2]} == snapshot.latest("crm", some)
    assert {} == snapshot.latest("crm", [])
    assert (names[253], 2) == snapshot.given(f"{3:064x}", ["spent"])["spent"][1:3]
    assert (f"{3:064x}", None) == tuple(
        snapshot.last_version(name, ["spent"]) for name in (names[3], "inbox/new.csv")
    )
    assert [True, False] == [snapshot.knows(names[7], etag) for etag in ("etag-7", "etag-8")]

    more = snapshot.with_file("crm", ClaimedFile("inbox/new.csv", "e", "f" * 64, "applied", 1))
    assert more.found is snapshot.found
    assert more.knows("inbox/new.csv", "e")
    assert not snapshot.knows("inbox/new.csv", "e")
    assert snapshot.found is state.file_ledger.snapshot().found, "read and indexed once"
    state.file_ledger.record("crm", [ClaimedFile("inbox/x.csv", "x", "0" * 64, "applied")], seq=3)
    assert state.file_ledger.snapshot().knows("inbox/x.csv", "x")


def test_what_is_looked_up_for_many_files_at_once_is_what_each_is_told(state, bucket):
    """Keys and contents that are there several times, once, or not at all."""
    files = [
        ClaimedFile(f"in/{n % 4}.csv", f"etag-{n}", f"sha-{n % 3}", "applied", sums=("spent",))
        for n in range(8)
    ]
    for seq, file in enumerate(files, 1):
        state.file_ledger.record("crm", [file], seq=seq)
    keys, contents = [f"in/{n}.csv" for n in range(6)], [f"sha-{n}" for n in range(5)]

    def told(snapshot):
        return (
            [snapshot.last_version(key, ["spent"]) for key in keys],
            [snapshot.summed_by(key, "spent") for key in keys],
            [snapshot.given(content, ["spent"]) for content in contents],
            [snapshot.has_applied(key, "etag-5") for key in keys],
        )

    one_by_one = told(state.file_ledger.snapshot())
    again = open_state(bucket, "_exchanger/main/").file_ledger.snapshot()
    again.look_up(keys=keys, contents=contents)
    assert one_by_one == told(again)


def test_files_of_a_run_in_the_making_are_shown_by_its_snapshots_alone(state):
    """Two runs that are thought of from one snapshot do not see each other's files."""
    first = state.file_ledger.snapshot().with_file(
        "crm", ClaimedFile("in/a", "a", "A", "applied", 1)
    )
    one = first.with_file("crm", ClaimedFile("in/b", "b", "B", "applied", 1))
    other = first.with_file("crm", ClaimedFile("in/c", "c", "C", "applied", 1))

    def seen(snapshot):
        return [key for key in "abc" if snapshot.knows(f"in/{key}", key)]

    assert (["a"], ["a", "b"], ["a", "c"]) == (seen(first), seen(one), seen(other))
    assert ["in/a", "in/c"] == other.rows["key"].to_list()


def test_kept_types_are_per_job(state):
    """Types are empty before the first run, and read back as kept."""
    assert state.types.of("crm") == {}
    state.types.keep("crm", {"total": "decimal(2)"}, seq=1)

    assert {"total": "decimal(2)"} == state.types.of("crm")
    assert state.types.of("other") == {}


def test_an_older_run_puts_no_older_types_back(state):
    """A process that stood still, and settles a run of the past, undoes nothing."""
    state.types.keep("crm", {"total": "integer"}, seq=1)
    state.types.keep("crm", {"total": "decimal(2)"}, seq=2, words={"tier": ["NA"]})
    state.types.keep("crm", {"total": "integer"}, seq=1)

    assert {"total": "decimal(2)"} == state.types.of("crm")
    assert {"tier": ["NA"]} == state.types.columns("crm").words


def test_types_written_meanwhile_are_not_overwritten(state, monkeypatch):
    """Between reading and writing, another process may have settled a later run."""
    state.types.keep("crm", {"total": "integer"}, seq=1)
    read = state.types._bucket.read
    later = iter([True])

    def read_and_be_late(key):
        found = read(key)
        if next(later, False):
            state.types.keep("crm", {"total": "decimal(2)"}, seq=3)
        return found

    monkeypatch.setattr(state.types._bucket, "read", read_and_be_late)
    state.types.keep("crm", {"total": "float"}, seq=2)

    assert {"total": "decimal(2)"} == state.types.of("crm")


def test_a_column_that_was_reset_is_told_from_later_runs_alone(state):
    """What a run settled on that was there before does not come back; later ones count."""
    state.types.keep("crm", {"total": "string", "tier": "string"}, seq=1, words={"total": ["NA"]})
    state.types.forget("crm", ["total"], last=2)
    assert {"tier": "string"} == state.types.of("crm")
    assert {} == state.types.columns("crm").words

    state.types.keep("crm", {"total": "string", "tier": "string"}, seq=2, words={"total": ["NA"]})
    assert {"tier": "string"} == state.types.of("crm")
    state.types.keep("crm", {"total": "integer", "tier": "string"}, seq=3)
    assert {"total": "integer", "tier": "string"} == state.types.of("crm")


def test_small_files_are_joined(tmp_path):
    """After many runs a table is not made of as many files, and says the same."""
    table = Table(str(tmp_path / "applied"), {})
    for seq in range(1, 60):
        table.append(pl.DataFrame({"seq": [seq]}), writer="files", seq=seq)
        table.compact()

    assert table.size().files < 20
    assert list(range(1, 60)) == table.scan().collect()["seq"].sort().to_list()


def test_state_names_sort_like_numbers():
    """Run documents list in the order of their numbers, and only they have one."""
    names = StateNames("p/")

    assert sorted(names.run(n) for n in (10, 9, 100)) == [names.run(n) for n in (9, 10, 100)]
    assert [names.seq_of(names.run(12)), names.seq_of(names.newest_run)] == [12, None]


@pytest.mark.parametrize("store", ["held", "file-ledger", "run-index"])
def test_rows_that_cannot_be_read_are_the_fault_of_the_store(bucket, state, store):
    """A file of a table that is gone is told as what it is, with its table, as by all else."""
    state.held.deliver(said("a", points="1"), seq=1, at=AT)
    state.file_ledger.record("crm", [ClaimedFile("in/a.csv", "e", "sha", "applied")], seq=1)
    report = {"run_id": "run-1", "job": "crm", "seq": 1, "state": "succeeded"}
    times = {"started_at": AT.isoformat(), "finished_at": AT.isoformat()}
    state.run_index.record(report | times)
    reading = {
        "held": lambda state: held(state, "points"),
        "file-ledger": lambda state: state.file_ledger.snapshot(),
        "run-index": lambda state: state.run_index.newest(10),
    }
    reading[store](state)

    files = [item.key for item in bucket.list(f"_exchanger/main/{store}/")]
    bucket.delete(key for key in files if key.endswith(".parquet"))
    with pytest.raises(StorageMissing) as gone:
        reading[store](open_state(bucket, "_exchanger/main/"))
    assert ("read", f"_exchanger/main/{store}") == (gone.value.action, gone.value.key.strip("/"))


def test_a_table_that_fails_once_while_it_is_read_is_read_again(tmp_path):
    """A passing failure of the store is not seen by who reads."""
    table = Table(str(tmp_path / "table"), {}, sleep=lambda seconds: None)
    table.append(pl.DataFrame({"n": [1, 2]}), writer="w", seq=1)
    failing = [OSError("connection reset"), OSError("connection reset")]

    def fail(rows):
        if failing:
            raise failing.pop()
        return rows

    query = table.scan().map_batches(fail)
    with pytest.raises(StorageUnreachable):
        table.collect(query)
    failing.append(OSError("connection reset"))
    assert 2 == table.collect(query).height


def test_a_table_is_the_same_after_many_commits(tmp_path):
    """What is kept of the log instead of its commits also knows who wrote what."""
    place = str(tmp_path / "table")
    for seq in range(45):
        assert Table(place, {}).append(pl.DataFrame({"n": [seq]}), writer="w", seq=seq)
    again = Table(place, {})
    assert not again.append(pl.DataFrame({"n": [44]}), writer="w", seq=44)
    assert again.append(pl.DataFrame({"n": [45]}), writer="w", seq=45)
    assert not again.append(pl.DataFrame({"n": [45]}), writer="w", seq=45)
    assert list(range(46)) == sorted(again.collect(again.scan())["n"])
    assert list((tmp_path / "table" / "_delta_log").glob("*.checkpoint.parquet"))


def test_two_handles_of_one_table_see_each_other(tmp_path):
    """A handle that is kept learns what others wrote before it writes or tells anything."""
    one, other = (Table(str(tmp_path / "table"), {}) for _ in range(2))
    one.append(pl.DataFrame({"n": [1]}), writer="w", seq=1)
    assert not other.append(pl.DataFrame({"n": [1]}), writer="w", seq=1)
    other.append(pl.DataFrame({"n": [2], "more": ["x"]}), writer="w", seq=2)
    assert not one.append(pl.DataFrame({"n": [2]}), writer="w", seq=2)
    one.append(pl.DataFrame({"n": [3]}), writer="w", seq=3)
    pinned = one.scan()
    other.append(pl.DataFrame({"n": [4]}), writer="w", seq=4)
    assert 4 == one.size().rows
    assert [1, 2, 3] == sorted(one.collect(pinned)["n"])
    other.note("folded", 7)
    assert 7 == one.noted("folded")


def test_what_is_read_again_is_read_anew_only_after_a_commit(tmp_path):
    """A table that nobody wrote to is not read again, and what others wrote is seen at once."""
    one, other = (Table(str(tmp_path / "table"), {}) for _ in range(2))
    assert one.rows() is None
    assert one.scan_at_once() is None
    other.append(pl.DataFrame({"n": [1]}), writer="w", seq=1)
    first = one.rows()
    assert first is one.rows()
    other.append(pl.DataFrame({"n": [2], "more": ["x"]}), writer="w", seq=2)
    assert [(1, None), (2, "x")] == sorted(one.rows().rows())
    other.append(pl.DataFrame({"n": [3]}), writer="w", seq=3)
    assert [1, 2, 3] == sorted(one.collect(one.scan_at_once())["n"])
    other.rewrite(lambda rows: iter([rows.collect().select("n").head(1)]))
    assert 1 == one.rows().height


@pytest.mark.parametrize("read", [Table.rows, lambda table: table.scan_at_once().collect()])
def test_reading_a_table_does_not_hide_a_competitor_from_its_writer(tmp_path, read):
    """Of two processes that append the same, one reads in between: it is there once."""
    one, other = (Table(str(tmp_path / "table"), {}) for _ in range(2))
    one.append(pl.DataFrame({"n": [1]}), writer="w", seq=1)
    read(one)

    def made():
        other.append(pl.DataFrame({"n": [2]}), writer="w", seq=2)
        read(one)
        yield pl.DataFrame({"n": [2]})

    assert not one.append_all(made, writer="w", seq=2)
    assert [1, 2] == sorted(one.rows()["n"])


def test_a_profile_is_forgotten_in_the_samples_of_first_deliveries(state):
    """Its values go, those of others stay, and the attributes count as delivered before."""
    rows = (("a", "tier", '"gold"'), ("b", "tier", '"blue"'))
    state.first_deliveries.add(Sample("crm", 1, rows), ["tier"])
    assert 1 == state.first_deliveries.count("a")
    state.first_deliveries.forget("a")
    assert [rows[1:]] == [one.rows for one in state.first_deliveries.waiting("crm")]
    assert [] == state.first_deliveries.unknown(["tier"])


def test_samples_that_nobody_came_to_read_back_go_with_their_runs(state):
    """Those of later runs stay."""
    for seq in (1, 2):
        rows = (("a", f"tier{seq}", "1"),)
        state.first_deliveries.add(Sample("crm", seq, rows), [f"tier{seq}"])
    state.first_deliveries.drop(1)
    assert [2] == [one.seq for one in state.first_deliveries.waiting("crm")]


def test_the_log_of_a_table_names_nobody(state, bucket):
    """Neither what is the least and the most of a file, nor who was forgotten, stands in it."""
    state.held.deliver(said("someone", tier='"gold"'), seq=1, at=AT)
    state.held.deliver(said("nobody", tier='"blue"'), seq=2, at=AT)
    forget_rows(state.held.table, "someone")
    assert 0 == count_rows(state.held.table, "someone")
    assert 1 == count_rows(state.held.table, "nobody")
    bodies = [bucket.read(item.key)[0] for item in bucket.list("_exchanger/main/held/_delta_log/")]
    assert 2 < len(bodies)
    assert not any(b"someone" in body or b"gold" in body for body in bodies)
    assert not state.held.table.append(pl.DataFrame(), writer="deliveries", seq=2)


def test_documents_and_tables_lie_in_one_folder(bucket):
    """Every sign that a state's folder may have means the same to objects and to tables."""
    prefix = "_x/A-b_c.d=e+f@g!h$i&j'(k),l;m:n~o*/"
    state = open_state(bucket, prefix)
    state.runs.create(document(1))
    state.held.deliver(said("a", tier='"x"'), seq=1, at=AT)
    again = open_state(bucket, prefix)
    assert again.runs.newest().document.seq == 1
    assert held(again, "tier")["a"]["tier"] == '"x"'
    beside = {again.names.newest_run}
    assert all(item.key.startswith(prefix) or item.key in beside for item in bucket.list(""))


@pytest.mark.parametrize(
    ("ahead", "known"), [(-0.5, True), (0.9, True), (5, False), (-86_401, False)]
)
def test_what_braze_answered_just_now_is_not_asked_again(state, bucket, ahead, known):
    """S3 tells whole seconds: to a process that began just now it may have been answered later."""
    state.group_status.keep(told=True)
    at = bucket.now() + timedelta(seconds=ahead)
    content = from_body(bucket.read(state.names.group_status)[0], "")
    bucket.write(state.names.group_status, to_body(content | {"asked_at": at.isoformat()}))
    assert (True if known else None) is state.group_status.told()
