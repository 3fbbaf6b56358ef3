"""What the environment and the files of AWS's tools have to say about a bucket: credentials."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import polars as pl
import pytest
from botocore.awsrequest import AWSResponse

from exchanger.outside.aws import open_session
from exchanger.outside.s3.bucket import Bucket
from exchanger.outside.s3.client import open_client, region_of
from exchanger.outside.s3.listing_diff import ListingDiff
from exchanger.outside.surroundings import configured_alone

OTHER = "the address of another store"
DECIDING = (
    ("AWS_PROFILE", "nope"),
    ("AWS_DEFAULT_PROFILE", "nope"),
    ("AWS_ENDPOINT_URL_S3", OTHER),
    ("AWS_ENDPOINT_URL", OTHER),
    ("AWS_ENDPOINT", OTHER),
    ("aws_endpoint_url", OTHER),
    ("ENDPOINT", OTHER),
    ("ENDPOINT_URL", OTHER),
    ("BUCKET", "elsewhere"),
    ("AWS_BUCKET_NAME", "elsewhere"),
    ("AWS_SESSION_TOKEN", "stale"),
    ("AWS_SECURITY_TOKEN", "stale"),
    ("TOKEN", "stale"),
    ("session_token", "stale"),
    ("AWS_ACCESS_KEY_ID", "another"),
    ("SECRET_ACCESS_KEY", "another"),
    ("AWS_SKIP_SIGNATURE", "true"),
    ("SKIP_SIGNATURE", "true"),
    ("AWS_AUTH_SCHEME_PREFERENCE", "noAuth"),
    ("AWS_UNSIGNED_PAYLOAD", "true"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_DEFAULT_REGION", "eu-west-1"),
    ("REGION", "eu-west-1"),
    ("AWS_ALLOW_HTTP", "false"),
    ("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true"),
    ("AWS_USE_FIPS_ENDPOINT", "true"),
    ("AWS_S3_EXPRESS", "true"),
    ("AWS_S3_LOCKING_PROVIDER", "dynamodb"),
    ("AWS_S3_ALLOW_UNSAFE_RENAME", "true"),
    ("AWS_CONDITIONAL_PUT", "disabled"),
    ("AWS_COPY_IF_NOT_EXISTS", "nonsense"),
    ("AWS_FORCE_CREDENTIAL_LOAD", "true"),
    ("AWS_IAM_ROLE_ARN", "arn:aws:iam::123456789012:role/nobody"),
    ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/nobody"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "/none"),
    ("AWS_REQUEST_PAYER", "true"),
    ("AWS_CHECKSUM_ALGORITHM", "nonsense"),
    ("CHECKSUM_ALGORITHM", "nonsense"),
    ("AWS_REQUEST_CHECKSUM_CALCULATION", "nonsense"),
    ("AWS_SERVER_SIDE_ENCRYPTION", "sse-c"),
    ("AWS_DEFAULTS_MODE", "nonsense"),
    ("AWS_MAX_ATTEMPTS", "nonsense"),
    ("AWS_DISABLE_TAGGING", "nonsense"),
    ("TIMEOUT", "5"),
    ("CONNECT_TIMEOUT", "nonsense"),
    ("PROXY_URL", "http://127.0.0.1:1"),
    ("AWS_PROXY_URL", "http://127.0.0.1:1"),
    ("HTTP2_ONLY", "true"),
)


CHAIN = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


@pytest.fixture
def elsewhere():
    """Another store, which must never be asked."""
    asked = []

    class Store(BaseHTTPRequestHandler):
        def refuse(self):
            asked.append(self.path)
            self.send_error(404)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = refuse  # noqa: N815

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    assert [] == asked


@pytest.fixture
def files_of_aws(tmp_path, monkeypatch):
    """Files of AWS's tools that say the wrong thing about everything."""
    (tmp_path / "config").write_text(
        "[default]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:1\nmax_attempts = x\n"
        "ca_bundle = /none\ns3 =\n  addressing_style = virtual\n"
    )
    (tmp_path / "credentials").write_text(
        "[default]\naws_access_key_id = sandbox\naws_secret_access_key = sandbox\n"
    )
    for name in CHAIN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def use(config):
    """Write and read an object and a table; return what the table was told."""
    bucket = Bucket(config)
    bucket.write("state/one", b"1")
    assert b"1" == bucket.read("state/one")[0]
    assert [] == ListingDiff(config).since(None, "state/")[1]
    table = bucket.table("state/table")
    assert table.append(pl.DataFrame({"n": [1]}), writer="us", seq=1)
    assert [(1,)] == table.scan().collect().rows()
    found = [key.key for key in bucket.list("state/")]
    assert "state/one" in found
    assert any(key.startswith("state/table/_delta_log/") for key in found)
    assert any(key.endswith(".parquet") for key in found)
    return bucket.storage_options()


