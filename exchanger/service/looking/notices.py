"""Listens to queues for notices of new files, which wake the look for them: a thread for each."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from exchanger.config.answers import answers_of
from exchanger.config.loading.shorthand import default_state_prefix
from exchanger.config.models import Config, Notices, S3Config
from exchanger.errors import QueueError
from exchanger.files.folders import Reader, reader_of
from exchanger.files.notices import NoticeFault, Object, read_notice
from exchanger.service.scheduling.schedules import scheduled_imports

if TYPE_CHECKING:
    from exchanger.outside.sqs.queue import Message, Queue

AGAIN = 30.0
"""Seconds until a queue is asked again that refused or did not answer."""
_REMEMBERED = 1_000
"""Messages that were told, of those that cannot be read."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Notice:
    """
    Messages about files of jobs.

    Args:
        jobs: The jobs that take them.
        done: To be called once a look that began after the messages came is over: deletes them.
        corrected: Those of the jobs that take an object as corrected rows.
    """

    jobs: frozenset[str]
    done: Callable[[], None]
    corrected: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Audience:
    """Who listens to a queue: the buckets that it is about, what jobs read there, and as whom."""

    notices: Notices
    s3: S3Config
    readers: tuple[tuple[str, Reader], ...]

    def jobs_of(self, objects: Iterable[Object]) -> tuple[frozenset[str], frozenset[str]]:
        """Name the jobs that take one of these, or are told by one; and those it corrects."""
        dropped, corrected = set(), set()
        for one in objects:
            for bucket, reader in self.readers if one.is_new else ():
                if bucket != one.bucket:
                    continue
                if reader.takes(one.key) or reader.is_sign(one.key):
                    dropped.add(reader.job)
                if reader.takes_corrected(one.key):
                    corrected.add(reader.job)
        return frozenset(dropped | corrected), frozenset(corrected)

    def is_about(self, objects: Sequence[Object]) -> bool:
        """Return whether any of these objects is in a bucket of ours; so is none at all."""
        ours = {bucket for bucket, _ in self.readers}
        return not objects or any(one.bucket in ours for one in objects)


class Listening:
    """
    The queues of a configuration, a thread for each.

    Args:
        on_notice: Called in a thread with messages about files of jobs.
    """

    def __init__(self, on_notice: Callable[[Notice], None]) -> None:
        self._on_notice = on_notice
        self._listeners: dict[_Audience, _Listener] = {}

    def configure(self, config: Config) -> None:
        """Listen to the queues that a configuration names, and to no other."""
        wanted = _audiences(config)
        for audience in [*self._listeners.keys() - set(wanted)]:
            self._listeners.pop(audience).stop()
        for audience in wanted:
            if audience not in self._listeners:
                self._listeners[audience] = _Listener(audience, self._on_notice)

    def stop(self) -> None:
        """Ask no queue any more. What a request that is under way brings comes again later."""
        for listener in self._listeners.values():
            listener.stop()
        self._listeners.clear()


def _audiences(config: Config) -> list[_Audience]:
    """Put together who listens to one queue, whichever connections they are of."""
    answers = answers_of(config)
    found: dict[Notices, tuple[S3Config, list[tuple[str, Reader]]]] = {}
    for name, jobs in scheduled_imports(config).items():
        s3 = config.connections[name].s3
        state = s3.state_prefix or default_state_prefix(name)
        for job, entry in jobs.items():
            if entry.source.notices is not None:
                _, readers = found.setdefault(entry.source.notices, (s3, []))
                readers.append((s3.bucket, reader_of(job, entry, state, answers)))
    return [_Audience(notices, s3, tuple(readers)) for notices, (s3, readers) in found.items()]


