"""``${NAME}`` and ``${NAME:-default}`` in the values of a configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from exchanger.config.findings import Finding, Where

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
"""A reference to an environment variable, with or without a default."""

_OPENING = re.compile(r"\$\{")
_SECRETS = (
    ("braze", "api_key"),
    ("s3", "access_key_id"),
    ("s3", "secret_access_key"),
)
_OF_COHORTS = ("client_secret", "partner_key")
"""Secrets of a cohort that an audience becomes."""


def substitute(content: Any, environ: Mapping[str, str]) -> tuple[Any, list[Finding]]:
    """
    Replace every reference in the values of *content*; keys stay as they are.

    As in a shell, a default stands in for a variable that is not set or empty, and line ends behind
    a value are none of it.

    Returns:
        The same content with values put in, and one finding for every reference that has none.
    """
    findings: list[Finding] = []
    return _substituted(content, (), environ, findings), findings


def plain_secrets(content: Any) -> list[Finding]:
    """Find secrets that stand in the file as they are. *content* is from before substitution."""
    return [
        Finding(
            place,
            "a secret must not stand in this file; put it in an environment variable",
            f"${{{str(place[-1]).upper()}}}",
        )
        for place, value in _given_secrets(content)
        if value is not None and not REFERENCE.fullmatch(str(value))
    ]


def _given_secrets(content: Any) -> Iterator[tuple[Where, Any]]:
    """Yield where secrets stand, and what stands there."""
    for name, connection in _entries(content, "connections"):
        for keys in _SECRETS:
            yield ("connections", name, *keys), _at(connection, keys)
    for name, job in _entries(content, "jobs"):
        targets = _at(job, ("audience", "as"))
        listed = isinstance(targets, list)
        for i, target in enumerate(targets if listed else [targets]):
            place: Where = ("jobs", name, "audience", "as", *([i] if listed else []), "cohort")
            for key in _OF_COHORTS:
                yield (*place, key), _at(target, ("cohort", key))


def _entries(content: Any, key: str) -> Iterable[tuple[str, Any]]:
    found = _at(content, (key,))
    return found.items() if isinstance(found, dict) else ()


def empty_keys(content: Any, environ: Mapping[str, str]) -> list[Finding]:
    """
    Find S3 keys that name an empty variable: without them other credentials would be looked for.

    Args:
        content: From before substitution.
        environ: Where ``${NAME}`` is looked up.
    """
    connections = content.get("connections") if isinstance(content, dict) else None
    if not isinstance(connections, dict):
        return []
    findings = []
    for name, connection in connections.items():
        for place in _SECRETS[1:]:
            found = REFERENCE.fullmatch(str(_at(connection, place)))
            if found and found[2] is None and not environ.get(found[1], "-").strip():
                message = (
                    f"the environment variable {found[1]} is empty; set it, or leave out both keys"
                    " for AWS's own credential chain"
                )
                findings.append(Finding(("connections", name, *place), message))
    return findings


def _at(content: Any, place: tuple[str, ...]) -> Any:
    for key in place:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def _substituted(
    content: Any, where: Where, environ: Mapping[str, str], findings: list[Finding]
) -> Any:
    if isinstance(content, dict):
        return {
            key: _substituted(value, (*where, key), environ, findings)
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [
            _substituted(value, (*where, i), environ, findings) for i, value in enumerate(content)
        ]
    if isinstance(content, str):
        return _resolved(content, where, environ, findings)
    return content


def _resolved(text: str, where: Where, environ: Mapping[str, str], findings: list[Finding]) -> str:
    def value(reference: re.Match[str]) -> str:
        name, default = reference[1], reference[2]
        # A file or a command that gave it ended its line.
        given = environ.get(name, "").rstrip("\r\n")
        if given or (name in environ and default is None):
            return given
        if default is not None:
            return default
        message = f"the environment variable {name} is not set"
        findings.append(Finding(where, message))
        return ""

    if len(_OPENING.findall(text)) != len(REFERENCE.findall(text)):
        findings.append(Finding(where, "write a variable as ${NAME} or ${NAME:-default}"))
        return text
    return REFERENCE.sub(value, text)
