"""What Braze said of each object of a run, kept in parts that are never overwritten."""

from __future__ import annotations

import io
from functools import reduce
from itertools import chain, count
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from exchanger.errors import StateMissing, StorageMissing
from exchanger.profiles.frames.columns import ITEM
from exchanger.state.documents import from_body, to_body
from exchanger.state.names import items_of_mark
from exchanger.state.runs.log import new_nonce

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from exchanger.outside.s3.bucket import Bucket
    from exchanger.state.names import StateNames
    from exchanger.state.runs.log import RunDocument

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

Request = tuple[str, int, int]
"""A request that Braze can be asked for: ``group_id``, first and last item."""
Refusal = tuple[int, str, bool]
"""An item, Braze's reason, and whether an earlier attempt may have taken effect."""


IN_DOUBT = (
    "Braze may have taken it, as its answer was lost. It is not sent again by itself, as it could "
    "count twice."
)
"""The reason of an object that may count once more if it is sent again."""
NOT_SENT = (
    "It was not sent: what was sent first of its run was read back, and Braze does not have all of "
    "it as it was sent (canary)."
)
"""The reason of an object that was withheld with the rest of its run."""


class SendCounts(NamedTuple):
    """
    What was sent of a run.

    Args:
        requests: Every attempt counted.
        profiles_again: Profiles that were sent again because an answer was lost.
        points_again: Their data points, once for each time.
    """

    requests: int = 0
    profiles_again: int = 0
    points_again: int = 0

    def and_also(self, other: SendCounts) -> SendCounts:
        """Add what was sent besides."""
        return SendCounts(*(ours + theirs for ours, theirs in zip(self, other, strict=True)))


_REFUSALS = {ITEM: pl.UInt32(), "reason": pl.String(), "uncertain": pl.Boolean()}


PRECEDENCE = (
    "no_effect",  # it was accepted, and a look has shown that nothing happened
    "ok",  # the same value was accepted at least once, whatever else happened
    "refused",  # Braze has answered
    "unknown",  # nobody knows: it is looked up before it is used
    "withheld",  # it was not sent, which an attempt of another process makes less than certain
)
"""Outcomes of one item, the one that counts first."""
_RANKS = {outcome: rank for rank, outcome in enumerate(PRECEDENCE)}
NOT_TAKEN = ("refused", "withheld", "no_effect")
"""Outcomes of objects that Braze, or we, did not let through."""


def is_doubtful(run: RunDocument) -> pl.Expr:
    """Return of which refused objects an attempt may have taken effect all the same."""
    attempted = pl.col("outcome") != "withheld"
    return attempted & (pl.col("uncertain") | pl.lit(run.resumed))


