"""Why a value is what it is, for a person: a line for what is held, one for each run before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from exchanger.app.messages.reports import spelt
from exchanger.profiles.frames.columns import COHORT

Content = dict[str, Any]

_OUTCOMES = {
    "accepted": "",
    "refused": "Braze refused it",
    "withheld": "it was not sent",
    "in_doubt": "it was sent, and nobody knows whether Braze took it",
    "dropped": "a person dropped it before it was sent",
    "no_effect": "it had no effect in Braze",
    "unseen": "Braze took it, and may not have such a profile",
}
_MANY = 3
"""Given values of one change that are shown: a run may take many files."""
_LOOKED_UP = "it is looked up before it is used"
_GIVEN = "whoever a file names is given to it, or taken out, in any case"
"""Of a cohort, which nobody can look up."""


def describe_explanation(content: Content) -> list[str]:
    """
    Describe why a profile has its values.

    Args:
        content: As ``explain --json`` prints it.
    """
    others = [key for key in content["keys"] if key != content["profile"]]
    also = f", also known as {', '.join(others)}" if others else ""
    lines = [f"{content['profile']}{also}:"]
    held = {one["field"]: one for one in content["held"]}
    changed = dict.fromkeys(change["field"] for change in content["changes"])
    for name in sorted({*held, *changed}):
        lines.append(f"  {name}: {_now(held.get(name), name)}")
        lines += [f"    {_change(one)}" for one in content["changes"] if one["field"] == name]
        if name not in changed:
            lines.append("    no run changed it, as far as is kept")
    if not held and not changed:
        lines.append("  nothing is held of it, and no run changed it, as far as is kept")
    lines += _put_aside(content["put_aside"])
    return lines + [f"  note: {note}" for note in content["notes"]]


def _now(held: Content | None, name: str) -> str:
    cohort = name.startswith(COHORT)
    then = _GIVEN if cohort else _LOOKED_UP
    if held is None:
        return f"unknown by now: {then}"
    at = _when(held["at"])
    if held["value"] is None:
        return f"uncertain since {at}: {then}"
    if held["by"] == "look":
        return f"{spelt(held['value'])} now, as a look-up or an export showed {at}"
    run = f"run {held['run']}" if held["run"] else "a run"
    return f"{spelt(held['value'])} now, as {run} delivered it {at}"


def _change(change: Content) -> str:
    source = f"{change['file']}, row {change['row']:,}" if change["file"] else ""
    given = f"given {_given(change['given'])}" if change["given"] else ""
    if change.get("takes_back"):
        how = f"took back what run {change['takes_back']} changed"
    else:
        how = ", ".join(part for part in (change["strategy"], source, given) if part)
    went = f"{spelt(change['before'])} -> {spelt(change['wanted'])}"
    outcome = _OUTCOMES.get(change["outcome"], change["outcome"].replace("_", " "))
    became = f"{went}: {outcome}" if outcome else went
    return f"run {change['run']} of {change['job']}, {_when(change['at'])}: {how}: {became}"


def _given(values: list[str]) -> str:
    more = f" and {len(values) - _MANY} more" if len(values) > _MANY else ""
    return " and ".join(map(spelt, values[:_MANY])) + more


def _put_aside(rows: list[Content]) -> Iterator[str]:
    if not rows:
        return
    yield "  did not come through:"
    for row in rows:
        place = f"{row['file']}, row {row['row']:,}" if row["row"] else row["file"]
        yield f"    run {row['run']}: {place}: {row['message']}"


def _when(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC" if text else "at an unknown time"
