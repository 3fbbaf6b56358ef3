"""The JSON Schema of the configuration, for editors that complete and check it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from exchanger.config.durations import show_duration
from exchanger.config.loading.shorthand import STRATEGIES, SYNONYMS
from exchanger.config.models import Config

Schema = dict[str, Any]

_REFERENCE: Schema = {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}"}
_SECRET: Schema = {"type": "string", "pattern": rf"^{_REFERENCE['pattern']}$"}
_DURATION: Schema = {"type": "string", "pattern": r"^\d+[smhd]$", "examples": ["10s", "5m", "2h"]}
_ABOUT = ("title", "description", "default")
"""What a schema says beside what it takes."""
_ISO_LENGTH = re.compile(r"-?P(?=[\dT])[\dYWDTHMS.]+")


def json_schema() -> Schema:
    """
    Generate the JSON Schema (draft 2020-12) from the models.

    It accepts the short spellings, and ``${NAME}`` wherever a value may stand, and says what each
    key means. What only a check across several values can tell is not in it.
    """
    schema: Schema = _loosened(Config.model_json_schema(by_alias=True))
    kinds = schema["$defs"]
    strategies: Schema = {"enum": [*STRATEGIES, *SYNONYMS]}
    for kind in ("FieldConfig", "RemainingFields"):
        merge = kinds[kind]["properties"]["merge"]
        kinds[kind]["properties"]["merge"] = {**strategies, **_kept(merge)}
    imports, exports = kinds["ImportJob"]["properties"], kinds["ExportJob"]["properties"]
    imports["fields"]["additionalProperties"] = _either(strategies, {"$ref": "#/$defs/FieldConfig"})
    exports["fields"]["additionalProperties"] = _either(
        {"type": "string"}, {"$ref": "#/$defs/ExportField"}
    )
    rules = kinds["RemainingFields"]["properties"]
    for part, key in ((imports, "match"), (imports, "remaining_fields"), (rules, "exclude")):
        alone = {name: value for name, value in part[key].items() if name not in _ABOUT}
        part[key] = {**_either(alone["items"], alone), **_kept(part[key])}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _either(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def _loosened(part: Any) -> Any:
    """Let ``${NAME}`` stand for numbers, booleans, words of a list and lengths of time."""
    if isinstance(part, list):
        return [_loosened(item) for item in part]
    if not isinstance(part, dict):
        return _as_written(part)
    plain = {key: _loosened(value) for key, value in part.items()}
    if part.get("format") == "duration":
        return {**_either(_DURATION, _REFERENCE), **_kept(plain)}
    if part.get("format") == "password":
        return {**_SECRET, **_kept(plain)}
    if isinstance(part.get("enum"), list) or part.get("type") in ("integer", "number", "boolean"):
        rules = {key: value for key, value in plain.items() if key not in _ABOUT}
        return {**_either(rules, _REFERENCE), **_kept(plain)}
    if isinstance(words := part.get("description"), str):
        # Docstrings have two signs where Markdown, which editors show, has one.
        plain["description"] = words.replace("``", "`")
    return plain


def _kept(part: Schema) -> Schema:
    return {key: part[key] for key in _ABOUT if key in part}


def _as_written(value: Any) -> Any:
    """Write a default length of time as the configuration does: ``5s``, where pydantic has PT5S."""
    if isinstance(value, dict):
        return {key: _as_written(item) for key, item in value.items()}
    if isinstance(value, str) and _ISO_LENGTH.fullmatch(value):
        return show_duration(TypeAdapter(timedelta).validate_python(value))
    return value
