"""
What the contract describes and this version does not build, and keys that stand in a wrong place.

Each is answered with "not in this version", or with its place, rather than accepted and ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from exchanger.config.findings import Finding, Where, listed

NOT_YET = "this is not in this version"

_HOMES = {
    "engine": ((), "at the top of the file, beside connections and jobs"),
    "notifications": ((), "at the top of the file, beside connections and jobs"),
    "budget": (("connections",), "in a connection, beside braze and s3"),
    "guards": (("jobs",), "in an import job, beside source"),
    "delivery": (("jobs",), "in an import job, beside source"),
    "max_plan_age": (("connections",), "in a connection, beside braze and s3"),
    "retention": (("connections",), "in a connection, beside braze and s3"),
    "nulls": (("jobs", "source"), "in the source of an import, or in one of its fields"),
    "placeholders": (("jobs", "source"), "in the source of an import, beside prefix"),
    "priority": (("jobs",), "in a job, beside type"),
    "on_drift": (
        ("jobs", "fields"),
        (
            "in a field of an import, such as first_name: {merge: set, on_drift: keep},"
            " or in remaining_fields"
        ),
    ),
}
"""Keys that one may look for in several places: below which keys each stands; where, in words."""

_LIVE_OR_NOT = ("live", "shadow")
"""What one may look for under ``mode``, which says what becomes of the items of a catalog."""
_OF_CSV = ("delimiter", "encoding", "quote", "escape", "decimal", "thousands", "dates")
"""Keys that one may look for in ``source`` itself."""
_OBJECTS = (
    "merge", "delete", "cohorts",
)  # fmt: skip
_MODES = ("changes", "merge")
_NO_MERGE = "'merge' is no key here: an export takes values as Braze has them; leave it out"


def split_later(content: Any) -> tuple[Any, list[Finding]]:
    """
    Part a document into what this version builds and what it does not.

    Returns:
        The content without the keys of later versions and those in a wrong place (values of later
        versions give way to the default), and one finding for each.
    """
    findings: list[Finding] = []
    if not isinstance(content, dict):
        return content, findings
    kept = _in_place(content, (), findings)
    for name, connection in _entries(kept, "connections"):
        where: Where = ("connections", name)
        kept["connections"][name] = _in_place(connection, where, findings)
    for name, job in _entries(kept, "jobs"):
        where = ("jobs", name)
        job = _in_place(job, where, findings)  # noqa: PLW2901 - The same job, less such keys.
        kept["jobs"][name] = (
            _export(job, where, findings)
            if job.get("type") == "export"
            else _import(job, where, findings)
        )
    return kept, findings


def _entries(content: dict[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Iterate over the mappings below a key, which becomes a copy of its own."""
    if isinstance(content.get(key), dict):
        content[key] = dict(content[key])
        for name, entry in list(content[key].items()):
            if isinstance(entry, dict):
                yield name, entry


def _in_place(content: dict[str, Any], where: Where, findings: list[Finding]) -> dict[str, Any]:
    """Leave out keys that stand elsewhere, which is said."""
    astray = {key: words for key, (home, words) in _HOMES.items() if home != where[:1]}
    findings += [
        Finding((*where, key), f"'{key}' is no key here: write it {astray[key]}")
        for key in content
        if key in astray
    ]
    return {key: value for key, value in content.items() if key not in astray}


def _import(job: dict[str, Any], where: Where, findings: list[Finding]) -> dict[str, Any]:
    source = job.get("source")
    if isinstance(source, dict):
        astray = [key for key in _OF_CSV if key in source]
        findings += [
            Finding((*where, "source", key), f"'{key}' is no key here: write it in 'csv' of source")
            for key in astray
        ]
        job = job | {"source": {k: v for k, v in source.items() if k not in astray}}
    if job.get("mode") in _LIVE_OR_NOT:
        message = "this is no mode here: write delivery: {shadow: true}; without it, runs are live"
        findings.append(Finding((*where, "mode"), message))
        job = {key: value for key, value in job.items() if key != "mode"}
    if job.get("object") in _OBJECTS:
        # Whoever only prints its help loads no models.
        from exchanger.config.models import ObjectName

        message = f"{NOT_YET}: it imports {listed(get_args(ObjectName), 'and')}"
        findings.append(Finding((*where, "object"), message))
        job = {key: value for key, value in job.items() if key != "object"}
    return job


def _export(job: dict[str, Any], where: Where, findings: list[Finding]) -> dict[str, Any]:
    target = job.get("target")
    if isinstance(target, dict) and target.get("mode") in _MODES:
        message = f"{NOT_YET}: it writes full exports only"
        findings.append(Finding((*where, "target", "mode"), message))
        job = job | {"target": {key: value for key, value in target.items() if key != "mode"}}
    if isinstance(job.get("fields"), dict):
        job = job | {
            "fields": {
                name: _unmerged(field, (*where, "fields", name), findings)
                if isinstance(field, dict)
                else field
                for name, field in job["fields"].items()
            }
        }
    return job


def _unmerged(field: dict[str, Any], where: Where, findings: list[Finding]) -> dict[str, Any]:
    """Leave out the strategy of an import's field, which one may think to need here as well."""
    if "merge" in field:
        findings.append(Finding((*where, "merge"), _NO_MERGE))
    return {key: value for key, value in field.items() if key != "merge"}
