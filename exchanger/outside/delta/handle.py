"""The handle of a Delta table: opened when it must be, and brought to the newest version else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TypeVar

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from exchanger.errors import StorageChanged, StorageUnreachable
from exchanger.outside.delta.errors import table_faults

T = TypeVar("T")

FIRST_PAUSE = 0.05
"""Seconds before a second attempt; each further pause is twice the one before."""

_READINGS = 5


class _Feeding(threading.local):
    """Whether this thread is making what a table is written of."""

    now = False


_FEEDING = _Feeding()


def fed(frames: Iterator[T]) -> Generator[T]:
    """
    Iterate over what a table is written of, and let no table be opened to make it.

    Delta's library has a thread for each core, and waits in one for what is written. On a single
    core that is the only one: what opens a table would wait for it, and be waited for, for good.
    It begins to write once it has the first frame.
    """
    begun = False
    while True:
        _FEEDING.now, begun = begun, True
        try:
            frame = next(frames, None)
        finally:
            _FEEDING.now = False
        if frame is None:
            return
        yield frame


class TableHandle:
    """
    What opens one table.

    Args:
        uri: ``s3://bucket/prefix`` or a local folder.
        options: Gives the storage options: they are asked for each time, as temporary credentials
            expire.
        sleep: Waits so many seconds between attempts.
    """

    def __init__(
        self,
        uri: str,
        options: Callable[[], dict[str, str]],
        sleep: Callable[[float], None],
    ) -> None:
        self.uri = uri
        self.options = options
        self.sleep = sleep
        self._kept: tuple[dict[str, str], DeltaTable] | None = None
        self._coming: tuple[dict[str, str], Future[DeltaTable]] | None = None

    def open_ahead(self) -> None:
        """
        Begin to open the newest version in a thread, for who asks for *current* next.

        For whoever holds the lease: it stays the newest one, as nobody else writes the table.
        """
        if self._kept is None and self._coming is None:
            options = self.options()
            thread = ThreadPoolExecutor(1, "opening")
            opened = thread.submit(partial(DeltaTable, self.uri, storage_options=options))
            thread.shutdown(wait=False)
            self._coming = options, opened

    def open(self) -> DeltaTable | None:
        """
        Open the newest version; None if nothing was ever appended.

        Raises:
            RuntimeError: It is to make what another table is written of: see *fed*.
        """
        if _FEEDING.now:
            raise RuntimeError(f"{self.uri} is opened while another table is written")
        self._coming = None  # Who opens it anew may write it.

        def once() -> DeltaTable | None:
            with self.typed("open"):
                try:
                    return DeltaTable(self.uri, storage_options=self.options())
                except TableNotFoundError:
                    return None

        return self.again(once)

    def current(self) -> DeltaTable | None:
        """
        Bring the handle of the last call to the newest version: opening anew reads the whole log.

        Nobody may read rows lazily through it, as it moves on.
        """
        kept, self._kept = self._kept, None
        options = self.options()
        table = self._opened_ahead(options)
        if table is None and kept is not None and kept[0] == options and not _FEEDING.now:
            table = kept[1]
            try:
                table.update_incremental()
            except (DeltaError, OSError):
                # Opening says what is wrong, if it still is.
                table = None
        if table is None:
            table = self.open()
        if table is not None:
            self._kept = (options, table)
        return table

    def _opened_ahead(self, options: dict[str, str]) -> DeltaTable | None:
        """Return what was opened ahead, once; None if nothing was, or if it could not be opened."""
        if _FEEDING.now:
            return None
        coming, self._coming = self._coming, None
        # Where it could not be opened, opening it again says what is wrong, if it still is.
        if coming is None or coming[0] != options or coming[1].exception() is not None:
            return None
        return coming[1].result()

    def last(self) -> DeltaTable | None:
        """Return the handle of the last call as it is: newest as far as this process knows."""
        return self._kept[1] if self._kept is not None else self.current()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep the handle of the last call only if nothing fails: else it is opened anew."""
        kept, self._kept = self._kept, None
        with self.typed("write"):
            yield
        self._kept = kept

    def typed(self, action: str) -> AbstractContextManager[None]:
        """Raise what the store does wrong as a ``StorageError``."""
        return table_faults(action, self.uri, self.options)

    def again(self, once: Callable[[], T], attempts: int = _READINGS) -> T:
        """Try again what may be done twice: the library does so for requests, not torn bodies."""
        for attempt in range(attempts - 1):
            try:
                return once()
            except (StorageChanged, StorageUnreachable):
                self.sleep(FIRST_PAUSE * 2**attempt)
        return once()
