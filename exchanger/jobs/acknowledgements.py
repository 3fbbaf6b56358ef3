"""What Braze said of each object of a run, kept in parts that are never overwritten."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import orjson
import polars as pl

from exchanger.profiles.columns import ITEM
from exchanger.state.runs import new_nonce

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchanger.files.names import StateNames
    from exchanger.outside.s3 import Bucket

SCHEMA = {
    ITEM: pl.UInt32(),
    "outcome": pl.String(),
    "reason": pl.String(),
    "uncertain": pl.Boolean(),
}
"""
``outcome`` is ``ok``, ``refused``, ``unknown`` where nobody will ask again, or ``withheld`` where
it was decided not to send; ``reason`` is Braze's own text, or ours, null when ok; ``uncertain``: an
earlier attempt may have taken effect, so a refusal does not mean that nothing changed.
"""

Refusal = tuple[int, str, bool]
"""An item, Braze's reason, and whether an earlier attempt may have taken effect."""

_REFUSALS = {ITEM: pl.UInt32(), "reason": pl.String(), "uncertain": pl.Boolean()}


class Acknowledgements:
    """
    The acknowledgements of one run.

    Args:
        bucket: Where they are kept.
        names: How they are named.
        seq: The run.
    """

    def __init__(self, bucket: Bucket, names: StateNames, seq: int) -> None:
        self._bucket = bucket
        self._names = names
        self._seq = seq
        self._nonce = new_nonce()
        self._part = 0
        self._window = 0

    def parts(self, process: str = "") -> list[str]:
        """List the keys of all parts, of this and of earlier processes; or those of one process."""
        folder = self._names.acks(self._seq)
        return sorted(item.key for item in self._bucket.list(folder + process))

    def begin(self, first: int, last: int) -> None:
        """Mark a range of items as begun, before any of it is sent."""
        self._window += 1
        key = self._names.begun(self._seq, self._nonce, self._window)
        body = orjson.dumps({"first": first, "last": last, "nonce": self._nonce})
        self._bucket.write(key, body, if_none_match=True)

    def begun(self) -> dict[str, pl.Series]:
        """
        Tell which items each earlier process may have sent.

        A range that ended in good order, if not with success, is narrowed down to what was left
        without an answer then.
        """
        items: dict[str, list[pl.Series]] = {}
        for item in self._bucket.list(self._names.begun_folder(self._seq)):
            mark = orjson.loads(self._bucket.read(item.key)[0])
            if mark["nonce"] != self._nonce:
                whole = range(int(mark["first"]), int(mark["last"]) + 1)
                begun = pl.Series(ITEM, mark.get("unsure", whole), SCHEMA[ITEM])
                items.setdefault(mark["nonce"], []).append(begun)
        return {process: pl.concat(marked) for process, marked in items.items()}

    def leave(self, first: int, last: int, unsure: list[int]) -> None:
        """Narrow the range begun last down to the items of which nobody knows the outcome."""
        mark = {"first": first, "last": last, "nonce": self._nonce, "unsure": sorted(unsure)}
        key = self._names.begun(self._seq, self._nonce, self._window)
        self._bucket.write(key, orjson.dumps(mark))

    def read(self, parts: Iterable[str]) -> pl.DataFrame:
        """
        Read some parts.

        Returns:
            One row per item, ``SCHEMA``. Should an item be in several parts, as after a crash
            between sending and writing, ``ok`` wins: the same value was accepted at least once.
        """
        frames = [pl.read_parquet(io.BytesIO(self._bucket.read(key)[0])) for key in parts]
        acks = pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)
        return acks.sort("outcome").unique(ITEM, keep="first", maintain_order=True)

    def write(self, answered: pl.Series, refused: list[Refusal]) -> None:
        """
        Keep one more part.

        Args:
            answered: Items, each accepted unless it is among the refused.
            refused: The refused ones.
        """
        if answered.is_empty():
            return
        refusals = pl.DataFrame(refused, schema=_REFUSALS, orient="row")
        refusals = refusals.with_columns(pl.lit("refused").alias("outcome"))
        accepted = answered.filter(~answered.is_in(refusals[ITEM].implode())).to_frame(ITEM)
        acks = pl.concat([accepted, refusals], how="diagonal").select(
            ITEM,
            pl.col("outcome").fill_null("ok"),
            "reason",
            pl.col("uncertain").fill_null(value=False),
        )
        self._keep(acks)

    def give_up(self, items: pl.Series, reason: str) -> None:
        """Keep that nobody will learn what became of some items."""
        if not items.is_empty():
            unknown = {"outcome": pl.lit("unknown"), "reason": pl.lit(reason)}
            self._keep(items.to_frame(ITEM).with_columns(**unknown, uncertain=pl.lit(value=True)))

    def withhold(self, items: pl.DataFrame) -> None:
        """
        Keep that some items must not be sent.

        Args:
            items: ``@item`` and ``reason``, a sentence; nobody ever tried to send them.
        """
        if not items.is_empty():
            withheld = items.select(ITEM, pl.lit("withheld").alias("outcome"), "reason")
            self._keep(withheld.with_columns(uncertain=pl.lit(value=False)))

    def _keep(self, acks: pl.DataFrame) -> None:
        body = io.BytesIO()
        acks.write_parquet(body)
        self._part += 1
        key = self._names.ack(self._seq, self._nonce, self._part)
        self._bucket.write(key, body.getvalue(), if_none_match=True)
