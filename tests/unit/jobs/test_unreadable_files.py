"""Files that S3 has and does not give out: whose trouble it is, and what a person may do."""

from __future__ import annotations

import pytest

from exchanger.app.messages.notes.words import in_words
from exchanger.errors import (
    StorageChanged,
    StorageCorrupt,
    StorageDenied,
    StorageMissing,
    StorageUnreachable,
    StorageUnreadable,
)
from exchanger.jobs.intake.unreadable import is_about_one_file, is_denied, is_gone, why_unreadable


def error(kind, code="", detail=""):
    return kind("read", "acme", "in/a.csv", detail, code=code)


@pytest.mark.parametrize(
    ("kind", "code", "one_file", "gone", "denied"),
    [
        (StorageUnreadable, "InvalidObjectState", True, False, False),
        (StorageUnreadable, "KMS.DisabledException", True, False, False),
        (StorageDenied, "AccessDenied", True, False, True),
        (StorageDenied, "InvalidAccessKeyId", False, False, True),
        (StorageChanged, "PreconditionFailed", False, True, False),
        (StorageMissing, "NoSuchKey", False, True, False),
        (StorageUnreachable, "SlowDown", False, False, False),
        (StorageCorrupt, "", False, False, False),
    ],
)
def test_only_what_is_about_one_file_leaves_the_others_to_be_taken(
    kind, code, one_file, gone, denied
):
    """Wrong keys and a store that does not answer concern all files, and end the run."""
    found = error(kind, code)
    assert (one_file, gone, denied) == (
        is_about_one_file(found),
        is_gone(found),
        is_denied(found),
    )


@pytest.mark.parametrize(
    ("kind", "code", "detail", "cure"),
    [
        (StorageUnreadable, "InvalidObjectState", "", "aws s3api restore-object"),
        (StorageUnreadable, "InvalidRequest", "", "SSE-C"),
        (StorageUnreadable, "KMS.DisabledException", "it is disabled", "Have the key enabled"),
        (StorageDenied, "AccessDenied", "no kms:Decrypt for you", "allow them kms:Decrypt."),
        (StorageDenied, "AccessDenied", "", "allow them s3:GetObject"),
    ],
)
def test_what_to_do_about_an_unreadable_file_is_said(kind, code, detail, cure):
    """By what S3 says; its own words are shown where there are any, and what happens then."""
    why = in_words(why_unreadable(error(kind, code, detail)))
    assert cure in why
    assert f"does not let us read it ({detail}). " in why if detail else "read it. " in why
    assert why.endswith("It is taken by the first run that can read it.")
