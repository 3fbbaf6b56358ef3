"""No spelling of a secret survives (law 9)."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanger.redaction import Redactor, secret_parts

SECRET = 'a1b2-c3/d4+e5=f6 "g7\u00e9'


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        repr(SECRET)[1:-1],
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_every_spelling_is_found(spelling):
    """However the secret is spelt, nothing of it is left."""
    clean = Redactor([SECRET]).clean(f"before {spelling} after")
    assert "before [redacted] after" == clean


@given(before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_a_secret_inside_base64_is_found(before, after):
    """A secret that was encoded together with something else is found at every alignment."""
    secret = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + secret.encode() + after).decode()
        assert "[redacted]" in Redactor([secret]).clean(text)


def test_long_text_is_cut_after_it_was_cleaned():
    """A secret across the place of the cut does not leave a half of itself."""
    clean = Redactor(["0123456789"]).clean("x" * 495 + "0123456789" + "y" * 1000)
    assert "01234" not in clean
    assert len(clean) < 520


def test_no_secret_leaves_text_alone():
    """Without secrets, or with empty ones, nothing is taken out."""
    assert "as it is" == Redactor([]).clean("as it is")
    assert "as it is" == Redactor([""]).clean("as it is")


def test_several_secrets_one_inside_the_other():
    """The longer one goes as a whole."""
    assert "[redacted]!" == Redactor(["abc", "abcdef"]).clean("abcdef!")


def test_a_redactor_does_not_show_what_it_hides():
    """Neither its repr nor its str hold the secret."""
    redactor = Redactor([SECRET])
    assert SECRET not in repr(redactor) + str(redactor)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
         {"A1BRTD4JD", "TIiajkdnlazkcOXrIdevi7FQ", "T1JJ3T3L2"}),
        ("mailto://me:p%20w@h.example?to=x@y.example&name=alerts", {"p w", "x@y.example"}),
        ("json://127.0.0.1:8080/notifications", set()),
        ("https://hooks.example/webhook/s3cr3tPart", {"s3cr3tPart"}),
        ("no address at all", set()),
        ("http://[broken/s3cr3tPart", set()),
    ],
)  # fmt: skip
def test_parts_of_an_address_may_be_secrets(url, parts):
    """Tokens and passwords are found, hosts and plain words are not: these stand in many texts."""
    assert parts == set(secret_parts(url))
