"""Words of what is noted about a run: how far it came, what was sent, and what others do of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.config.findings import counted, listed
from exchanger.errors import ExportEmpty

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchanger.app.messages.words import Words

_NAMED = 4
"""Attributes that one sentence names."""


def _values_dropped(  # noqa: PLR0913 - each is a fact of its own
    *,
    file: str,
    values: int,
    rows: int,
    fields: Sequence[str],
    counts: Sequence[int],
    row: int,
    field: str,
    reason: str,
) -> str:
    each = zip(fields, counts, strict=True)
    some = listed([f"{name} ({count:,})" for name, count in each], "and")
    which = counted(values, "value")
    where = counted(rows, "row")
    are, these = ("is", "this row") if values == 1 else ("are", "these rows")
    return (
        f"{which} in {where} {are} left out, and the rest of {these} is applied: {some}. The first "
        f"of them: {file}, row {row:,}, {field} ({reason})."
    )


def _several_runs(*, runs: Sequence[int]) -> str:
    numbers = [f"{run:,}" for run in runs]
    several = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 2 else " and ".join(numbers)
    return f"These were runs {several}; of each: exchanger show NUMBER."


def _slow_look_ups(*, profiles: int, alone: int, minutes: int) -> str:
    each = (
        f"{alone:,} of them in a request each, as e-mail addresses, phone numbers and braze_ids "
        "are, "
    )
    fewer = (
        "'baseline: {segment: NAME, complete: true}' learns them from one export of a segment of "
        "everybody instead; if none of them has values in Braze yet, 'baseline: assume_empty' "
        "saves that."
    )
    together = "External ids and aliases take fifty to a request; " if alone else ""
    return (
        f"{profiles:,} profiles had to be looked up in Braze first, {each if alone else ''}which "
        f"takes about {minutes:,} minutes at its limit. {together}{fewer}"
    )


def _nothing_learnt(
    *, segment: str, folder: str, files: int, estimate: int | None, unknown_because: str
) -> str:
    nobody = ExportEmpty(
        segment, folder, files=files, estimate=estimate, unknown_because=unknown_because
    )
    return (
        f"Nothing was learnt from the export of the segment '{segment}', so what is unknown is "
        f"looked up: {nobody.seen}. If Braze's exports go elsewhere, correct export_root; if Braze "
        "knows nobody yet, write baseline: assume_empty."
    )


def _not_kept(*, field: str, profiles: int, read_back: int, sent: str, found: str) -> str:
    has = "nothing" if found == "null" else found
    return (
        f"Braze accepted {field!r} and did not keep it: of {read_back} profiles that were read "
        f"back, {profiles} do not have what was sent. One was sent {sent} and has {has}. Braze "
        "ignores values without a word if the attribute is blocklisted, or has another type in its "
        "dashboard; or somebody else has changed it since."
    )


def _not_read_back(*, fields: Sequence[str]) -> str:
    more = f" and {len(fields) - _NAMED} more" if len(fields) > _NAMED else ""
    return (
        f"What was sent of {', '.join(fields[:_NAMED])}{more} for the first time could not be read "
        "back, so nobody has seen whether Braze takes it."
    )


def _verified(*, run: int, profiles: int, values: int, differing: int) -> str:
    if not values:
        return f"Of what run {run} sent, nothing that was to be read back is as it was sent last."
    some = f"{values:,} values of {profiles:,} profiles that run {run} sent were read back"
    if not differing:
        return f"{some}, and Braze has them as they were sent."
    return f"{some}, and of {differing:,} Braze has another one."


def _waits_for_adoption(*, runs: Sequence[int]) -> str:
    return (
        "Nothing is taken before it is decided whether this connection goes on with the memory of "
        f"another state: exchanger adopt. Run {' and '.join(map(str, runs))} waits for that: "
        f"exchanger show {runs[0]}"
    )


def _no_file_matched(*, folder: str, files: int) -> str:
    if not files:
        return f"No file matched: this job has none in {folder}."
    if files == 1:
        return f"No file matched: the only file in {folder} is not in the range."
    return f"No file matched: none of the {files:,} files in {folder} is in the range."


def _not_put_away(  # noqa: PLR0913 - what it is about, and why
    *, what: str, files: int, file: str, why: str, action: str, error: str
) -> str:
    done = {"move": "moved", "rename": "renamed", "tag": "tagged"}[what]
    said = (
        f"{counted(files, 'file')} that the run took could not be {done}, such as {file}. The run "
        "itself is done"
    )
    said += "." if what == "tag" else ", and what was not moved is not read again."
    if why == "denied":
        return f"{said} What the key of exchanger lacks: {_PERMISSIONS[action]}. {error}"
    if why == "unknown":
        return f"{said} This store cannot do that. {error}"
    return f"{said} {error}"


_PERMISSIONS = {
    "copy": (
        "s3:GetObject where the files lie, s3:PutObject where they go and, for files with tags, "
        "s3:GetObjectTagging and s3:PutObjectTagging"
    ),
    "delete": "s3:DeleteObject where the files lie",
    "tag": (
        "s3:GetObjectTagging and s3:PutObjectTagging; in a bucket with versions "
        "s3:GetObjectVersionTagging and s3:PutObjectVersionTagging"
    ),
}
"""What each thing that is done with a file needs."""


def _canary_kept(*, profiles: int, values: int, rest: int) -> str:
    return (
        "Braze has what was sent first (canary) as it was sent; read back were "
        f"{counted(values, 'value')} of {counted(profiles, 'profile')}. So the other "
        f"{counted(rest, 'object was', 'objects were')} sent, too."
    )


def _canary_held(  # noqa: PLR0913 - what was found
    *, run: int, objects: int, refusals: int, values: int, differing: int, rest: int
) -> str:
    why = [f"Braze refused {refusals:,}"] if refusals else []
    if differing:
        why.append(f"{differing:,} of {counted(values, 'value')} differ, as they were read back")
    return (
        f"Of {counted(objects, 'object')} sent first (canary), "
        f"{' and '.join(why) or 'no value could be read back'}. So the other "
        f"{counted(rest, 'object was', 'objects were')} not sent, and nothing sends them by "
        f"itself. To send them: exchanger retry {run}"
    )


RUN_NOTES: Mapping[str, Words] = {
    "added_again": "{field}: {total} was added in all by files that had been applied before.",
    "answers_not_written": (
        "What became of the files could not be written to {folder}, beside them. The run itself "
        "is done. {error}"
    ),
    "canary_first": (
        "The first {first:,} of {objects:,} objects would be sent, then read back once Braze "
        "shows them; the others only if all of these are as they were sent (canary)."
    ),
    "canary_held": _canary_held,
    "canary_kept": _canary_kept,
    "consent_missing": lambda *, values, rows: (
        counted(values, "value was not sent, as it", "values were not sent, as they")
        + " would subscribe somebody who is unsubscribed, or may be ("
        + counted(rows, "row is", "rows are")
        + " skipped for it). If these people agreed again: "
        "may_resubscribe: true."
    ),
    "discarded": "Discarded: nothing of it was sent.",
    "ended_as_usual": "Braze had answered all of it already, so it was ended as usual.",
    "files_follow": "{files} more files follow in a run of their own.",
    "given_again_already": "The rows of run {run} were given again by run {by} already.",
    "items_differ": (
        "Of {looked_at} items of the catalog that were looked at, {items} do not have what was "
        "delivered: Braze took no notice of it, or somebody else has changed it since. What this "
        "run gives to these is sent again; at others nobody has looked."
    ),
    "learnt_from_segment": lambda *, segment, profiles: (
        f"What Braze holds of {counted(profiles, 'profile')} was learnt from '{segment}'."
    ),
    "maybe_sent_again": (
        "Up to {profiles:,} profiles ({data_points:,} data points) may have been sent twice: an "
        "earlier process ended before it knew what became of them. Data points count them once, "
        "and requests only what is known to have been sent."
    ),
    "members_dropped": lambda *, members: (
        counted(members, "member of lists was", "members of lists were")
        + " dropped, as the lists were longer than allowed."
    ),
    "more_in_quarantine": "Rows that were not taken are in {quarantine}, too.",
    "never_answered": (
        "{profiles:,} profiles were sent and never answered. What Braze has of them is uncertain, "
        "so it is looked up before it is used; their sums count as added. Data points that they "
        "may have cost, and that are not counted: {data_points:,}."
    ),
    "never_seen": (
        "Profiles that count as applied and were never seen in Braze: {profiles:,}, with "
        "{data_points:,} data points. Braze drops without a word what is sent of those among them "
        "that it does not have and may not create (create_missing: false, mode: update, or a "
        "braze_id)."
    ),
    "never_sent": lambda *, profiles: (
        f"Discarded: {counted(profiles, 'profile was', 'profiles were')} never sent."
    ),
    "no_file_matched": _no_file_matched,
    "not_kept": _not_kept,
    "not_put_away": _not_put_away,
    "not_read_back": _not_read_back,
    "not_released": (
        "Not released: run {run} was to apply it, and was discarded. What Braze had accepted by "
        "then stays."
    ),
    "not_verified": (
        "What run {run} sent could not be read back, so nobody has seen whether Braze has it."
    ),
    "values_lost": (
        "What Braze has of profiles is not known any more, as {table} is gone: what files set is"
        " sent and billed as if Braze had none of it, and what else is needed is looked up. Unless"
        " that is meant, restore this folder from the bucket's versions."
    ),
    "nothing_held": "Nothing is held of this job's fields yet, so there is no drift.",
    "nothing_learnt": _nothing_learnt,
    "nothing_to_compare": (
        "The job writes no attributes (object: {object}), and drift compares these alone."
    ),
    "nothing_left": "Run {run} has nothing left to give again.",
    "released": "Released: run {run} applied it.",
    "retry_of_snapshot": (
        "Give what was rejected either with the whole file again, corrected, or, once the job is "
        "corrected, by: exchanger retry {run}. Never drop these rows alone, as the newest file "
        "names everybody; and the same file, dropped again, is not read again."
    ),
    "retry_refused": "To give again what Braze refused: exchanger retry {run}",
    "retry_rejected": (
        "Give what was rejected either corrected in a new file or, once the job is corrected, by: "
        "exchanger retry {run}. The same file, dropped again, is not read again."
    ),
    "rows_shut_out": lambda *, rows: (
        counted(rows, "row is skipped, as it is", "rows are skipped, as they are")
        + " about people whom only_if does not let through."
    ),
    "rows_superseded": lambda *, rows: (
        counted(rows, "row was", "rows were")
        + " left out, as newer ones changed all that they say."
    ),
    "run_finished": "Finished run {run_id} of {job}, which was interrupted.",
    "segment_not_exported": (
        "Who is in the segment '{segment}' is exported when the job runs; here everybody counts "
        "as in it (only_if)."
    ),
    "sent_again": (
        "Up to {profiles:,} profiles ({data_points:,} data points) may have been sent twice, and "
        "be billed twice: Braze's answer did not arrive, so they were sent again. Data points "
        "count them once."
    ),
    "several_runs": _several_runs,
    "slow_look_ups": _slow_look_ups,
    "state_lost": (
        "All that was remembered below {state} is gone: which files were applied, what Braze has. "
        "If it was moved or can be restored, restore it before anything else. What is held is "
        "learnt anew; files that would add to a sum wait for a person, as they may have been added "
        "before."
    ),
    "stopped": "Stopped as asked. The next run goes on from there.",
    "stopped_while_sending": (
        "Stopped as asked: {answered:,} of {profiles:,} profiles were sent. The next run goes on "
        "from there."
    ),
    "sums_forgotten": (
        "What files gave to sums of this profile is not known any more: a new version of such a "
        "file takes nothing back for them, and their rows of it go to quarantine"
    ),
    "taken_for_empty": lambda *, profiles: (
        counted(profiles, "profile never seen was", "profiles never seen were")
        + " taken for empty."
    ),
    "totals_differ": (
        "Other totals would be added by now than were shown when the run was held back, so nothing "
        "was sent. If these are right: exchanger approve {run}"
    ),
    "types_replaced": lambda *, values: (
        counted(values, "value replaces", "values replace") + " a value of another type in Braze."
    ),
    "values_dropped": _values_dropped,
    "values_kept": lambda *, values: (
        counted(values, "value was", "values were")
        + " left as somebody else had set them in Braze."
    ),
    "values_kept_since_planned": lambda *, values: (
        counted(values, "value was", "values were")
        + " left as somebody else set them after the run was planned."
    ),
    "verified": _verified,
    "waits_for_adoption": _waits_for_adoption,
    "would_add": "{field}: {total} would be added in all, over all profiles.",
    "doubt_told": lambda *, objects: (
        "Braze has taken requests of which no answer came ('on_unknown: ask'), so "
        f"{counted(objects, 'object counts', 'objects count')} as applied. Whether it refused "
        "single ones of them, it does not tell."
    ),
    "doubt_not_told": (
        "Braze does not tell of some requests, or of none, whether it has taken them, so "
        "'on_unknown: ask' lists what is in doubt of these, as 'hold' does."
    ),
    "counts_by_itself": (
        "A row by hand counts by itself: what it gives is given again by a file that has it, too."
    ),
    "would_be_held_back": (
        "So a run would be held back, until the job is corrected or you approve it."
    ),
    "would_stop": (
        "So a run would stop before it sends anything (on_invalid: stop), until the files are "
        "corrected."
    ),
}
