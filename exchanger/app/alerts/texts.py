"""
What people are told of the troubles of jobs, for readers who may have no terminal.

A text has counts, keys of files, why, and what to type or whom to ask. It never has a value of a
profile: of what a run notes, only that is told which is known to have none, and nothing that comes
from a file or from Braze's own words is repeated.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from exchanger.app.messages.errors import words_for
from exchanger.app.messages.notes.words import in_words
from exchanger.app.messages.reports import of_rows
from exchanger.config.findings import counted
from exchanger.errors import (
    BrazeError,
    BrazeRefused,
    ExchangerError,
    FileRejected,
    InvalidRow,
    SchemaBroken,
)
from exchanger.notes import read_notes

Report = Mapping[str, Any]

TITLES = {
    "failed": "{job} failed",
    "partial": "{job} was done in part",
    "empty": "{job} came without rows",
    "held_back": "{job} waits for a decision",
    "missed": "{job} missed a start",
    "overdue": "{job} is overdue",
    "recovered": "{job} is fine again",
    "succeeded": "{job} is done",
}
"""What people read first."""

_OVER = {
    "failed": "A run came to its end again, after one had failed.",
    "partial": "A run took all of its rows again.",
    "held_back": "It is decided about what waited; nothing waits any more.",
    "missed": "A run made up for the start that was missed.",
    "overdue": "Something came again.",
}
_NAMED = 5
"""Files that one text names."""
_LONGEST = 400
"""Characters of a sentence."""

_PLAIN = frozenset(
    {
        "applied_since", "budget_exceeded", "changed_while_read", "comes_twice", "doubtful_column",
        "empty_file", "equal_content", "fewer_rows", "file_gone", "given_before", "guards_differ",
        "known_elsewhere", "maybe_sent_again", "memory_lost", "never_answered", "new_version",
        "newer_published", "no_row_taken", "not_completed", "segment_empty",
        "segment_taken_for_empty", "several_runs", "state_lost", "too_many_changed",
        "too_many_cleared", "too_many_deletes", "too_many_points", "too_many_rejected",
        "totals_differ", "unreadable", "waits_for_adoption",
    }
)  # fmt: skip
"""Notes that have no value of a profile in them, and help to understand a trouble."""

_REJECTED = {
    "empty_file": "it has no rows",
    "new_column": "it has a column that no earlier file had",
    "missing_column": "a column that the job needs is missing",
    "type_changed": "a column holds another type than in earlier files",
    "wrong_delimiter": "its cells are separated by another sign than the job says",
}
"""Why a file was not taken, by its reason; of another one its name is told."""


def titled(kind: str, job: str, report: Report | None = None) -> str:
    """Return what people read first."""
    empty = kind == "partial" and report is not None and not _is_partial(report)
    return f"exchanger: {TITLES['empty' if empty else kind].format(job=job)}"


def reason_of(error: Exception | None) -> tuple[str, str]:  # noqa: PLR0911 - one for each kind
    """Describe why a run failed, without anything from a file or of Braze's own, and what to do."""
    if error is None:
        return "it did not come to its end", ""
    if isinstance(error, FileRejected):
        return f"a file could not be read ({error.reason.replace('_', ' ')})", ""
    if not isinstance(error, ExchangerError):
        return f"something unexpected happened ({type(error).__name__})", ""
    words = words_for(error)
    if isinstance(error, SchemaBroken):
        return f"the columns of {error.key} are not those that the job demands", words.next
    if isinstance(error, InvalidRow):
        return f"row {error.row} of {error.key} cannot be used", words.next
    if isinstance(error, BrazeRefused) or type(error) is BrazeError:
        return f"Braze refused a request to {error.endpoint} (status {error.status})", words.next
    return _cut(words.what.splitlines()[0].rstrip(".")), words.next


def failed_body(about: str, report: Report, reason: str, then: str, of: str) -> str:
    """Write that a run failed."""
    return _text(
        about,
        f"{_run(report)} failed: {reason}.",
        *of_rows(dict(report)),
        "What was sent before is recorded and does not count twice; the next run goes on from it.",
        then=[*([then] if then else []), f"exchanger runs {report['job']}{_shown(report, of)}"],
    )


def partial_body(about: str, report: Report, bucket: str, of: str, empty: Sequence[str]) -> str:
    """
    Write that a run did not take all, or that its files had no rows.

    Args:
        about: The job.
        report: The run.
        bucket: Where its quarantine is.
        of: What names the connection in a command.
        empty: The files that came without rows.
    """
    seq = report.get("seq")
    then = [f"exchanger show {seq}{of}"] if seq else []
    back = [fact["run"] for fact in report.get("facts", []) if fact["code"] == "undo_again"]
    if back:
        then += [f"to take back the rest: exchanger undo {back[0]}{of} --yes"]
    elif report.get("quarantine"):
        when = "once the job is corrected" if report.get("rows_rejected") else "to send them again"
        then += [f"{when}: exchanger retry {seq}{of}"]
    if report.get("rows_rejected"):
        then += [_corrected(report)]
    nothing = _nothing(report, empty)
    if nothing:
        then += ["ask whoever sends it whether that is meant"]
    return _text(
        about,
        f"{_run(report)} was done in part." if _is_partial(report) else "",
        *nothing,
        *of_rows(dict(report)),
        *_files(report, of),
        *_notes_of(report.get("facts", []), of),
        *_quarantine(report, bucket),
        then=then,
    )


