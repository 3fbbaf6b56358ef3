"""How a state tells the workspace that it was made with from others."""

from __future__ import annotations

import pytest

from exchanger.errors import StateDamaged
from exchanger.state.workspace import Account, Workspace

HERE, THERE = "https://rest.iad-01.braze.com", "https://rest.fra-01.braze.eu"
MADE = Workspace("_x/", "main").with_account(Account(HERE, "first"), ["s1", "s2"])
WITHOUT = Workspace("_x/", "main").with_account(Account(HERE, "first"), [])


@pytest.mark.parametrize(
    ("made", "account", "segments", "verdict"),
    [
        pytest.param(MADE, Account(HERE, "first"), [], "same", id="the same key"),
        pytest.param(MADE, Account(HERE, "first"), ["s9"], "same", id="a key has one workspace"),
        pytest.param(MADE, Account(HERE, "new"), ["s0", "s2"], "same", id="a rotated key"),
        pytest.param(MADE, Account(HERE, "new"), ["s9"], "other", id="another workspace"),
        pytest.param(MADE, Account(HERE, "new"), [], "unclear", id="may not list segments"),
        pytest.param(WITHOUT, Account(HERE, "new"), ["s1"], "unclear", id="could not list them"),
        pytest.param(MADE, Account(THERE, "first"), ["s1"], "other", id="another instance"),
        pytest.param(MADE, Account(HERE + ":443", "first"), [], "same", id="the usual port"),
        pytest.param(MADE, Account(HERE.upper(), "first"), [], "same", id="case of the host"),
        pytest.param(MADE, Account(HERE + ":8443", "first"), [], "other", id="another port"),
    ],
)
def test_what_tells_workspaces_apart(made, account, segments, verdict):
    """The instance and a known key or a common segment make the same one; else it is not."""
    assert verdict == made.compare(account, segments)


def test_a_workspace_reads_back_as_it_was_written_and_no_two_versions_are_equal():
    """Equal bodies would have equal ETags, by which a conditional write tells versions apart."""
    body = MADE.to_bytes()
    read = Workspace.from_bytes(body, "key")
    assert (MADE.keys, MADE.segments, MADE.salt) == (read.keys, read.segments, read.salt)
    assert body != MADE.to_bytes()
    assert b"first" not in body


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"format": 2}', b'{"format": 1}'])
def test_a_document_that_is_no_workspace_is_damaged(body):
    """What cannot be read, or is of a newer format, is never taken for a state without owner."""
    with pytest.raises(StateDamaged):
        Workspace.from_bytes(body, "key")


def test_keys_of_another_instance_do_not_count_once_it_was_adopted():
    """A key is valid on its own instance only."""
    moved = MADE.with_account(Account(THERE, "second"), [])
    assert ("same", "other") == (
        moved.compare(Account(THERE, "second"), []),
        moved.compare(Account(HERE, "first"), []),
    )
    assert ("s1", "s2") == moved.segments
