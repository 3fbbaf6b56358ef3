"""What must be true once faults stopped and nothing is left to do."""

import json
from collections import Counter

import polars as pl

from exchanger.jobs.history.changes import changes_of_run
from exchanger.jobs.runtime.report import RunReport
from exchanger.profiles.frames.columns import PROFILE, sent_column
from exchanger.state.runs.log import ENDED
from exchanger.state.store import open_state
from support.machine import drops
from support.machine.claims import Claims
from support.machine.past import past_runs
from support.machine.replay import Replay

TOLD_AS = {
    "ok": ("accepted", "unseen"),
    "refused": ("refused", "in_doubt"),
    "withheld": ("withheld", "in_doubt"),
    "unknown": ("in_doubt",),
    None: ("dropped",),
}
"""What Braze's answer to an object is in the table of changes."""


class Judgement:
    """
    The end of one schedule.

    Args:
        store: S3.
        workspace: Braze.
        context: The connection, without faults.
        before: Profiles as Braze had them at first.
        dropped: The files.
    """

    def __init__(self, store, workspace, context, before, dropped):
        self._workspace = workspace
        self._context = context
        self._state = open_state(context.bucket, context.state_prefix)
        self._before = before
        self._dropped = dropped
        self._runs = past_runs(store, workspace, self._state.names)

    def pronounce(self):
        """Assert everything."""
        self.log_has_no_gap()
        self.every_run_is_taken_up_once()
        self.every_file_was_taken_once()
        self.braze_equals_the_oracle()
        self.held_equals_braze()
        self.changes_tell_what_was_delivered()
        self.reports_add_up()

    def log_has_no_gap(self):
        """Run documents are numbered from 1 without a gap, and all have ended."""
        assert list(range(1, len(self._runs) + 1)) == [run.seq for run in self._runs]
        assert {run.document.state for run in self._runs} <= ENDED
        for run in self._runs:
            assert run.document.hold or run.document.state != "held_back"
            assert run.document.hold or run.document.discarded == (
                run.document.state == "discarded"
            )

    def every_run_is_taken_up_once(self):
        """What was held back is applied by one run, what is left of a run is given again by one."""
        # A run that was dropped before its approval began is not taken up.
        never = {r.seq for r in self._runs if r.document.hold and r.document.state == "discarded"}
        taking = [
            (run.document.parent, run.seq)
            for run in self._runs
            if run.document.parent and (run.answered or run.document.parent not in never)
        ]
        taken_up = dict(taking)
        assert len(taken_up) == len(taking)
        assert taken_up == {
            run.seq: run.document.continued_by for run in self._runs if run.document.continued_by
        }
        held = {run.seq: run.document.state for run in self._runs if run.document.hold}
        for seq, state in held.items():
            assert (state == "settled") == (seq in taken_up)

    def every_file_was_taken_once(self):
        """Each version was claimed once, held back where it had to, and the table says the same."""
        claims = Claims(self._dropped.versions)
        for run in self._runs:
            claims.take(run)
        claims.finish()
        table = self._state.file_ledger.snapshot().rows
        told = Counter(table.select("seq", "key", "outcome").iter_rows())
        claimed = Counter(
            (run.seq, file.key, file.outcome) for run in self._runs for file in run.document.files
        )
        dropped = {
            (run.seq, file.key, "discarded")
            for run in self._runs
            for file in run.document.files
            if run.document.hold and run.document.state == "discarded"
        }
        assert claimed == Counter({row: n for row, n in told.items() if row not in dropped})
        assert dropped <= told.keys()

    def braze_equals_the_oracle(self):
        """Files were applied in the order of the run log, but for what Braze refused."""
        replay = Replay(self._dropped.contents, self._before)
        for run in self._runs:
            for sent in run.sent.values():
                refused = sent.outcome == "refused"
                assert not refused or sent.content in self._workspace.refused, "it never was"
            replay.take(run)
        actual, wanted = self._workspace.profiles, replay.profiles
        names = actual.keys() | wanted.keys()
        assert {n: _spoken(wanted.get(n, {})) for n in names} == {
            n: _spoken(actual.get(n, {})) for n in names
        }

    def held_equals_braze(self):
        """Whatever is held as known is what Braze has."""
        held = self._state.held.of(pl.Series(drops.PROFILES), list(drops.FIELDS))
        for row in held.iter_rows(named=True):
            actual = self._workspace.profiles.get(row[PROFILE], {})
            known = {n: row[n] for n in drops.FIELDS if row[n] not in (None, "?")}
            assert {n: actual.get(n) for n in known} == {
                n: json.loads(text) for n, text in known.items()
            }, row[PROFILE]

    def changes_tell_what_was_delivered(self):
        """Each run's changes are kept once, and played again they give what was delivered last."""
        last = {}
        for run in self._runs:
            parts = changes_of_run(self._context, self._state, run.document)
            told = [row for part in parts for row in part.to_dicts()]
            planned = {
                (profile, name): sent.outcome
                for profile, sent in run.sent.items()
                for name in sent.fields
            }
            outcomes = {(row["profile"], row["field"]): row["outcome"] for row in told}
            assert len(told) == len(outcomes)
            assert planned.keys() == outcomes.keys()
            assert all(outcomes[cell] in TOLD_AS[planned[cell]] for cell in planned)
            for row in told:
                if row["outcome"] in ("accepted", "in_doubt"):
                    sure = row["outcome"] == "accepted"
                    last[row["profile"], row["field"]] = row["wanted"] if sure else "?"
        profiles = pl.Series(sorted({*drops.PROFILES, *(profile for profile, _ in last)}))
        held = self._state.held.history_of(profiles, list(drops.FIELDS))
        delivered = {
            (row[PROFILE], name): row[sent_column(name)]
            for row in held.iter_rows(named=True)
            for name in drops.FIELDS
            if row[sent_column(name)] is not None
        }
        assert last == delivered

    def reports_add_up(self):
        """Every run reported once, its counts add up, and all rows of all files are in them."""
        reports = [RunReport.from_dict(one) for one in self._state.run_index.newest(10_000)]
        assert len(self._runs) == len(reports)
        by_seq = {report.seq: report for report in reports}
        for run in self._runs:
            report = by_seq[run.seq]
            report.check()
            state = run.document.state
            if run.document.hold:
                continued_by = run.document.continued_by
                dropped = continued_by and by_seq[continued_by].state == "discarded"
                became = "discarded" if dropped else "released"
                assert (became if state == "settled" else state) == report.state
            else:
                assert (state == "discarded") == (report.state == "discarded")
            rows = sum(
                len(self._dropped.contents[file.sha256])
                for file in run.document.files
                if not run.document.hold and file.outcome not in ("retried", "undone")
            )
            assert rows == report.rows_read or run.verb in ("retry", "undo")


def _spoken(profile):
    """
    Leave out what may be so or so.

    A total of nothing may be there or not: what cancels out is not sent. In what order members are
    given again is not said.
    """
    spoken = {name: value for name, value in profile.items() if (name, value) != ("total", 0)}
    return spoken | ({"tags": sorted(spoken["tags"])} if "tags" in spoken else {})
