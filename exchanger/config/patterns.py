"""
Patterns for names of files: what they mean, and whether they mean anything.

``*`` and ``?`` stay within a folder, ``**`` goes through folders, ``[a-z]`` and ``[!a-z]`` are one
character. Case counts, but not in what follows a point in the file's own name: what a file is does
not depend on how its ending is written.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|\.[A-Za-z0-9]+(?=[^/]*$)|.", re.DOTALL)
_MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_MOST_WILD = 20
"""Names are compared with every way in which so many stars could share them."""


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """
    Build what names are compared with.

    Raises:
        ValueError: The pattern means nothing; it says why.
    """
    tokens = _TOKENS.findall(pattern)
    if sum(token.startswith("*") for token in tokens) > _MOST_WILD:
        raise ValueError(f"a pattern has at most {_MOST_WILD} stars")
    try:
        return re.compile("".join(map(_meaning, tokens)), re.DOTALL)
    except re.error as error:
        raise ValueError("it matches nothing, as its brackets name no characters") from error


def reaches_into(pattern: str, folder: str) -> bool:
    """
    Return whether a pattern fits any name in a folder.

    Args:
        pattern: The pattern.
        folder: Below the prefix that the pattern applies to, with a slash at the end.

    Raises:
        ValueError: The pattern means nothing.
    """
    compile_pattern(pattern)
    tokens = _TOKENS.findall(pattern)
    for count, token in enumerate(tokens):
        # What goes through folders may do so beyond this one.
        through = ".*" if token.startswith("**") else ""
        if re.fullmatch("".join(map(_meaning, tokens[:count])) + through, folder, re.DOTALL):
            return True
    return False


def nested(one: str, other: str) -> bool:
    """Return whether one of two folders is the other, or lies in it."""
    return one.startswith(other) or other.startswith(one)


def may_share_names(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """
    Return whether some name may fit two patterns; where it is not certain, it may.

    Args:
        one: A prefix, and the pattern of what follows it.
        other: Another one.
    """
    here, there = (_signs(prefix, pattern) for prefix, pattern in (one, other))
    met: set[tuple[int, int]] = set()
    todo = [(0, 0)]
    while todo:
        place, beside = todo.pop()
        if (place, beside) in met:
            continue
        met.add((place, beside))
        if (place, beside) == (len(here), len(there)):
            return True
        a, b = here[place : place + 1], there[beside : beside + 1]
        many, many_beside = "*" in "".join(a), "*" in "".join(b)
        if many:
            todo.append((place + 1, beside))
        if many_beside:
            todo.append((place, beside + 1))
        if a and b and _alike(a[0], b[0]):
            todo.append((place + (not many), beside + (not many_beside)))
    return False


def _signs(prefix: str, pattern: str) -> list[str]:
    """Part a pattern into single signs, and what stands for any: ``?``, ``*`` and ``**``."""
    signs = list(prefix.lower())
    for token in _TOKENS.findall(pattern):
        if token.startswith("**"):
            signs.append("**")
        elif token.startswith("["):
            signs.append("?" if len(token) > 1 else token)
        else:
            signs += [token] if token in _MEANING else list(token.lower())
    return signs


def _alike(one: str, other: str) -> bool:
    """Return whether two signs may stand for the same one."""
    if "/" in (one, other):
        return one == other or "**" in (one, other)
    return one == other or any(sign in ("?", "*", "**") for sign in (one, other))


def _meaning(token: str) -> str:
    if token in _MEANING:
        return _MEANING[token]
    if len(token) == 1:
        return re.escape(token)
    if token.startswith("."):
        return f"(?i:{re.escape(token)})"
    inner = token[1:-1]
    for first, last in re.findall(r"(.)-(.)", inner, re.DOTALL):
        if first > last:
            raise ValueError(f"the range [{first}-{last}] is the wrong way round")
    # Signs that mean something to re alone.
    kept = re.sub(r"([\\\[&~|])", r"\\\1", inner)
    return f"[{kept.replace('!', '^', 1) if kept.startswith('!') else kept}]"
