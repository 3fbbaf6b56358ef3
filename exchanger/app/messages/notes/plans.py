"""Words of what moved since a plan was saved, and of runs that only plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchanger.app.messages.words import Words

_OF = {
    "job": "It is a plan of the job {was}, not of {now}.",
    "braze": "It was made with the workspace at {was}, and the connection is at {now} now.",
    "state": "It was made with what is remembered below {was}, which is below {now} now.",
}
_FILES = {
    "gone": "{file} is gone.",
    "changed": "{file} is another file by now.",
    "taken": "{file} waits no more: it was taken, or left out as a newer file counts alone.",
}
_NAMES = {
    "content": "values",
    "data_points": "data points",
    "objects": "objects",
    "rows_read": "rows",
    "rows_rejected": "rejected rows",
}


def _differs(*, name: str, was: str, now: str) -> str:
    if name == "content":
        return "By now it would send other values than the plan has, though the numbers are alike."
    return f"By now it would come to other {_NAMES.get(name, name)}: {now}, and {was} in the plan."


def _reconfigured(*, keys: Sequence[str]) -> str:
    return f"The configuration of the job has changed: {', '.join(keys)}."


def _overtaken(*, after: int, run: int, job: str) -> str:
    told = f"run {after}" if after else "the first run"
    if run < after:
        return f"It was made after {told}, of which the connection knows nothing."
    return (
        f"What is held has moved: the plan was made {'after' if after else 'before'} {told}, and "
        f"run {run} of {job} came since."
    )


def _compared(*, run: int, profiles: int, values: int, differing: int) -> str:
    some = f"{values:,} values of {profiles:,} profiles that run {run} planned in shadow"
    if not differing:
        return f"{some} were compared, and Braze has all of them by now."
    return f"{some} were compared: of {differing:,} Braze has another one by now."


def _shadow_differs(*, field: str, profiles: int, of: int, wanted: str, found: str) -> str:
    has = "nothing" if found == "null" else found
    return (
        f"{field!r}: of {of:,} profiles, {profiles:,} have another value than was planned. "
        f"One would have {wanted} and has {has}."
    )


PLAN_NOTES: Mapping[str, Words] = {
    "plan_differs": _differs,
    "plan_file_moved": lambda *, file, how: _FILES[how].format(file=file),
    "plan_of_another": lambda *, what, was, now: _OF[what].format(was=was, now=now),
    "plan_overtaken": _overtaken,
    "plan_owes_leavers": (
        "What becomes of people who left with the snapshot of run {run} is still to be done: run "
        "the job without a plan first."
    ),
    "plan_reconfigured": _reconfigured,
    "shadow_compared": _compared,
    "shadow_differs": _shadow_differs,
    "shadow_not_compared": (
        "What run {run} planned in shadow could not be compared with what Braze has."
    ),
    "shadow_run": (
        "Shadow: nothing was sent. It would have been {objects:,} objects with {data_points:,} "
        "data points, in {requests:,} requests."
    ),
    "shadow_would_wait": "So a run that sends would have waited for you.",
}
