"""Short spellings of the configuration, written out in full before it is validated."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, get_args

from exchanger.config.endpoints import expand_endpoint
from exchanger.config.findings import Finding, Where, closest, listed
from exchanger.config.models import StrategyName

STRATEGIES: tuple[str, ...] = get_args(StrategyName)
SYNONYMS = {"increment": "sum", "set_or_clear": "clear"}
"""Second spellings of strategies."""

_LEFT_OUT_WHEN_EMPTY = ("region", "endpoint_url", "access_key_id", "secret_access_key")


REGISTER = "_exchanger/.states/"
"""The folder, in each bucket, by which its states find each other."""


def write_out(content: dict[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
    """
    Write out every short spelling of a document.

    What is not understood stays as it is, for validation to complain about.

    Returns:
        The document in full, and one finding for every field whose short form says nothing.
    """
    findings: list[Finding] = []
    content = dict(content)
    for key, written_out in (("connections", _connection), ("jobs", _job)):
        entries = content.get(key)
        if isinstance(entries, dict):
            content[key] = {
                name: written_out(entry, (key, name), findings)
                if isinstance(entry, dict)
                else entry
                for name, entry in entries.items()
            }
    return content, findings


def default_state_prefix(connection: str) -> str:
    """Name the folder of our own state, for a connection that names none."""
    return f"_exchanger/{connection}/"


def folder(prefix: str) -> str:
    """Write a prefix without a slash at its beginning and with one at its end, unless empty."""
    prefix = prefix.strip("/")
    return f"{prefix}/" if prefix else ""


def _connection(content: dict[str, Any], where: Where, _: list[Finding]) -> dict[str, Any]:
    content = dict(content)
    braze, s3 = content.get("braze"), content.get("s3")
    if isinstance(braze, dict) and isinstance(braze.get("endpoint"), str):
        content["braze"] = braze | {"endpoint": expand_endpoint(braze["endpoint"])}
    if isinstance(s3, dict):
        s3 = {k: v for k, v in s3.items() if not (k in _LEFT_OUT_WHEN_EMPTY and v == "")}
        if s3.get("state_prefix") is None:
            s3["state_prefix"] = default_state_prefix(str(where[-1]))
        s3 = _with_folder(s3, "state_prefix")
        if isinstance(s3.get("export_root"), str):
            s3["export_root"] = s3["export_root"].strip("/")
        content["s3"] = s3
    return content


def _job(content: dict[str, Any], where: Where, findings: list[Finding]) -> dict[str, Any]:
    content = dict(content)
    for part in ("source", "target"):
        if isinstance(content.get(part), dict):
            content[part] = _with_folder(content[part], "prefix")
    if isinstance(content.get("after"), dict):
        content["after"] = _with_folder(content["after"], "move_to")
    is_export = content.get("type") == "export"
    if isinstance(content.get("fields"), dict):
        content["fields"] = {
            name: _column(field) if is_export else _field(name, field, where, findings)
            for name, field in content["fields"].items()
        }
    if not is_export:
        content |= _meant(content)
        _lists(content)
        gates = content.get("only_if")
        if isinstance(gates, dict):
            content["only_if"] = {
                name: values
                if isinstance(values, list) or (name == "segment" and isinstance(values, str))
                else [values]
                for name, values in gates.items()
            }
        for kind, written_out in _OBJECTS.items():
            if isinstance(content.get(kind), dict):
                content[kind] = written_out(content[kind])
    return content


def _meant(content: dict[str, Any]) -> dict[str, Any]:
    """Write out who is meant by a row, where what it does says so already."""
    rename, merge = content.get("rename"), content.get("merge")
    if "match" in content:
        return {}
    if isinstance(rename, dict) and "from" in rename:
        return {"match": {"external_id": rename["from"]}}
    if isinstance(merge, dict) and isinstance(merge.get("drop"), dict):
        return {"match": merge["drop"]}
    return {}


def _lists(content: dict[str, Any]) -> None:
    for key in ("match", "remaining_fields"):
        if isinstance(content.get(key), dict):
            content[key] = [content[key]]
    if isinstance(content.get("remaining_fields"), list):
        content["remaining_fields"] = [
            _remaining(block) if isinstance(block, dict) else block
            for block in content["remaining_fields"]
        ]


def _order(parts: dict[str, Any]) -> dict[str, Any]:
    """Write out the parts of an order and of its product; its id is the name of a column."""
    parts = _object(parts, ("event", "currency", "source")) | {
        k: parts[k] for k in ("id",) if k in parts
    }
    if isinstance(parts.get("product"), dict):
        parts["product"] = _object(parts["product"], ())
    return parts


def _object(
    parts: dict[str, Any], constants: tuple[str, ...] = ("name", "currency")
) -> dict[str, Any]:
    """
    Write out the parts of an object, where a text is a column.

    Args:
        parts: By name.
        constants: Parts whose text is said of every row.
    """
    parts = {
        key: ({"value": part} if key in constants else {"from": part})
        if isinstance(part, str)
        else part
        for key, part in parts.items()
    }
    for named in ("properties", "metadata"):
        if isinstance(parts.get(named), dict):
            parts[named] = {name: _property(name, part) for name, part in parts[named].items()}
    rest = parts.get("remaining_properties")
    if isinstance(rest, dict) and isinstance(rest.get("exclude"), str):
        parts["remaining_properties"] = rest | {"exclude": [rest["exclude"]]}
    return parts


def _subscription(content: dict[str, Any]) -> dict[str, Any]:
    group, state = content.get("group"), content.get("state")
    written = content | ({"group": {"value": group}} if isinstance(group, str) else {})
    return written | ({"state": _words(state)} if isinstance(state, dict) else {})


def _words(state: dict[str, Any]) -> dict[str, Any]:
    """Write out the words of states: one alone needs no list."""
    return {
        key: value if key == "from" or value is None or isinstance(value, list) else [value]
        for key, value in state.items()
    }


def _audience(content: dict[str, Any]) -> dict[str, Any]:
    """Write out what membership becomes: one thing alone needs no list."""
    one = isinstance(content.get("as"), dict)
    return content | {"as": [content["as"]]} if one else content


def _property(name: str, part: Any) -> Any:
    part = _column(part)
    named = not isinstance(part, dict) or "from" in part or "value" in part
    return part if named else part | {"from": name}


def _remaining(block: dict[str, Any]) -> dict[str, Any]:
    if isinstance(block.get("exclude"), str):
        block = block | {"exclude": [block["exclude"]]}
    return _merge(block)


def _column(field: Any) -> Any:
    return {"from": field} if isinstance(field, str) else field


def _field(name: str, field: Any, where: Where, findings: list[Finding]) -> Any:
    if isinstance(field, str):
        if field not in STRATEGIES and field not in SYNONYMS:
            findings.append(_no_strategy(field, (*where, "fields", name)))
            field = "set"
        field = {"merge": field}
    if field is None:
        message = f"say how it is merged: {listed(STRATEGIES)}"
        findings.append(Finding((*where, "fields", name), message, f"{name}: set"))
        field = {}
    if not isinstance(field, dict):
        return field
    if "from" not in field and "value" not in field:
        field = field | {"from": name}
    return _merge(field)


def _no_strategy(text: str, where: Where) -> Finding:
    guess = closest(text, (*STRATEGIES, *SYNONYMS))
    plain = text.isidentifier() and text.isascii()
    column = text if plain else json.dumps(text, ensure_ascii=False)
    return Finding(where, f"'{text}' is not a strategy", guess or f"{{from: {column}, merge: set}}")


def _merge(field: dict[str, Any]) -> dict[str, Any]:
    merge = field.get("merge")
    if isinstance(merge, str) and merge in SYNONYMS:
        field = field | {"merge": SYNONYMS[merge]}
    if field.get("merge") in ("add", "remove") and field.get("type") is None:
        field = field | {"type": "list"}
    return field


def _with_folder(content: dict[str, Any], key: str) -> dict[str, Any]:
    if isinstance(content.get(key), str):
        return content | {key: folder(content[key])}
    return content


_OBJECTS: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "event": _object,
    "purchase": _object,
    "order": _order,
    "subscription": _subscription,
    "state": _words,
    "action": _words,
    "audience": _audience,
}
"""How what an object is made of is written out, by its key."""
