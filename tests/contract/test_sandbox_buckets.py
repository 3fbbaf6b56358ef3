"""Names of buckets in the local S3: those that S3 takes."""

import pytest
from botocore.exceptions import ClientError

from exchanger.sandbox import LocalS3


@pytest.mark.parametrize(
    "name",
    ["BAD_NAME", "Bad", "ab", "a" * 64, "", "a b", "a/b", "x_y", "-ab", "ab-", ".ab", "a..b",
     "1.2.3.4", "bücher", "abc\n"],
)  # fmt: skip
def test_a_name_that_s3_refuses_is_refused_with_what_is_allowed(local_s3: LocalS3, name: str):
    """What works in the sandbox works in S3, also the name of the bucket."""
    with pytest.raises(ValueError, match=r"3 to 63 lower-case letters, digits, hyphens") as caught:
        local_s3.create_bucket(name)
    assert f"no bucket called '{name}'" in str(caught.value)


@pytest.mark.parametrize("name", ["abc", "a" * 63, "a-b", "acme.exchange", "1.2.3.4a", "a--b"])
def test_a_name_that_s3_takes_is_taken(local_s3: LocalS3, name: str):
    """A sound name is a bucket, and creating it twice changes nothing."""
    client = local_s3.client()
    with pytest.raises(ClientError):
        client.head_bucket(Bucket=name)
    local_s3.create_bucket(name)
    local_s3.create_bucket(name)
    assert 200 == client.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"]
    client.delete_bucket(Bucket=name)
