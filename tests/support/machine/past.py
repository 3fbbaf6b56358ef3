"""What the bucket still knows of the runs of one connection, and what Braze knows of each."""

import io
import json
from dataclasses import dataclass

import polars as pl

from exchanger.profiles.frames.columns import ITEM, OBJECT, PROFILE, WANTED
from exchanger.state.runs.log import RunDocument


@dataclass
class Sent:
    """
    One object of a run.

    Args:
        outcome: ``ok``, ``refused``, ``withheld``, ``unknown``, or None if the run was dropped
            before it.
        fields: The fields that it changes.
        landed: Whether some attempt took effect.
        content: The object.
    """

    outcome: str | None
    fields: frozenset
    landed: bool
    content: dict


@dataclass
class PastRun:
    """
    One run.

    Args:
        document: Its document.
        planned: Its document as it was created.
        verb: What the process was asked for that created it.
        sent: By profile, what became of its object.
        rejected: Key and number of the rows that its plan rejected.
    """

    document: RunDocument
    planned: RunDocument
    verb: str
    sent: dict
    rejected: set

    @property
    def seq(self):
        return self.document.seq

    @property
    def answered(self):
        """Whether anything was acknowledged, or given up after it was sent."""
        return any(sent.outcome is not None for sent in self.sent.values())

    @property
    def dropped(self):
        """Whether it was discarded before anything of it was sent."""
        return self.document.discarded and not self.answered

    @property
    def takes_fractions(self):
        """Whether the job took numbers when it was planned."""
        return self.document.fields.get("total", {}).get("type") == "float"

    def summed(self, file):
        """Tell whether what a file says of totals was given."""
        if not self.dropped:
            return bool(file.sums)
        version = file.key, file.sha256
        return any((one.key, one.sha256) == version and one.sums for one in self.planned.files)

    def fed(self, file):
        """Tell whether a file counts as one that gave to totals."""
        if not self.summed(file) or self.dropped:
            assert not file.sums
            return False
        return True


def documents(store, names):
    """Read all run documents, by number."""
    numbered = sorted((names.seq_of(key) or 0, key) for key in store.objects)
    return [RunDocument.from_bytes(store.get(key).body, key) for seq, key in numbered if seq]


def past_runs(store, workspace, names):
    """Read all runs, in order."""
    found = documents(store, names)
    created = [store.created[names.run(run.seq)] for run in found]
    ends = [*(moment for moment, _, _ in created[1:]), float("inf")]
    return [
        PastRun(
            run,
            RunDocument.from_bytes(body, names.run(run.seq)),
            verb,
            _sent(store, workspace, run, start, end),
            _rejected(store, run),
        )
        for run, (start, verb, body), end in zip(found, created, ends, strict=False)
    ]


def _sent(store, workspace, run, start, end):
    if not run.outbox:
        return {}
    outbox = _frame(store, run.outbox)
    acks = [_frame(store, key) for key in run.ack_parts]
    outcomes = {}
    if acks:
        told = pl.concat(acks).sort("outcome").unique(ITEM, keep="first")
        outcomes = dict(told.select(ITEM, "outcome").iter_rows())
    landed = [done.content for done in workspace.landed if start <= done.sent <= end]
    fields = [name for name in outbox.columns if name.startswith(WANTED)]
    sent = {}
    for row in outbox.iter_rows(named=True):
        content = json.loads(row[OBJECT])
        changed = frozenset(n.removeprefix(WANTED) for n in fields if row[n] is not None)
        sent[row[PROFILE]] = Sent(outcomes.get(row[ITEM]), changed, content in landed, content)
    return sent


def _rejected(store, run):
    if not run.rejected:
        return set()
    rows = _frame(store, run.rejected)
    assert "cannot_tell" not in rows["reason"], "nobody else writes to this workspace"
    return set(rows.select("file", "row").iter_rows())


def _frame(store, key):
    return pl.read_parquet(io.BytesIO(store.ever(key).body))
