"""
Which objects below a prefix are files of a job.

``*`` and ``?`` stay within a folder, ``**`` goes through folders. Names that begin with ``_`` or
``.``, at any depth, are never taken: readers of data sets use them for what is not data.
"""

from __future__ import annotations

from exchanger.config.patterns import compile_pattern


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
    if compile_pattern(pattern).fullmatch(rest) is None:
        return False
    return not any(part.startswith(("_", ".")) for part in rest.split("/"))
