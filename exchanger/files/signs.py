"""Objects that say that files are complete: markers, companions by an ending, and manifests."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from exchanger.config.patterns import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from exchanger.config.models import CompleteWhen

_BLANK = re.compile(r"[ \t]*(#.*)?")


class ManifestFault(ValueError):
    """A manifest cannot be read; the text says why, as a part of a sentence."""


class Entry(NamedTuple):
    """A file that a manifest names: as written there, its bytes if told, and if it must come."""

    name: str
    size: int | None = None
    needed: bool = True


def is_sign(key: str, prefix: str, rule: CompleteWhen | None) -> bool:
    """Return whether an object below a job's prefix says of files that they are complete."""
    if rule is None or not key.startswith(prefix):
        return False
    rest = key.removeprefix(prefix)
    name = rest.rpartition("/")[2]
    if rule.marker is not None:
        return name == rule.marker
    if rule.suffix is not None:
        return name.endswith(rule.suffix) and name != rule.suffix
    if rule.manifest is not None:
        compared = rest if "/" in rule.manifest else name
        return compile_pattern(rule.manifest).fullmatch(compared) is not None
    return False


def empty_parts(
    files: Sequence[tuple[str, int | None]], rule: CompleteWhen | None
) -> frozenset[str]:
    """
    Name the files without a row that are parts of a delivery which has some.

    Where a marker or a manifest speaks of many files, those of one folder are one delivery: what
    writes it in parallel leaves parts empty. Any other file is a delivery of its own.

    Args:
        files: What came together: keys, and how many rows each has; None of one that has some.
        rule: When a file of the job is complete.
    """
    if rule is None or (rule.marker is None and rule.manifest is None):
        return frozenset()
    folders = {key.rpartition("/")[0] for key, rows in files if rows != 0}
    return frozenset(key for key, rows in files if rows == 0 and key.rpartition("/")[0] in folders)


def folders_around(key: str, prefix: str) -> Iterator[str]:
    """Iterate over the folder that an object lies in, and those around it up to the prefix."""
    folder = key[: key.rfind("/") + 1]
    while folder.startswith(prefix):
        yield folder
        if folder == prefix:
            return
        folder = folder[: folder.rstrip("/").rfind("/") + 1]


def read_manifest(body: bytes) -> list[Entry]:
    """
    Read which files a manifest names: ``{"files": [...]}``, Redshift's ``entries``, or lines.

    Raises:
        ManifestFault: It is none of these, or names nothing.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestFault("it is not UTF-8") from error
    if text.lstrip()[:1] in ("{", "["):
        entries = _of_json(text)
    else:
        entries = [Entry(line.strip()) for line in text.splitlines() if not _BLANK.fullmatch(line)]
    if not entries:
        raise ManifestFault("it names no file")
    return entries


def key_of(name: str, folder: str, prefix: str, bucket: str, there: Container[str]) -> str | None:
    """
    Return which object a manifest means by a name; None if that lies in another bucket.

    Args:
        name: A name relative to the manifest's folder, a whole key, or an address with ``s3://``.
        folder: The folder of the manifest.
        prefix: The job's prefix, with which a whole key begins.
        bucket: The bucket.
        there: The keys that there are: a relative name that is one of them is meant so.
    """
    if name.startswith(("s3://", "s3a://", "s3n://")):
        _, _, rest = name.partition("://")
        home, _, key = rest.partition("/")
        return key if home == bucket else None
    relative = folder + name.removeprefix("./")
    if relative in there or not name.lstrip("/").startswith(prefix):
        return relative
    return name.lstrip("/")


def _of_json(text: str) -> list[Entry]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestFault("it is no JSON, though it begins like it") from error
    if isinstance(content, dict) and isinstance(content.get("entries"), list):
        return [_redshift(one) for one in content["entries"]]
    names = content.get("files") if isinstance(content, dict) else content
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ManifestFault('it has neither "files", a list of names, nor Redshift\'s "entries"')
    return [Entry(name) for name in names]


def _redshift(entry: Any) -> Entry:
    """Read one of Redshift's entries."""
    if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
        raise ManifestFault('one of its "entries" has no "url"')
    told = entry.get("meta")
    size = told.get("content_length") if isinstance(told, dict) else None
    url = entry["url"]
    if not urlsplit(url).path.strip("/"):
        raise ManifestFault('the "url" of one of its "entries" names no object')
    needed = entry.get("mandatory") is not False
    return Entry(url, size if isinstance(size, int) else None, needed=needed)
