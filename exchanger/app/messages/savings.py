"""What was saved, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exchanger.app.messages.reports import counted

_FIELDS = 10
"""Fields of a month that are shown, those first that save most."""
_PERCENT = 100


def describe_savings(content: dict[str, Any]) -> list[str]:
    """
    Describe what a connection has saved.

    Args:
        content: As ``savings --json`` prints it for one connection.
    """
    jobs = dict.fromkeys(each["job"] for each in content["fields"])
    lines = [line for job in jobs for line in _of_job(job, content)]
    if not lines:
        lines = [f"{content['connection']}: no run has been counted by its fields yet."]
    if content["counted_since"]:
        lines.append(f"  Counted since {content['counted_since'][:10]}.")
    if uncounted := content["runs_uncounted"]:
        several = "run" if uncounted == 1 else "runs"
        lines.append(f"  Not counted: {uncounted:,} {several} of an earlier version.")
    return lines


def _of_job(job: str, content: dict[str, Any]) -> Iterator[str]:
    fields = [each for each in content["fields"] if each["job"] == job]
    yield f"{job}: {_sum(fields, content['currency'])}"
    for month in dict.fromkeys(each["month"] for each in fields):
        of_month = [each for each in fields if each["month"] == month]
        yield f"  {month}: {_sum(of_month, content['currency'])}"
        of_month.sort(key=lambda each: (-each["saved"], each["field"]))
        for each in of_month[:_FIELDS]:
            yield f"    {each['field']}: {each['sent']:,} sent of {each['whole_rows']:,}"
        if (more := len(of_month) - _FIELDS) > 0:
            yield f"    and {counted(more, 'more field')}"


def _sum(fields: list[dict[str, Any]], currency: str | None) -> str:
    sent, whole = (sum(each[name] for each in fields) for name in ("sent", "whole_rows"))
    share = f" ({_PERCENT * (whole - sent) / whole:.1f} %)" if whole else ""
    worth = sum(float(each["worth"]) for each in fields) if currency else 0
    money = f", {worth:,.2f} {currency}" if currency else ""
    points = counted(sent, "data point")
    return f"{points} sent of {whole:,} for whole rows; {whole - sent:,} saved{share}{money}"
