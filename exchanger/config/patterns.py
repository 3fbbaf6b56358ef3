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
