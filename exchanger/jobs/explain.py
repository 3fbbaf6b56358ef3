"""
The story of a value: which runs changed a field of a profile, and who has seen it last.

Nothing is written and nobody waits; Braze is asked for nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from exchanger.config.models import ITEM_FIELD, ITEM_GONE
from exchanger.jobs.explaining.sent_objects import SentObject, SoughtObjects, objects_sent
from exchanger.jobs.explaining.told_changes import ChangesTold, ToldChange
from exchanger.jobs.history.changes import changes_of_profiles
from exchanger.jobs.quarantine.of_profile import MOST_RUNS, PutAside, Sought, rows_put_aside
from exchanger.notes import Note, as_plain, noted
from exchanger.objects.kinds import kind_of
from exchanger.profiles.frames.columns import IDENTIFIED, MEMBER, PROFILE
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN
from exchanger.profiles.spelling.json_values import EMPTY
from exchanger.profiles.spelling.profile_key import item_key, parts_of
from exchanger.profiles.spelling.profile_key import shown as shown_key
from exchanger.state.changes import TAKEN
from exchanger.state.runs.log import ENDED
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exchanger.config.models import ImportJob
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.held.table import HeldValues
    from exchanger.state.store import ConnectionState


@dataclass(frozen=True)
class HeldNow:
    """
    What is held of one field now, and how it is known.

    Args:
        field: The attribute.
        value: JSON; None if it is unknown, or no longer certain.
        by: ``run`` (a run delivered it), ``look`` (a look-up or an export showed it), or None.
        run: The run that delivered it.
        at: When it was learnt; ISO 8601.
    """

    field: str
    value: str | None
    by: str | None = None
    run: int | None = None
    at: str | None = None


@dataclass
class Explanation:
    """
    Why a profile has its values.

    Args:
        job: The job that was asked for.
        profile: The profile, as people write it.
        catalog: Whose item it is; empty if it is a person.
        keys: All keys under which anything was recorded of it, likewise.
        changes: By field, then in the order of the runs, of whichever job.
        held: What is held now, by field.
        sent: What runs sent besides that is no value: events, purchases, orders and events of an
            audience of that job, and calls about people of every job; in the order of the runs.
        put_aside: Rows that did not come through, the newest run first.
        notes: What there is to say besides, in words.
        facts: The same as facts.
    """

    job: str
    profile: str
    catalog: str = ""
    keys: list[str] = field(default_factory=list)
    changes: list[ToldChange] = field(default_factory=list)
    held: list[HeldNow] = field(default_factory=list)
    sent: list[SentObject] = field(default_factory=list)
    put_aside: list[PutAside] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: list[Note] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        """Whether anything is known of the profile, or of the field that was asked for."""
        return bool(self.changes or self.held or self.sent or self.put_aside)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as ``explain --json`` prints it."""
        return asdict(self, dict_factory=as_plain)


def item_of(job: ImportJob, item: str, catalog: str = "") -> str | None:
    """
    Return the key of an item of a job's catalog.

    Args:
        job: Of catalog items.
        item: The id.
        catalog: Its name, which a job needs where a column names it.

    Returns:
        None if the catalog is not named, or is none of the job's.
    """
    named = job.one_catalog or catalog
    if not named or catalog not in ("", named):
        return None
    return str(pl.select(item_key(pl.lit(named), pl.lit(item))).item())


