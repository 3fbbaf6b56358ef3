"""The product as a library: what each verb of the command line does, with typed results."""

from __future__ import annotations

import contextvars
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from exchanger.app.choosing import connections_of, import_job_of, job_of, only_connection
from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.app.logs import set_up_library_logs
from exchanger.app.outcome import words_of
from exchanger.app.results import Check, Rows, Status, Tried
from exchanger.config.durations import parse_duration
from exchanger.config.loading.load import load_config
from exchanger.errors import NothingToBackfill, RunUnsuitable

if TYPE_CHECKING:
    from exchanger.app.asking import Fault
    from exchanger.app.find_run import FoundRun
    from exchanger.app.runner import Story
    from exchanger.braze.identifiers import IdentifierKind
    from exchanger.config.models import Config, ImportJob
    from exchanger.jobs.adopt import Adoption
    from exchanger.jobs.drift import DriftReport
    from exchanger.jobs.explain import Explanation
    from exchanger.jobs.forget import ForgetReport
    from exchanger.jobs.inventory.file_fate import FileFate
    from exchanger.jobs.planning.preview import PlanReport
    from exchanger.jobs.reading.first_rows import FirstRows
    from exchanger.jobs.rebuild import RebuildReport
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.options import ImportOptions
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.jobs.savings import Savings
    from exchanger.state.inputs.column_types import KeptColumns

T = TypeVar("T")
Wait = str | timedelta
"""How long to wait for another process that writes to the connection: ``"10m"``."""


