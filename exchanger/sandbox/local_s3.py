"""A local S3 in memory, over HTTP."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from exchanger.sandbox.http.s3_door import S3Door

HOST = "127.0.0.1"
_READING = frozenset({"GET", "HEAD"})
_BUCKET = re.compile(r"(?=.{3,63}$)[a-z0-9]([a-z0-9-]|\.(?!\.))*[a-z0-9]")
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")


class OneWriterAtATime:
    """
    WSGI in front of the store: writes one after the other.

    A conditional write is a comparison and a write; only one of two at once may succeed.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass a request on."""
        if environ["REQUEST_METHOD"] in _READING:
            return self._app(environ, start_response)
        with self._lock:
            answer = self._app(environ, start_response)
            _forget_all_ever_made()
            return answer


def _forget_all_ever_made() -> None:
    """
    Empty the store's lists of every object and upload that there ever was.

    It keeps them to close their files in the end, those that were replaced or deleted as well. What
    a bucket has is closed by way of the bucket, and the rest with its last reference.
    """
    from moto.s3.models import FakeKey, FakeMultipart

    for kind in (FakeKey, FakeMultipart):
        kind.instances_tracked.clear()  # type: ignore[union-attr]


class _Quietly(MotoRequestHandler):
    """Answers requests without a line in the log for each, which nobody reads."""

    def log_request(self, *_: object, **__: object) -> None:
        """Log nothing; errors are logged elsewhere."""


def _store() -> Any:
    """Build the store alone: moto's dispatcher reads a folder to find the service, each time."""
    app = create_backend_app("s3")
    app.debug = False  # It would look into every body for forms that were sent wrongly.
    return app


class LocalS3:
    """
    An S3 server on the loopback interface; a context manager.

    The store belongs to the process: two servers at once share their buckets, and the last one
    to stop empties it.

    Args:
        port: 0 for any that is free.
        access_key: Any key is accepted; this is the one to configure.
        secret_key: Likewise.
    """

    region = "us-east-1"
    _serving: ClassVar[list[LocalS3]] = []
    _roll_call = threading.Lock()

    def __init__(
        self,
        port: int = 0,
        *,
        access_key: str = "sandbox",
        secret_key: str = "sandbox",  # noqa: S107 (a dummy for a local server)
    ) -> None:
        self._wanted_port = port
        self.access_key = access_key
        self.secret_key = secret_key
        self.port = port

    @property
    def url(self) -> str:
        """The endpoint's address."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> Self:
        """Serve from now on."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = make_server(
            HOST,
            self._wanted_port,
            S3Door(OneWriterAtATime(_store())),
            threaded=True,
            request_handler=_Quietly,
        )
        self.port = self._server.port
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="sandbox-s3",
            daemon=True,
        )
        self._thread.start()
        with self._roll_call:
            self._serving.append(self)
        return self

    def stop(self) -> None:
        """Stop serving; the last server in the process forgets all buckets."""
        from moto.backends import get_backend

        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        with self._roll_call:
            self._serving.remove(self)
            if not self._serving:
                get_backend("s3").reset()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def client(self) -> Any:
        """A boto3 client of this server."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
            config=Config(s3={"addressing_style": "path"}),
        )

    def create_bucket(self, name: str) -> None:
        """
        Create the bucket unless it is there.

        Raises:
            ValueError: S3 takes no bucket of that name.
        """
        if not _BUCKET.fullmatch(name) or _ADDRESS.fullmatch(name):
            message = (
                f"S3 takes no bucket called '{name}': a name has 3 to 63 lower-case letters,"
                " digits, hyphens and single dots, begins and ends with a letter or digit, and is"
                " no IP address"
            )
            raise ValueError(message)
        try:
            self.client().create_bucket(Bucket=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
                raise


class BucketStorage:
    """
    A bucket as the place where exports are written.

    Args:
        s3: The server.
        bucket: Created unless it is there.
    """

    def __init__(self, s3: LocalS3, bucket: str) -> None:
        s3.create_bucket(bucket)
        self._client = s3.client()
        self._bucket = bucket

    def put(self, key: str, body: bytes) -> None:
        """Write an object."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body)
