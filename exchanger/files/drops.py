"""
Which objects below a prefix are files of a job.

``*`` and ``?`` stay within a folder, ``**`` goes through folders. Names that begin with ``_`` or
``.``, at any depth, are never taken: readers of data sets use them for what is not data.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", re.DOTALL)
_MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = []
    for token in _TOKENS.findall(pattern):
        if token in _MEANING:
            parts.append(_MEANING[token])
        elif len(token) > 1:
            parts.append("[" + token[1:-1].replace("\\", "\\\\").replace("!", "^", 1) + "]")
        else:
            parts.append(re.escape(token))
    return re.compile("".join(parts), re.DOTALL)


def is_drop(key: str, prefix: str, pattern: str, state_prefix: str) -> bool:
    """
    Tell whether an object is a file of a job.

    Args:
        key: The object's key.
        prefix: The job's prefix; the pattern applies to what follows it.
        pattern: The job's pattern.
        state_prefix: Our own state, which is never a drop even if its name were not hidden.
    """
    if not key.startswith(prefix) or key.startswith(state_prefix) or key.endswith("/"):
        return False
    rest = key.removeprefix(prefix)
    if _compiled(pattern).fullmatch(rest) is None:
        return False
    return not any(part.startswith(("_", ".")) for part in rest.split("/"))
