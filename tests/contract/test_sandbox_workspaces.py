"""Several local Brazes at once: workspaces that differ, and keys that are rotated or weak."""

from __future__ import annotations

import pytest
from support.sandbox_calls import TRACK, call, people, track

from exchanger.sandbox import LocalS3, Sandbox, SandboxSettings

LIST = "/segments/list"


def listed(braze: Sandbox) -> list[str]:
    return [one["id"] for one in call(braze, "GET", LIST)[2]["segments"]]


def exported(braze: Sandbox, segment: str) -> str:
    body = {"segment_id": segment, "fields_to_export": ["braze_id"]}
    return call(braze, "POST", "/users/export/segment", body)[2]["object_prefix"].rpartition("-")[0]


def ids(braze: Sandbox) -> set[str]:
    """All ids that a workspace gave to what has the same name in each."""
    track(braze, *people(3))
    known = {profile["braze_id"] for profile in braze.users().values()}
    return known | {braze.add_segment("All users"), exported(braze, braze.add_segment("All users"))}


def test_two_workspaces_share_no_id() -> None:
    """Segments, exports and profiles of one name have other ids in another workspace."""
    with Sandbox() as first, Sandbox() as second:
        assert 5 == len(ids(first)) == len(ids(second))
        assert set() == ids(first) & ids(second)


def test_workspaces_of_one_name_are_alike() -> None:
    """A name in the settings makes the same ids again, in another sandbox and after a reset."""
    settings = SandboxSettings(workspace="acme")
    with Sandbox(settings) as first, Sandbox(settings) as second:
        assert ids(first) == ids(second)
        segment = listed(first)
        first.reset()
        assert [first.add_segment("All users")] == segment


def test_a_segment_that_is_replaced_keeps_its_id(braze: Sandbox) -> None:
    """What a segment holds may change while it stays the same segment, also over a reset."""
    segment = braze.add_segment("VIP")
    assert segment == braze.add_segment("VIP", members=["a"])
    assert [segment] == listed(braze)
    braze.reset()
    assert segment == braze.add_segment("VIP")


def test_exports_of_two_workspaces_into_one_bucket_do_not_meet(local_s3: LocalS3) -> None:
    """Two workspaces that write into one bucket write below folders of their own."""
    bucket = "two-workspaces"
    with Sandbox(s3=local_s3, bucket=bucket) as one, Sandbox(s3=local_s3, bucket=bucket) as other:
        for braze in (one, other):
            braze.seed(people(1))
            exported(braze, braze.add_segment("All users"))
            braze.advance()
    found = local_s3.client().list_objects_v2(Bucket=bucket)["Contents"]
    assert 2 == len({one["Key"].split("/")[1] for one in found})


@pytest.mark.parametrize(("keep_others", "old"), [(False, 401), (True, 200)])
def test_a_rotated_key(braze: Sandbox, keep_others: bool, old: int) -> None:
    """Another key is taken from one request to the next; the old one is refused, or valid too."""
    before = braze.api_key
    braze.give_key("rotated", keep_others=keep_others)
    assert "rotated" == braze.api_key
    assert 200 == call(braze, "GET", LIST)[0]
    assert old == call(braze, "GET", LIST, authorization=f"Bearer {before}")[0]


def test_a_key_that_lacks_a_permission(braze: Sandbox) -> None:
    """A key may lack one permission and have all others, until it is given anew."""
    braze.give_key(braze.api_key, lacking={"segments.list"})
    assert 403 == call(braze, "GET", LIST)[0]
    assert 201 == track(braze, {"external_id": "a"})[0]
    braze.give_key(braze.api_key)
    assert 200 == call(braze, "GET", LIST)[0]
    with pytest.raises(ValueError, match="no such permission"):
        braze.give_key("k", lacking={"segments.lst"})
    assert 1 == braze.requests(TRACK)
