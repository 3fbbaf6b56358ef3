"""What must be true once faults stopped and nothing is left to do."""

import io
import json
from collections import Counter
from datetime import datetime

import drops
import orjson
import polars as pl

from exchanger.jobs.report import RunReport
from exchanger.profiles.columns import ITEM, OBJECT, PROFILE


class Judgement:
    """
    The end of one schedule.

    Args:
        store: S3.
        workspace: Braze.
        state: The connection's state, opened without faults.
        before: Profiles as Braze had them at first.
        files: By key, the rows that were dropped.
    """

    def __init__(self, store, workspace, state, before, files):
        self._store = store
        self._workspace = workspace
        self._state = state
        self._before = before
        self._files = files
        self._runs = self._read_runs()

    def pronounce(self):
        """Assert everything."""
        self.log_has_no_gap()
        self.every_file_was_taken_once()
        self.braze_equals_the_oracle()
        self.held_equals_braze()
        self.reports_add_up()

    def log_has_no_gap(self):
        """Run documents are numbered from 1 without a gap, and all are settled."""
        assert list(range(1, len(self._runs) + 1)) == [run.seq for run in self._runs]
        assert {"settled"} >= {run.state for run in self._runs}

    def every_file_was_taken_once(self):
        """Each file is in one run, once; its content gave to sums once; the table says the same."""
        claimed = [file for run in self._runs for file in run.files]
        assert Counter(list(self._files)) == Counter(file.key for file in claimed)
        seen = set()
        for file in claimed:
            expected = "equal_content" if file.sha256 in seen else "applied"
            seen.add(file.sha256)
            assert expected == file.outcome, file.key
        table = self._state.applied.snapshot().rows
        assert Counter((f.key, f.outcome) for f in claimed) == Counter(
            table.select("key", "outcome").iter_rows()
        )

    def braze_equals_the_oracle(self):
        """Files were applied in the order of the run log, but for what Braze refused."""
        profiles = {name: dict(values) for name, values in self._before.items()}
        for run, until in zip(self._runs, self._ends(), strict=True):
            wanted = self._after(profiles, run)
            for profile, content in self._refused(run).items():
                assert content in self._workspace.refused, "Braze never refused it"
                if not self._landed(content, run, until):
                    wanted[profile] = profiles.get(profile, {})
            profiles = wanted
        actual = self._workspace.profiles
        names = actual.keys() | profiles.keys()
        assert {n: profiles.get(n, {}) for n in names} == {n: actual.get(n, {}) for n in names}

    def held_equals_braze(self):
        """Whatever is held as known is what Braze has."""
        held = self._state.held.of(pl.Series(drops.PROFILES), list(drops.FIELDS))
        for row in held.iter_rows(named=True):
            actual = self._workspace.profiles.get(row[PROFILE], {})
            known = {n: row[n] for n in drops.FIELDS if row[n] not in (None, "?")}
            assert {n: actual.get(n) for n in known} == {
                n: json.loads(text) for n, text in known.items()
            }, row[PROFILE]

    def reports_add_up(self):
        """Every run reported once, its counts add up, and all rows of all files are in them."""
        table = self._state.finished.rows()
        reports = [RunReport.from_json(orjson.loads(text)) for text in table["report"]]
        assert Counter(run.seq for run in self._runs) == Counter(report.seq for report in reports)
        for report in reports:
            report.check()
        claimed = [file for run in self._runs for file in run.files if file.outcome == "applied"]
        assert sum(len(self._files[file.key]) for file in claimed) == sum(
            report.rows_read for report in reports
        )

    def _read_runs(self):
        seqs = (self._state.names.seq_of(key) for key in self._store.objects)
        return [self._state.runs.read(seq).document for seq in sorted(filter(None, seqs))]

    def _ends(self):
        """Tell for each run when the next one was planned."""
        starts = [_seconds(run.created_at) for run in self._runs]
        return [*starts[1:], float("inf")][: len(starts)]

    def _after(self, profiles, run):
        after = dict(profiles)
        for file in run.files:
            for row in self._files[file.key] if file.outcome == "applied" else ():
                after[row.id] = drops.applied(after.get(row.id, {}), row)
        return after

    def _refused(self, run):
        """Read which objects ended as refused, by profile."""
        acks = [self._frame(key) for key in run.ack_parts]
        if not acks:
            return {}
        outcomes = pl.concat(acks).sort("outcome").unique(ITEM, keep="first")
        refused = outcomes.filter(pl.col("outcome") == "refused")
        rows = self._frame(run.outbox).join(refused, on=ITEM)
        return {p: json.loads(text) for p, text in rows.select(PROFILE, OBJECT).iter_rows()}

    def _landed(self, content, run, until):
        """Tell whether some attempt of this object took effect all the same."""
        return any(
            _seconds(run.created_at) <= landed.sent_at <= until and landed.content == content
            for landed in self._workspace.landed
        )

    def _frame(self, key):
        return pl.read_parquet(io.BytesIO(self._store.get(key).body))


def _seconds(text):
    return datetime.fromisoformat(text).timestamp()