def test_no_variable_decides_where_state_lies(
    local_s3, s3_config, elsewhere, monkeypatch, files_of_aws
):
    """With keys in the configuration, only the configuration counts, for objects and tables."""
    for name, value in DECIDING:
        monkeypatch.setenv(name, elsewhere if value == OTHER else value)
    with configured_alone(own_keys=True):
        options = use(s3_config)
    assert "AWS_SESSION_TOKEN" not in options
    assert (local_s3.access_key, local_s3.url) == (
        options["AWS_ACCESS_KEY_ID"],
        options["AWS_ENDPOINT_URL"],
    )


def test_the_chain_gives_credentials_and_nothing_else(
    local_s3, s3_config, elsewhere, monkeypatch, files_of_aws
):
    """Without keys in the configuration, variables and files name them, and decide nothing else."""
    credentials = {"ACCESS_KEY_ID", "PROFILE", "SECRET_ACCESS_KEY", "ROLE_ARN", "TOKEN_FILE"}
    for name, value in DECIDING:
        if not any(name == f"AWS_{word}" or name.endswith(f"_{word}") for word in credentials):
            monkeypatch.setenv(name, elsewhere if value == OTHER else value)
    keyless = s3_config.model_copy(update={"access_key_id": None, "secret_access_key": None})
    with configured_alone(own_keys=False):
        options = use(keyless)
    assert "AWS_SESSION_TOKEN" not in options
    assert ("sandbox", local_s3.url, local_s3.region) == (
        options["AWS_ACCESS_KEY_ID"],
        options["AWS_ENDPOINT_URL"],
        options["AWS_REGION"],
    )


@pytest.mark.parametrize(("name", "value"), DECIDING, ids=[name for name, _ in DECIDING])
def test_variables_are_away_while_a_connection_is_used(monkeypatch, name, value):
    """Each is out of sight of the tables' library meanwhile, and back for who comes after."""
    for word in CHAIN:
        monkeypatch.delenv(word, raising=False)
    monkeypatch.setenv(name, value)
    with configured_alone(own_keys=True):
        assert name not in os.environ
    assert value == os.environ[name]


@pytest.mark.parametrize(
    ("name", "own_keys", "beside", "stays"),
    [
        ("AWS_PROFILE", False, {}, True),
        ("AWS_ACCESS_KEY_ID", False, {}, True),
        ("AWS_SESSION_TOKEN", False, {"AWS_ACCESS_KEY_ID": "id"}, True),
        ("AWS_SESSION_TOKEN", False, {}, False),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", False, {}, True),
        ("AWS_ENDPOINT_URL_STS", False, {}, True),
        ("AWS_ENDPOINT_URL", False, {}, False),
        ("AWS_CA_BUNDLE", True, {}, True),
        ("HTTPS_PROXY", True, {}, True),
        ("TMPDIR", True, {}, True),
        ("TOKENS", True, {}, True),
        ("MY_TOKEN", True, {}, True),
    ],
)
def test_what_stays(monkeypatch, name, own_keys, beside, stays):
    """AWS's chain finds what it needs, and what is none of the bucket's business stays."""
    for word in CHAIN:
        monkeypatch.delenv(word, raising=False)
    for word, value in ({name: "x"} | beside).items():
        monkeypatch.setenv(word, value)
    with configured_alone(own_keys=own_keys):
        assert stays == (name in os.environ)


@pytest.mark.parametrize(
    ("status", "region", "found"),
    [(200, "eu-west-3", "eu-west-3"), (403, "cn-north-1", "cn-north-1"), (403, "", "us-east-1")],
)
def test_aws_says_where_a_bucket_is(s3_config, status, region, found):
    """Where the configuration names no region, no variable does: AWS itself is asked."""
    config = s3_config.model_copy(update={"region": "us-east-1", "endpoint_url": None})
    client = open_client(config, open_session(config))

    def answer(**_):
        raw = SimpleNamespace(stream=list)
        return AWSResponse("", status, {"x-amz-bucket-region": region}, raw)

    client.meta.events.register("before-send.s3", answer)
    assert found == region_of(client, config.bucket)


def test_threads_of_other_needs_take_turns(monkeypatch):
    """Variables come back once the last has left; who needs others waits for that."""
    monkeypatch.setenv("AWS_PROFILE", "people")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere")
    seen = []
    entered, leave = threading.Event(), threading.Event()

    def with_keys():
        with configured_alone(own_keys=True):
            entered.set()
            leave.wait(30)
            seen.append(os.environ.get("AWS_PROFILE"))

    def by_chain():
        with configured_alone(own_keys=False):
            seen.append(os.environ.get("AWS_PROFILE"))

    first = threading.Thread(target=with_keys)
    first.start()
    entered.wait(30)
    with configured_alone(own_keys=True):
        second = threading.Thread(target=by_chain)
        second.start()
    assert os.environ.get("AWS_ENDPOINT_URL") is None
    leave.set()
    first.join()
    second.join()
    assert [None, "people"] == seen
    assert "http://elsewhere" == os.environ["AWS_ENDPOINT_URL"]