def explain(  # noqa: PLR0913 - one for each option
    context: JobContext,
    name: str,
    job: ImportJob,
    profile: str,
    field: str | None = None,
    *,
    before: int | None = None,
) -> Explanation:
    """
    Find why a profile has the values that it has.

    Args:
        context: The connection.
        name: A job of it, whose quarantine is searched; changes are those of every job.
        job: The job.
        profile: The key of the profile, or of an item of a catalog of the job.
        field: Only this attribute, or of events and purchases this name; all if left out.
        before: Where the newest runs alone are searched, only runs before this one.

    Raises:
        StorageError: S3 refused or did not answer.
    """
    state = open_state(context.bucket, context.state_prefix)
    catalogs = (parts_of(profile)[2],) if job.catalog else ()
    keys = [profile] if catalogs else _keys_of(state, profile)
    if catalogs and field is not None and field != ITEM_GONE:
        field = ITEM_FIELD + field.removeprefix(ITEM_FIELD)
    named = [_shown(key) for key in keys]
    told = Explanation(name, _shown(profile), "".join(catalogs), named)
    newest = state.runs.newest()
    if newest is not None and (run := newest.document).state not in ENDED:
        told.facts.append(noted("run_not_ended", run=run.seq, job=run.job))
    known = changes_of_profiles(context, state, pl.Series(PROFILE, keys))
    told.facts += [noted("changes_not_kept", run=seq) for seq in known.gone]
    found = known.rows.sort("field", "seq", maintain_order=True)
    if field is not None:
        found = found.filter(pl.col("field") == field)
    told.changes = [*ChangesTold(context, state, keys).told(found, told.facts)]
    held = state.items(*catalogs) if catalogs else state.held
    told.held = [*_held(held, keys, field, told.changes)]
    if not job.catalog:
        every = not kind_of(job).holds_values
        uncertain = any(one.value is None for one in told.held)
        sought = SoughtObjects(keys, name, every=every, uncertain=uncertain, before=before)
        sent, facts = objects_sent(context, state, sought)
        told.sent = [one for one in sent if field is None or _is_asked(one, field, told)]
        told.facts += facts
    told.put_aside, older = rows_put_aside(
        context, state, name, Sought(keys, job.match_columns, field, before)
    )
    if older:
        told.facts.append(noted("quarantines_not_searched", searched=MOST_RUNS, run=older))
    return told


def _keys_of(state: ConnectionState, profile: str) -> list[str]:
    """Name all keys that are held to mean one person: the asked one first."""
    named = state.held.of(pl.Series(PROFILE, [profile]), [IDENTIFIED])
    external = [
        text for text in named.filter(pl.col(PROFILE) == profile)[IDENTIFIED].to_list() if text
    ]
    owner = profile
    for text in external:
        if text not in (EMPTY, UNCERTAIN):
            owner = str(pl.Series([text]).str.json_decode(pl.String).item())
    keys = [profile, owner, *state.held.linked_to(owner)]
    return [*dict.fromkeys(keys)]


def _is_asked(sent: SentObject, field: str, told: Explanation) -> bool:
    """Return whether it is called so; a call about people may have changed any field there is."""
    if sent.object is None or (sent.member is not None and field.startswith(MEMBER)):
        return field.startswith(MEMBER)
    content = orjson.loads(sent.object)
    if isinstance(content, dict) and {"name", "product_id"} & content.keys():
        return field in (content.get("name"), content.get("product_id"))
    return bool(told.changes or told.held)


def _held(
    held: HeldValues, keys: Iterable[str], field: str | None, changes: Sequence[ToldChange]
) -> Iterable[HeldNow]:
    """Find what is held of the profile, by whichever key it was learnt last."""
    fields = [name for name in held.fields() if name != IDENTIFIED]
    asked = fields if field is None else [name for name in fields if name == field]
    parts = [held.sightings(key, asked) for key in keys]
    newest = pl.concat(parts).sort("field", "stamp", "seen", "at").unique("field", keep="last")
    for row in newest.sort("field").iter_rows(named=True):
        name, value = row["field"], row["value"]
        at: datetime = row["at"]
        if value == UNCERTAIN:
            yield HeldNow(name, None, None, None, at.isoformat())
            continue
        run = None if row["seen"] else _deliverer(name, value, changes)
        yield HeldNow(name, value, "look" if row["seen"] else "run", run, at.isoformat())


def _deliverer(name: str, value: str, changes: Sequence[ToldChange]) -> int | None:
    """Find the last run that delivered a value."""
    delivered = (
        change.run
        for change in reversed(changes)
        if (change.field, change.wanted) == (name, value) and change.outcome in TAKEN
    )
    return next(delivered, None)


def _shown(key: str) -> str:
    return str(pl.select(shown_key(pl.lit(key))).item())
