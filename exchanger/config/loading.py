"""
A configuration file into a ``Config``, or everything that is wrong with it at once.

The steps: YAML, environment variables, keys of later versions, short spellings, each connection
and job by itself, and at last what no single value shows.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from exchanger.config.checks import check, check_engine
from exchanger.config.document import Document, read_document
from exchanger.config.environment import plain_secrets, substitute
from exchanger.config.findings import Finding, Where, closest, listed, show_path
from exchanger.config.later import split_later
from exchanger.config.models import (
    Config,
    Connection,
    EngineConfig,
    ExportJob,
    ImportJob,
    Job,
)
from exchanger.config.shorthand import write_out
from exchanger.config.validation import keys_of, validate
from exchanger.errors import ConfigError, Problem

Part = TypeVar("Part", bound=BaseModel)

_JOB_TYPES: dict[str, type[ImportJob | ExportJob]] = {"import": ImportJob, "export": ExportJob}


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """
    Read a configuration file.

    Args:
        path: The file.
        environ: Where ``${NAME}`` is looked up.

    Raises:
        ConfigError: Everything that is wrong with it, in the order of the file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError([Problem("", "this file is not UTF-8 text")], str(path)) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError([Problem("", f"it cannot be read: {reason}")], str(path)) from error
    return read_config(text, environ, str(path))


def read_config(text: str, environ: Mapping[str, str], source: str = "") -> Config:
    """
    Read the text of a configuration file.

    Args:
        text: YAML 1.2.
        environ: Where ``${NAME}`` is looked up.
        source: The name of the file, for the error.

    Raises:
        ConfigError: Everything that is wrong with it, in the order of the file.
    """
    try:
        document = read_document(text)
    except ConfigError as error:
        raise ConfigError(error.problems, source) from error
    config, findings = _build(document, environ)
    if findings or config is None:
        raise ConfigError(_problems(document, findings), source)
    return config


def _build(document: Document, environ: Mapping[str, str]) -> tuple[Config | None, list[Finding]]:
    findings = list(document.findings)
    findings += plain_secrets(document.content)
    content, missing = substitute(document.content, environ)
    content, later = split_later(content)
    findings += missing + later
    if not isinstance(content, dict):
        return None, [*findings, Finding((), "this file says nothing", "exchanger init")]
    content, unclear = write_out(content)
    findings += unclear + _unknown_keys(content)
    connections, unsound = _connections(content.get("connections"))
    jobs, unsound_jobs = _jobs(content.get("jobs"))
    findings += unsound + unsound_jobs
    known = list(content["connections"]) if isinstance(content.get("connections"), dict) else []
    checked = check(connections, jobs, known)
    findings += [one for one in checked if not any(one.follows(other) for other in findings)]
    engine, unsound = _engine(content.get("engine"))
    findings += unsound
    if findings:
        return None, findings
    return Config(engine=engine, connections=connections, jobs=jobs), findings


def _unknown_keys(content: dict[str, Any]) -> list[Finding]:
    keys = keys_of(Config)
    findings = []
    for key in content:
        if key not in keys:
            guess = closest(key, keys)
            hint = "" if guess else f"; write {listed(keys)}"
            findings.append(Finding((key,), f"'{key}' is no key here{hint}", guess))
    return findings


def _engine(content: Any) -> tuple[EngineConfig | None, list[Finding]]:
    if content is None:
        return None, []
    engine, findings = validate(EngineConfig, content, ("engine",))
    return engine, findings if engine is None else list(check_engine(engine, ("engine",)))


def _connections(content: Any) -> tuple[dict[str, Connection], list[Finding]]:
    if not isinstance(content, dict) or not content:
        return {}, [Finding(("connections",), "name at least one connection")]
    connections: dict[str, Connection] = {}
    findings: list[Finding] = []
    for name, entry in content.items():
        connection, found = _validated(Connection, entry, ("connections", name))
        findings += found
        if connection is not None:
            connections[name] = connection
    return connections, findings


def _jobs(content: Any) -> tuple[dict[str, Job], list[Finding]]:
    if content is None:
        return {}, []
    if not isinstance(content, dict):
        return {}, [Finding(("jobs",), "this must be a mapping of keys to values")]
    jobs: dict[str, Job] = {}
    findings: list[Finding] = []
    for name, entry in content.items():
        job, found = _job(entry, ("jobs", name))
        findings += found
        if job is not None:
            jobs[name] = job
    return jobs, findings


def _job(entry: Any, where: Where) -> tuple[Job | None, list[Finding]]:
    if not isinstance(entry, dict):
        return None, [Finding(where, "this must be a mapping of keys to values")]
    kind = entry.get("type")
    if not isinstance(kind, str) or kind not in _JOB_TYPES:
        guess = closest(kind, _JOB_TYPES) if isinstance(kind, str) else ""
        return None, [Finding((*where, "type"), "say whether it is an import or an export", guess)]
    return _validated(_JOB_TYPES[kind], entry, where)


def _validated(model: type[Part], entry: Any, where: Where) -> tuple[Part | None, list[Finding]]:
    """Validate; what is broken is set aside, so that the rest is built and checked as well."""
    part, findings = validate(model, entry, where)
    if part is None and isinstance(entry, dict):
        rest = copy.deepcopy(entry)
        for finding in findings:
            _set_aside(rest, finding.where[len(where) :])
        part, _ = validate(model, rest, where)
    return part, findings


def _set_aside(content: Any, place: Where) -> None:
    """Remove the value at a place; the list that it stands in goes with it."""
    while place and isinstance(place[-1], int):
        place = place[:-1]
    try:
        for step in place[:-1]:
            content = content[step]
    except (KeyError, IndexError):
        return  # It went with something around it.
    if place:
        content.pop(place[-1], None)


def _problems(document: Document, findings: list[Finding]) -> list[Problem]:
    """Give every place its first finding, in the order of the file."""
    first: dict[Where, Finding] = {}
    for finding in findings:
        first.setdefault(finding.where, finding)
    problems = [document.problem(finding, show_path(finding.where)) for finding in first.values()]
    return sorted(problems, key=lambda problem: problem.line)
