"""
How boto3 and the deltalake library are told to reach a bucket.

Only the configuration says where it is. The environment and the files of AWS's tools are asked for
credentials alone, and only where the configuration names none.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from exchanger.config.models import S3Config
from exchanger.outside.aws import REGION, open_session

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_s3 import S3Client

_ATTEMPTS = 5
_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_CONNECTIONS = 32
_SMALL = 1 << 20
"""Bytes that are sent to no purpose at most, where S3 would have refused them."""
_REGION_OF_BUCKET = "x-amz-bucket-region"


def describe() -> None:
    """Read what clients need to know of S3: those of this process, and of its forks, share it."""
    keys = {"access_key_id": "none", "secret_access_key": "none"}
    config = S3Config.model_validate({"bucket": "none", "region": REGION, **keys})
    open_client(config, open_session(config))


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
    client = session.client(
        "s3", region_name=region, endpoint_url=config.endpoint_url, config=Config(**settings)
    )
    client.meta.events.register_last("before-call.s3", _send_small_bodies_at_once)
    return client


def _send_small_bodies_at_once(params: dict[str, Any], **_: object) -> None:
    """Ask no leave to send a small body: the answer would take as long as the writing itself."""
    body = params.get("body")
    if isinstance(body, BytesIO) and len(body.getbuffer()) <= _SMALL:
        params["headers"].pop("Expect", None)


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
