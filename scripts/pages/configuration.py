"""What every section and key of the configuration means, from its JSON Schema and its models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from exchanger.config.checks.lengths import BOUNDS
from exchanger.config.durations import show_duration
from exchanger.config.models.guards import AMOUNT
from exchanger.config.schema import json_schema
from pages.markdown import anchor, table

Schema = dict[str, Any]

SEE = {
    "Audience": "[Audiences](audiences.md)",
    "Baseline": "[Held values](held-values.md#where-values-come-from)",
    "Budget": "[Guards and budgets](guards.md#budgets)",
    "CompleteWhen": "[Import jobs](import-jobs.md#when-a-file-is-complete)",
    "Completion": "[Export jobs](export-jobs.md#when-an-export-is-complete)",
    "Connection": "[Environments, new keys and new names](environments.md)",
    "Delivery": "[Plans](plans.md#an-answer-after-what-braze-has)",
    "EngineConfig": "[Scaling](scaling.md)",
    "Expect": "[Operating](operating.md#what-to-expect-of-a-job)",
    "ExportJob": "[Export jobs](export-jobs.md)",
    "FieldConfig": "[Import jobs](import-jobs.md#fields)",
    "Guards": "[Guards and budgets](guards.md)",
    "ImportJob": "[Import jobs](import-jobs.md)",
    "Match": "[Import jobs](import-jobs.md#who-is-meant)",
    "Notices": "[Scheduling](scheduling.md#notices)",
    "Notification": "[Alerts](alerts.md)",
    "RemainingFields": "[Import jobs](import-jobs.md#remaining-columns)",
    "Retention": "[What is kept](retention.md)",
    "S3Config": "[What the environment decides](getting-started.md#what-the-environment-decides)",
    "Schedule": "[Scheduling](scheduling.md#when-a-job-is-due)",
    "SchemaContract": "[Import jobs](import-jobs.md#columns-that-change)",
    "Source": "[Import jobs](import-jobs.md#files)",
    "Target": "[Export jobs](export-jobs.md#what-is-written)",
}
"""The page that tells more."""

SHORT = [
    ("first_name: set", "first_name: {from: first_name, merge: set}"),
    ("tier: {from: loyalty_tier}", "tier: {from: loyalty_tier, merge: set}"),
    ("tags: add", "tags: {from: tags, merge: add, type: list}"),
    ("points: increment", "points: {from: points, merge: sum}"),
    ("tier: set_or_clear", "tier: {from: tier, merge: clear}"),
    ("match: {external_id: id}", "match: [{external_id: id}]"),
    ("remaining_fields: {prefix: crm_}", "remaining_fields: [{prefix: crm_}]"),
    ("remaining_fields: {exclude: 'x_*'}", "remaining_fields: [{exclude: ['x_*']}]"),
    ("source: {prefix: /inbox/crm}", "source: {prefix: inbox/crm/}"),
    ("braze: {endpoint: iad-01}", "braze: {endpoint: 'https://rest.iad-01.braze.com'}"),
    ("email: email", "email: {from: email}"),
]
"""Short spellings, and what each stands for; the last one is of an export, not of an import."""

_OF = {
    "ImportJob": ", an import",
    "ExportJob": ", an export",
    "ExportField": ", of an export",
    "RemainingExport": ", of an export",
}
_MODELS = {model.__name__: bounds for model, bounds in BOUNDS.items()}
_PLAIN = {"integer": "a whole number", "number": "a number", "string": "text"}
_PLAIN |= {"boolean": "`true` or `false`"}


def told() -> str:
    """Write a section for each part of the configuration, and the short spellings."""
    schema = json_schema()
    kinds = schema["$defs"]
    places = _places(schema, kinds)
    parts = [f"## The whole file\n\n{_keys('Config', schema, kinds, places)}"]
    parts += [_section(kind, kinds, places) for kind in places]
    rows = [(f"`{short}`", f"`{full}`") for short, full in SHORT]
    parts.append(f"## Short spellings\n\n{table(('you may write', 'for'), rows)}")
    return "\n".join(parts)


def _places(schema: Schema, kinds: dict[str, Schema]) -> dict[str, list[str]]:
    """Say of each kind of section at which places of the file it stands, in the file's order."""
    places: dict[str, list[str]] = {}

    def walk(part: Schema, path: str) -> None:
        for key, content in part.get("properties", {}).items():
            for kind, below in _references(content):
                place = f"{path}{key}{below}"
                places.setdefault(kind, []).append(place)
                walk(kinds[kind], f"{place}.")

    walk(schema, "")
    return places


