"""Which earlier datasets of an export job are too many, once a newer one is published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from exchanger.errors import StorageMissing
from exchanger.files.manifest import is_newer

if TYPE_CHECKING:
    from exchanger.files.manifest import Manifest, RunFolder
    from exchanger.outside.s3.bucket import Bucket

_MANIFEST = "manifest.json"


def outdated_folders(
    bucket: Bucket, folder: RunFolder, manifest: Manifest, keep: int | None
) -> list[str]:
    """
    Find the run folders of a job's datasets beyond the newest ones.

    Only datasets that the job itself published count, by their manifests. The one that was just
    published stays whatever *keep* says, and so does one whose data was asked for later.

    Args:
        bucket: Where they are.
        folder: Of the dataset that was just published.
        manifest: Its manifest.
        keep: How many datasets stay; None: all.
    """
    if keep is None:
        return []
    own = manifest.pointer(folder.manifest)
    found = [
        (other, key.removesuffix(_MANIFEST))
        for key in _manifests(bucket, folder.prefix)
        if key != folder.manifest and (other := _read(bucket, key)).get("job") == manifest.job
    ]
    newer = [other for other, _ in found if is_newer(other, own)]
    older = [one for one in found if not is_newer(one[0], own)]
    older.sort(key=lambda one: (str(one[0].get("requested_at", "")), one[1]), reverse=True)
    return [key for _, key in older[max(0, keep - 1 - len(newer)) :]]


def hide(bucket: Bucket, folders: list[str]) -> None:
    """Remove the manifests of datasets, and so the datasets: what else is there is litter now."""
    bucket.delete(f"{folder}{_MANIFEST}" for folder in folders)


def _manifests(bucket: Bucket, prefix: str) -> list[str]:
    """List the manifests right in run folders below a prefix."""
    begins = f"{prefix}run="
    return [
        found.key
        for found in bucket.list(begins)
        if found.key.removeprefix(begins).partition("/")[2] == _MANIFEST
    ]


def _read(bucket: Bucket, key: str) -> dict[str, Any]:
    """Read a manifest; one that is gone meanwhile, or is none of ours, is empty."""
    try:
        content = json.loads(bucket.read(key)[0])
    except (StorageMissing, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
