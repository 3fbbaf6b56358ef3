"""How boto3 and the deltalake library are told to reach a bucket."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from exchanger.config.models import S3Config

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.loaders import Loader
    from mypy_boto3_s3 import S3Client

_ATTEMPTS = 5
_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_CONNECTIONS = 32
_REGION = "us-east-1"


def open_session(config: S3Config) -> Session:
    """Make the session that finds credentials: those configured, or else AWS's own chain."""
    from boto3.session import Session
    from botocore.session import Session as Core

    core = Core()
    core.register_component("data_loader", _descriptions())
    keys: dict[str, Any] = {}
    if config.access_key_id and config.secret_access_key:
        keys["aws_access_key_id"] = config.access_key_id.get_secret_value()
        keys["aws_secret_access_key"] = config.secret_access_key.get_secret_value()
    return Session(region_name=config.region, botocore_session=core, **keys)


@cache
def _descriptions() -> Loader:
    """Share what boto3 reads about S3 among all sessions: 12 MB, and a fifth of a second."""
    from botocore.loaders import create_loader

    return create_loader()


def open_client(config: S3Config, session: Session) -> S3Client:
    """Make the client, with boto3's standard retries and with time limits."""
    from botocore.config import Config

    settings: dict[str, Any] = {
        "retries": {"mode": "standard", "total_max_attempts": _ATTEMPTS},
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": _READ_SECONDS,
        "max_pool_connections": _CONNECTIONS,
        "tcp_keepalive": True,
    }
    if config.endpoint_url:
        # Other stores often have one host name for all buckets, and refuse checksums they never
        # heard of.
        settings["s3"] = {"addressing_style": "path"}
        settings["request_checksum_calculation"] = "when_required"
        settings["response_checksum_validation"] = "when_required"
    return session.client("s3", endpoint_url=config.endpoint_url, config=Config(**settings))


def options_for_deltalake(config: S3Config, session: Session, client: S3Client) -> dict[str, str]:
    """
    Make the storage options of the deltalake library, with the credentials of this moment.

    Raises:
        botocore.exceptions.NoCredentialsError: There are none.
    """
    from botocore.exceptions import NoCredentialsError

    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    frozen = credentials.get_frozen_credentials()
    options: dict[str, str] = {
        "AWS_REGION": config.region or session.region_name or _REGION,
        "AWS_ACCESS_KEY_ID": frozen.access_key or "",
        "AWS_SECRET_ACCESS_KEY": frozen.secret_key or "",
        "aws_conditional_put": "etag",
    }
    if frozen.token:
        options["AWS_SESSION_TOKEN"] = frozen.token
    endpoint = client.meta.endpoint_url
    # Also set by AWS_ENDPOINT_URL_S3 and profiles, of which only boto3 knows.
    if config.endpoint_url or not _is_aws(endpoint):
        options["AWS_ENDPOINT_URL"] = endpoint
        options["AWS_VIRTUAL_HOSTED_STYLE_REQUEST"] = "false"
        if urlsplit(endpoint).scheme == "http":
            options["AWS_ALLOW_HTTP"] = "true"
    return options


def _is_aws(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