class Exchanger:
    """
    One configuration, and everything that can be done with it.

    Prints nothing. What goes wrong is raised as an ``ExchangerError``; ``exchanger.errors`` says
    which, whether to try again (``retryable``) and what the command line would exit with
    (``exit_code``). Any number of these may live in one process, and be used from its threads.
    An interrupt (``KeyboardInterrupt``) stops what is going on in order, and is then raised.

    Args:
        config: The configuration.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        set_up_library_logs(config)

    @classmethod
    def from_config(
        cls, path: str | Path = DEFAULT_CONFIG, *, environment: Mapping[str, str] | None = None
    ) -> Exchanger:
        """
        Read a configuration file.

        Args:
            path: The file.
            environment: Values of ``${NAME}`` in it; the environment of the process if left out.

        Raises:
            ConfigError: Everything that is wrong with it.
        """
        return cls(load_config(Path(path), os.environ if environment is None else environment))

    def check(self, *, connect: bool = False) -> Check:
        """
        Describe what each job will do.

        Args:
            connect: Also try keys, permissions, buckets and segments; nothing is sent.
        """
        from exchanger.app.alerts.channels import check_channels
        from exchanger.app.connectivity import try_connections
        from exchanger.app.wiring import demand_queries
        from exchanger.config.describing.jobs import describe_job

        check_channels(self.config)
        demand_queries(self.config)
        jobs = {name: describe_job(self.config, name) for name in self.config.jobs}
        trials = _in_order(lambda: try_connections(self.config)) if connect else []
        return Check(jobs, trials)

    def jobs(self, *, waiting: bool = False, connection: str | None = None) -> Rows:
        """
        List the jobs.

        Args:
            waiting: Also ask the bucket which files wait for imports.
            connection: Only jobs of this connection.
        """
        from exchanger.app.listings import add_what_waits, job_entries

        chosen = connections_of(self.config, connection)
        entries = [entry for entry in job_entries(self.config) if entry["connection"] in chosen]
        if waiting:
            _demand_all(_in_order(lambda: add_what_waits(self.config, chosen, entries)))
        return Rows(entries)

    def plan(self, job: str, *, record: bool = False, rows: int | None = None) -> PlanReport:
        """
        Return what a run of an import would send.

        Args:
            job: The job.
            record: Keep what was looked up in Braze to tell; else nothing is written anywhere.
            rows: How many changes of each field, and rejected rows, to show.
        """
        from exchanger.app.messages.notes.words import plan_with_words
        from exchanger.jobs.plan import plan_import

        planned = self._about(
            job, lambda context, it: plan_import(context, job, it, record=record, rows=rows)
        )
        return plan_with_words(planned, self._option(job))

    def preview(self, job: str, *, rows: int = 20) -> FirstRows:
        """
        Return the first rows of the files that wait for an import, as they would be read.

        Nothing is written anywhere, and Braze is not asked.

        Args:
            job: The job.
            rows: How many.
        """
        from exchanger.jobs.reading.first_rows import first_rows

        return self._about(job, lambda context, it: first_rows(context, job, it, rows))

    def run(  # noqa: PLR0913 - one for each option
        self,
        job: str,
        *,
        force: bool = False,
        fresh: bool = False,
        one_run: bool = False,
        plan: str | Path | None = None,
        wait: Wait = "10m",
    ) -> RunReport:
        """
        Run a job once, now.

        Args:
            job: The job.
            force: Also apply files that wait as their sums may count twice.
            fresh: Ask Braze for a new export even while one is waited for.
            one_run: End after one run of an import, even if more files wait.
            plan: Do exactly what this file says, which ``PlanReport.save`` wrote, or nothing.
            wait: For another process that writes.

        Raises:
            PlanMoved: What the plan was made of, or comes to, is not as it was.

        Returns:
            What it did. A run that is held back, or of which rows were rejected, is no error:
            look at ``state``, ``exit_code`` and ``notes``.
        """
        from exchanger.app.runner import story_of
        from exchanger.jobs.runtime.options import ImportOptions
        from exchanger.jobs.runtime.saved_plan import SavedPlan

        saved = None if plan is None else SavedPlan.read(Path(plan))
        alone = one_run or saved is not None
        options = ImportOptions(force=force, one_run=alone, wait=_seconds(wait), saved=saved)
        return self._run(job, story_of(job, job_of(self.config, job), options, fresh=fresh))

    def send_test(
        self,
        job: str,
        given: Mapping[str, Any] | None = None,
        *,
        row: int = 1,
        send: bool = True,
        wait: Wait = "10m",
    ) -> Tried:
        """
        Try an import with one row, which counts once.

        Args:
            job: The job.
            given: The row by hand, by column: a file of its own.
            row: In place of that, which row of the newest file that waits.
            send: Send it; else only return the requests.
            wait: For another process that writes.
        """
        from exchanger.app.messages.exchanges import without_secrets
        from exchanger.app.messages.notes.words import plan_with_words
        from exchanger.jobs.send_test import Exchange, OneRow, plan_test, send_test

        found, seconds = import_job_of(self.config, job), _seconds(wait)
        chosen = OneRow(row) if given is None else OneRow(given=json.dumps(given, default=str))
        plan, requests = self._about(job, lambda context, it: plan_test(context, job, it, chosen))
        told = plan_with_words(plan, self._option(job))
        foreseen = Tried(told, without_secrets(self.config, requests))
        if not send or not requests:
            return foreseen
        heard: list[Exchange] = []
        report = self._run(
            job,
            lambda context: send_test(context, job, found, chosen, seconds, heard.append),
            begins=False,
        )
        return Tried(foreseen.plan, without_secrets(self.config, heard), report)

    def backfill(  # noqa: PLR0913 - one for each option
        self,
        job: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        prefix: str | None = None,
        full: bool = False,
        force: bool = False,
    ) -> RunReport:
        """
        Run a job over a range of files, or over everything, as if it were new.

        Args:
            job: The job.
            since: Files that arrived then or later; UTC if it names no time zone.
            until: Files that arrived before then.
            prefix: Files whose key begins so.
            full: Everything.
            force: Add to sums again what was already added.
        """
        from exchanger.jobs.backfill import backfill

        options = _range(job, since, until, prefix, full=full, force=force)
        found = job_of(self.config, job)
        return self._run(job, lambda context: backfill(context, job, found, options))

    def plan_backfill(
        self,
        job: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        prefix: str | None = None,
        full: bool = False,
    ) -> PlanReport:
        """Return what *backfill* of an import would send, and write nothing anywhere."""
        from exchanger.app.messages.notes.words import plan_with_words
        from exchanger.jobs.backfill import plan_backfill

        options = _range(job, since, until, prefix, full=full, force=False)
        return plan_with_words(
            self._about(job, lambda context, it: plan_backfill(context, job, it, options)),
            self._option(job),
        )

    def segments(self, *, connection: str | None = None) -> Rows:
        """List Braze's segments."""
        from exchanger.app.listings import segments_of

        chosen = connections_of(self.config, connection)
        found, faults = _in_order(lambda: segments_of(self.config, chosen))
        _demand_all(faults)
        return Rows(found)

    def runs(
        self, job: str | None = None, *, latest: bool = False, connection: str | None = None
    ) -> Rows:
        """
        List what happened, newest first.

        Args:
            job: Only runs of this job.
            latest: Only the last run of each job.
            connection: Only this connection; one that does not answer raises its error.
        """
        from exchanger.app.listings import newest_first, runs_of

        if job is not None and connection is None:
            job_of(self.config, job)
            connection = self.config.connection_of(job)
        chosen = connections_of(self.config, connection)
        listed, faults = _in_order(lambda: runs_of(self.config, chosen, job, latest=latest))
        _demand_all(faults)
        return Rows(newest_first(listed))

    def savings(
        self,
        job: str | None = None,
        *,
        since: datetime | None = None,
        connection: str | None = None,
    ) -> list[Savings]:
        """
        Return what was sent, and what sending every row whole would have cost, by connection.

        Args:
            job: Only this job.
            since: Only runs that began then or later; UTC if it names no time zone.
            connection: Only this connection.
        """
        from exchanger.jobs.runtime.options import in_utc
        from exchanger.jobs.savings import savings

        if job is not None:
            job_of(self.config, job)
            connection = connection or self.config.connection_of(job)
        return [
            self._there(name, lambda context: savings(context, job, in_utc(since)))
            for name in connections_of(self.config, connection)
        ]

    def show(self, run: str | int, *, connection: str | None = None) -> RunReport:
        """Read the report of one run, by its id or number."""
        from exchanger.jobs.runtime.report import RunReport

        return RunReport.from_dict(self._found(run, connection).report or {})

    def approve(
        self, run: str | int, *, connection: str | None = None, wait: Wait = "10m"
    ) -> RunReport:
        """Release a run that was held back: it is planned again on what is held now."""
        from exchanger.jobs.approve import approve_run

        return self._decide("approve", run, connection, wait, approve_run)

    def discard(
        self, run: str | int, *, connection: str | None = None, wait: Wait = "10m"
    ) -> RunReport:
        """Drop a run that was held back, or that cannot be delivered."""
        from exchanger.jobs.discard import discard_run

        seconds, found = _seconds(wait), self._found(run, connection)
        name, seq = found.numbered("discard", str(run))
        return self._run(
            name,
            lambda context: discard_run(context, name, seq, seconds),
            begins=False,
            connection=found.connection,
        )

    def retry(
        self, run: str | int, *, connection: str | None = None, wait: Wait = "10m"
    ) -> RunReport:
        """Send again what Braze refused of a run, and what was rejected of it."""
        from exchanger.jobs.retry import retry_run

        return self._decide("retry", run, connection, wait, retry_run)

    def plan_undo(
        self, run: str | int, *, rows: int | None = None, connection: str | None = None
    ) -> PlanReport:
        """
        Return what *undo* of a run would send, and write nothing anywhere.

        Args:
            run: Its id or number.
            rows: How many changes of each field to show.
            connection: Where it is; needed where several have a run of that number.
        """
        from exchanger.app.messages.notes.words import plan_with_words
        from exchanger.jobs.undo import plan_undo

        name, job, seq = self._import_of("undo", run, connection)
        planned = self._about(
            name, lambda context, _: plan_undo(context, name, job, seq, rows=rows)
        )
        return plan_with_words(planned, self._option(name))

    def undo(
        self, run: str | int, *, connection: str | None = None, wait: Wait = "10m"
    ) -> RunReport:
        """Take back what a run changed, where it is still as the run left it."""
        from exchanger.jobs.undo import undo_run

        return self._decide("undo", run, connection, wait, undo_run)

    def drift(self, job: str, *, sample: int | None = 1000, seed: int = 0) -> DriftReport:
        """
        Return what others changed in Braze since it was delivered; nothing is sent.

        Args:
            job: An import.
            sample: Compare so many profiles, chosen at random; all if None.
            seed: Another number chooses other profiles.
        """
        from exchanger.app.messages.notes.words import with_words
        from exchanger.jobs.drift import DriftOptions, find_drift

        options = DriftOptions(sample, seed)
        return with_words(
            self._about(job, lambda context, it: find_drift(context, job, it, options)),
            self._option(job),
        )

    def rebuild(
        self,
        job: str,
        *,
        segment: str | None = None,
        complete: bool = False,
        wait: Wait = "10m",
    ) -> RebuildReport:
        """
        Rebuild what is held of a job's connection from an export of a segment.

        Args:
            job: An import.
            segment: The name or id of a segment; that of the job's baseline if left out.
            complete: Who is not in the segment does not exist in Braze.
            wait: For another process that writes.
        """
        from exchanger.app.messages.notes.words import with_words
        from exchanger.jobs.rebuild import rebuild, source_of

        seconds = _seconds(wait)
        source = source_of(job, import_job_of(self.config, job), segment, complete=complete)
        return with_words(
            self._about(job, lambda context, it: rebuild(context, job, it, source, seconds)),
            self._option(job),
        )

    def adopt(
        self, state: str | None = None, *, connection: str | None = None, wait: Wait = "10m"
    ) -> Adoption:
        """
        Let a connection go on with a memory, after its key, address or name changed.

        Args:
            state: The state prefix to take over; if left out, the only one that can be meant.
            connection: The connection; the only one if left out.
            wait: For another process that writes.
        """
        from exchanger.config.loading.shorthand import folder
        from exchanger.jobs.adopt import adopt

        source, seconds = None if state is None else folder(state), _seconds(wait)
        name = only_connection(self.config, connection)
        return self._there(name, lambda context: adopt(context, source, seconds))

    def types(self, job: str, *, forget: Sequence[str] = (), wait: Wait = "10m") -> KeptColumns:
        """
        Read which types are kept of the columns of an import.

        Args:
            job: The job.
            forget: Columns whose types are reset: they are told from the next file.
            wait: For another process that writes, where something is reset.
        """
        from exchanger.jobs.column_types import forget_columns, kept_columns

        columns, seconds = list(forget), _seconds(wait)

        def act(context: JobContext, _: ImportJob) -> KeptColumns:
            if columns:
                return forget_columns(context, job, columns, seconds)
            return kept_columns(context, job)

        return self._about(job, act)

    def status(self, *, connection: str | None = None) -> Status:
        """Return whether a daemon is alive, and what needs a person."""
        from exchanger.app.messages.standings import standing_json
        from exchanger.jobs.inventory.standing import standing

        found = {
            name: self._there(
                name, lambda context: standing(context, self.config.jobs_of(context.connection))
            )
            for name in connections_of(self.config, connection)
            if connection or self.config.connections[name].enabled
        }
        return Status(**standing_json(self.config, found))

    def files(self, *, connection: str | None = None, unclaimed: bool = False) -> Rows:
        """
        List the files of the last runs.

        Args:
            connection: Only this connection.
            unclaimed: List files that no job takes instead.
        """
        from exchanger.jobs.inventory.file_fate import recent_files
        from exchanger.jobs.inventory.unclaimed import unclaimed_files

        def ask(context: JobContext) -> list[dict[str, Any]]:
            if not unclaimed:
                return recent_files(context)
            found = unclaimed_files(context, [*self.config.imports_of(context.connection)])
            return [each.to_dict() for each in found]

        return Rows(
            [
                {"connection": name} | each
                for name in connections_of(self.config, connection)
                for each in self._there(name, ask)
            ]
        )

    def file(self, key: str, *, connection: str | None = None) -> FileFate:
        """Return which run took a file and with what result, or why no job takes it."""
        from exchanger.app.messages.files import with_versions_worded
        from exchanger.jobs.inventory.file_fate import fate_of

        name = only_connection(self.config, connection)
        ours = [*self.config.imports_of(name)]
        fate = self._there(name, lambda context: fate_of(context, ours, key))
        return with_versions_worded(fate, self.config.option_of(name))

    def explain(  # noqa: PLR0913 - one for each option
        self,
        job: str,
        profile: str,
        field: str | None = None,
        *,
        by: IdentifierKind = "external_id",
        label: str = "",
        catalog: str = "",
        before: int | None = None,
    ) -> Explanation:
        """
        Return why a profile has a value: which runs changed it, and who has seen it last.

        Args:
            job: An import; of one of a catalog, *profile* is the id of an item.
            profile: The identifier; of an alias its name.
            field: Only this attribute, or the events or purchases of this name.
            by: What the identifier is.
            label: Of an alias.
            catalog: Of an item, where a column of the job names it.
            before: Where the newest runs alone are looked into, only runs before this one.

        Raises:
            ValueError: It is no such identifier, or the catalog is not named.
        """
        from exchanger.app.messages.notes.words import with_words
        from exchanger.jobs.explain import explain, item_of
        from exchanger.profiles.reading.resolve import canonical_key

        wanted = import_job_of(self.config, job)
        key = canonical_key(by, profile, label)
        if wanted.catalog:
            key = item_of(wanted, profile, catalog)
        if key is None:
            raise ValueError(f"{profile!r} is no {'item' if wanted.catalog else by}")
        return with_words(
            self._about(
                job,
                lambda context, it: explain(context, job, it, key, field, before=before),
            ),
            self._option(job),
        )

    def forget(  # noqa: PLR0913 - one for each option
        self,
        profile: str,
        *,
        by: IdentifierKind = "external_id",
        label: str = "",
        erase: bool = False,
        connection: str | None = None,
        wait: Wait = "10m",
    ) -> list[ForgetReport]:
        """
        Erase a person from what is remembered, on each connection.

        Args:
            profile: The identifier; of an alias its name.
            by: What it is.
            label: Of an alias.
            erase: Erase; else only tell what would be erased.
            connection: Only this connection.
            wait: For another process that writes.

        Raises:
            ValueError: It is no such identifier.
        """
        from exchanger.app.messages.notes.words import with_words
        from exchanger.jobs.forget import forget
        from exchanger.profiles.reading.resolve import canonical_key

        seconds, key = _seconds(wait), canonical_key(by, profile, label)
        if key is None:
            raise ValueError(f"{profile!r} is no {by}")
        return [
            with_words(
                self._there(name, lambda context: forget(context, key, erase=erase, wait=seconds)),
                self.config.option_of(name),
            )
            for name in connections_of(self.config, connection)
        ]

    def _about(self, job: str, act: Callable[[JobContext, ImportJob], T]) -> T:
        """Do something about an import, on its connection."""
        found = import_job_of(self.config, job)
        return self._there(self.config.connection_of(job), lambda context: act(context, found))

    def _option(self, job: str) -> str:
        """Return what names the connection of a job in a command."""
        return self.config.option_of(self.config.connection_of(job))

    def _there(self, connection: str, act: Callable[[JobContext], T]) -> T:
        """Do something on a connection, beside the thread that asks for it."""
        stopping = threading.Event()

        def there() -> T:
            from exchanger.app.wiring import open_context

            with open_context(self.config, connection, stopping=stopping) as context:
                return act(context)

        return _in_order(there, stopping)

    def _run(
        self, job: str, story: Story, *, begins: bool = True, connection: str | None = None
    ) -> RunReport:
        """Carry out a story as every way in does, so that its end is remembered."""
        from exchanger.app.runner import run_job
        from exchanger.jobs.runtime.context import SilentProgress
        from exchanger.jobs.runtime.report import RunReport

        stopping = threading.Event()
        outcome = _in_order(
            lambda: run_job(
                self.config,
                job,
                story,
                stopping=stopping,
                progress=SilentProgress(),
                tell=words_of,
                begins=begins,
                connection=connection,
            ),
            stopping,
        )
        if outcome.error is not None:
            raise outcome.error
        return RunReport.from_dict(outcome.report)

    def _found(self, run: str | int, connection: str | None) -> FoundRun:
        from exchanger.app.find_run import found_run

        chosen = connections_of(self.config, connection)
        found = _in_order(lambda: found_run(self.config, chosen, str(run)))
        # An id is nobody else's; a number may also be that of a run where nobody answered.
        if found.report is None or (found.faults and str(run).isdecimal()):
            _demand_all(found.faults)
        return found

    def _decide(
        self,
        verb: str,
        run: str | int,
        connection: str | None,
        wait: Wait,
        act: Callable[[JobContext, str, ImportJob, int, float], RunReport],
    ) -> RunReport:
        seconds = _seconds(wait)
        name, job, seq = self._import_of(verb, run, connection)
        return self._run(name, lambda context: act(context, name, job, seq, seconds), begins=False)

    def _import_of(
        self, verb: str, run: str | int, connection: str | None
    ) -> tuple[str, ImportJob, int]:
        from exchanger.app.find_run import NO_IMPORT

        name, seq = self._found(run, connection).numbered(verb, str(run))
        job = self.config.jobs.get(name)
        if job is None or job.type != "import":
            raise RunUnsuitable(str(run), verb, NO_IMPORT)
        return name, job, seq