class _Listener:
    """A thread that asks one queue, until it is stopped."""

    def __init__(self, audience: _Audience, on_notice: Callable[[Notice], None]) -> None:
        self._audience = audience
        self._on_notice = on_notice
        self._stopped = threading.Event()
        self._told: OrderedDict[str, None] = OrderedDict()
        threading.Thread(target=self._listen, name="notices", daemon=True).start()

    def stop(self) -> None:
        """Begin no request any more."""
        self._stopped.set()

    def _listen(self) -> None:
        from exchanger.outside.sqs.queue import Queue

        queue = Queue(self._audience.notices, self._audience.s3)
        failed = False
        while not self._stopped.is_set():
            try:
                self._take(queue, queue.receive())
                failed = False
                continue
            except QueueError as error:
                self._fault("notices.failed", again=failed, error=str(error))
            except Exception as error:  # noqa: BLE001 - else nobody would listen any more
                # What is in the words of others nobody knows, so they stay out of the log.
                self._fault("notices.failed", again=failed, error=type(error).__name__)
            failed = True
            self._stopped.wait(AGAIN)

    def _fault(self, event: str, *, again: bool, **facts: Any) -> None:
        if not again:
            log.warning(event, queue=self._audience.notices.sqs, **facts)

    def _take(self, queue: Queue, messages: Sequence[Message]) -> None:
        """Wake the jobs that messages are about, and delete those that are about no file of any."""
        idle: list[str] = []
        waking: dict[str, frozenset[str]] = {}
        correcting: set[str] = set()
        for message in messages:
            objects = self._read(message)
            if objects is None:
                continue
            jobs, corrected = self._audience.jobs_of(objects)
            correcting |= corrected
            if jobs:
                waking[message.receipt] = jobs
            else:
                idle.append(message.receipt)
        if idle:
            delete(queue, idle)
        if waking:
            done = partial(_delete_apart, queue, [*waking])
            woken = frozenset[str]().union(*waking.values())
            self._on_notice(Notice(woken, done, frozenset(correcting)))

    def _read(self, message: Message) -> list[Object] | None:
        """Read a message; None if it is left to the queue's own redrive, which is told once."""
        try:
            objects = read_notice(message.body)
        except NoticeFault as fault:
            self._tell_once("notice.unreadable", message.id, why=str(fault))
            return None
        if not self._audience.is_about(objects):
            self._tell_once("notice.of_other_bucket", objects[0].bucket, bucket=objects[0].bucket)
            return None
        return objects

    def _tell_once(self, event: str, about: str, **facts: str) -> None:
        if about in self._told:
            return
        self._told[about] = None
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        message = {"message_id": about} if event == "notice.unreadable" else {}
        log.warning(event, queue=self._audience.notices.sqs, **message, **facts)


def _delete_apart(queue: Queue, receipts: Sequence[str]) -> None:
    """Delete messages in a thread of its own: the daemon's loop waits for nobody."""
    threading.Thread(target=delete, args=(queue, receipts), name="noticed", daemon=True).start()


def delete(queue: Queue, receipts: Sequence[str]) -> None:
    """Delete messages; if that fails they come again, which does no harm."""
    try:
        queue.delete(receipts)
    except QueueError as error:
        log.info("notices.not_deleted", queue=queue.url, error=str(error))


class Awaited:
    """
    The notices of a connection's jobs, until a look that began after them is over.

    Not for several threads.
    """

    def __init__(self) -> None:
        self._new: list[Callable[[], None]] = []
        self._looked_for: list[Callable[[], None]] = []
        self._to_correct: frozenset[str] = frozenset()
        self.corrected: frozenset[str] = frozenset()
        """Jobs about whose corrected rows a notice is that the look under way is for."""

    def add(self, done: Callable[[], None], corrected: frozenset[str] = frozenset()) -> None:
        """Remember a notice: the next look that begins is for it."""
        self._new.append(done)
        self._to_correct |= corrected

    def begin_look(self) -> None:
        """A look begins, which sees what came before."""
        self._looked_for, self._new = self._new, []
        self.corrected, self._to_correct = self._to_correct, frozenset()

    def looked(self, *, well: bool) -> None:
        """The look is over. If it failed, the messages come again by themselves."""
        done, self._looked_for = self._looked_for, []
        for each in done if well else ():
            each()


def shared(done: Callable[[], None], parts: Iterable[str]) -> Mapping[str, Callable[[], None]]:
    """Build for each of several parts what it calls when it is done; the last one calls *done*."""
    left = set(parts)

    def finish(part: str) -> None:
        left.discard(part)
        if not left:
            done()

    return {part: partial(finish, part) for part in [*left]}
