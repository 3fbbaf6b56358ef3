"""
Whose credentials sign what is asked of AWS, and what is known of its services.

The environment and the files of AWS's tools are asked for credentials alone, and only where the
configuration names none.
"""

from __future__ import annotations

import gzip
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from exchanger.config.models import S3Config
from exchanger.redaction import Redactor

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.credentials import Credentials
    from botocore.loaders import Loader

REGION = "us-east-1"
"""Where nothing names a region."""
_SERVICES = ["s3", "sqs"]


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
    return Session(region_name=config.region or REGION, botocore_session=core)


def redactor_of(config: S3Config) -> Redactor:
    """Return what takes the configured keys out of texts."""
    secrets = (config.access_key_id, config.secret_access_key)
    return Redactor(secret.get_secret_value() for secret in secrets if secret)


@cache
def _descriptions() -> Loader:
    """
    Share what is read about services among all sessions: 12 MB for S3.

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

    class OfOurs(Loader):
        def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - theirs
            return _SERVICES

    return OfOurs([Loader.BUILTIN_DATA_PATH], Quickly(), include_default_search_paths=False)


class _Chain:
    """AWS's own chain: variables, profiles, roles, and what gives credentials on its machines."""

    def load_credentials(self) -> Credentials | None:
        """Find credentials; those that expire renew themselves."""
        from botocore.session import Session as Core

        return Core().get_credentials()
