"""The handle of a Delta table: opened when it must be, and brought to the newest version else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from exchanger.errors import StorageChanged, StorageUnreachable
from exchanger.outside.delta.errors import table_faults

T = TypeVar("T")

FIRST_PAUSE = 0.05
"""Seconds before a second attempt; each further pause is twice the one before."""

_READINGS = 5


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

    def open(self) -> DeltaTable | None:
        """Open the newest version; None if nothing was ever appended."""

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
        table = None
        if kept is not None and kept[0] == options:
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