def _references(content: Any, below: str = "") -> Iterator[tuple[str, str]]:
    """Find the kinds of section that a key takes; and whether it stands below a name."""
    if isinstance(content, list):
        found = {kind: pair for one in content for pair in _references(one, below)
                 for kind in [pair[0]]}  # fmt: skip
        yield from found.values()
    elif isinstance(content, dict):
        if "$ref" in content:
            yield content["$ref"].rpartition("/")[2], below
        for key in ("anyOf", "oneOf", "items"):
            yield from _references(content.get(key), below)
        yield from _references(content.get("additionalProperties"), f"{below}.NAME")


def _section(kind: str, kinds: dict[str, Schema], places: dict[str, list[str]]) -> str:
    schema = kinds[kind]
    paragraphs = [" ".join(words.split()) for words in schema["description"].split("\n\n")]
    parts = [f"## {_heading(kind, places)}\n", *(f"{words}\n" for words in paragraphs)]
    if others := [place for place in dict.fromkeys(places[kind]) if place != _home(kind, places)]:
        parts.append(f"The same at {_listed(others)}.\n")
    parts.append(_keys(kind, schema, kinds, places))
    if kind in SEE:
        parts.append(f"More: {SEE[kind]}\n")
    return "\n".join(parts)


def _listed(places: list[str]) -> str:
    return ", ".join(f"`{place}`" for place in places)


def _heading(kind: str, places: dict[str, list[str]]) -> str:
    """Name a kind of section by its place, and where two kinds have one place, by what it is of."""
    return f"{_home(kind, places)}{_OF.get(kind, '')}"


def _home(kind: str, places: dict[str, list[str]]) -> str:
    return min(places[kind], key=len)


def _keys(kind: str, schema: Schema, kinds: dict[str, Schema], places: dict[str, list[str]]) -> str:
    needed = schema.get("required", ())
    rows = [
        (
            f"`{key}`",
            _takes(content, places) + _bounds(kind, key),
            "must be given" if key in needed else _if_left_out(content, kinds),
            content["description"],
        )
        for key, content in schema["properties"].items()
    ]
    return table(("key", "takes", "if left out", "means"), rows)


def _bounds(kind: str, key: str) -> str:
    bounds = _MODELS.get(kind, {}).get(key)
    return f", {show_duration(bounds[0])} to {show_duration(bounds[1])}" if bounds else ""


def _takes(content: Schema, places: dict[str, list[str]]) -> str:
    """Say what may stand behind a key."""
    if "$ref" in content:
        heading = _heading(content["$ref"].rpartition("/")[2], places)
        return f"[a section](#{anchor(heading)})"
    if choices := content.get("anyOf", content.get("oneOf")):
        # A variable may stand for any value, and null for what is left out.
        shown = [_takes(one, places) for one in choices
                 if one.get("type") != "null" and not _is_variable(one)]  # fmt: skip
        *most, last = dict.fromkeys(shown)
        return f"{', '.join(most)} or {last}" if most else last
    if "const" in content:
        return f"`{content['const']}`"
    if "enum" in content:
        return ", ".join(f"`{word}`" for word in content["enum"])
    for key, words in (("items", "a list of"), ("additionalProperties", "names, each with")):
        if key in content:
            return f"{words} {_takes(content[key], places)}"
    return _plain(content)


def _is_variable(content: Schema) -> bool:
    return content.get("pattern", "").startswith(r"\$")


def _plain(content: Schema) -> str:
    if content.get("pattern", "").startswith(r"^\$"):
        return "`${NAME}`"
    if content.get("pattern") == AMOUNT:
        return "`500k`, `5M`"
    if "pattern" in content:
        return "a length of time"
    if content.get("maxLength") == 1:
        return "one character"
    words = _PLAIN[content["type"]]
    if "maximum" in content:
        return f"{words}, {content['minimum']} to {content['maximum']}"
    return f"{words}, at least {content['minimum']}" if "minimum" in content else words


def _if_left_out(content: Schema, kinds: dict[str, Schema]) -> str:
    default = content.get("default")
    if isinstance(default, dict) and default:
        if "required" not in kinds[content["$ref"].rpartition("/")[2]]:
            return "as there"
        return f"`{{{', '.join(f'{key}: {value}' for key, value in default.items())}}}`"
    if default in (None, "", [], {}):
        return ""
    if isinstance(default, str):
        return f"`{default}`"
    return f"`{json.dumps(default)}`"
