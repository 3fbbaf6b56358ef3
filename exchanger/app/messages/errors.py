"""
Errors in words for a marketer: what happened, and what to type next.

This is the one place that does so; what concerns S3, Braze and the cluster is in
``outside_wording``. Errors carry facts; nothing else here decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from errno import EMFILE, ENFILE
from functools import partial, singledispatch
from shlex import quote

from exchanger import errors
from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.app.messages.outside_errors import words_for_outside
from exchanger.app.messages.words import Message, filled, with_connection
from exchanger.config.findings import closest, listed
from exchanger.version import __version__


def words_for(error: BaseException) -> Message:
    """Put any error into words; commands name the connection that it comes from."""
    of = error.option if isinstance(error, errors.ExchangerError) else ""
    said = plain_words(error)
    return Message(with_connection(said.what, of), with_connection(said.next, of))


@singledispatch
def plain_words(error: BaseException) -> Message:
    """Put an error into words; one that was not foreseen is named with its kind."""
    return Message(
        f"Something unexpected happened: {type(error).__name__}: {error}",
        "What was already sent is recorded. Run the same command again; if it happens again,"
        " report it with the log of --log-level debug.",
    )


@plain_words.register
def _(error: errors.ExchangerError) -> Message:
    return Message(f"It did not work: {error}", "Run the same command again.")


@plain_words.register
def _(error: OSError) -> Message:
    if error.errno not in (EMFILE, ENFILE):
        return plain_words.dispatch(object)(error)
    about = f": {error.filename}" if error.filename else ""
    return Message(
        f"This process may not open more files at once ({error.strerror}{about}).",
        "Raise the limit where it is started: ulimit -n 1024, LimitNOFILE=1024 of a systemd unit, "
        "or --ulimit nofile=1024 of a container. Then run the same command again.",
    )


_PLAIN: Mapping[type[Exception], Message] = {
    errors.LeaseLost: Message(
        "{holder} was held up for so long that another process may write by now.",
        "It stopped by itself, and nothing is lost. Run the same command again to go on.",
    ),
    errors.NotAnExport: Message("The job {job} is an import, which asks Braze for no export."),
    errors.NotAnImport: Message("The job {job} is an export, which sends nothing."),
    errors.PlanMoved: Message(
        "The saved plan was not run, and nothing was sent. {detail}",
        "Look at it anew: exchanger plan {job} --save FILE",
    ),
    errors.PlanUnusable: Message(
        "The saved plan {path} cannot be used: {detail}.",
        "Save one: exchanger plan JOB --save FILE",
    ),
    errors.RunUnsuitable: Message(
        "Run {run} cannot be taken for {verb}: {detail}.",
        "What there is to know about it: exchanger show {run}",
    ),
    errors.SchemaBroken: Message(
        "{key}: {message}",
        "Nothing was sent, and no file was taken. Correct the file, or what the job says of it in"
        " 'fields' and 'source: {{schema: ...}}'; then run it again.",
    ),
    errors.SegmentUnnamed: Message(
        "There is no segment that {job} could learn from.",
        "Name a segment, or 'baseline: {{segment: NAME}}' in the job",
    ),
    errors.StateDamaged: Message(
        "{key}, which holds what exchanger remembers, is damaged: {detail}",
        "Nothing was sent. Restore the object from the bucket's versions, or ask for help; do not"
        " delete it, as sums would count twice.",
    ),
    errors.StateMissing: Message(
        "{key}, which exchanger wrote and a run still needs, is not in the bucket any more.",
        "Restore the object from the bucket's versions. If that is not possible, drop the run:"
        " exchanger discard RUN; its number: exchanger runs --latest. A lifecycle rule must never"
        " expire what is below the state prefix.",
    ),
    errors.Stopped: Message(
        "Stopped as asked, before anything was sent.",
        "Run the same command again.",
    ),
}
"""Words of errors of which nothing but their facts is to be said."""
for _kind, _template in _PLAIN.items():
    plain_words.register(_kind, partial(filled, _template))


def describe_problem(problem: errors.Problem) -> str:
    """Write one problem of a configuration in a line."""
    line = f"line {problem.line}: " if problem.line else ""
    path = f"{problem.path}: " if problem.path else ""
    guess = f"; did you mean {problem.guess}?" if problem.guess else ""
    return f"{line}{path}{problem.message}{guess}"


@plain_words.register
def _(error: errors.ConfigError) -> Message:
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
        then = "Correct this, then: exchanger check" + (f" --config {quote(error.source)}" * other)
    return Message("\n".join([head, *lines]), then)


@plain_words.register
def _(
    error: errors.StorageError | errors.BrazeError | errors.EngineError | errors.QueueError,
) -> Message:
    return words_for_outside(error)


@plain_words.register
def _(error: errors.NoRoom) -> Message:
    limit = "" if error.limit is None else f", and a file may have {_size(error.limit)} (ulimit -f)"
    used = f" This run had {_size(error.used)} there." if error.used else ""
    return Message(
        f"The folder for temporary files {error.folder} has too little room:"
        f" {_size(error.free)} are free{limit} ({error.detail}).{used}",
        "A run needs room there for about twice its unpacked files, and 100 MB. Make room, or name"
        " another folder in the environment: TMPDIR=/var/large. Then run the same command again.",
    )


def _size(count: int) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}"
        count //= 1000
    return f"{count:,.0f} GB"


@plain_words.register
def _(error: errors.FileRejected) -> Message:
    row = f", row {error.row}" if error.row else ""
    column = f", column {error.column}" if error.column else ""
    return Message(f"{error.key}{row}{column}: {error.message}")


@plain_words.register
def _(error: errors.InvalidRow) -> Message:
    field = f" (field {error.field})" if error.field else ""
    return Message(
        f"{error.key}{field}: {error.message} The job has 'on_invalid: stop', so nothing was sent.",
        f"All rows like it: exchanger plan {error.job}. Correct the file and drop it again under"
        " its name, or set another 'on_invalid'.",
    )


@plain_words.register
def _(error: errors.JobBusy) -> Message:
    holder = f" ({error.holder})" if error.holder else ""
    return Message(
        f"Another process is working on {error.job}{holder}.",
        "Let it finish, then run the same command again. What runs: exchanger runs",
    )


@plain_words.register
def _(error: errors.StateNewer) -> Message:
    return Message(
        f"{error.key} was written by a newer version of exchanger: it has format {error.written}, "
        f"and {__version__}, which is installed here, reads format {error.known}.",
        "Nothing was sent. Install the version that your other machines have: exchanger --version",
    )


@plain_words.register
def _(error: errors.StateOlder) -> Message:
    left = f"run {error.left} is the newest one left" if error.left else "no run is left"
    return Message(
        f"{error.key} is gone, and {left}: somebody deleted it, or put what exchanger remembers"
        " back to an earlier moment.",
        f"Nothing was sent. Restore all that lies below {error.state} as it was last, from the"
        " bucket's versions. Delete the rest of it only if that is not possible: then all memory"
        " counts as lost, and files that would add up wait for you.",
    )


@plain_words.register
def _(error: errors.TableOlder) -> Message:
    restore = "Nothing was sent. Restore this folder as it was last, from the bucket's versions."
    if not error.setting:
        return Message(
            f"{error.key} is of an earlier moment than run {error.seq}, which wrote to it.",
            f"{restore} If that is not possible, delete all of it: what Braze has is then looked"
            " up.",
        )
    unknown, without = {
        "row_id": (
            "which rows were sent",
            "its files then count as wholes, also rows that were sent before",
        ),
        "order_by": (
            "what newer rows have said",
            "its files then count in the order in which they arrived",
        ),
    }[error.setting]
    return Message(
        f"{error.key} is of an earlier moment than run {error.seq}, or gone: nobody knows "
        f"{unknown}.",
        f"{restore} If that is not possible, take {error.setting} out of the job for one run: "
        f"{without}.",
    )


@plain_words.register
def _(error: errors.WorkspaceDiffers) -> Message:
    if not error.was:
        what = (
            "does not say which Braze workspace it was made with, so nobody can tell if it is that"
        )
    elif error.unclear:
        what = "may have been made with another Braze workspace than that"
    else:
        what = f"was made with another Braze workspace (at {error.was}) than that"
    return Message(
        f"The state {error.state} {what} that the connection '{error.connection}' reaches now, at "
        f"{error.now}. What it remembers of files and profiles would be wrong there.",
        "If it is another workspace, give it a state of its own: write s3: {state_prefix: "
        f"_exchanger/ANOTHER-NAME/}} in the connection {error.connection}. If it is the same one, "
        f"under a new key or address: exchanger adopt --connection {error.connection}",
    )


@plain_words.register
def _(error: errors.NothingToAdopt) -> Message:
    states = f" ({listed(error.states, 'and')})" if error.states else ""
    then = (
        f"Say which one: exchanger adopt {error.states[0]} --connection {error.connection}"
        if error.states
        else "What was applied there stays as it is in Braze. Files that wait for a person, and "
        "what to type: exchanger jobs --waiting"
    )
    return Message(f"{error.connection} has nothing to adopt: {error.detail}{states}.", then)


@plain_words.register
def _(error: errors.NotConfigured) -> Message:
    guess = closest(error.name, error.known)
    known = f"there are {listed(error.known, 'and')}" if error.known else "there are none"
    hint = f"did you mean {guess}?" if guess else f"{known}."
    what = f"There is no {error.kind} '{error.name}'; {hint}"
    return Message(what, "All of them: exchanger jobs" if error.kind == "job" else "")


@plain_words.register
def _(error: errors.WhichConnection) -> Message:
    return Message(
        f"There are several connections: {listed(error.connections, 'and')}.",
        "Say which of them is meant: --connection NAME",
    )


@plain_words.register
def _(error: errors.RunMissing) -> Message:
    # What has a number was written to the bucket; an id was perhaps only shown.
    unkept = " Nothing is kept of a run that had nothing to do, or that S3 did not let us record."
    return Message(
        f"There is no run {error.run}.{unkept * (not error.run.isdecimal())}",
        "The runs and their numbers: exchanger runs",
    )


@plain_words.register
def _(error: errors.RunAmbiguous) -> Message:
    several = listed(error.connections, "and")
    return Message(
        f"Each of the connections {several} has a run {error.run}.",
        f"Say which one is meant: --connection {error.connections[0]}",
    )


@plain_words.register
def _(error: errors.CannotTest) -> Message:
    return Message(
        f"Nothing was sent: {error.detail.rstrip('.')}.",
        f'A row by hand: exchanger send-test {error.job} \'{{"COLUMN": "value"}}\'',
    )


@plain_words.register
def _(error: errors.NothingToBackfill) -> Message:
    return Message(
        f"{error.job} has nothing to backfill: {error.detail}.",
        error.instead or f"Everything: exchanger backfill {error.job} --full",
    )