class Answers:
    """
    What is known of the items of a run.

    Should an item be in several parts, as after a crash between sending and writing, the outcome
    counts that stands first in ``PRECEDENCE``, and of two refusals the uncertain one.

    Args:
        ok: Items that were accepted, each once.
        others: All other answers, ``SCHEMA``.
    """

    def __init__(self, ok: pl.Series, others: pl.DataFrame) -> None:
        void = others.filter(pl.col("outcome") == "no_effect")[ITEM]
        ok = ok.filter(~ok.is_in(void.implode())) if void.len() else ok
        self.ok = ok.sort()
        left = others.filter(~pl.col(ITEM).is_in(ok.implode())).sort(
            pl.col("outcome").replace_strict(_RANKS, default=len(_RANKS), return_dtype=pl.UInt8),
            ~pl.col("uncertain"),
            maintain_order=True,
        )
        self.others = left.unique(ITEM, keep="first", maintain_order=True)

    @property
    def items(self) -> pl.Series:
        """All items that have an answer."""
        return pl.concat([self.ok, self.others[ITEM]])

    def beside(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Put the answers beside rows of the outbox; ``outcome`` is null where there is none."""
        answered = rows.join(self.others, on=ITEM, how="left", maintain_order="left")
        # Items of a part of the outbox follow one another.
        items = pl.Series([rows[ITEM].min(), rows[ITEM].max()], dtype=pl.UInt32).fill_null(0)
        first, end = self.ok.search_sorted(items[0]), self.ok.search_sorted(items[1], "right")
        near = self.ok.slice(first, end - first)
        accepted = pl.col(ITEM).is_in(near.implode())
        if near.len() == rows.height:
            accepted = pl.lit(value=True)
        return answered.with_columns(
            pl.when(accepted).then(pl.lit("ok")).otherwise("outcome").alias("outcome"),
            pl.when(accepted).then(pl.lit(value=False)).otherwise("uncertain").alias("uncertain"),
        )


class Acknowledgements:
    """
    The acknowledgements of one run.

    Args:
        bucket: Where they are kept.
        names: How they are named.
        seq: The run.
        fresh: Nobody has sent anything of the run before this process.
    """

    def __init__(self, bucket: Bucket, names: StateNames, seq: int, *, fresh: bool = False) -> None:
        self._fresh = fresh
        self._bucket = bucket
        self._names = names
        self._seq = seq
        self._nonce = new_nonce()
        self.sent: Callable[[], SendCounts] = SendCounts
        """Counts what this process has sent for the run; noted with all that is written."""
        self.kept: Callable[[pl.Series, pl.DataFrame], None] = lambda *_: None
        """Told what the bucket has by now, as ``Answers`` are made of it; by several threads."""
        # Windows are begun and ended from several threads, and each draws a number of its own.
        self._parts = count(1)
        self._own: dict[str, tuple[pl.Series, pl.DataFrame]] = {}
        self._windows = count(1)
        self._requests: dict[int, Sequence[Sequence[tuple[int, int]]]] = {}

    def parts(self, process: str = "") -> list[str]:
        """List the keys of all parts, of this and of earlier processes; or those of one process."""
        folder = self._names.acks(self._seq)
        return sorted(item.key for item in self._bucket.list(folder + process))

    def age(self) -> float:
        """Return, by S3's clock alone, for how many seconds no part was added; 0 if unknown."""
        ages = [item.age for item in self._bucket.list(self._names.acks(self._seq))]
        return min((age.total_seconds() if age else 0.0 for age in ages), default=0.0)

    def known_before(self) -> pl.Series:
        """Return the items that have an answer already, before anything is sent."""
        return self.read([*self._own] if self._fresh else self.parts()).items

    def mark_in_flight(
        self, first: int, last: int, requests: Sequence[Sequence[tuple[int, int]]] = ()
    ) -> int:
        """
        Mark a range of items as begun, before any of it is sent.

        Args:
            first: The first item.
            last: The last one.
            requests: The first and last item of each request that Braze can be asked for, those
                together that are sent one after the other.

        Returns:
            The mark's number.
        """
        number = next(self._windows)
        self._requests[number] = requests
        key = self._names.begun(self._seq, self._nonce, number, first, last)
        mark: dict[str, Any] = {"first": first, "last": last, "nonce": self._nonce}
        mark |= {"asked": list(requests)} if requests else {}
        self._bucket.write(key, to_body(mark | self.sent()._asdict()), if_none_match=True)
        return number

    def begun(self) -> dict[str, pl.Series]:
        """
        Return which items each earlier process may have sent.

        A range that ended in good order, if not with success, is narrowed down to what was left
        without an answer then.
        """
        items: dict[str, list[pl.Series]] = {}
        for mark in self._marks(lambda key: self._nonce not in key):
            whole = range(int(mark["first"]), int(mark["last"]) + 1)
            begun = pl.Series(ITEM, mark.get("in_doubt", whole), SCHEMA[ITEM])
            items.setdefault(mark["nonce"], []).append(begun)
        return {process: pl.concat(marked) for process, marked in items.items()}

    def narrow(self, number: int, first: int, last: int, in_doubt: list[int]) -> None:
        """Narrow a range that was begun to the items of which nobody knows the outcome."""
        mark = {"first": first, "last": last, "nonce": self._nonce, "in_doubt": sorted(in_doubt)}
        requests = self._requests.get(number, ())
        mark |= {"asked": list(requests)} if requests else {}
        key = self._names.begun(self._seq, self._nonce, number, first, last)
        self._bucket.write(key, to_body(mark | self.sent()._asdict()))

    def group(self, first: int, process: str = "") -> str:
        """Name the request of a process, of this one if left out, that begins with an item."""
        return f"exchanger-{self._seq}-{process or self._nonce}-{first}"

    def requests(self, items: pl.Series) -> list[list[Request]]:
        """
        List the requests that Braze can be asked for, of some items; those of a row together.

        A request of a row is sent once the one before it was answered, or its answer was lost. As
        long as all are accepted, they are one group, which has the name of its first request.

        Args:
            items: Marks of others are not read; their names tell.
        """

        def has_some(key: str) -> bool:
            first, last = items_of_mark(key)
            return bool(items.is_between(first, last).any())

        return [
            [(self.group(first, mark["nonce"]), first, last) for first, last in row]
            for mark in self._marks(has_some)
            for row in mark.get("asked", ())
        ]

    def sent_earlier(self) -> SendCounts:
        """
        Count what earlier processes noted that they sent for this run.

        What a process sent after it had written here for the last time is not among it.
        """
        noted: dict[str, SendCounts] = {}
        for told in chain(self._marks(), map(self._noted, self.parts())):
            counts = SendCounts(*(int(told.get(name, 0)) for name in SendCounts._fields))
            before = noted.get(told.get("nonce", ""), SendCounts())
            noted[told.get("nonce", "")] = SendCounts(*map(max, before, counts))
        noted.pop(self._nonce, None)
        return reduce(SendCounts.and_also, noted.values(), SendCounts())

    def read(self, parts: Iterable[str]) -> Answers:
        """
        Read some parts. None is ever changed, so those written here are known already.

        Raises:
            StateMissing: One of them is gone.
        """
        ok = [pl.Series(ITEM, [], SCHEMA[ITEM])]
        others = [pl.DataFrame(schema=SCHEMA)]
        for key in parts:
            accepted, rest = self._own.get(key) or self._read(key)
            ok.append(accepted)
            others.append(rest)
        return Answers(pl.concat(ok).unique(), pl.concat(others))

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

    def mark_in_doubt(self, items: pl.Series, reason: str) -> None:
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

    def note_no_effect(self, items: pl.Series, reason: str) -> None:
        """Keep that some items were accepted, and changed nothing."""
        if not items.is_empty():
            void = {"outcome": pl.lit("no_effect"), "reason": pl.lit(reason)}
            self._keep(items.to_frame(ITEM).with_columns(**void, uncertain=pl.lit(value=False)))

    def _marks(self, wanted: Callable[[str], bool] = lambda _: True) -> Iterator[dict[str, Any]]:
        for item in self._bucket.list(self._names.begun_folder(self._seq)):
            if wanted(item.key):
                yield from_body(self._bucket.read(item.key)[0], item.key)

    def _noted(self, part: str) -> dict[str, str]:
        return pl.read_parquet_metadata(io.BytesIO(self._bucket.read(part)[0]))

    def _keep(self, acks: pl.DataFrame) -> None:
        body = io.BytesIO()
        sent = {name: str(count) for name, count in self.sent()._asdict().items()}
        acks.write_parquet(body, metadata={"nonce": self._nonce, **sent})
        key = self._names.ack(self._seq, self._nonce, next(self._parts))
        self._bucket.write(key, body.getvalue(), if_none_match=True)
        self._own[key] = _sorted_out(acks)
        self.kept(*self._own[key])

    def _read(self, key: str) -> tuple[pl.Series, pl.DataFrame]:
        try:
            body, _ = self._bucket.read(key)
        except StorageMissing as error:
            raise StateMissing(key) from error
        return _sorted_out(pl.read_parquet(io.BytesIO(body)))


def _sorted_out(acks: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """Part acknowledgements into items that were accepted, and all else."""
    accepted = acks["outcome"] == "ok"
    return acks[ITEM].filter(accepted), acks.filter(~accepted)
