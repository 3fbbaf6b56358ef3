"""What was held beside what Braze has, for a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exchanger.app.messages.reports import spelt
from exchanger.config.findings import counted

Content = dict[str, Any]

_LEFT_OUT = {
    "gone": "gone from Braze",
    "pending": "left out, as a run is about to send them",
    "fresh": "left out, as they were sent just now",
    "absent": "not in the segment",
    "ambiguous": "left out, as several profiles have their address or number",
    "unclear": "left out, as the export does not tell whose their address or number is",
}
_POLICIES = {
    "overwrite": "the next change in a file writes over it",
    "keep": "left as it is in Braze",
    "quarantine": "the next change in a file goes to quarantine",
}

_STAYED = {
    "fresh": "stay as they are held, as they were sent after the export was asked for",
    "absent": "are not in it, and so not in Braze",
    "unseen": "are not in it, and stay as they are held",
    "ambiguous": "have an address or number of several profiles, and are looked up when next named",
    "unclear": "stay as they are held, as it does not tell whose their address or number is",
}
_VERDICTS = {"equal": "equal", "changed": "changed", "new": "newly known"}


def describe_drift(content: Content) -> list[str]:
    """
    Describe what others changed.

    Args:
        content: As ``drift --json`` prints it.
    """
    compared = counted(content["compared"], "profile")
    lines = [f"{content['job']}: {compared} compared, {content['changed']:,} changed by others"]
    lines += [f"  {content[key]:,} {what}" for key, what in _LEFT_OUT.items() if content[key]]
    changed = [one for one in content["fields"] if one["changed"]]
    for one in changed:
        known = one["equal"] + one["changed"]
        policy = _POLICIES[one["on_drift"]]
        lines.append(f"  {one['field']}: {one['changed']:,} of {known:,} changed; {policy}")
        lines += _examples(one)
    if content["compared"] and not changed:
        lines.append("  Braze has what it should have.")
    return lines + [f"  note: {note}" for note in content["notes"]]


def _examples(one: Content) -> Iterator[str]:
    for profile, expected, seen in one["examples"]:
        yield f"    {profile}: {spelt(expected)} -> {spelt(seen)}"


def describe_rebuild(content: Content) -> list[str]:
    """
    Describe what an export of a segment taught.

    Args:
        content: As ``rebuild --json`` prints it.
    """
    shown = counted(content["profiles"], "profile")
    lines = [f"{content['job']}: {shown} learnt from '{content['segment']}'"]
    lines += [f"  {content[key]:,} {what}" for key, what in _STAYED.items() if content[key]]
    for one in content["fields"]:
        kinds = [
            f"{one[key]:,} {what}"
            for key, what in _VERDICTS.items()
            if one[key] or key == "changed"
        ]
        if one["equal"] or one["changed"] or one["new"]:
            lines.append(f"  {one['field']}: {', '.join(kinds)}")
            lines += _examples(one)
    return lines + [f"  note: {note}" for note in content["notes"]]
