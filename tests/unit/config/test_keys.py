"""What is wrong with a key is told, and nothing of the key itself."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from exchanger.config.checks.keys import check_key


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "is empty"),
        ("a b", "holds a space"),
        ("a\nb", "a line break"),
        ("a\u00a0b", "holds a space"),
        ("\ufeffab", "a sign that no key has"),
        ("a\u2011b", "a sign that no key has"),
        ("a\x00b", "a sign that no key has"),
        ('"ab"', "in quotes"),
    ],
)
def test_each_fault_of_a_key_is_told_as_what_it_is(key: str, said: str) -> None:
    """A sign that nobody sees is not told as a space, where there is none."""
    [finding] = check_key(SecretStr(key), ("api_key",))
    assert said in finding.message
    assert "ab" not in finding.message.split()


def test_a_key_without_fault() -> None:
    """Letters, digits, dashes and dots are as Braze gives them."""
    assert [] == list(check_key(SecretStr("a1b2-c3.d4"), ("api_key",)))
