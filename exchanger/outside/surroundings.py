"""
What the environment of a process may not decide: where the bucket lies, and what is signed.

The library below the tables takes every setting that it is not told from the environment, also
without ``AWS_`` in front: ``TOKEN``, ``TIMEOUT``, ``PROXY_URL``. Some have no value that means
nothing, so they are kept out of its sight.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CREDENTIALS = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_ACCOUNT_ID",
        "AWS_CONFIG_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_DEFAULT_PROFILE",
        "AWS_DEFAULT_REGION",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        "AWS_EC2_METADATA_V1_DISABLED",
        "AWS_ENDPOINT_URL_SSO",
        "AWS_ENDPOINT_URL_SSO_OIDC",
        "AWS_ENDPOINT_URL_STS",
        "AWS_IMDS_USE_IPV6",
        "AWS_LOGIN_CACHE_DIRECTORY",
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
        "AWS_METADATA_SERVICE_TIMEOUT",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECURITY_TOKEN",
        "AWS_SESSION_TOKEN",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_STS_REGIONAL_ENDPOINTS",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    }
)
"""By these AWS's own chain finds credentials."""

_TOKENS = frozenset({"AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"})

_KEPT = frozenset({"AWS_CA_BUNDLE"})
"""Whom to trust is a matter of the machine."""

_UNPREFIXED = frozenset(
    {
        "access_key_id",
        "allow_http",
        "allow_invalid_certificates",
        "bucket",
        "bucket_name",
        "checksum_algorithm",
        "conditional_put",
        "connect_timeout",
        "container_authorization_token_file",
        "container_credentials_full_uri",
        "container_credentials_relative_uri",
        "copy_if_not_exists",
        "default_content_type",
        "default_region",
        "disable_bulk_delete",
        "disable_system_certificates",
        "disable_tagging",
        "endpoint",
        "endpoint_url",
        "endpoint_url_sts",
        "http1_only",
        "http2_keep_alive_interval",
        "http2_keep_alive_timeout",
        "http2_keep_alive_while_idle",
        "http2_max_frame_size",
        "http2_only",
        "imdsv1_fallback",
        "metadata_endpoint",
        "pool_idle_timeout",
        "pool_max_idle_per_host",
        "proxy_ca_certificate",
        "proxy_excludes",
        "proxy_url",
        "randomize_addresses",
        "read_timeout",
        "region",
        "request_payer",
        "role_arn",
        "role_session_name",
        "s3_express",
        "secret_access_key",
        "server_side_encryption",
        "session_token",
        "skip_signature",
        "sse_bucket_key_enabled",
        "sse_customer_key_base64",
        "sse_kms_key_id",
        "timeout",
        "token",
        "unsigned_payload",
        "user_agent",
        "virtual_hosted_style_request",
        "web_identity_token_file",
    }
)
"""What the library below the tables takes, in any case of letters, without ``AWS_`` in front."""


_turn = threading.Condition()
_put_away: dict[str, str] = {}
_users = 0


@contextmanager
def configured_alone(*, own_keys: bool) -> Iterator[None]:
    """
    Keep variables that would decide about the bucket out of this process's environment.

    No table may be opened outside of it. Several threads may be inside at once; who needs other
    variables than those waits until they have left.

    Args:
        own_keys: Whether the configuration names keys. If not, AWS's chain may look for some.
    """
    global _users  # noqa: PLW0603 - the environment, too, is one for the process
    with _turn:
        _turn.wait_for(lambda: not _users or _deciding(own_keys=own_keys) == _put_away.keys())
        for name in _deciding(own_keys=own_keys) - _put_away.keys():
            _put_away[name] = os.environ.pop(name)
        _users += 1
    try:
        yield
    finally:
        with _turn:
            _users -= 1
            if not _users:
                os.environ.update(_put_away)
                _put_away.clear()
            _turn.notify_all()


def _deciding(*, own_keys: bool) -> set[str]:
    """Name the variables that would decide, of those that are there or were put away."""
    present = os.environ.keys() | _put_away.keys()
    has_key = bool(os.environ.get("AWS_ACCESS_KEY_ID") or _put_away.get("AWS_ACCESS_KEY_ID"))
    return {name for name in present if _decides(name, own_keys=own_keys, has_key=has_key)}


def _decides(name: str, *, own_keys: bool, has_key: bool) -> bool:
    if name in _KEPT:
        return False
    if name in _TOKENS:
        # A token belongs to the key beside it. The chain passes over one that is alone; the
        # library below the tables would send it along with whatever key it is given.
        return own_keys or not has_key
    if name in _CREDENTIALS:
        return own_keys
    lowered = name.lower()
    return lowered.startswith("aws_") or lowered in _UNPREFIXED
