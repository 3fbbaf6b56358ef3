"""
What a plan would do, in numbers: for a person to look at, and for guards that may hold it back.

Measured while a plan is made, part by part. Nobody who decides about a plan has to read it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
import polars_hash as plh

from exchanger.braze.endpoints import DELETIONS, endpoint_named
from exchanger.jobs.runtime.report import note_unseen
from exchanger.profiles.frames.columns import (
    ENDPOINT,
    KNOWN,
    OBJECT,
    POINTS,
    ROWS,
    SURE,
    before,
    send,
    wanted,
)
from exchanger.profiles.spelling.data_points import field_points
from exchanger.profiles.spelling.json_values import EMPTY, spell_numbers

if TYPE_CHECKING:
    from exchanger.braze.endpoints import Endpoint
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.profiles.frames.rules import Rule

_LOW = 0xFFFF_FFFF
"""Bits of a hash that add up over billions of objects without overflow."""
_NUMBERS = (
    "rows_read", "rows_rejected", "rows_applied", "profiles_named", "profiles_unchanged", "objects",
    "requests", "deletes", "data_points", "leavers",
)  # fmt: skip
_DIGITS = 38
"""Of a decimal of 128 bits."""


@dataclass(frozen=True)
class FieldExposure:
    """
    What a plan would do to one field.

    Args:
        profiles: Profiles whose value changes.
        replaced: Those of them of which a value is known, and not empty.
        cleared: Those of these that have none afterwards.
        data_points: What the changes cost.
        total: What is added over all profiles, as a canonical number; None of fields that are not
            summed.
        emptied: Profiles that have none afterwards, whatever was known of them.
    """

    profiles: int
    replaced: int
    cleared: int
    data_points: int
    total: str | None = None
    emptied: int = 0


@dataclass(frozen=True)
class Exposure:
    """
    What a plan would do if Braze accepted every object.

    Args:
        leavers: People who are missing in a snapshot.
        members_before: Whom its job had before.
        rows_read: Data rows, the rejected ones included.
        rows_rejected: Those that go to quarantine.
        rows_applied: Those that objects are made of.
        profiles_named: Profiles that any row names, and that can be used.
        profiles_unchanged: Those of them that stay as they are.
        profiles_updated: Those that change, and that we knew before the run.
        profiles_new: Those that change, and that we did not know.
        profiles_replaced: Those of which a known value changes that is not empty.
        profiles_cleared: Those that lose a known value.
        profiles_unseen: Those that change, and that Braze may not have.
        unseen_points: What their changes cost.
        objects: What is sent.
        requests_to: How many requests that takes at least, by the path that they go to.
        deletes: Objects that delete something for good.
        data_points: What all of it costs.
        fields: What happens to each field.
        content: A number that stands for all that is sent, in any order; None if nobody asked.
    """

    leavers: int = 0
    members_before: int = 0
    rows_read: int = 0
    rows_rejected: int = 0
    rows_applied: int = 0
    profiles_named: int = 0
    profiles_unchanged: int = 0
    profiles_updated: int = 0
    profiles_new: int = 0
    profiles_replaced: int = 0
    profiles_cleared: int = 0
    profiles_unseen: int = 0
    unseen_points: int = 0
    objects: int = 0
    requests_to: Mapping[str, int] = field(default_factory=dict)
    deletes: int = 0
    data_points: int = 0
    fields: Mapping[str, FieldExposure] = field(default_factory=dict)
    content: int | None = None

    @property
    def profiles_known(self) -> int:
        """How many profiles we knew before the run, of those that it names."""
        return self.profiles_updated + self.profiles_unchanged

    @property
    def requests(self) -> int:
        """How many requests it takes at least."""
        return sum(self.requests_to.values())

    @property
    def totals(self) -> dict[str, str]:
        """What is added to each summed field over all profiles."""
        return {name: each.total for name, each in self.fields.items() if each.total is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, for a person who is to decide about the plan."""
        told: dict[str, Any] = {
            name: value for name, value in asdict(self).items() if name != "fields"
        }
        return told | {"fields": {name: each.profiles for name, each in self.fields.items()}}

    @property
    def numbers(self) -> dict[str, Any]:
        """Return what is read and sent, by name, for a plan that is saved; not whom we knew."""
        totals = {f"total of {name}": total for name, total in self.totals.items()}
        of_fields = {
            f"profiles whose {name} changes": each.profiles for name, each in self.fields.items()
        }
        named = {each: getattr(self, each) for each in _NUMBERS}
        return named | of_fields | totals | {"content": self.content}

    def expect_all_accepted(self, report: RunReport) -> None:
        """Complete a report as if Braze accepted every object, for ``plan``."""
        report.rows_applied += self.rows_applied
        report.data_points += self.data_points
        report.profiles_updated += self.profiles_updated
        report.profiles_new += self.profiles_new
        report.fields_changed += sum(each.profiles for each in self.fields.values())
        report.add_sent({name: each.data_points for name, each in self.fields.items()})
        report.facts += note_unseen(self.profiles_unseen, self.unseen_points)
        report.check()


