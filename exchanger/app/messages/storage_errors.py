"""S3's own answers, and what keeps it, or Braze, from answering: each with its own cure."""

from __future__ import annotations

import re

from exchanger.app.messages.words import Message
from exchanger.errors import BrazeError, BrazeUnreachable, StorageError, StorageUnreachable

_CHECK = "exchanger check --connect"
_THEN = f"Then: {_CHECK}"
_KMS = re.compile(r"kms:\w+")
_ACTION = re.compile(r"\bs3:[A-Z]\w+")
_ADDRESS = re.compile(r"\S+://\S+")
"""In which any word may stand."""
_CERTIFICATES = re.compile(r"certificate|X509|SSL validation", re.IGNORECASE)
_NO_CERTIFICATES = re.compile(r"No CA certificates", re.IGNORECASE)
_PROXY = re.compile(r"\bproxy\b|unsupported scheme", re.IGNORECASE)
_PERMISSIONS = {
    "list": "s3:ListBucket",
    "read": "s3:GetObject",
    "look at": "s3:GetObject",
    "open": "s3:GetObject",
    "write": "s3:PutObject",
    "write conditionally": "s3:PutObject",
    "upload": "s3:PutObject",
    "delete": "s3:DeleteObject",
}
_BETWEEN = frozenset({301, 302, 303, 307, 308, 407, 511})
"""Statuses that Braze's API never answers."""
_TAGS = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_PAGE = 100
"""Characters of a page that are shown."""
_REGION = (
    "The bucket {bucket} is in another region than the configuration says.",
    (
        "Write the region of the bucket into region, in the s3 section (AWS's console shows it)."
        f" {_THEN}"
    ),
)
_SESSION = (
    "S3 does not take the temporary credentials any more.",
    (
        "They are found by AWS's own chain: log in again (aws sso login), or renew what gives them,"
        " then run the same command again."
    ),
)
_BY_CODE: dict[str, tuple[str, str]] = {
    "PermanentRedirect": _REGION,
    "TemporaryRedirect": _REGION,
    "301": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "InvalidAccessKeyId": (
        "S3 does not know the access key ID.",
        (
            "Look at access_key_id in the configuration, and at the variable that it names: a key"
            " of another account or store, or one that was deleted, is not known here."
            f" {_THEN}"
        ),
    ),
    "SignatureDoesNotMatch": (
        "The secret access key does not belong to the access key ID.",
        (
            "Look at secret_access_key in the configuration, and at the variable that it names: it"
            " may be cut short, or of another key. With a store of your own, look at region too."
            f" {_THEN}"
        ),
    ),
    "RequestTimeTooSkewed": (
        "The clock of this machine is wrong by more than a quarter of an hour.",
        "Set the clock (timedatectl set-ntp true), then run the same command again.",
    ),
    "ExpiredToken": _SESSION,
    "InvalidToken": _SESSION,
    "TokenRefreshRequired": _SESSION,
    "InvalidBucketName": (
        "No bucket can be called {bucket}.",
        f"Look at bucket in the configuration: the name alone, in small letters. {_THEN}",
    ),
    "AllAccessDisabled": (
        "The bucket {bucket} is closed to everybody.",
        f"Ask whoever owns the bucket or its account. {_THEN}",
    ),
    "AccountProblem": (
        "There is something wrong with the account that owns the bucket {bucket}.",
        f"Ask whoever pays for it. {_THEN}",
    ),
    "InvalidObjectState": (
        "{where} is archived, and S3 does not give it out.",
        (
            "Restore it (aws s3api restore-object), or copy it to the storage class STANDARD, then"
            " run the same command again."
        ),
    ),
    "InvalidRequest": (
        "S3 does not {action} {where} as it is: it may be encrypted with a key of its sender.",
        (
            "Have it uploaded without a key of the sender's own (SSE-C), then run the same command"
            " again."
        ),
    ),
    "SlowDown": (
        "S3 has more to do than it takes, and asked us to wait, several times.",
        "Run the same command again later; nothing counts twice.",
    ),
}


def words_for_code(error: StorageError) -> Message | None:
    """Put an answer of S3 into words; None if its code says nothing more than the error itself."""
    code, said = error.code, f" ({error.detail})" if error.detail else ""
    if code.startswith("KMS.") or _KMS.search(error.detail):
        return _key_of_kms(error, said)
    if code in ("AccessDenied", "403"):  # The answer to HEAD has no body, so its status alone.
        return _denied(error, said)
    if code not in _BY_CODE:
        return None
    what, then = _BY_CODE[code]
    where = f"s3://{error.bucket}/{error.key}"
    told = what.format(bucket=error.bucket, where=where, action=error.action)
    return Message(f"{told.removesuffix('.')}{said}.", then)


def _key_of_kms(error: StorageError, said: str) -> Message:
    found = _KMS.search(error.detail)
    allow = f"Allow these credentials {found[0]} on it" if found else "Have it enabled in KMS"
    return Message(
        f"The key that encrypts s3://{error.bucket}/{error.key} cannot be used{said}.",
        f"{allow}, then run the same command again.",
    )


def _denied(error: StorageError, said: str) -> Message:
    named = _ACTION.search(error.detail)
    permission = named[0] if named else _PERMISSIONS.get(error.action, "")
    if not permission:
        return Message(
            f"S3 does not allow us to {error.action} s3://{error.bucket}/{error.key}{said}.",
            f"Allow these credentials what is missing. {_THEN}",
        )
    of_bucket = permission == "s3:ListBucket"
    on = f"arn:aws:s3:::{error.bucket}" + ("" if of_bucket else f"/{error.key}")
    return Message(
        f"S3 does not allow us to {error.action} s3://{error.bucket}/{error.key}{said}.",
        f"Allow these credentials {permission} on {on}, or look at the access keys in the"
        " configuration. All that exchanger needs: s3:ListBucket, s3:GetObject, s3:PutObject,"
        f" s3:DeleteObject and s3:AbortMultipartUpload. {_THEN}",
    )


def cure_of_surroundings(error: StorageError | BrazeError) -> str | None:
    """Return what to do about the machine itself; None if it is not what is in the way."""
    detail = _ADDRESS.sub("", error.detail)
    if not isinstance(error, (StorageUnreachable, BrazeUnreachable)):
        return None
    if _NO_CERTIFICATES.search(detail):
        return f"This machine trusts no certificates at all: install ca-certificates. {_THEN}"
    if _CERTIFICATES.search(detail):
        return (
            "This machine does not trust the certificate. Behind one of your own, set both"
            " AWS_CA_BUNDLE and SSL_CERT_FILE to a file that has it (docs/getting-started.md). "
            f"{_THEN}"
        )
    if _PROXY.search(detail):
        return (
            "Look at HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY in the environment of this"
            f" process: a proxy is written http://HOST:PORT. {_THEN}"
        )
    return None


def answer_from_between(error: BrazeError) -> Message | None:
    """Return what to say of an answer that is none of Braze's API; None if it is one."""
    if error.status not in _BETWEEN and not error.detail.lstrip().startswith("<"):
        return None
    text = " ".join(_TAGS.sub(" ", error.detail).split())
    said = f": {text[:_PAGE]}" if text else ""
    return Message(
        f"What answered in place of Braze at {error.endpoint} is none of its API"
        f" ({error.status}{said}).",
        "A proxy, a firewall or a page to log in stands between. Look at endpoint in the"
        " configuration and at HTTPS_PROXY and NO_PROXY in the environment of this process, and"
        f" have whoever runs the network let it reach Braze. {_THEN}",
    )