def _in_order(act: Callable[[], T], stopping: threading.Event | None = None) -> T:
    """
    Do something in a thread of its own: an event loop may run in this one, as in notebooks.

    Whoever waits here may be interrupted; then it is stopped as asked, which keeps every answer,
    before the interrupt goes on.
    """
    context = contextvars.copy_context()
    with ThreadPoolExecutor(1, thread_name_prefix="exchanger") as beside:
        work = beside.submit(context.run, act)
        try:
            return work.result()
        except KeyboardInterrupt:
            if stopping is not None:
                stopping.set()
            raise


def _demand_all(faults: Sequence[Fault]) -> None:
    """Raise what went wrong with the first connection that did not answer."""
    for fault in faults:
        raise fault.error


def _seconds(wait: Wait) -> float:
    return parse_duration(wait).total_seconds()


def _range(  # noqa: PLR0913 - what makes a range
    job: str,
    since: datetime | None,
    until: datetime | None,
    prefix: str | None,
    *,
    full: bool,
    force: bool,
) -> ImportOptions:
    from exchanger.jobs.runtime.options import ImportOptions, in_utc

    if full == any(bound is not None for bound in (since, until, prefix)):
        raise NothingToBackfill(job, "say which files: a range, or else full=True")
    first, end = in_utc(since), in_utc(until)
    if first and end and first >= end:
        raise NothingToBackfill(job, "until must be later than since")
    return ImportOptions(force=force, full=full, since=first, until=end, prefix=prefix)
