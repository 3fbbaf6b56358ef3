"""How the package is laid out, and how its docstrings begin."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

import exchanger

HOME = Path(exchanger.__file__).parent
VAGUE = {"Tell", "Say", "Make", "Judge", "Give"}
"""Words that do not say what a function does: returns, reads, writes, checks, builds, ..."""
LARGEST = 12
ONE_EACH = {"exchanger/cli/verbs", "exchanger/jobs"}
"""Rooms that have a file for each verb, or for the story of each."""


def test_no_docstring_begins_with_a_word_that_says_little():
    """A function's first word is what it does, so that signatures can be skimmed."""
    found = [
        f"{path.relative_to(HOME)}: {first}"
        for path in sorted(HOME.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and (first := (ast.get_docstring(node) or "").partition("\n")[0])
        and first.split()[0].strip(",") in VAGUE
    ]
    assert not found


def test_a_room_has_few_files():
    """No folder is so full that a file has to be searched for."""
    full = [
        str(folder.relative_to(HOME.parent))
        for folder in [HOME, *HOME.rglob("*")]
        if folder.is_dir() and len([*folder.glob("*.py")]) - 1 > LARGEST
    ]
    assert not set(full) - ONE_EACH


def test_no_module_imports_itself_in_a_circle():
    """Not for types alone either, nor when something is first asked for: each stands on others."""
    graph = grimp.build_graph("exchanger", cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert len({*TopologicalSorter(imports).static_order()}) == len(graph.modules)
