"""Compares what rows say of items with the catalogs that Braze has, before anything is sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl
from propcache.api import cached_property

from exchanger.braze.catalogs import FITTING
from exchanger.config.models import ITEM_FIELD, ITEM_GONE
from exchanger.profiles.frames.columns import FILE, PROFILE, ROW, said
from exchanger.profiles.reading.field_columns import is_typed
from exchanger.profiles.spelling.profile_key import catalog_of
from exchanger.profiles.validation.messages import CATALOG, Place, no_rejections, rejections_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.outside.braze.catalog_answers import Catalog
    from exchanger.profiles.frames.rules import Rule
    from exchanger.profiles.reading.typed_rows import Given

_CATALOG = "@catalog"


@dataclass(frozen=True)
class Misfits:
    """
    What of a job a catalog does not take.

    Args:
        lacking: The rules of fields that it lacks.
        retyped: Those of fields that it has as another type.
    """

    lacking: tuple[Rule, ...]
    retyped: tuple[Rule, ...]

    def __bool__(self) -> bool:
        """Return whether there is anything."""
        return bool(self.lacking or self.retyped)


def misfits(catalog: Catalog, rules: Sequence[Rule], types: Mapping[str, str]) -> Misfits:
    """
    Find what a catalog does not take.

    Args:
        catalog: Its fields.
        rules: What becomes of each field.
        types: Types by column; one that was empty so far has none.
    """
    named = {field_name(rule): rule for rule in rules if rule.name != ITEM_GONE}
    return Misfits(
        lacking=tuple(rule for name, rule in named.items() if name not in catalog.fields),
        retyped=tuple(
            rule
            for name, rule in named.items()
            if name in catalog.fields
            and (is_typed(rule.config) or rule.column in types)
            and catalog.fields[name] not in FITTING[shown_type(rule)]
        ),
    )


def field_name(rule: Rule) -> str:
    """Return what a catalog calls a field."""
    return rule.name.removeprefix(ITEM_FIELD)


def shown_type(rule: Rule) -> str:
    """Return of what type the values of a rule are, as catalogs tell types apart."""
    numbers = rule.type == "list" and rule.config.items in ("integer", "float")
    return "list of numbers" if numbers else rule.type


def listed_catalogs(call: ImportContext) -> list[Catalog]:
    """
    Ask Braze for its catalogs.

    Raises:
        BrazeError: Braze refused, or did not answer.
    """

    async def asked() -> list[Catalog]:
        async with call.context.braze() as braze:
            return await braze.catalogs()

    return asyncio.run(asked())


class KnownCatalogs:
    """The catalogs of Braze, asked for once, where a column names that of each item."""

    def __init__(self, call: ImportContext) -> None:
        self._call = call

    def split(self, given: Given, rules: Sequence[Rule], types: Mapping[str, str]) -> Given:
        """
        Reject rows of catalogs that there are not, and those whose catalog does not take a value.

        An empty cell is nothing that a catalog would have to take: it says nothing of a field that
        is not there.

        Args:
            given: What files give.
            rules: What becomes of each field.
            types: Types by column.

        Raises:
            BrazeError: Braze refused, or did not answer.
        """
        if self._call.job.catalog_column is None or given.frame.is_empty():
            return given
        rows = given.frame.with_columns(catalog_of(pl.col(PROFILE)).alias(_CATALOG))
        there = pl.col(_CATALOG).is_in([catalog.name for catalog in self._listed])
        found = [no_rejections(), self._unknown(rows.filter(~there))]
        named = {*rows[_CATALOG].unique()}
        for catalog in self._listed:
            theirs = pl.col(_CATALOG) == catalog.name
            if catalog.name in named and (odd := misfits(catalog, rules, types)):
                found += _unfitting(rows.filter(theirs), catalog, odd)
                rows = rows.with_columns(_unsaid(rows, theirs, odd))
        bad = pl.concat(found).sort(FILE, ROW, maintain_order=True)
        fine = rows.join(bad, on=[FILE, ROW], how="anti", maintain_order="left").drop(_CATALOG)
        return replace(given, frame=fine, rejected=pl.concat([given.rejected, bad]))

    @cached_property
    def _listed(self) -> list[Catalog]:
        return listed_catalogs(self._call)

    def _unknown(self, rows: pl.DataFrame) -> pl.DataFrame:
        why = pl.lit("no_such_catalog").alias("reason")
        place = Place(CATALOG, self._call.job.catalog_column or "")
        return rejections_of(rows.select(FILE, ROW, pl.col(_CATALOG).alias("value"), why), place)


def _unfitting(rows: pl.DataFrame, catalog: Catalog, odd: Misfits) -> Iterator[pl.DataFrame]:
    """Yield rejections of what a catalog does not take of some rows of it."""
    for rule in (*odd.lacking, *odd.retyped):
        why = "no_such_field" if rule in odd.lacking else "other_field_type"
        filled = rows.filter(pl.col(rule.name).is_not_null())
        cells = filled.select(FILE, ROW, pl.col(rule.name).alias("value"), reason=pl.lit(why))
        takes = catalog.fields.get(field_name(rule), "")
        column = rule.column or field_name(rule)
        yield rejections_of(cells, Place(rule.name, column, catalog=catalog.name, takes=takes))


def _unsaid(rows: pl.DataFrame, theirs: pl.Expr, odd: Misfits) -> Iterator[pl.Expr]:
    """Let rows say nothing of fields that their catalog lacks, where they would clear them."""
    for rule in odd.lacking:
        if (told := said(rule.name)) in rows.columns:
            yield (pl.col(told) & ~theirs).alias(told)
