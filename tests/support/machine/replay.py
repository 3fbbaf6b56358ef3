"""
What Braze must have in the end: the rows of the runs, applied one by one in plain Python.

The run log tells in which order runs counted and what Braze answered; what a run had to do follows
from the rows alone.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

from support.machine import drops


@dataclass(frozen=True)
class Said:
    """
    What one row says of one profile.

    Args:
        place: Position of its file in the run that read it first, and its number there.
        key, sha256: Its file.
        profile: Of whom.
        says: By field.
        order: Where it stands in the order of its job; None if it has none.
        landed: Braze refused it after an attempt that took effect all the same.
    """

    place: tuple
    key: str
    sha256: str
    profile: str
    says: dict
    order: int | None = None
    landed: bool = False

    @property
    def turn(self):
        """When it applies: rows without an order before those with one, then as they stand."""
        return (self.order is not None, self.order or 0, self.place)

    def without(self, fields):
        """Say nothing of some fields."""
        return replace(self, says={n: v for n, v in self.says.items() if n not in fields})


@dataclass
class Counted:
    """What a key counts for: its versions since one was added in full, and totals by profile."""

    versions: set = field(default_factory=set)
    totals: Counter = field(default_factory=Counter)


class Replay:
    """
    Runs, applied one after the other.

    Args:
        contents: By SHA-256, the rows of every file that was ever dropped.
        before: Profiles as Braze had them at first.
    """

    def __init__(self, contents, before):
        self.profiles = {name: dict(values) for name, values in before.items()}
        self._contents = contents
        self._counted = defaultdict(Counted)
        self._left = defaultdict(list)
        self._touched = {}
        self._reached = {}
        self._replaced = defaultdict(list)
        self._runs = {}
        self._did = defaultdict(dict)
        self._gave = defaultdict(list)

    def take(self, run):
        """Apply one more run."""
        self._runs[run.seq] = run
        if run.document.hold:
            return
        if run.document.takes_back:
            self._take_back(run)
            self._touch(run)
            return
        parent = self._runs.get(run.document.parent)
        if parent is None or parent.document.hold:
            said = self._read(run)
        else:
            said = self._given_again(run, parent)
        rejected = [row for row in said if self._is_rejected(run, row)]
        good = [self._unless_late(run, row) for row in said if row not in rejected]
        self._left[run.seq] += [self._unless_overtaken(run, row, good) for row in rejected]
        before = {name: dict(values) for name, values in self.profiles.items()}
        self._apply(run, good)
        self._move_order(run, good)
        self._touch(run)
        for profile, name in self._touched[run.seq]:
            after = self.profiles[profile].get(name)
            self._did[run.seq][profile, name] = before.get(profile, {}).get(name), after

    def _touch(self, run):
        self._touched[run.seq] = {
            (profile, name)
            for profile, sent in run.sent.items()
            for name in sent.fields
            if sent.outcome == "ok"
        }

    def _take_back(self, run):
        """Take back what Braze took of an undo: the last writer's value, or a part."""
        back = run.document.takes_back
        for profile, sent in run.sent.items():
            if "total" in sent.fields and (sent.landed or sent.outcome in ("ok", "unknown")):
                for key, total in self._gave[back, profile]:
                    self._counted[key].totals[profile] -= total
            if sent.outcome != "ok" and not sent.landed:
                continue
            now = self.profiles[profile]
            for name in sent.fields:
                had, made = self._did[back][profile, name]
                others = [
                    q for q in range(back + 1, run.seq) if (profile, name) in self._touched[q]
                ]
                if name == "total":
                    now[name] = now.get(name, 0) - ((made or 0) - (had or 0))
                elif name == "tags":
                    now[name] = [tag for tag in now[name] if tag in (had or []) or tag not in made]
                else:
                    assert not others, "a later run has changed it"
                    now[name] = had
            self.profiles[profile] = {n: v for n, v in now.items() if v not in (None, [])}

    def _read(self, run):
        said = []
        for position, claim in enumerate(run.document.files):
            rows = [
                Said(
                    (position, number),
                    claim.key,
                    claim.sha256,
                    row.id,
                    row.says(),
                    row.order(run.document.job),
                )
                for number, row in enumerate(self._contents[claim.sha256], 1)
            ]
            said += rows if run.summed(claim) else [row.without(["total"]) for row in rows]
            if claim.replaces:
                said += [
                    Said((position, 0), claim.key, claim.sha256, profile, {"total": -total})
                    for profile, total in self._counted[claim.key].totals.items()
                ]
            if run.fed(claim):
                self._note_version(run, claim)
        return said

    def _note_version(self, run, claim):
        if claim.replaces:
            self._replaced[claim.key].append(run.seq)
            self._counted[claim.key].versions.add(claim.sha256)
        else:
            self._counted[claim.key] = Counted({claim.sha256})

    def _given_again(self, run, parent):
        root, retries = parent, {parent.seq}
        while root.document.parent and not self._runs[root.document.parent].document.hold:
            root = self._runs[root.document.parent]
            retries.add(root.seq)
        between = (self._touched.keys() & set(range(root.seq + 1, run.seq))) - retries
        left = [
            row
            for row in sorted(self._left.pop(parent.seq, []), key=lambda row: row.turn)
            if all(seq < parent.seq for seq in self._replaced[row.key])
        ]
        return [
            row.without({n for n in drops.LATE if self._changed_since(run, row, n, between)})
            for row in left
        ]

    def _changed_since(self, run, row, name, between):
        """Tell whether a later run changed a field: one of another order, or not an older one."""
        changing = [seq for seq in between if (row.profile, name) in self._touched[seq]]
        job = run.document.job
        if job != drops.ORDERED or name not in drops.REPLACING or row.order is None:
            return bool(changing)
        others = (self._runs[seq].document for seq in changing)
        foreign = any(other.job != job or other.takes_back for other in others)
        reached = self._reached.get((job, row.profile, name), row.order - 1)
        return foreign or (bool(changing) and row.order <= reached)

    def _unless_late(self, run, row):
        """An ordered row says nothing of a field that rows of a higher order have set before."""
        return row.without({n for n in drops.REPLACING if self._is_late(run, row, n)})

    def _is_late(self, run, row, name):
        reached = self._reached.get((run.document.job, row.profile, name))
        return reached is not None and (row.order is None or row.order < reached)

    def _move_order(self, run, good):
        """What took effect, or was so before, keeps out what is older."""
        for row in good:
            sent = run.sent.get(row.profile)
            for name in row.says.keys() & set(drops.REPLACING):
                failed = sent and name in sent.fields and sent.outcome != "ok"
                if row.order is not None and not failed:
                    place = (run.document.job, row.profile, name)
                    self._reached[place] = max(row.order, self._reached.get(place, row.order))

    def _is_rejected(self, run, row):
        """Tell whether a row is in the quarantine, and demand that it belongs there or not."""
        rejected = (row.key, row.place[1]) in run.rejected
        # What took effect though it was refused is not given again.
        unfit = row.says.get("total", 0) % 1 and not run.takes_fractions and not row.landed
        assert rejected or not unfit
        return rejected

    def _unless_overtaken(self, run, row, good):
        """
        Leave out of a rejected row what a row of equal order after it in the same run has said.

        Of a value that fills what is empty, what was refused of any row after it goes first.
        """
        after = [o for o in good if o.profile == row.profile and o.turn > row.turn]
        gone = {n for o in after if o.order == row.order for n in o.says if n in drops.LATE}
        sent = run.sent.get(row.profile)
        if sent and sent.outcome == "refused" and any("source" in o.says for o in after):
            gone.add("source")
        return row.without(gone)

    def _apply(self, run, said):
        for profile in dict.fromkeys(row.profile for row in said):
            rows = sorted((row for row in said if row.profile == profile), key=lambda row: row.turn)
            sent = run.sent.get(profile)
            outcome = "ok" if sent is None else sent.outcome
            if outcome in ("refused", "withheld"):
                self._left[run.seq] += [
                    replace(row, landed=sent.landed or row.landed) for row in rows
                ]
            if outcome in ("ok", "unknown") or (outcome == "refused" and sent.landed):
                self._count(run, rows)
            if outcome == "ok" or (outcome is not None and sent.landed):
                self._land(profile, rows)

    def _count(self, run, rows):
        for row in rows:
            counted = self._counted[row.key]
            if row.sha256 in counted.versions and not row.landed:
                total = row.says.get("total", 0)
                counted.totals[row.profile] += total
                self._gave[run.seq, row.profile].append((row.key, total))

    def _land(self, profile, rows):
        after = self.profiles.get(profile, {})
        for row in rows:
            after = drops.applied(after, row.without(["total"]).says if row.landed else row.says)
        self.profiles[profile] = after
