"""
One page of HTML that needs nothing else: no script, no picture, nothing from anywhere.

Whatever comes from a file is escaped; that nothing in it runs is also said to the browser.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;color:#1d2433;background:#f4f6f9;margin:0}"
    "main{max-width:820px;margin:0 auto;padding:24px 16px 64px}"
    "h1{font-size:22px;margin:8px 0;overflow-wrap:anywhere}h2{font-size:17px;margin:14px 0 8px}"
    "h3{font-size:15px;margin:20px 0 6px}"
    ".state{display:inline-block;padding:3px 12px;border-radius:14px;font-weight:600;color:#fff}"
    ".applied,.put_back{background:#1a7f4b}.applied_in_part,.waits{background:#a05a00}"
    ".not_applied,.not_read{background:#b3261e}.dropped,.left_out,.empty,.taken_back,.tried{background:#5b6472}"
    ".lead{font-size:18px}section{background:#fff;border:1px solid #dde2ea;border-radius:8px;"
    "padding:4px 20px 16px;margin:16px 0}table{border-collapse:collapse;width:100%;font-size:14px}"
    "th,td{text-align:left;padding:5px 10px 5px 0;border-bottom:1px solid #e8ecf2;"
    "vertical-align:top;overflow-wrap:break-word}td.n{text-align:right;width:9em}td.n,td.r{white-space:nowrap}"
    "code{font:13px ui-monospace,monospace;background:#f0f2f6;padding:1px 4px;border-radius:4px}"
    ".small{color:#5b6472;font-size:14px}"
)
_NOT_SENT = {"waits": "Why it waits", "tried": "What it would have done", "not_read": "Why"}
"""By what became of a file of which nothing was sent, what its notes are about."""
_DONE = {"taken_back": "What was taken back", "put_back": "What was put back"}
"""What the numbers of an undo are about: profiles, as it reads no rows."""
_KINDS = {
    "rows_applied": "rows whose values went to Braze",
    "rows_unchanged": "rows that say what Braze has already; nothing was sent for them",
    "rows_superseded": "rows that a newer row has overruled",
    "rows_skipped": "rows that were skipped, as the settings of the job ask for",
    "rows_repeated": "rows that had been taken up before",
    "rows_rejected": "rows that could not be accepted",
    "rows_refused": "rows that Braze refused",
    "rows_in_doubt": "rows that were sent, and of which Braze did not say whether it took them",
}
_PLANNED = {
    "rows_read": "rows are read",
    "rows_rejected": "rows cannot be accepted",
    "profiles_new": "profiles are changed that were not known before",
    "profiles_updated": "profiles are changed that are known",
    "profiles_cleared": "profiles lose a value and have none afterwards",
    "objects": "objects are sent",
    "deletes": "profiles or items are deleted for good",
    "data_points": "data points of Braze",
}
_PROFILES = {
    "profiles_new": "profiles that were not known before",
    "profiles_updated": "profiles that were changed",
    "profiles_unchanged": "profiles that stay as they are",
    "fields_changed": "values that were changed",
}


def report_page(told: Mapping[str, Any]) -> str:
    """
    Render the page about a file.

    Args:
        told: Its facts with their words, as ``report.report_files`` puts them together.
    """
    waits = told["verdict"] in _NOT_SENT
    about = _NOT_SENT.get(told["verdict"], "Good to know")
    body = [
        f'<span class="state {escape(told["verdict"])}">{escape(told["title"])}</span>',
        f"<h1>{escape(told['file'])}</h1>",
        f'<p class="lead">{escape(told["summary"])}</p>',
        *_section("What to do next", _points(told["next"])),
        *_section("What was not applied, and why", _reasons(told, "not_taken")),
        *_section("Values that were left out", _reasons(told, "left_out")),
        *_section(about, _points(told["notes"]) if waits else []),
        *_section("What it would do", _plan(told)),
        *_section(_DONE.get(told["verdict"], "What was applied"), _counts(told)),
        *_section("What it cost", _cost(told)),
        *_section(about, _points(told["notes"]) if not waits else []),
        f'<p class="small">{_origin(told)}</p>',
    ]
    lines = "\n".join(body)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        '<meta name="robots" content="noindex">'
        f"<title>{escape(told['title'])}: {escape(told['file'])}</title>"
        f"<style>{_STYLE}</style></head>\n<body><main>\n{lines}\n</main></body></html>\n"
    )


def _section(title: str, inside: Iterable[str]) -> Iterator[str]:
    """Yield a part of the page, unless there is nothing in it."""
    lines = [*inside]
    if lines:
        yield f"<section><h2>{escape(title)}</h2>"
        yield from lines
        yield "</section>"


def _points(texts: Iterable[str]) -> Iterator[str]:
    yield from (f"<p>{escape(text)}</p>" for text in texts)


def _reasons(told: Mapping[str, Any], which: str) -> Iterator[str]:
    for reason in told[which]:
        yield f"<h3>{escape(reason['said'])}</h3>"
        if reason.get("masked"):
            yield '<p class="small">Not shown where it may be of a masked column.</p>'
        yield from _examples(reason)
    if told[which] and told["outcome"] != "rejected":
        yield (
            '<p class="small">Row 1 is the first one below the header. '
            "Of each reason the first rows are shown.</p>"
        )


def _examples(reason: Mapping[str, Any]) -> Iterator[str]:
    rows = [one for one in reason["examples"] if one["row"] or one["message"]]
    if not rows:
        return
    yield "<table><tr><th>row</th><th>value</th><th>what is wrong</th></tr>"
    for one in rows:
        yield (
            f'<tr><td class="r">{one["row"] or ""}</td><td>{_code(one["value"])}</td>'
            f"<td>{escape(_alone(one, reason['column']))}</td></tr>"
        )
    yield "</table>"


def _alone(example: Mapping[str, Any], column: str | None) -> str:
    """Return what is said of a row without what stands beside it: row, column and value."""
    message = example["message"] or ""
    for start in (f"Row {example['row']}, column {column}", f': "{example["value"]}" '):
        message = message.removeprefix(start)
    return message.strip()


def _counts(told: Mapping[str, Any]) -> Iterator[str]:
    run = told["whole_run"]
    if told["verdict"] in _NOT_SENT or not run["rows_read"]:
        return
    if told["verdict"] in _DONE:
        yield from _of_undo(run)
        return
    if run["files"] > 1:
        rows = told["rows"]
        yield (
            f"<p>This file: {rows['taken']:,} of {rows['read']:,} rows. It was read together with "
            f"{run['files'] - 1:,} more; these numbers are of all of them.</p>"
        )
    yield "<table>"
    yield _row(run["rows_read"], "rows were read")
    yield from (_row(run[name], said) for name, said in _KINDS.items() if run.get(name))
    yield from (_row(run[name], said) for name, said in _PROFILES.items() if run.get(name))
    yield "</table>"


def _of_undo(run: Mapping[str, Any]) -> Iterator[str]:
    if run["files"] > 1:
        yield f"<p>Of all {run['files']:,} files of the run together.</p>"
    yield "<table>"
    yield from (_row(run[name], said) for name, said in _PROFILES.items() if run.get(name))
    yield "</table>"


def _cost(told: Mapping[str, Any]) -> Iterator[str]:
    cost, files = told["cost"], told["whole_run"]["files"]
    if told["verdict"] in _NOT_SENT:
        yield "<p>Nothing so far.</p>"
        return
    yield "<table>"
    yield _row(cost["data_points"], "data points of Braze")
    yield _row(cost["requests"], "requests to Braze")
    yield "</table>"
    if cost.get("price") and cost["data_points"]:
        yield f"<p>At the agreed price: {escape(cost['price'])} {escape(cost['currency'])}.</p>"
    if files > 1:
        yield f'<p class="small">Of all {files:,} files that were read together.</p>'


def _plan(told: Mapping[str, Any]) -> Iterator[str]:
    """Show what a file that waits would do if it is approved."""
    if told["verdict"] != "waits":
        return
    plan, totals = told.get("plan"), told.get("totals")
    if plan:
        yield "<p>If it is approved, by what was known when it was held back:</p><table>"
        yield from (_row(plan[name], said) for name, said in _PLANNED.items() if plan[name])
        fields = {name: number for name, number in plan["fields"].items() if number}
        yield from (_row(number, f"profiles get another {name}") for name, number in fields.items())
        yield "</table>"
    if totals:
        yield "<p>Added in all:</p><table>"
        yield from (_row(total, f"to {name}") for name, total in totals.items())
        yield "</table>"


def _row(number: int | str, said: str) -> str:
    shown = f"{number:,}" if isinstance(number, int) else number
    return f'<tr><td class="n">{escape(shown)}</td><td>{escape(said)}</td></tr>'


def _origin(told: Mapping[str, Any]) -> str:
    if not told["run"]:
        return escape(f"The job {told['job']}.")
    said = f"Run {told['run']} of the job {told['job']} ({told['run_id']})."
    if told.get("quarantine"):
        said += f" All rows that were not taken: s3://{told.get('bucket', '')}/{told['quarantine']}"
    return escape(said)


def _code(value: str | None) -> str:
    return f"<code>{escape(value)}</code>" if value else ""
