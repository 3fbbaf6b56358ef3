"""Making a dataset visible: manifest, marker, pointer; and removing what nobody will read."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import structlog

from exchanger.errors import StorageChanged, StorageMissing
from exchanger.files.manifest import Manifest, RunFolder, is_newer, to_body
from exchanger.jobs.runtime.context import JobContext
from exchanger.jobs.segments.files import files_of
from exchanger.jobs.segments.pending import PendingExport
from exchanger.outside.s3.bucket import Bucket

log = structlog.get_logger()

_RACES = 10


def publish(bucket: Bucket, folder: RunFolder, manifest: Manifest) -> bool:
    """
    Write the manifest, then the marker, then the pointer, so that each promises what is there.

    Returns:
        Whether the pointer now leads to this manifest; False if it leads to newer data.
    """
    bucket.write(folder.manifest, manifest.to_body(), content_type="application/json")
    bucket.write(folder.success, b"")
    return _point(bucket, folder.latest, manifest.pointer(folder.manifest))


def sweep(context: JobContext, pending: PendingExport, own: RunFolder | None = None) -> int:
    """
    Remove what earlier runs of the job began and never published, and unwanted exports' files.

    Only folders that the job itself noted are looked at; one with a manifest stays.

    Returns:
        How many objects were removed.
    """
    litter = [
        found.key
        for folder in pending.folders
        if not (own and folder == own.key) and not _has_manifest(context.bucket, folder)
        for found in context.bucket.list(folder)
    ]
    if pending.discard:
        files = files_of(context, pending.segment_id, pending.discard, pending.requested_at)
        litter += [found.key for found in files]
    context.bucket.delete(litter)
    if litter:
        log.info("export.litter_removed", objects=len(litter))
    return len(litter)


def _point(bucket: Bucket, key: str, pointer: dict[str, Any]) -> bool:
    for _ in range(_RACES):
        found, etag = _read_pointer(bucket, key)
        if found == pointer:
            return True
        if is_newer(found, pointer):
            return False
        write = partial(bucket.write, key, to_body(pointer), content_type="application/json")
        try:
            write(if_match=etag, if_none_match=etag is None)
        except StorageChanged:
            continue  # Somebody else moved it, or our own answer was lost: look again.
        return True
    raise StorageChanged("write", bucket.name, key, "others keep writing it")


def _read_pointer(bucket: Bucket, key: str) -> tuple[dict[str, Any], str | None]:
    try:
        body, etag = bucket.read(key)
    except StorageMissing:
        return {}, None
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    # Something else of that name is replaced: it points nowhere.
    return (content if isinstance(content, dict) else {}), etag


def _has_manifest(bucket: Bucket, folder: str) -> bool:
    try:
        bucket.head(f"{folder}manifest.json")
    except StorageMissing:
        return False
    return True
