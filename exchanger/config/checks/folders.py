"""Names of folders of the bucket, in which nothing stands for anything else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from exchanger.config.findings import Finding, Where

_ADDRESS = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/]*/?")
_STANDING_FOR = re.compile(r"[*?{}]")


def check_folder(prefix: str, where: Where) -> Iterator[Finding]:
    """
    Find out whether a folder is named as it is called in the bucket.

    What is not would be looked for under that very name, and nothing would ever be found there.
    """
    steps = prefix.removesuffix("/").split("/")
    if address := _ADDRESS.match(prefix):
        message = "write the folder alone, as it is called in the bucket: without s3:// and bucket"
        guess = prefix[address.end() :] if prefix.startswith("s3") else ""
    elif "\\" in prefix:
        message, guess = "folders of a bucket are parted by /", prefix.replace("\\", "/")
    elif _STANDING_FOR.search(prefix):
        message = "in the name of a folder, *, ?, { and } stand for nothing"
        whole = [step for step in steps if not _STANDING_FOR.search(step)]
        guess = "/".join(steps[: len(whole)]) if whole == steps[: len(whole)] else ""
        if where[-2] == "source":
            message += "; which of its files are taken says 'pattern'"
    elif any(step != step.strip() for step in steps):
        message, guess = "a name begins or ends with white space", "/".join(map(str.strip, steps))
    elif {".", ".."} & set(steps):
        message = "'.' and '..' are no folders of a bucket"
        guess = "/".join(step for step in steps if step not in (".", ".."))
    else:
        return
    yield Finding(where, message, guess and f"{guess.strip('/')}/")


def check_beginning(pattern: str, prefix: str, where: Where) -> Iterator[Finding]:
    """Find out whether a pattern begins within the folder of its source."""
    rest = _ADDRESS.sub("", pattern).lstrip("/")
    rest = rest.removeprefix(prefix) if prefix else rest
    if not pattern or rest != pattern:
        message = "a pattern is compared with what follows the prefix, so it begins without a slash"
        if pattern and not pattern.startswith("/"):
            message = "a pattern is compared with what follows the prefix, so it begins without it"
        yield Finding((*where, "pattern"), message, rest or "**")
