"""
A configuration file into a ``Config``, or everything that is wrong with it at once.

The steps: YAML, environment variables, what each job is, keys of later versions, short spellings,
each connection and job by itself, and at last what no single value shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exchanger.config.checks.notifications import check_notifications
from exchanger.config.checks.references import check, check_engine
from exchanger.config.findings import Finding, Where, closest, listed, show_path
from exchanger.config.loading.document import Document, read_document
from exchanger.config.loading.environment import empty_keys, plain_secrets, substitute
from exchanger.config.loading.job_types import JOB_TYPES, settle_kinds
from exchanger.config.loading.partial_models import Built, build
from exchanger.config.loading.shorthand import write_out
from exchanger.config.loading.unsupported import split_later
from exchanger.config.loading.validation import keys_of, validate
from exchanger.config.models import (
    Config,
    Connection,
    EngineConfig,
    ExportJob,
    ImportJob,
    Job,
    Notification,
)
from exchanger.errors import ConfigError, Problem

LARGEST = 4 << 20
"""Bytes of a configuration file."""


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
        content = read_bounded(path)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError([Problem("", "this file is not UTF-8 text")], str(path)) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError([Problem("", f"it cannot be read: {reason}")], str(path)) from error
    if len(content) > LARGEST:
        words = f"a configuration has at most {LARGEST >> 20} MB"
        raise ConfigError([Problem("", words)], str(path))
    return read_config(text, environ, str(path))


def read_bounded(path: Path) -> bytes:
    """
    Read a configuration file, or a little more of it than may be there.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


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
        config, findings = _build(document, environ)
    except ConfigError as error:
        raise ConfigError(error.problems, source) from error
    except Exception as error:
        # Whatever stands in a file, a daemon goes on with the one that it has. What is in the words
        # of others nobody knows: perhaps a secret.
        words = f"something in it cannot be understood ({type(error).__name__})"
        raise ConfigError([Problem("", words)], source) from error
    if findings or config is None:
        raise ConfigError(_problems(document, findings), source)
    return config


def _build(document: Document, environ: Mapping[str, str]) -> tuple[Config | None, list[Finding]]:
    findings = list(document.findings)
    findings += plain_secrets(document.content)
    findings += empty_keys(document.content, environ)
    content, missing = substitute(document.content, environ)
    content, undecided = settle_kinds(content)
    content, later = split_later(content)
    findings += missing + undecided + later
    if not isinstance(content, dict):
        return None, [*findings, Finding((), "this file says nothing", "exchanger init")]
    content, unclear = write_out(content)
    findings += unclear + _unknown_keys(content)
    connections = _connections(content.get("connections"))
    jobs = _jobs(content.get("jobs"))
    parts: list[Built[Any]] = [*connections.values(), *jobs.values()]
    findings += _not_there(content) + [finding for part in parts for finding in part.findings]
    sound_connections = {name: it.part for name, it in connections.items() if it.part is not None}
    sound_jobs: dict[str, Job] = {name: it.part for name, it in jobs.items() if it.part is not None}
    checked = check(sound_connections, sound_jobs, list(connections))
    findings += _of_its_own(checked, findings, [place for part in parts for place in part.stood_in])
    engine, unsound = _engine(content.get("engine"))
    findings += unsound
    told, unsound = _notifications(content.get("notifications"), [*jobs])
    findings += unsound
    if findings:
        return None, findings
    config = Config(
        engine=engine, notifications=told, connections=sound_connections, jobs=sound_jobs
    )
    return config, findings


def _of_its_own(
    checked: list[Finding], before: list[Finding], stood_in: list[Where]
) -> list[Finding]:
    """Leave out what was found only because of something else that is wrong or not given."""
    return [
        one
        for one in checked
        if not any(one.where[: len(place)] == place for place in stood_in)
        and not any(one.follows(other) for other in before)
    ]


def _not_there(content: dict[str, Any]) -> list[Finding]:
    connections, jobs = content.get("connections"), content.get("jobs")
    findings = []
    if not isinstance(connections, dict) or not connections:
        findings.append(Finding(("connections",), "name at least one connection"))
    if jobs is not None and not isinstance(jobs, dict):
        findings.append(Finding(("jobs",), "this must be a mapping of keys to values"))
    return findings


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


def _notifications(content: Any, jobs: list[str]) -> tuple[tuple[Notification, ...], list[Finding]]:
    if content is None:
        return (), []
    if not isinstance(content, list):
        return (), [Finding(("notifications",), "this must be a list")]
    built = [
        validate(Notification, entry, ("notifications", place))
        for place, entry in enumerate(content)
    ]
    told = [(place, one) for place, (one, _) in enumerate(built) if one is not None]
    findings = [finding for _, found in built for finding in found]
    findings += check_notifications(told, jobs)
    return tuple(one for _, one in told), findings


def _connections(content: Any) -> dict[str, Built[Connection]]:
    if not isinstance(content, dict):
        return {}
    return {
        name: build(Connection, entry, ("connections", name)) for name, entry in content.items()
    }


def _jobs(content: Any) -> dict[str, Built[ImportJob | ExportJob]]:
    if not isinstance(content, dict):
        return {}
    return {name: _job(entry, ("jobs", name)) for name, entry in content.items()}


def _job(entry: Any, where: Where) -> Built[ImportJob | ExportJob]:
    if not isinstance(entry, dict):
        return Built(None, [Finding(where, "this must be a mapping of keys to values")])
    return build(JOB_TYPES[entry["type"]], entry, where)


def _problems(document: Document, findings: list[Finding]) -> list[Problem]:
    """Choose for every place its first finding, in the order of the file."""
    first: dict[Where, Finding] = {}
    for finding in findings:
        first.setdefault(finding.where, finding)
    problems = [document.problem(finding, show_path(finding.where)) for finding in first.values()]
    return sorted(problems, key=lambda problem: problem.line)
