"""Plans for people: what a run would do, field by field, and what runs have saved."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import Any

from exchanger.app.messages.reports import of_files, of_rows, spelt
from exchanger.config.findings import counted, first_of

_OF_MONTH = 10
"""Fields of a month that are shown, those first that save most."""
_PERCENT = 100
_MINUTE = 60
_HOUR = 3_600
_COLUMNS = 20
"""Columns, or fields, that one line names."""
_REMOVED = {
    "clear_fields": "the fields of the job are cleared",
    "delete": "they are deleted for good",
    "event": "they get the event '{name}'",
    "goes": "they leave the audience",
}
_SIGNS = {"\t": "tabs", " ": "spaces"}


def describe_plan(content: dict[str, Any]) -> list[str]:
    """
    Describe what a run would send.

    Args:
        content: As ``plan --json`` prints it.
    """
    report = content["report"]
    changed = [field for field in content["fields"] if field["profiles"]]
    kept = ", what was looked up was recorded" if content.get("recorded") else " or written"
    lines = [f"{report['job']}: what a run would do; nothing was sent{kept}"]
    lines += _first(content.get("unfinished")) + _owed(content.get("owed_removal"))
    lines += _corrections(content.get("corrections"))
    lines += of_files(report)
    lines += of_rows(report)
    lines += _effort(content)
    lines += _read_as(content)
    rejected = content.get("rejected", [])
    lines += _listed("would go to quarantine", rejected, report["rows_rejected"], of_rows=True)
    lines += _listed(
        "would be left out", content.get("dropped", []), report.get("values_dropped", 0)
    )
    currency = content.get("currency")
    lines += [line for field in changed for line in _field(field, currency)]
    lines += _as_they_are(content["fields"])
    lines += _objects(content.get("objects", []), content.get("object_count", 0))
    if not changed and not content.get("objects"):
        first = any(map(content.get, ("unfinished", "owed_removal", "corrections")))
        lines.append(f"  Nothing {'else ' if first else ''}would be sent.")
    lines += [f"  note: {note}" for note in report.get("notes", [])]
    if saved := content.get("saved"):
        again = f"exchanger run {report['job']} --plan {quote(saved)}"
        lines.append(f"  saved; to do exactly this: {again}")
    return lines


def _first(run: dict[str, Any] | None) -> list[str]:
    if run is None:
        return []
    left = (
        f"at most {counted(run['profiles'], 'profile')},"
        f" {counted(run['data_points'], 'data point')}"
    )
    sends = left if run["profiles"] else "nothing more"
    unfinished = f"run {run['run']} of {run['job']} is unfinished"
    return [f"  first: {unfinished}, and is finished before anything else; it sends {sends}"]


def _corrections(plan: dict[str, Any] | None) -> list[str]:
    """Describe the run that gives corrected rows, ahead of what is planned as if it were not."""
    if plan is None:
        return []
    _, *lines = describe_plan(plan)
    return ["  first: corrected rows, in a run of their own", *(f"  {line}" for line in lines)]


def _owed(removal: dict[str, Any] | None) -> list[str]:
    if removal is None:
        return []
    does, _, name = removal["does"].partition(":")
    became = _REMOVED[does].format(name=name)
    people = counted(removal["people"], "person", "people")
    points = counted(removal["data_points"], "data point")
    return [f"  first: {people} who left with run {removal['run']}: {became}; at most {points}"]


def _listed(
    would: str, rows: list[dict[str, Any]], total: int, *, of_rows: bool = False
) -> Iterator[str]:
    """Show the first of what is wrong; of rows with several faults the total counts each once."""
    if not rows:
        return
    shown = len({(row["file"], row["row"]) for row in rows}) if of_rows else len(rows)
    more = f", the first {shown} of them" if total > shown else ""
    yield f"  {would}{more}:"
    for row in rows:
        yield f"    {row['file']}, row {row['row']:,}: {row['message']}"


def _objects(objects: list[tuple[str, str]], total: int) -> Iterator[str]:
    """Show the first objects of a plan that changes no values."""
    if objects:
        more = f", the first {len(objects)} of them" if total > len(objects) else ""
        yield f"  would be sent: {counted(total, 'object')}{more}:"
        yield from (f"    {text}" for _, text in objects)


def _effort(content: dict[str, Any]) -> Iterator[str]:
    """Describe the requests that a run takes, and those that it took to tell."""
    if sending := content.get("sending", {}).get("requests"):
        seconds = content["sending"]["seconds"]
        yield f"  sending takes {counted(sending, 'request')}{_time_at_limit(seconds)}"
    if content["lookups"]:
        effort = content.get("looking_up", {})
        asked = f" with {counted(effort['requests'], 'request')}" if effort.get("requests") else ""
        profiles = counted(content["lookups"], "profile")
        took = _time_at_limit(effort.get("seconds", 0))
        yield f"  looked up in Braze to tell: {profiles}{asked}{took}"


def _time_at_limit(seconds: float) -> str:
    return f", about {_duration(seconds)} at the rate limit" if seconds else ""


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{max(seconds, 1):.0f} s"
    if seconds < _HOUR:
        return counted(round(seconds / _MINUTE), "minute")
    return f"{seconds / _HOUR:,.1f} hours"


def _read_as(content: dict[str, Any]) -> Iterator[str]:
    """Describe as what the columns of the files are read."""
    columns = content.get("columns", {})
    if not columns:
        return
    layout = content.get("layout", {})
    sign = layout.get("delimiter")
    written = [layout["encoding"]] if layout.get("encoding") else []
    written += [f"cells between {_SIGNS.get(sign, sign)}"] if sign else []
    named = [f"{name} {kind}" for name, kind in columns.items()]
    how = f" ({', '.join(written)})" if written else ""
    yield f"  columns{how}: {first_of(named, _COLUMNS)}"


def _field(field: dict[str, Any], currency: str | None) -> Iterator[str]:
    cost = f", {field['cost']} {currency}" if field.get("cost") and currency else ""
    kinds = ", ".join(
        f"{field[kind]:,} {kind}"
        for kind in ("new", "changed", "cleared", "unchanged")
        if field.get(kind)
    )
    yield (
        f"  {field['field']} ({field['strategy']}): {counted(field['profiles'], 'profile')},"
        f" {counted(field['data_points'], 'data point')}{cost}{'; ' if kinds else ''}{kinds}"
    )
    for profile, before, wanted in field["examples"]:
        yield f"    {profile}: {spelt(before)} -> {spelt(wanted)}"


def _as_they_are(fields: list[dict[str, Any]]) -> Iterator[str]:
    """Name the fields that files speak of and that change nobody."""
    idle = [each for each in fields if not each["profiles"] and each.get("unchanged")]
    if idle:
        named = [f"{each['field']} ({each['unchanged']:,})" for each in idle]
        yield f"  unchanged in all profiles: {first_of(named, _COLUMNS)}"


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
        for each in of_month[:_OF_MONTH]:
            yield f"    {each['field']}: {each['sent']:,} sent of {each['whole_rows']:,}"
        if (more := len(of_month) - _OF_MONTH) > 0:
            yield f"    and {counted(more, 'more field')}"


def _sum(fields: list[dict[str, Any]], currency: str | None) -> str:
    sent, whole = (sum(each[name] for each in fields) for name in ("sent", "whole_rows"))
    share = f" ({_PERCENT * (whole - sent) / whole:.1f} %)" if whole else ""
    worth = sum(float(each["worth"]) for each in fields) if currency else 0
    money = f", {worth:,.2f} {currency}" if currency else ""
    points = counted(sent, "data point")
    return f"{points} sent of {whole:,} for whole rows; {whole - sent:,} saved{share}{money}"
