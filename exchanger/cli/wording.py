"""
Errors in words for a marketer: what happened, and what to type next.

This is the one place that does so. Errors carry facts; nothing else here decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

from exchanger.cli.options import DEFAULT_CONFIG
from exchanger.config.findings import closest, listed
from exchanger.errors import (
    BrazeError,
    BrazeForbidden,
    BrazeKeyRefused,
    BrazeRefused,
    BrazeUnreachable,
    ConfigError,
    EngineDiffers,
    EngineError,
    EngineGaveUp,
    EngineMissing,
    EngineSilent,
    EngineUnreachable,
    ExchangerError,
    ExportIncomplete,
    ExportRunning,
    FileRejected,
    JobBusy,
    LeaseLost,
    NothingToBackfill,
    Problem,
    RunAmbiguous,
    RunMissing,
    RunUnsuitable,
    SegmentMissing,
    StateDamaged,
    Stopped,
    StorageChanged,
    StorageCorrupt,
    StorageDenied,
    StorageError,
    StorageMissing,
    StorageUnreachable,
)

_PERMISSIONS = {
    "/users/track": "users.track",
    "/users/export/segment": "users.export.segment",
    "/users/export/ids": "users.export.ids",
    "/segments/list": "segments.list",
}
_CHECK = "exchanger check --connect"
_CLUSTER = f"Nothing was sent. To plan here: remove engine from the configuration. Then: {_CHECK}"
_SHOWN = 10


@dataclass(frozen=True)
class Words:
    """
    An error for a person.

    Args:
        what: What happened, in one or more lines.
        next: What to do about it, or to type.
    """

    what: str
    next: str = ""

    def __str__(self) -> str:
        return f"{self.what}\n{self.next}" if self.next else self.what


@singledispatch
def words_for(error: Exception) -> Words:
    """Put any error into words; one that was not foreseen is named with its kind."""
    return Words(
        f"Something unexpected happened: {type(error).__name__}: {error}",
        "What was already sent is recorded. Run the same command again; if it happens again,"
        " report it with the log of --log-level debug.",
    )


def describe_problem(problem: Problem) -> str:
    """Write one problem of a configuration in a line."""
    line = f"line {problem.line}: " if problem.line else ""
    path = f"{problem.path}: " if problem.path else ""
    guess = f"; did you mean {problem.guess}?" if problem.guess else ""
    return f"{line}{path}{problem.message}{guess}"


@words_for.register
def _(error: ExchangerError) -> Words:
    return Words(f"It did not work: {error}", "Run the same command again.")


@words_for.register
def _(error: ConfigError) -> Words:
    source = f" in {error.source}" if error.source else ""
    count = len(error.problems)
    head = f"{count} problems{source}:" if count != 1 else f"One problem{source}:"
    lines = [f"  {describe_problem(problem)}" for problem in error.problems]
    if not error.source:
        # A command of a later version: there is no file to correct.
        then = "What there is: exchanger --help"
    elif any("cannot be read" in problem.message for problem in error.problems):
        then = "A sample to start from: exchanger init"
    else:
        other = error.source not in ("", DEFAULT_CONFIG.as_posix())
        then = "Correct this, then: exchanger check" + (f" --config {error.source}" * other)
    return Words("\n".join([head, *lines]), then)


def _where(error: StorageError) -> str:
    return f"s3://{error.bucket}/{error.key}"


@words_for.register
def _(error: StorageError) -> Words:
    detail = f" ({error.detail})" if error.detail else ""
    return Words(f"S3 could not {error.action} {_where(error)}{detail}.", f"Try: {_CHECK}")


@words_for.register
def _(error: StorageDenied) -> Words:
    detail = f" ({error.detail})" if error.detail else ""
    return Words(
        f"S3 does not allow us to {error.action} {_where(error)}{detail}.",
        "Look at the access keys in the configuration, or allow these credentials s3:ListBucket,"
        " s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on this bucket."
        f" Then: {_CHECK}",
    )


@words_for.register
def _(error: StorageMissing) -> Words:
    if error.key:
        return Words(
            f"There is no object {_where(error)}, which was there a moment ago.",
            "Somebody deleted it meanwhile. Run the same command again.",
        )
    return Words(
        f"There is no bucket called {error.bucket}.",
        "Look at bucket, region and endpoint_url in the configuration (with the sandbox: is"
        f" exchanger sandbox running?). Then: {_CHECK}",
    )


@words_for.register
def _(error: StorageUnreachable) -> Words:
    detail = f" ({error.detail})" if error.detail else ""
    return Words(
        f"S3 did not answer when we tried to {error.action} {_where(error)}{detail}.",
        "Nothing is lost. Look at region and endpoint_url in the configuration (with the sandbox:"
        " is exchanger sandbox running?), then run the same command again.",
    )


@words_for.register
def _(error: StorageChanged) -> Words:
    return Words(
        f"Another process changed {_where(error)} at the same time.",
        "Nothing is lost. Let one process work on a connection at a time, then run the same"
        " command again.",
    )


@words_for.register
def _(error: StorageCorrupt) -> Words:
    return Words(
        f"What S3 sent for {_where(error)} was cut short, several times.",
        "Run the same command again; if it stays so, upload that object again.",
    )


@words_for.register
def _(error: BrazeError) -> Words:
    detail = f" ({error.detail})" if error.detail else ""
    return Words(f"Braze could not do {error.endpoint}{detail}.", f"Try: {_CHECK}")


@words_for.register
def _(error: BrazeKeyRefused) -> Words:
    return Words(
        f"Braze does not know this API key (401 at {error.endpoint}).",
        "Look at endpoint and api_key in the configuration: a key is valid on its own instance"
        f" only, and must stand without quotes in the environment variable. Then: {_CHECK}",
    )


@words_for.register
def _(error: BrazeForbidden) -> Words:
    permission = _PERMISSIONS.get(error.endpoint, error.endpoint)
    return Words(
        f"The API key lacks the permission {permission} (403 at {error.endpoint}).",
        "Permissions of a key cannot be changed: create a new REST API key in Braze with this"
        f" permission and put it in place of the old one. Then: {_CHECK}",
    )


@words_for.register
def _(error: BrazeUnreachable) -> Words:
    answered = f"answered {error.status}" if error.status else "did not answer"
    detail = f" ({error.detail})" if error.detail else ""
    return Words(
        f"Braze {answered} at {error.endpoint}{detail}, although we tried several times.",
        "Nothing is lost and nothing will count twice: what was acknowledged is recorded. Run the"
        " same command again later.",
    )


@words_for.register
def _(error: BrazeRefused) -> Words:
    return Words(
        f"Braze refused a request to {error.endpoint} ({error.status}: {error.detail}).",
        "Sending it again would not help. exchanger runs shows what was sent before;"
        f" to try the key and the address: {_CHECK}",
    )


@words_for.register
def _(error: SegmentMissing) -> Words:
    if error.ambiguous:
        ids = "".join(f"\n  {number}" for number in error.ambiguous)
        return Words(
            f"Several segments are called '{error.wanted}':{ids}",
            "Put the id of the one that you mean into the configuration as segment.",
        )
    guess = closest(error.wanted, error.known)
    hint = f"; did you mean '{guess}'?" if guess else "."
    known = "".join(f"\n  {name}" for name in error.known[:_SHOWN])
    more = len(error.known) - _SHOWN
    rest = f"\n  and {more} more" if more > 0 else ""
    return Words(
        f"Braze has no segment '{error.wanted}'{hint} There are:{known}{rest}"
        if error.known
        else f"Braze has no segment '{error.wanted}', and no other either.",
        "All of them, with their ids: exchanger segments",
    )


@words_for.register
def _(error: ExportRunning) -> Words:
    return Words(
        f"Braze is already exporting the segment {error.segment}, or too many exports run.",
        "Nothing is lost. Wait until that export is done, then run the same command again.",
    )


@words_for.register
def _(error: ExportIncomplete) -> Words:
    detail = f" ({error.detail})" if error.detail else ""
    return Words(
        f"Braze did not complete the export within the time allowed{detail}.",
        "The next run waits for the same export again and asks for no other. For large segments,"
        " allow more time: completion: {timeout: 8h}",
    )


@words_for.register
def _(error: EngineError) -> Words:
    return Words(f"The cluster at {error.address} did not plan the run: {error.detail}.", _CLUSTER)


@words_for.register
def _(error: EngineUnreachable) -> Words:
    return Words(
        f"The Dask scheduler at {error.address} cannot be used: {error.detail}.",
        f"Start what is missing: dask scheduler, and dask worker {error.address}. {_CLUSTER}",
    )


@words_for.register
def _(error: EngineDiffers) -> Words:
    lines = [
        f"\n  {name}: {error.theirs[name] or 'not installed'} there, {error.ours[name]} here"
        for name in error.theirs
        if error.theirs[name] != error.ours.get(name)
    ]
    return Words(
        f"{error.worker or 'A worker'} of the cluster at {error.address} has other versions, so it"
        f" might decide otherwise:{''.join(lines)}",
        f"Install the same versions there and start it again. {_CLUSTER}",
    )


@words_for.register
def _(error: EngineGaveUp) -> Words:
    return Words(
        f"{error.workers} workers of the cluster at {error.address} were lost with the same part.",
        f"Mostly they had too little memory: give them more (--memory-limit). {_CLUSTER}",
    )


@words_for.register
def _(error: EngineSilent) -> Words:
    return Words(
        f"The cluster at {error.address} did not plan the run: {error.detail}.",
        f"A worker may hang: start it again (dask worker {error.address}). {_CLUSTER}",
    )


@words_for.register
def _(error: EngineMissing) -> Words:
    return Words(
        f"engine names the Dask cluster {error.address}, but Dask is not installed"
        f" ({error.detail}).",
        "Type: pip install 'exchanger[dask]'",
    )


@words_for.register
def _(error: FileRejected) -> Words:
    row = f", row {error.row}" if error.row else ""
    column = f", column {error.column}" if error.column else ""
    return Words(f"{error.key}{row}{column}: {error.message}")


@words_for.register
def _(error: JobBusy) -> Words:
    holder = f" ({error.holder})" if error.holder else ""
    return Words(
        f"Another process is working on {error.job}{holder}.",
        "Let it finish, then run the same command again. What runs: exchanger runs",
    )


@words_for.register
def _(error: StateDamaged) -> Words:
    return Words(
        f"{error.key}, which holds what exchanger remembers, is damaged: {error.detail}",
        "Nothing was sent. Restore the object from the bucket's versions, or ask for help; do not"
        " delete it, as sums would count twice.",
    )


@words_for.register
def _(_error: Stopped) -> Words:
    return Words("Stopped as asked, before anything was sent.", "Run the same command again.")


@words_for.register
def _(error: LeaseLost) -> Words:
    return Words(
        f"{error.holder} was held up for so long that another process may write by now.",
        "It stopped by itself, and nothing is lost. Run the same command again to go on.",
    )


@words_for.register
def _(error: RunMissing) -> Words:
    # What has a number was written to the bucket; an id was perhaps only shown.
    unkept = " Nothing is kept of a run that had nothing to do, or that S3 did not let us record."
    return Words(
        f"There is no run {error.run}.{unkept * (not error.run.isdecimal())}",
        "The runs and their numbers: exchanger runs",
    )


@words_for.register
def _(error: RunAmbiguous) -> Words:
    several = listed(error.connections, "and")
    return Words(
        f"Each of the connections {several} has a run {error.run}.",
        f"Say which one is meant: --connection {error.connections[0]}",
    )


@words_for.register
def _(error: RunUnsuitable) -> Words:
    return Words(
        f"Run {error.run} cannot be taken for {error.verb}: {error.detail}.",
        f"What there is to know about it: exchanger show {error.run}",
    )


@words_for.register
def _(error: NothingToBackfill) -> Words:
    return Words(
        f"{error.job} has nothing to backfill: {error.detail}.",
        f"Everything: exchanger backfill {error.job} --full",
    )
