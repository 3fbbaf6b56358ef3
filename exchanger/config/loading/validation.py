"""pydantic's errors in our own words, with a guess at what was meant."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from exchanger.config.findings import Finding, Where, closest, listed

Model = TypeVar("Model", bound=BaseModel)

_WORDS = {
    "missing": "this must be given",
    "int_type": "this must be a whole number",
    "int_parsing": "this must be a whole number",
    "float_type": "this must be a number",
    "float_parsing": "this must be a number",
    "int_from_float": "this must be a whole number",
    "int_parsing_size": "this number is too large",
    "bool_type": "this must be true or false",
    "bool_parsing": "this must be true or false",
    "model_type": "this must be a mapping of keys to values",
    "model_attributes_type": "this must be a mapping of keys to values",
    "dict_type": "this must be a mapping of keys to values",
    "tuple_type": "this must be a list",
    "too_short": "this must not be empty",
    "string_too_short": "this must be one character",
    "string_too_long": "this must be one character",
}


def validate(model: type[Model], content: Any, where: Where) -> tuple[Model | None, list[Finding]]:
    """
    Build a model.

    Args:
        model: Which one.
        content: Plain values, short spellings already written out.
        where: The place of *content* in the document.

    Returns:
        The model, or None and everything that is wrong with it.
    """
    try:
        return model.model_validate(content), []
    except ValidationError as error:
        found: dict[Where, Finding] = {}
        for details in sorted(error.errors(), key=lambda one: one["type"] == "too_short"):
            finding = _finding(model, details, where)
            below = (place[: len(finding.where)] == finding.where for place in found)
            if details["type"] == "too_short" and any(below):
                continue  # It has members; they are broken, so pydantic does not count them.
            found.setdefault(finding.where, finding)
        return None, list(found.values())


def keys_of(model: type[BaseModel]) -> list[str]:
    """List the keys of a model as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _finding(model: type[BaseModel], details: ErrorDetails, where: Where) -> Finding:
    place, kind = _walk(model, details["loc"])
    message, guess = _said(details, kind)
    return Finding((*where, *place), message, guess)


def _said(details: ErrorDetails, kind: Any) -> tuple[str, str]:
    """Word one error; *kind* is the type at its place, or the model around an unknown key."""
    sort, given, context = details["type"], details["input"], details.get("ctx", {})
    if sort == "extra_forbidden":
        return _unknown(f"'{details['loc'][-1]}' is no key here", details["loc"][-1], keys_of(kind))
    if sort == "literal_error":
        words = [str(word) for word in get_args(_plain(kind))]
        return _unknown(f"'{given}' is not known", given, words)
    if get_origin(_plain(kind)) in (Union, UnionType):  # Of scalars.
        return "this must be text, a number, true or false", ""
    if sort == "string_type":
        return _no_text(given)
    return _bound(sort, context) or (_WORDS.get(sort, details["msg"]), "")


def _bound(sort: str, context: dict[str, Any]) -> tuple[str, str] | None:
    if sort == "value_error":
        return str(context["error"]), ""
    if sort == "greater_than_equal":
        return f"this must be at least {context['ge']}", str(context["ge"])
    if sort == "less_than_equal":
        return f"this must be at most {context['le']}", str(context["le"])
    return None


def _unknown(message: str, given: Any, words: list[str]) -> tuple[str, str]:
    guess = closest(given, words) if isinstance(given, str) else ""
    return message if guess else f"{message}; write {listed(words)}", guess


def _no_text(given: Any) -> tuple[str, str]:
    if given is None:
        return "this must not be empty", ""
    if isinstance(given, bool | int | float):
        shown = str(given).lower() if isinstance(given, bool) else str(given)
        return "this must be text; put it in quotes", f'"{shown}"'
    return "this must be text", ""


def _walk(kind: Any, loc: tuple[str | int, ...]) -> tuple[Where, Any]:
    """Follow an error's place through the types; steps into members of a union are dropped."""
    place: Where = ()
    for step in loc:
        kind = _plain(kind)
        if (member := _tagged(kind, step)) is not None:
            kind = member
            continue
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            place = (*place, step)
            field = next(
                (f for name, f in kind.model_fields.items() if step in (f.alias, name)), None
            )
            if field is None:
                return place, kind
            kind = field.annotation
        elif get_origin(kind) in (dict, tuple):
            place = (*place, step)
            kind = get_args(kind)[1 if get_origin(kind) is dict else 0]
        else:
            break
    return place, kind


def _tagged(kind: Any, step: str | int) -> Any:
    """Find the member of a union that pydantic chose by its tag; None if it has no such member."""
    if get_origin(kind) not in (Union, UnionType):
        return None
    for member in get_args(kind):
        if Tag(str(step)) in getattr(member, "__metadata__", ()):
            return member
    return None


def _plain(kind: Any) -> Any:
    """Strip ``Annotated`` and ``| None`` off a type."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        if len(members) == 1:
            return _plain(members[0])
    return kind