def _corrected(report: Report) -> str:
    """Describe what whoever sends the file can do about its rows."""
    correct = "or have whoever sends the file correct these rows"
    for fact in report.get("facts", []):
        if fact["code"] == "correct_in_place":
            return (
                f"{correct} of {fact['rejected_rows']}, and drop the result under the same name in "
                f"{fact['corrected_rows']}"
            )
        if fact["code"] == "retry_of_snapshot":
            return f"{correct}, and send the whole file again with them, never these rows alone"
    return f"{correct}, and send them in a new file"


def held_body(about: str, report: Report, of: str) -> str:
    """Write that a run waits for a person."""
    runs = report.get("held_back") or [report.get("seq")]
    verbs = ("show", "approve", "discard")
    return _text(
        about,
        f"{_several(runs)} for a person to decide; nothing of it was sent to Braze.",
        *of_rows(dict(report)),
        *_files(report, of),
        *_notes_of(report.get("facts", []), of),
        "Approve applies what waits, discard drops it. Other files of the job go on.",
        then=[f"exchanger {verb} {run}{of}" for run in runs[:_NAMED] for verb in verbs],
    )


def missed_body(about: str, due: str, last: str) -> str:
    """Write that a job was not started when it was due."""
    return _text(
        about,
        f"It was due at {_moment(due)} and did not start, as no daemon was running then; its last"
        f" start was at {_moment(last)}. It is made up for now.",
        "If nobody stopped the daemon, look at the machine that it runs on.",
        then=["exchanger status"],
    )


def overdue_body(about: str, brings: str, every: str, taken: str | None, where: str) -> str:
    """Write that nothing came for longer than is expected."""
    since = f"since {_moment(taken)}" if taken else "so far"
    ask = (
        f"Ask whoever sends the files: they belong into {where}."
        if brings == "file"
        else "Look at the job's runs: none has published anything."
    )
    return _text(
        about,
        f"No {brings} came {since}, though one is expected every {every}.",
        ask,
        then=["exchanger status", "exchanger jobs --waiting"],
    )


def over_body(about: str, kind: str, report: Report) -> str:
    """Write that a trouble is over."""
    return _text(about, _OVER[kind], *of_rows(dict(report)), then=[])


def succeeded_body(about: str, report: Report) -> str:
    """Write that a run succeeded."""
    return _text(about, f"{_run(report)} is done.", *of_rows(dict(report)), then=[])


def together(texts: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Join several texts into one: their titles first, then each."""
    told = [*texts]
    titles = [title.removeprefix("exchanger: ") for title, _ in told]
    return (
        f"exchanger: {len(told)} alerts",
        "\n\n".join(["\n".join(titles), *(f"{title}\n{body}" for title, body in told)]),
    )


def _text(about: str, *lines: str, then: Iterable[str]) -> str:
    commands = [*then]
    said = [about, *(line.strip() for line in lines if line)]
    if commands:
        said += ["What to do:", *(f"- {command}" for command in commands)]
        said += [f"Without a terminal: show this to whoever runs exchanger on {_host()}."]
    return "\n".join(said)


def _host() -> str:
    return socket.gethostname()


def _run(report: Report) -> str:
    run = f"Run {report['seq']}" if report.get("seq") else "A run"
    begun = report.get("started_at")
    return f"{run}, begun at {_moment(begun)}," if begun else run


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S %Z}".strip()


def _shown(report: Report, of: str) -> str:
    return f", exchanger show {report['seq']}{of}" if report.get("seq") else ""


def _several(runs: list[Any]) -> str:
    if len(runs) == 1:
        return f"Run {runs[0]} waits"
    return f"Runs {', '.join(map(str, runs[:_NAMED]))} wait"


def _is_partial(report: Report) -> bool:
    return bool(report["state"] == "partial")


def _nothing(report: Report, keys: Sequence[str]) -> list[str]:
    if keys:
        more = f" and {len(keys) - 1:,} more" if len(keys) > 1 else ""
        return [f"{keys[0]}{more} came without a single row."]
    if report.get("manifest") and report.get("rows_written") == 0:
        return ["The dataset that was published has not a single row."]
    return []


def _files(report: Report, of: str) -> Iterator[str]:
    """Name the files that were not simply applied, and why."""
    odd = [
        file
        for file in report.get("files", [])
        if file["outcome"] != "applied"
        or file.get("rejected")
        or _notes_of(file.get("facts", []), of)
    ]
    for file in odd[:_NAMED]:
        facts = file.get("facts", [])
        why = [*_notes_of(facts, of), *_why_rejected(facts)]
        if file.get("rejected") and file["outcome"] == "applied":
            why.append(f"{file['rejected']:,} of its {file['rows']:,} rows were rejected.")
        outcome = file["outcome"].replace("_", " ")
        yield f"{file['key']}: {outcome}{'. ' if why else ''}{' '.join(why)}"
    if len(odd) > _NAMED:
        yield f"and {counted(len(odd) - _NAMED, 'more file')}"


def _why_rejected(facts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for fact in facts:
        if fact["code"] == "file_rejected":
            reason = str(fact.get("reason", ""))
            yield f"It was not taken: {_REJECTED.get(reason, reason.replace('_', ' '))}."


def _notes_of(facts: Iterable[Mapping[str, Any]], of: str) -> list[str]:
    return [_cut(in_words(note, of)) for note in read_notes(facts) if note.code in _PLAIN]


def _quarantine(report: Report, bucket: str) -> list[str]:
    if not report.get("quarantine"):
        return []
    return [f"Rows that were not taken, with the reasons: s3://{bucket}/{report['quarantine']}"]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def trial_text() -> tuple[str, str]:
    """Return what is sent to try a channel."""
    body = "This channel can be reached. Nothing is wrong, and there is nothing to do."
    return f"exchanger: a trial from {_host()}", body
