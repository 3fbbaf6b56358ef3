"""S3 in memory, and a bucket as one process sees it: late, forgetful, and gone at any moment."""

import hashlib
import io
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from exchanger.errors import (
    StorageChanged,
    StorageCorrupt,
    StorageMissing,
    StorageUnreachable,
)
from exchanger.outside.delta.folders import LocalFolder
from exchanger.outside.delta.table import DeltaError, Table
from exchanger.outside.s3.bucket import ObjectInfo, UploadedObject
from exchanger.outside.s3.growing import GrowingUpload

PAGE = 3
"""Keys in one page of a listing."""


@dataclass(frozen=True)
class Stored:
    """One version of an object."""

    body: bytes
    etag: str
    modified: datetime


class Store:
    """
    What S3 has.

    Args:
        time: The clock; S3 tells whole seconds of it.
        folder: Where Delta tables lie.
    """

    name = "bucket"

    def __init__(self, time, folder):
        self.time = time
        self.folder = folder
        self.objects = {}
        self.deleted = {}
        """What was deleted last below each key, for those who judge the past."""
        self.created = {}
        """By key, when an object was created, for what its process was asked, and what it was."""

    def now(self):
        """Tell the time as S3 does."""
        return datetime.fromtimestamp(int(self.time.seconds), UTC)

    def put(self, key, body, if_match=None, *, if_none_match=False):
        """Write an object if the condition holds."""
        found = self.objects.get(key)
        if if_none_match and found is not None:
            raise StorageChanged("write", self.name, key)
        if if_match is not None and found is None:
            raise StorageMissing("write", self.name, key)
        if if_match is not None and found.etag != if_match:
            raise StorageChanged("write", self.name, key)
        etag = hashlib.md5(body).hexdigest()
        self.objects[key] = Stored(body, etag, self.now())
        return etag

    def get(self, key, etag=None):
        """Read an object, or exactly one version of it."""
        if key not in self.objects:
            raise StorageMissing("read", self.name, key)
        found = self.objects[key]
        if etag is not None and found.etag != etag:
            raise StorageChanged("read", self.name, key)
        return found

    def drop(self, key):
        """Delete an object, if it is there."""
        if key in self.objects:
            self.deleted[key] = self.objects.pop(key)

    def ever(self, key):
        """Read an object as it is, or was when it was deleted."""
        return self.objects.get(key) or self.deleted[key]

    def page(self, prefix, after):
        """List some keys after one."""
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        return [self.info(key) for key in keys[:PAGE]]

    def info(self, key):
        """Tell about an object."""
        found = self.get(key)
        return ObjectInfo(key, found.etag, len(found.body), found.modified, self.now())


class BucketDouble:
    """The bucket of one process, with the interface of ``exchanger.outside.s3.bucket.Bucket``."""

    def __init__(self, store, process):
        self.name = store.name
        self._store = store
        self._process = process

    def now(self):
        return datetime.fromtimestamp(self._store.time.seconds, UTC)

    def list(self, prefix, start_after=""):
        while True:
            after = start_after
            found = self._effect(
                "list", prefix, lambda after=after: self._store.page(prefix, after)
            )
            yield from found
            if len(found) < PAGE:
                break
            start_after = found[-1].key
        table = self._store.folder / prefix
        if prefix.endswith("/") and (table / "_delta_log").is_dir():
            for path in sorted(at for at in table.rglob("*") if at.is_file()):
                key = prefix + path.relative_to(table).as_posix()
                yield ObjectInfo(key, "", path.stat().st_size, self.now(), self.now())

    def head(self, key):
        return self._effect("read", key, lambda: self._store.info(key))

    def read(self, key, etag=None):
        found = self._effect("read", key, lambda: self._store.get(key, etag))
        return found.body, found.etag

    @contextmanager
    def open(self, key, etag=None):
        yield io.BytesIO(self.read(key, etag)[0])

    def download(self, key, etag, path):
        body, _ = self.read(key, etag)
        path.write_bytes(body)
        return hashlib.sha256(body).hexdigest()

    def write(self, key, body, *, if_match=None, if_none_match=False, content_type=""):
        conditional = if_none_match or if_match is not None

        def put():
            etag = self._store.put(key, body, if_match, if_none_match=if_none_match)
            if if_none_match:
                self._store.created[key] = (self._store.time.moment(), self._process.verb, body)
            return etag

        def odd(fault, apply):
            """Our own first attempt was applied and its answer lost; the second met it."""
            etag = apply()
            if conditional:
                raise StorageChanged("write", self.name, key, "our own")
            return etag

        return self._effect("write", key, put, odd)

    def upload(self, key, path, *, if_none_match=False, content_type=None):
        body = path.read_bytes()
        etag = self.write(key, body, if_none_match=if_none_match)
        return UploadedObject(etag, hashlib.sha256(body).hexdigest(), len(body))

    def upload_growing(self, key):
        return GrowingUpload(None, {}, {}, nullcontext, lambda path: self.upload(key, path))

    def delete(self, keys):
        for key in keys:
            self._effect("write", key, lambda key=key: self._store.drop(key))
            (self._store.folder / key).unlink(missing_ok=True)

    def abort_uploads(self, prefix, older_than):
        """Do nothing: here no upload has parts."""

    def storage_options(self):
        return {}

    def table(self, prefix):
        return TableDouble(self._store.folder / prefix, self._process)

    def _effect(self, kind, key, apply, odd=None):
        def failure():
            torn = kind == "read" and int(self._store.time.seconds) % 2
            return (StorageCorrupt if torn else StorageUnreachable)(kind, self.name, key, "fault")

        return self._process.effect(kind, apply, failure=failure, odd=odd)


class FolderDouble(LocalFolder):
    """The folder of a table, where files that were made ahead meet the faults of the process."""

    def __init__(self, folder, process):
        super().__init__(folder)
        self._process = process

    def upload(self, name):
        whole = super().upload(name).finish
        return GrowingUpload(
            None, {}, {}, nullcontext, lambda path: self._effect(lambda: whole(path))
        )

    def delete(self, names):
        self._effect(lambda: super(FolderDouble, self).delete(names))

    def _effect(self, apply):
        self._process.effect("write", apply, failure=lambda: StorageUnreachable("write", "", ""))


class TableDouble(Table):
    """A Delta table in a local folder, whose commits meet the faults of the process."""

    def __init__(self, folder, process):
        super().__init__(str(folder), {}, process.sleep, FolderDouble(folder, process))
        self._process = process

    def compact(self):
        self._process.tick()

    def _write(self, table, frame, marks):
        self._effect(lambda: super(TableDouble, self)._write(table, frame, marks))

    def _name(self, table, files, marks):
        self._effect(lambda: super(TableDouble, self)._name(table, files, marks))

    def _effect(self, commit):
        self._process.effect("commit", commit, failure=lambda: DeltaError("fault"))
