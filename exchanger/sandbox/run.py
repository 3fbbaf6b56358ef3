"""The sandbox as a program: both servers until told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from exchanger.sandbox.local_braze import Sandbox
from exchanger.sandbox.local_s3 import LocalS3
from exchanger.sandbox.settings import SandboxSettings

BRAZE_PORT = 8601
S3_PORT = 8602

_LOOK = 0.5
_SNIPPET = """\
connections:
  sandbox:
    braze:
      endpoint: {braze}
      api_key: ${{BRAZE_API_KEY:-{api_key}}}
    s3:
      bucket: {bucket}
      region: {region}
      endpoint_url: {s3}
      access_key_id: ${{EXCHANGER_S3_KEY_ID:-{access_key}}}
      secret_access_key: ${{EXCHANGER_S3_SECRET:-{secret_key}}}
"""


def serve(  # noqa: PLR0913 (one for each option of the verb)
    *,
    braze_port: int = BRAZE_PORT,
    s3_port: int = S3_PORT,
    bucket: str = "exchange",
    api_key: str = "sandbox-key",
    seed_files: Iterable[Path] = (),
    settings: SandboxSettings | None = None,
    say: Callable[[str], None] = print,
    stopping: threading.Event | None = None,
) -> None:
    """
    Serve a local Braze and a local S3 until interrupted; nothing is kept afterwards.

    The segments *All users* and *VIP customers* (``loyalty_tier`` is gold) exist from the start.

    Args:
        braze_port: 0 for any that is free.
        s3_port: 0 for any that is free.
        bucket: Created at the start.
        api_key: The one key, with all permissions.
        seed_files: Parquet, CSV or NDJSON files of profiles.
        settings: What the workspace is like, but for its keys.
        say: Told what to configure, line by line.
        stopping: Ends the serving when set, like an interrupt does.

    Raises:
        OSError: A port is taken, or a seed file cannot be read.
        ValueError: A seed file is no such file, or S3 takes no bucket of that name.
    """
    wanted = (settings or SandboxSettings()).changed({"api_keys": {api_key: None}})
    with (
        LocalS3(s3_port) as s3,
        Sandbox(wanted, s3=s3, bucket=bucket, port=braze_port) as braze,
    ):
        braze.add_segment("All users")
        braze.add_segment("VIP customers", [{"attribute": "loyalty_tier", "equals": "gold"}])
        for path in seed_files:
            say(f"# {braze.seed(path)} profiles from {path}")
        say(fill_in(_SNIPPET, braze, s3, bucket))
        ended = stopping or threading.Event()
        try:
            # An unlimited wait is not ended by a signal once native libraries are loaded.
            while not ended.wait(_LOOK):
                pass
        except KeyboardInterrupt:
            say("# Stopped.")


def fill_in(connections: str, braze: Sandbox, s3: LocalS3, bucket: str) -> str:
    """Let a ``connections`` section, with a place for each fact, point at both servers."""
    return connections.format(
        braze=braze.url,
        api_key=braze.api_key,
        bucket=bucket,
        region=s3.region,
        s3=s3.url,
        access_key=s3.access_key,
        secret_key=s3.secret_key,
    )
