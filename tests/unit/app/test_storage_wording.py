"""S3's own answers, told as what they are."""

import pytest

from exchanger.app.messages.errors import words_for
from exchanger.app.outcome import exit_code
from exchanger.errors import (
    BrazeUnreachable,
    StorageDenied,
    StorageError,
    StorageMissing,
    StorageUnreachable,
    StorageUnreadable,
    TableUnusable,
)


@pytest.mark.parametrize(
    ("kind", "code", "what", "then"),
    [
        (StorageError, "PermanentRedirect", "in another region", "region"),
        (StorageError, "AuthorizationHeaderMalformed", "in another region", "region"),
        (StorageDenied, "InvalidAccessKeyId", "does not know the access key ID", "access_key_id"),
        (StorageDenied, "SignatureDoesNotMatch", "does not belong", "secret_access_key"),
        (StorageDenied, "RequestTimeTooSkewed", "clock", "Set the clock"),
        (StorageDenied, "ExpiredToken", "temporary credentials", "log in again"),
        (StorageDenied, "AccessDenied", "not allow us to read", "s3:GetObject on arn:aws:s3:::b/k"),
        (StorageDenied, "403", "not allow us to read", "s3:GetObject on arn:aws:s3:::b/k"),
        (StorageError, "InvalidBucketName", "No bucket can be called b", "bucket"),
        (StorageUnreadable, "InvalidObjectState", "archived", "Restore"),
        (StorageUnreadable, "InvalidRequest", "key of its sender", "SSE-C"),
        (StorageUnreadable, "KMS.DisabledException", "cannot be used", "KMS"),
        (StorageUnreachable, "SlowDown", "asked us to wait", "later"),
    ],
)
def test_an_answer_is_told_with_its_own_cure(kind, code, what, then):
    """Neither region nor endpoint is blamed for a clock, and no permission for a key."""
    error = kind("read", "b", "k", f"{code}: as S3 says it", code=code)
    words = words_for(error)
    assert what in words.what
    assert then in words.next
    assert "as S3 says it" in words.what
    assert "Nothing is lost" not in str(words)
    assert 6 == exit_code(error)


@pytest.mark.parametrize(
    ("action", "detail", "allowed"),
    [
        ("list", "", "s3:ListBucket on arn:aws:s3:::b,"),
        ("write", "", "s3:PutObject on arn:aws:s3:::b/k"),
        ("delete", "", "s3:DeleteObject on arn:aws:s3:::b/k"),
        ("read", "not authorized to perform: s3:GetObjectVersion on x", "s3:GetObjectVersion"),
        ("read", "not authorized to perform: kms:Decrypt on the key", "kms:Decrypt"),
    ],
)
def test_a_permission_that_is_missing_is_named(action, detail, allowed):
    """The one that S3 names, or else the one that the action needs."""
    assert allowed in words_for(StorageDenied(action, "b", "k", detail, code="AccessDenied")).next


def test_a_deleted_bucket_is_no_passing_trouble():
    """With the bucket its memory is gone, and nobody says that nothing is lost."""
    words = words_for(StorageMissing("list", "b", "", "NoSuchBucket", code="NoSuchBucket"))
    assert "There is no bucket called b" in words.what
    assert "went with it" in words.next
    assert "Nothing is lost" not in str(words)


def test_a_damaged_table_is_not_to_be_deleted():
    """What exchanger remembers is restored, never removed."""
    words = words_for(TableUnusable("read", "b", "_exchanger/main/held", "Invalid JSON in log"))
    assert "s3://b/_exchanger/main/held" in words.what
    assert "do not delete" in words.next


@pytest.mark.parametrize(
    ("detail", "cure"),
    [
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed",
            "AWS_CA_BUNDLE",
        ),
        ("invalid peer certificate ↳ UnknownIssuer", "SSL_CERT_FILE"),
        (
            "SSL validation failed for https://s [Errno 2] No such file",
            "AWS_CA_BUNDLE",
        ),
        ("unexpected error: No CA certificates were loaded from the system", "ca-certificates"),
        ('Failed to connect to proxy URL: "http://nonsense"', "HTTPS_PROXY"),
        ("client error (Connect) ↳ unsupported scheme socks5", "NO_PROXY"),
    ],
)
def test_what_surrounds_the_process_is_not_blamed_on_the_configuration(detail, cure):
    """Certificates and proxies are a matter of the machine: the variable is named."""
    for error in (StorageUnreachable("read", "b", "k", detail), BrazeUnreachable("/x", 0, detail)):
        words = words_for(error)
        assert cure in words.next
        assert detail in words.what
        assert "region" not in words.next
    other = "no answer from http://proxy.example/certificates"
    assert "same command again" in words_for(StorageUnreachable("read", "b", "k", other)).next