class Measurement:
    """
    Measures what a plan would do, part by part, while its rows are at hand.

    Args:
        rules: What it does to each field.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._measured: list[pl.DataFrame] = []
        self._sent = Counter[str]()
        self._gone: list[pl.Series] = []

    def add(self, outbox: pl.DataFrame) -> None:
        """Measure rows of the outbox; without any they tell its columns."""
        changed = [rule for rule in self._rules if wanted(rule.name) in outbox.columns]
        self._measured.append(outbox.select(_measures(outbox.columns, changed)))
        self._sent.update(dict(outbox[ENDPOINT].value_counts().iter_rows()))
        if self._sent[DELETIONS.name]:
            self._gone.append(outbox.filter(pl.col(ENDPOINT) == DELETIONS.name)[OBJECT])

    def exposure(
        self, report: RunReport, *, batch_size: int, content: int | None = None, besides: int = 0
    ) -> Exposure:
        """
        Sum up what was measured, of one part at least.

        Args:
            report: Its counts, as far as they are known before anything is sent.
            batch_size: Objects in a request at most.
            content: The number that stands for all that is sent, if it is wanted: ``content_of``.
            besides: Data points of what follows in a run of its own.
        """
        found = pl.concat(self._measured).sum()
        counts: dict[str, Any] = found.row(0, named=True)
        counts["data_points"] += besides
        none = FieldExposure(0, 0, 0, 0)
        changed = [rule for rule in self._rules if f"profiles:{rule.name}" in found.columns]
        return Exposure(
            leavers=report.leavers,
            members_before=report.members_before,
            rows_read=report.rows_read,
            rows_rejected=report.rows_rejected,
            profiles_named=report.profiles_named,
            profiles_unchanged=report.profiles_unchanged,
            requests_to=_requests_to(self._sent, batch_size),
            deletes=sum(n for to, n in self._sent.items() if endpoint_named(to).deletes)
            - self._named_twice(),
            fields={rule.name: none for rule in self._rules}
            | {rule.name: _field(rule, found) for rule in changed},
            content=content,
            **{name: number for name, number in counts.items() if ":" not in name},
        )

    def _named_twice(self) -> int:
        """Count the deletions of somebody whom another row deletes, too, by another identifier."""
        gone = pl.concat([pl.Series(OBJECT, [], pl.String), *self._gone])
        return gone.len() - gone.n_unique()


def _measures(columns: Sequence[str], changed: Sequence[Rule]) -> list[pl.Expr]:
    """Measure a part of an outbox: numbers that add up over the parts."""
    points = pl.col(POINTS).cast(pl.Int64)
    numbers = {"objects": pl.len(), "rows_applied": pl.col(ROWS).sum(), "data_points": points.sum()}
    if KNOWN in columns:
        known, unseen = pl.col(KNOWN), ~pl.col(SURE)
        numbers |= {
            "profiles_updated": known.sum(),
            "profiles_new": (~known).sum(),
            "profiles_replaced": _any(_replaced(rule) for rule in changed).sum(),
            "profiles_cleared": _any(_cleared(rule) for rule in changed).sum(),
            "profiles_unseen": unseen.sum(),
            "unseen_points": points.filter(unseen).sum(),
        }
    for rule in changed:
        now = pl.col(wanted(rule.name))
        sent = pl.col(send(rule.name)) if rule.in_parts else now
        numbers |= {
            f"profiles:{rule.name}": now.count(),
            f"replaced:{rule.name}": _replaced(rule).sum(),
            f"cleared:{rule.name}": _cleared(rule).sum(),
            f"emptied:{rule.name}": (now == EMPTY).sum(),
            f"points:{rule.name}": _points(rule, sent).cast(pl.Int64).sum(),
        }
    totals = [_added(rule).alias(f"total:{rule.name}") for rule in changed if rule.merge == "sum"]
    return [*(number.cast(pl.Int64).alias(name) for name, number in numbers.items()), *totals]


def _requests_to(sent: Mapping[str, int], batch_size: int) -> dict[str, int]:
    found: Counter[str] = Counter()
    for to, count in sent.items():
        endpoint = endpoint_named(to)
        if endpoint.methods:
            found[endpoint.path] += _requests(endpoint, count, batch_size)
    return dict(found)


def _requests(endpoint: Endpoint, count: int, batch_size: int) -> int:
    return -(-count // endpoint.most(batch_size)) * len(endpoint.methods)


def content_of(outbox: pl.DataFrame) -> int:
    """Add up a part of a hash of each object, the same on every machine and in any order."""
    low = (plh.col(OBJECT).nchash.xxhash64() & _LOW).cast(pl.Int64)
    return int(outbox.select(low.sum()).item())


def _points(rule: Rule, sent: pl.Expr) -> pl.Expr:
    """Count data points; items of catalogs cost none."""
    return pl.lit(0) if rule.of_item else field_points(rule.name, sent)


def _any(each: Iterable[pl.Expr]) -> pl.Expr:
    return pl.any_horizontal(pl.lit(value=False), *each)


def _replaced(rule: Rule) -> pl.Expr:
    """Find where a known value changes that is not empty."""
    had = (pl.col(before(rule.name)) != EMPTY).fill_null(value=False)
    return had & pl.col(wanted(rule.name)).is_not_null()


def _cleared(rule: Rule) -> pl.Expr:
    return _replaced(rule) & (pl.col(wanted(rule.name)) == EMPTY).fill_null(value=False)


def _added(rule: Rule) -> pl.Expr:
    """Add up by how much a summed field grows; 0 where it was empty."""
    dtype = pl.Float64() if rule.type == "float" else pl.Decimal(_DIGITS, rule.scale)
    now, had = pl.col(wanted(rule.name)), pl.col(before(rule.name))
    had = pl.when(now.is_not_null()).then(had.fill_null("0"))
    # A sum that is taken back may be emptied; a number that Braze holds as text counts, too.
    now, had = (text.replace(EMPTY, "0").str.strip_chars('"') for text in (now, had))
    return (now.cast(dtype) - had.cast(dtype)).sum()


def _field(rule: Rule, found: pl.DataFrame) -> FieldExposure:
    profiles, replaced, cleared, points, emptied = (
        int(found[f"{name}:{rule.name}"].item())
        for name in ("profiles", "replaced", "cleared", "points", "emptied")
    )
    total = None
    if rule.merge == "sum":
        total = spell_numbers(found[f"total:{rule.name}"].cast(pl.String)).item()
    return FieldExposure(profiles, replaced, cleared, points, total, emptied)
