"""What every verb of the command line does, from its function: help, arguments and options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo

from exchanger.cli.app import app
from pages.markdown import anchor, table

SEE = {
    "adopt": "[Environments, new keys and new names](environments.md)",
    "approve": "[Guarantees](guarantees.md#good-to-know)",
    "alerts": "[Alerts](alerts.md)",
    "backfill": "[Getting started](getting-started.md#6-history)",
    "daemon": "[Scheduling](scheduling.md)",
    "drift": "[Held values](held-values.md#what-others-change)",
    "explain": "[Why a value is what it is](undo.md#why-a-value-is-what-it-is)",
    "files": "[What became of my file?](files.md)",
    "forget": "[What is kept](retention.md#forgetting-a-person)",
    "init": "[Configuration](configuration.md)",
    "plan": "[Plans](plans.md)",
    "preview": "[Files as people send them](sent-files.md#sql-over-the-rows)",
    "rebuild": "[Held values](held-values.md#making-them-anew)",
    "retry": "[Quarantine](quarantine.md)",
    "run": "[Import jobs](import-jobs.md) and [export jobs](export-jobs.md)",
    "sandbox": "[The sandbox](sandbox.md)",
    "savings": "[Plans](plans.md#what-was-saved)",
    "schema": "[Configuration](configuration.md)",
    "send-test": "[Import jobs](import-jobs.md#trying-one-row)",
    "status": "[Operating](operating.md)",
    "undo": "[Taking a run back](undo.md#taking-a-run-back)",
    "types": "[Import jobs](import-jobs.md#fields)",
}
"""The page that tells more."""

_KINDS = {int: "N", Path: "PATH", datetime: "TIME", str: "TEXT"}
_MOMENT = datetime(2026, 9, 1, 6, tzinfo=UTC)


def told() -> str:
    """Write an overview, and a section for every verb."""
    verbs = {verb.name: verb.callback for verb in app.registered_commands if not verb.hidden}
    words = {name: _paragraphs(inspect.getdoc(function) or "") for name, function in verbs.items()}
    overview = "".join(
        f"- [`exchanger {name}`](#{anchor(f'exchanger {name}')}): {told[0]}\n"
        for name, told in words.items()
    )
    sections = [_section(name, function, words[name]) for name, function in verbs.items()]
    return f"## Every verb\n\n{overview}\n" + "\n".join(sections)


def _paragraphs(doc: str) -> list[str]:
    """Part a docstring into its paragraphs, each on one line."""
    return [" ".join(paragraph.split()) for paragraph in doc.split("\n\n")]


def _section(name: str, function: Callable[..., Any], told: list[str]) -> str:
    *words, example = told
    parts = [f"### exchanger {name}\n", *(f"{paragraph}\n" for paragraph in words)]
    parts += [f"```\n{example.removeprefix('Example: ')}\n```\n"]
    rows = [*_rows(function)]
    if rows:
        parts.append(table(("argument or option", "means", "if left out"), rows))
    if name in SEE:
        parts.append(f"More: {SEE[name]}\n")
    return "\n".join(parts)


def _rows(function: Callable[..., Any]) -> Iterator[tuple[str, str, str]]:
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        kind, info = get_args(hints[name])
        kind, is_list = _single(kind)
        word = info.metavar or _KINDS.get(kind, name.upper())
        if isinstance(kind, type) and issubclass(kind, Enum):
            word = "|".join(kind)
        if isinstance(info, ArgumentInfo):
            spelling = word
        else:
            # In an annotation, the first spelling stands where else the default does.
            spellings = [one for one in (info.default, *(info.param_decls or ()))
                         if str(one).startswith("--")]  # fmt: skip
            option = next(iter(spellings), f"--{name.replace('_', '-')}")
            spelling = option if kind is bool else f"{option} {word}"
        means = _means(info, is_list=is_list)
        yield f"`{spelling}`", means, _if_left_out(info, parameter.default)


def _single(kind: Any) -> tuple[Any, bool]:
    """Take the type of one value out of ``X | None`` and ``list[X]``; and whether it is a list."""
    if get_origin(kind) in (Union, UnionType):
        [kind] = [one for one in get_args(kind) if one is not type(None)]
    if get_origin(kind) is list:
        return get_args(kind)[0], True
    return kind, False


def _means(info: Any, *, is_list: bool) -> str:
    words = (info.help or "").removesuffix(".")
    if info.formats:
        words += ": " + ", ".join(f"`{_MOMENT.strftime(form)}`" for form in info.formats)
    if info.max is not None:
        words += f"; {info.min} to {info.max}"
    elif info.min:
        words += f"; at least {info.min}"
    if is_list and not isinstance(info, ArgumentInfo) and "repeated" not in words:
        words += "; may be repeated"
    return words


def _if_left_out(info: Any, default: Any) -> str:
    if default is inspect.Parameter.empty:
        return "must be given"
    value = "" if default in (None, False, "") else f"`{default}`"
    if info.envvar:
        return f"`{info.envvar}`, else {value}" if value else f"`{info.envvar}`"
    return value
