"""Why a value is what it is, for a person: a line for what is held, one for each run before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from exchanger.app.messages.reports import spelt
from exchanger.config.models import ITEM_GONE
from exchanger.profiles.frames.columns import COHORT, MEMBER

Content = dict[str, Any]

_OUTCOMES = {
    "accepted": "",
    "refused": "Braze refused it",
    "withheld": "it was not sent",
    "in_doubt": "it was sent, and nobody knows whether Braze took it",
    "dropped": "a person dropped it before it was sent",
    "no_effect": "it had no effect in Braze",
    "unseen": "Braze took it, and may not have such a profile",
    "shadow": "it was not sent, as its job is in shadow",
}
_SAID = {
    "aliases": "{profile} is called {other}",
    "identify": "{profile} is {other} from here on",
    "renames": "{profile} is called {other} from here on",
    "merges": "{profile} was merged into {other}",
    "deletions": "{profile} was deleted",
}
"""Of a kind of objects, what one does; others are events, orders and purchases."""
_MANY = 3
"""Given values of one change that are shown: a run may take many files."""
_LOOKED_UP = "it is looked up before it is used"
_GIVEN = "whoever a file names is given to it, or taken out, in any case"
"""Of a cohort, which nobody can look up."""
_SAID_NEXT = "what a file says of it next counts"
"""Of an audience with events, which Braze does not have."""
_SENT = "it is sent as soon as a file names it"
"""Of a field of an item."""


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
        lines.append(f"  {name}: {_now(held.get(name), name, item=bool(content['catalog']))}")
        lines += [f"    {_change(one)}" for one in content["changes"] if one["field"] == name]
        if name not in changed:
            lines.append(f"    {_unchanged(name)}")
    if not held and not changed and not content["sent"]:
        lines.append("  nothing is held of it, and as far as is kept no run changed it,")
        lines.append(f"  and no run of {content['job']} sent anything of it")
    lines += _all_sent(content["sent"])
    lines += _put_aside(content["put_aside"])
    return lines + [f"  note: {note}" for note in content["notes"]]


def _now(held: Content | None, name: str, *, item: bool) -> str:
    if item and name == ITEM_GONE:
        return "the item as a whole, with all its fields"
    then = _SENT if item else _LOOKED_UP
    if name.startswith((COHORT, MEMBER)):
        then = _GIVEN if name.startswith(COHORT) else _SAID_NEXT
    if held is None:
        return f"unknown by now: {then}"
    at = _when(held["at"])
    if held["value"] is None:
        return f"uncertain since {at}: {then}"
    if held["by"] == "look":
        return f"{spelt(held['value'])} now, as a look-up or an export showed {at}"
    run = f"run {held['run']}" if held["run"] else "a run"
    return f"{spelt(held['value'])} now, as {run} delivered it {at}"


def _unchanged(name: str) -> str:
    if name.startswith(MEMBER):
        return "files said so: which ones, explain of the job of this audience tells under 'sent'"
    return "no run changed it, as far as is kept"


def _all_sent(objects: list[Content]) -> Iterator[str]:
    if objects:
        yield "  sent:"
    for one in objects:
        yield f"    {_sent(one)}"


def _sent(sent: Content) -> str:
    """Describe what a run sent that is no value."""
    outcome = _OUTCOMES.get(sent["outcome"], sent["outcome"].replace("_", " "))
    outcome += f": {sent['reason']}" if sent["outcome"] == "refused" and sent["reason"] else ""
    content = json.loads(sent["object"] or "{}")
    if not outcome and sent["kind"] not in _SAID and content.get("_update_existing_only"):
        outcome = "it counts only if Braze has the profile"
    said = f"{_source(sent)}: {_said(sent, content)}" + (f": {outcome}" if outcome else "")
    return f"run {sent['run']} of {sent['job']}, {_when(sent['at'])}: {said}"


def _said(sent: Content, content: Content) -> str:
    if sent["kind"] in _SAID:
        return _SAID[sent["kind"]].format(**sent)
    if "product_id" in content:
        pieces = content.get("quantity", 1)
        return f'purchase of {pieces} x "{content["product_id"]}" at {content["time"]}'
    if sent["member"] is None or content:
        order = content.get("properties", {}).get("order_id") if sent["kind"] == "orders" else None
        of = f" of order {order}" if order else ""
        return f'event "{content["name"]}"{of} at {content["time"]}'
    return f"{'in' if sent['member'] else 'out of'} the audience from here on, without an event"


def _source(told: Content) -> str:
    """Name the file and the row that gave something; who is missing there has no row."""
    more = f" and {told['rows'] - 1:,} more" if told.get("rows", 1) > 1 else ""
    if not told["file"]:
        return ""
    return f"{told['file']}, row {told['row']:,}{more}" if told["row"] else f"not in {told['file']}"


def _change(change: Content) -> str:
    given = f"given {_given(change['given'])}" if change["given"] else ""
    if change.get("takes_back"):
        how = f"took back what run {change['takes_back']} changed"
    else:
        how = ", ".join(part for part in (change["strategy"], _source(change), given) if part)
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
