"""
YAML 1.2 text into plain values that remember their lines.

Only the core of YAML 1.2 is read: ``NO`` and ``12:30`` and ``2026-01-01`` are text, a key is
always text, and a key given twice is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from exchanger.config.findings import Finding, Where
from exchanger.errors import ConfigError, Problem

_DEEPEST = 50
"""Mappings and lists within each other; the contract needs eight."""
_MOST_REPEATED = 20_000
"""Values that stand in the document by reference (``*name``): they cost nothing to write."""

_TYPED = frozenset(f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float"))
_TOO_DEEP = f"more than {_DEEPEST} brackets or indented blocks stand within each other"
_STANDARD = "tag:yaml.org,2002:"


@dataclass
class Document:
    """
    What a configuration file says.

    Args:
        content: Mappings, lists, text, numbers, booleans and null.
        lines: The line of every place, from 1.
        findings: Keys that are given twice, and values that are no part of the contract.
    """

    content: Any = None
    lines: dict[Where, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def problem(self, finding: Finding, path: str) -> Problem:
        """Set the line of a finding: its own, or that of the nearest place around it."""
        where = finding.where
        while where and where not in self.lines:
            where = where[:-1]
        return Problem(path, finding.message, finding.guess, self.lines.get(where, 0))


def read_document(text: str) -> Document:
    """
    Read YAML text.

    Raises:
        ConfigError: The text is no YAML, or more of it than a configuration can be.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _BoundedComposer
    document = Document()
    try:
        node = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = f"this is no valid YAML: {error.problem or error.context}"
        raise ConfigError([Problem("", words, line=mark.line + 1 if mark else 0)]) from error
    except YAMLError as error:
        raise ConfigError([Problem("", f"this is no valid YAML: {error}")]) from error
    if node is not None:
        document.content = _Reader(yaml, document).value(node, ())
    return document


class _BoundedComposer(Composer):
    """Builds nodes that are not too deep to walk through."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Build a node and all below it."""
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                mark = self.parser.peek_event().start_mark
                raise ComposerError(None, None, _TOO_DEEP, mark)
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _Reader:
    """Walks the nodes of one document."""

    def __init__(self, yaml: YAML, document: Document) -> None:
        self._yaml = yaml
        self._document = document
        self._open: set[int] = set()
        self._met: set[int] = set()
        self._repeated = 0

    def value(self, node: Node, where: Where) -> Any:
        """Turn a node into a plain value."""
        self._document.lines.setdefault(where, node.start_mark.line + 1)
        self._demand_bounds(node, where)
        if isinstance(node, ScalarNode):
            return self._scalar(node, where)
        if id(node) in self._open:
            self._add(where, "this refers to itself")
            return None
        self._open.add(id(node))
        try:
            return self._collection(node, where)
        finally:
            self._open.discard(id(node))

    def _demand_bounds(self, node: Node, where: Where) -> None:
        line = self._document.lines[where]
        if len(where) > _DEEPEST:
            raise ConfigError([Problem("", _TOO_DEEP, line=line)])
        self._repeated += id(node) in self._met
        self._met.add(id(node))
        if self._repeated > _MOST_REPEATED:
            words = f"references (*name) repeat more than {_MOST_REPEATED:,} values"
            raise ConfigError([Problem("", words, line=line)])

    def _collection(self, node: Node, where: Where) -> Any:
        if isinstance(node, SequenceNode):
            return [self.value(item, (*where, i)) for i, item in enumerate(node.value)]
        if isinstance(node, MappingNode):
            return self._mapping(node, where)
        raise TypeError(type(node).__name__)

    def _mapping(self, node: MappingNode, where: Where) -> Mapping[str, Any]:
        content: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._add(where, "a key must be plain text")
                continue
            place = (*where, str(key.value))
            if key.value in content:
                first, second = self._document.lines[place], key.start_mark.line + 1
                self._add(place, f"this key is given twice, on lines {first} and {second}")
                continue
            self._document.lines[place] = key.start_mark.line + 1
            content[key.value] = self.value(value, place)
        return content

    def _scalar(self, node: ScalarNode, where: Where) -> Any:
        if node.tag in _TYPED:
            try:
                return self._yaml.constructor.construct_object(node)
            except (ValueError, YAMLError):
                self._add(where, f"'{node.value}' cannot be read")
                return None
        if not str(node.tag).startswith(_STANDARD):
            self._add(where, f"the tag {node.tag} means nothing here")
        return node.value

    def _add(self, where: Where, message: str) -> None:
        self._document.findings.append(Finding(where, message))
