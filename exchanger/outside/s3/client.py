"""
How boto3 and the deltalake library are told to reach a bucket.

Only the configuration says where it is. The environment and the files of AWS's tools are asked for
credentials alone, and only where the configuration names none.
"""

from __future__ import annotations

import gzip
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from exchanger.config.models import S3Config

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.credentials import Credentials
    from botocore.loaders import Loader
    from mypy_boto3_s3 import S3Client

_ATTEMPTS = 5
_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_CONNECTIONS = 32
_REGION = "us-east-1"
_REGION_OF_BUCKET = "x-amz-bucket-region"


def open_session(config: S3Config) -> Session:
    """
    Build the session that signs: with the keys configured, or else those of AWS's own chain.

    The variables and files that boto3 knows decide nothing else of it.
    """
    from boto3.session import Session
    from botocore.session import Session as Core

    # Each setting as it is by default: no variable, no key of a file.
    alone: dict[str, Any] = {
        name: (None, None, default, convert)
        for name, (_, _, default, convert) in Core.SESSION_VARIABLES.items()
    }
    alone["config_file"] = alone["credentials_file"] = (None, None, os.devnull, None)
    alone["ca_bundle"] = (None, "AWS_CA_BUNDLE", None, None)
    core = Core(session_vars=alone)
    core.register_component("data_loader", _descriptions())
    if config.access_key_id and config.secret_access_key:
        core.set_credentials(
            config.access_key_id.get_secret_value(), config.secret_access_key.get_secret_value()
        )
    else:
        core.register_component("credential_provider", _Chain())
    return Session(region_name=config.region or _REGION, botocore_session=core)


def describe() -> None:
    """Read what clients need to know of S3: those of this process, and of its forks, share it."""
    keys = {"access_key_id": "none", "secret_access_key": "none"}
    config = S3Config.model_validate({"bucket": "none", "region": _REGION, **keys})
    open_client(config, open_session(config))


@cache
def _descriptions() -> Loader:
    """
    Share what is read about S3 among all sessions: 12 MB.

    boto3 by itself looks through what it knows of 400 services, and reads it with Python's own
    JSON: that takes five times as long.
    """
    from botocore.loaders import JSONFileLoader, Loader

    class Quickly(JSONFileLoader):
        def load_file(self, file_path: str) -> Any:
            packed = Path(f"{file_path}.json.gz")
            if packed.is_file():
                return orjson.loads(gzip.decompress(packed.read_bytes()))
            plain = Path(f"{file_path}.json")
            return orjson.loads(plain.read_bytes()) if plain.is_file() else None

    class OfS3Alone(Loader):
        def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - theirs
            return ["s3"]

    return OfS3Alone([Loader.BUILTIN_DATA_PATH], Quickly(), include_default_search_paths=False)


class _Chain:
    """AWS's own chain: variables, profiles, roles, and what gives credentials on its machines."""

    def load_credentials(self) -> Credentials | None:
        """Find credentials; those that expire renew themselves."""
        from botocore.session import Session as Core

        return Core().get_credentials()


def open_client(config: S3Config, session: Session) -> S3Client:
    """
    Build the client, with boto3's standard retries and with time limits.

    Where the configuration names neither a region nor an endpoint, AWS is asked where the bucket
    is.

    Raises:
        botocore.exceptions.BotoCoreError: AWS was to be asked, and did not answer.
    """
    client = _client(config, session, session.region_name)
    if config.region is None and config.endpoint_url is None:
        region = region_of(client, config.bucket)
        if region != client.meta.region_name:
            client = _client(config, session, region)
    return client


def _client(config: S3Config, session: Session, region: str) -> S3Client:
    from botocore.config import Config

    settings: dict[str, Any] = {
        "retries": {"mode": "standard", "total_max_attempts": _ATTEMPTS},
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": _READ_SECONDS,
        "max_pool_connections": _CONNECTIONS,
        "tcp_keepalive": True,
        "ignore_configured_endpoint_urls": True,
        "s3": {"us_east_1_regional_endpoint": "regional"},
    }
    if config.endpoint_url:
        # Other stores often have one host name for all buckets, and refuse checksums they never
        # heard of.
        settings["s3"] |= {"addressing_style": "path"}
        settings["request_checksum_calculation"] = "when_required"
        settings["response_checksum_validation"] = "when_required"
    return session.client(
        "s3", region_name=region, endpoint_url=config.endpoint_url, config=Config(**settings)
    )


def region_of(client: S3Client, bucket: str) -> str:
    """Ask AWS for the region of a bucket; the client's own where it does not say."""
    from botocore.exceptions import ClientError

    answer: Any
    try:
        answer = client.head_bucket(Bucket=bucket)
    except ClientError as error:
        # It also says so where the bucket may not be looked at.
        answer = error.response
    headers = answer["ResponseMetadata"].get("HTTPHeaders", {})
    return str(headers.get(_REGION_OF_BUCKET) or client.meta.region_name)


def options_for_deltalake(session: Session, client: S3Client) -> dict[str, str]:
    """
    Build the storage options of the deltalake library, with the credentials of this moment.

    They name what botocore uses, and leave nothing to find out that has a value to say.

    Raises:
        botocore.exceptions.NoCredentialsError: There are none.
    """
    from botocore.exceptions import NoCredentialsError

    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    frozen = credentials.get_frozen_credentials()
    endpoint = client.meta.endpoint_url
    options: dict[str, str] = {
        "AWS_REGION": client.meta.region_name,
        "AWS_ACCESS_KEY_ID": frozen.access_key or "",
        "AWS_SECRET_ACCESS_KEY": frozen.secret_key or "",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
        "AWS_ALLOW_HTTP": "true" if urlsplit(endpoint).scheme == "http" else "false",
        "AWS_SKIP_SIGNATURE": "false",
        "AWS_UNSIGNED_PAYLOAD": "false",
        "AWS_S3_EXPRESS": "false",
        "AWS_REQUEST_PAYER": "false",
        "aws_conditional_put": "etag",
    }
    if frozen.token:
        options["AWS_SESSION_TOKEN"] = frozen.token
    return options
