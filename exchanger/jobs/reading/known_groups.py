"""Finds subscription groups that there are not, before anything is sent for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.errors import BrazeForbidden, FileRejected
from exchanger.profiles.frames.columns import FILE, GROUP, ROW
from exchanger.profiles.validation.messages import Place, no_rejections, rejections_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchanger.jobs.runtime.import_context import ImportContext

log = structlog.get_logger()


MOST_GROUPS = 250
"""Subscription groups that rows of a file may name: more are no groups, but another column."""


def demand_groups(given: pl.DataFrame, key: str) -> None:
    """
    Check that the groups which rows name can be groups.

    Raises:
        FileRejected: ``too_many_groups``: they are as many as people.
    """
    if "group" not in given.columns:
        return
    count = given["group"].drop_nulls().n_unique()
    if count > MOST_GROUPS:
        message = (
            f"The column of subscription groups has {count:,} different values, and no workspace "
            f"has more than {MOST_GROUPS} groups: name the column of the groups' ids in "
            "'subscription: {group: {from: COLUMN}}'."
        )
        raise FileRejected(key, "too_many_groups", message)


class KnownGroups:
    """
    The subscription groups that rows of a run name.

    One of which anything is held is there; any other is asked for once.
    """

    def __init__(self, call: ImportContext) -> None:
        self._call = call
        self._there: dict[str, bool] = {}

    def split(self, given: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """
        Part rows into those of groups that there are, and others.

        Args:
            given: With a column for each group.

        Returns:
            The first, and rejections of the others (``messages.REJECTED``).

        Raises:
            BrazeError: Braze gave no usable answer.
        """
        named = [name for name in given.columns if name.startswith(GROUP)]
        self._ask(name for name in named if name not in self._there)
        missing = [name for name in named if not self._there[name]]
        if not missing:
            return given, no_rejections()
        bad = pl.any_horizontal(pl.col(name).is_not_null() for name in missing)
        return given.filter(~bad).drop(missing), pl.concat(
            self._rejected(given.filter(pl.col(name).is_not_null()), name) for name in missing
        )

    def _ask(self, names: Iterable[str]) -> None:
        new = [*names]
        if not new:
            return
        held = {*self._call.state.held.fields()}
        self._there |= {name: True for name in new if name in held}
        unknown = [name for name in new if name not in held]
        if unknown:
            self._there |= asyncio.run(self._asked(unknown))

    async def _asked(self, names: list[str]) -> dict[str, bool]:
        async with self._call.context.braze() as braze:
            try:
                return {name: await braze.has_group(name.removeprefix(GROUP)) for name in names}
            except BrazeForbidden as error:
                # What is sent will tell.
                log.warning("groups.unasked", endpoint=error.endpoint)
                return dict.fromkeys(names, True)

    def _rejected(self, rows: pl.DataFrame, name: str) -> pl.DataFrame:
        spec = self._call.job.subscription
        column = spec.group.from_ if spec is not None else None
        value = pl.lit(name.removeprefix(GROUP)).alias("value")
        why = pl.lit("no_such_group").alias("reason")
        return rejections_of(rows.select(FILE, ROW, value, why), Place("group", column or "group"))
