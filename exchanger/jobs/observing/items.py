"""
Looks whether Braze has what was delivered of a few items, as it tells of none what became of it.

What it shows of them counts from then on, so that a run sends again what is not there.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import polars as pl
import structlog

from exchanger.config.models import ITEM_FIELD
from exchanger.errors import BrazeForbidden
from exchanger.jobs.history.shown import last_shown
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import EXISTS, PROFILE
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN
from exchanger.profiles.spelling.json_values import EMPTY, spell_json
from exchanger.profiles.spelling.profile_key import parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.jobs.runtime.import_context import ImportContext

log = structlog.get_logger()

SAMPLE = 5
"""Items that a run looks at: one request each, of 50 a minute."""
_AMONG = 1_000


def look_at_items(call: ImportContext, keys: pl.Series, fields: Sequence[str]) -> list[Note]:
    """
    Look up a few items that a run names and something is held of.

    Args:
        call: The job; nothing is looked up if it may not record what it sees.
        keys: The keys of items.
        fields: The names of the fields that it writes.

    Returns:
        A note if some do not have what was delivered; none either while Braze may not show it yet.

    Raises:
        BrazeError: Braze did not answer.
    """
    newest = call.state.runs.newest()
    if not call.record or not fields or newest is None:
        return []
    shown = last_shown(call.context, call.state.runs)
    if shown < newest.document.seq:
        return []
    held = call.held.of(keys.head(_AMONG), fields).filter(EXISTS)
    chosen = held.sample(min(SAMPLE, held.height), seed=shown)
    begun = call.context.bucket.now()
    try:
        items = asyncio.run(_asked(call, chosen[PROFILE].to_list()))
    except BrazeForbidden as error:
        log.info("items.not_looked_at", error=str(error))
        return []
    rows = list(zip(chosen.iter_rows(named=True), items, strict=True))
    differing = [_seen(row, item, fields) for row, item in rows if not _is_as_held(row, item)]
    if not differing:
        return []
    schema = {PROFILE: pl.String, EXISTS: pl.Boolean, **dict.fromkeys(fields, pl.String)}
    call.held.observe(pl.DataFrame(differing, schema=schema), stamp=shown, at=begun)
    log.warning("items.differ", items=len(differing), of=len(rows))
    return [noted("items_differ", items=len(differing), looked_at=len(rows))]


async def _asked(call: ImportContext, keys: list[str]) -> list[dict[str, Any] | None]:
    async with call.context.braze() as braze:
        named = [parts_of(key) for key in keys]
        return [await braze.catalog_item(catalog, item) for _, item, catalog in named]


def _is_as_held(row: dict[str, Any], item: dict[str, Any] | None) -> bool:
    held = {name: text for name, text in row.items() if name.startswith(ITEM_FIELD)}
    return item is not None and all(
        text in (None, UNCERTAIN) or _spelled(item, name) in (text, f'"{text}"')
        for name, text in held.items()
    )


def _seen(
    row: dict[str, Any], item: dict[str, Any] | None, fields: Sequence[str]
) -> dict[str, Any]:
    """Return what an item has, as a row of held values."""
    found = {name: EMPTY if item is None else _spelled(item, name) for name in fields}
    return {PROFILE: row[PROFILE], EXISTS: item is not None, **found}


def _spelled(item: dict[str, Any], name: str) -> str:
    return spell_json(item.get(name.removeprefix(ITEM_FIELD)))
