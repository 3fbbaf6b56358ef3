"""Which new files of a job are complete, by what its ``complete_when`` says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from exchanger.config.durations import show_duration
from exchanger.errors import StorageChanged, StorageError, StorageMissing, StorageUnreadable
from exchanger.files.signs import Entry, ManifestFault, folders_around, key_of, read_manifest
from exchanger.notes import Note, noted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exchanger.config.models import CompleteWhen
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.outside.s3.bucket import ObjectInfo

_DENIED = "AccessDenied"
_MOST_READ = 1_000
"""Manifests that one look reads at most, the newest first."""
_LARGEST = 64 * 1024 * 1024
"""Bytes of a manifest; one that is larger is taken for something else."""


class Why(NamedTuple):
    """
    Why a file is not complete: what is the matter, the sign that says so, and what it waits for.

    ``sign`` is a key, or the name of one that is missing; ``detail`` a length of time, a file that
    is not there, or what is wrong with a manifest.
    """

    code: str
    sign: str = ""
    detail: str = ""


class Incomplete(NamedTuple):
    """A file that is left for a later run, and why."""

    item: ObjectInfo
    why: Why


def incomplete(
    call: ImportContext,
    new: Sequence[ObjectInfo],
    signs: Sequence[ObjectInfo],
    there: Mapping[str, ObjectInfo],
) -> list[Incomplete]:
    """
    Return which new files are not complete yet.

    Args:
        call: The job.
        new: Files that it would take.
        signs: Objects in its folder that say so of files.
        there: All objects in its folder, by key, if manifests name files.

    Raises:
        StorageError: S3 refused or did not answer as manifests were read.
    """
    rule = call.job.source.complete_when
    if rule is None or not new:
        return []
    if rule.settled is not None:
        whys = _too_fresh(call, new, rule.settled)
    elif rule.manifest is not None:
        whys = _unlisted(call, new, signs, there)
    else:
        by_key = {sign.key: sign for sign in signs}
        whys = {item.key: why for item in new if (why := _unmarked(call, item, by_key, rule))}
    return [Incomplete(item, whys[item.key]) for item in new if item.key in whys]


def note_incomplete(left: Iterable[Incomplete]) -> list[Note]:
    """Note which files are left for a later run, for each reason the first of them."""
    kinds: dict[Why, list[str]] = {}
    for one in left:
        kinds.setdefault(one.why, []).append(one.item.key)
    return [
        noted(
            "file_incomplete",
            file=keys[0],
            files=len(keys),
            why=why.code,
            sign=why.sign,
            detail=why.detail,
        )
        for why, keys in kinds.items()
    ]


def _too_fresh(call: ImportContext, new: Sequence[ObjectInfo], length: timedelta) -> dict[str, Why]:
    now = call.context.clock.now()
    why = Why("too_fresh", detail=show_duration(length))
    # A store that does not say how late it is leaves that to our own clock.
    return {
        item.key: why
        for item in new
        if (now - item.last_modified if item.age is None else item.age) < length
    }


def _unmarked(
    call: ImportContext, item: ObjectInfo, signs: Mapping[str, ObjectInfo], rule: CompleteWhen
) -> Why | None:
    """Return why a file is not complete; None if it is. A sign speaks of nothing younger."""
    if rule.suffix is not None:
        wanted = [f"{item.key}{rule.suffix}"]
        missing = Why("no_companion", rule.suffix)
    else:
        folders = folders_around(item.key, call.job.source.prefix)
        wanted = [f"{folder}{rule.marker}" for folder in folders]
        missing = Why("no_marker", rule.marker or "")
    found = [signs[key] for key in wanted if key in signs]
    if any(_second(sign) >= _second(item) for sign in found):
        return None
    return Why("younger_than_sign", found[0].key) if found else missing


def _second(item: ObjectInfo) -> int:
    """Return when an object was written, as exactly as every store says it."""
    return int(item.last_modified.timestamp())


def _unlisted(
    call: ImportContext,
    new: Sequence[ObjectInfo],
    signs: Sequence[ObjectInfo],
    there: Mapping[str, ObjectInfo],
) -> dict[str, Why]:
    whys = {item.key: Why("in_no_manifest") for item in new}
    complete: set[str] = set()
    for sign in sorted(signs, key=lambda one: one.last_modified, reverse=True)[:_MOST_READ]:
        if whys.keys() <= complete:
            break
        keys, why = _what_is_named(call, sign, there)
        if why:
            whys |= {key: why for key in keys if key in whys}
        else:
            complete.update(keys)
    return {key: why for key, why in whys.items() if key not in complete}


def _what_is_named(
    call: ImportContext, sign: ObjectInfo, there: Mapping[str, ObjectInfo]
) -> tuple[list[str], Why | None]:
    """Return the files that a manifest names, and why they are not complete, if they are not."""
    entries, fault = _entries(call, sign)
    folder, prefix = sign.key[: sign.key.rfind("/") + 1], call.job.source.prefix
    if fault:
        # Whatever it was to name: files below its folder may wait for it.
        below = [key for key in there if key.startswith(folder)]
        return below, Why("manifest_unreadable", sign.key, fault)
    keys: list[str] = []
    why: Why | None = None
    for entry in entries:
        key = key_of(entry.name, folder, prefix, call.context.bucket.name, there)
        if key is None or not key.startswith(prefix):
            continue  # Nobody looks there.
        keys.append(key)
        found = there.get(key)
        if found is None:
            why = why or (Why("manifest_waits", sign.key, key) if entry.needed else None)
        elif entry.size not in (None, found.size):
            awaited = f"{key} to have {entry.size:,} bytes"
            why = why or Why("manifest_waits", sign.key, awaited)
    return keys, why


def _entries(call: ImportContext, sign: ObjectInfo) -> tuple[Sequence[Entry], str]:
    """Read a manifest, once in a call; or tell why that cannot be done."""
    known = call.listing.manifests
    version = (sign.key, sign.etag)
    if version not in known:
        known[version] = _read(call, sign)
    return known[version]


def _read(call: ImportContext, sign: ObjectInfo) -> tuple[Sequence[Entry], str]:
    if sign.size > _LARGEST:
        return (), f"it has {sign.size:,} bytes"
    try:
        return read_manifest(call.context.bucket.read(sign.key)[0]), ""
    except ManifestFault as fault:
        return (), str(fault)
    except (StorageMissing, StorageChanged):
        return (), "it was replaced or deleted a moment ago"
    except StorageError as error:
        if not isinstance(error, StorageUnreadable) and error.code != _DENIED:
            raise
        return (), f"S3 does not give it out ({error.detail})"
