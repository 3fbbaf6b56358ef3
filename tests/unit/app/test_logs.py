import base64
import json
from urllib.parse import quote

import pytest
import structlog

from exchanger.app.defaults import LogLevel
from exchanger.app.logs import secrets_of, set_up_logs
from exchanger.cli.exit import report_failure
from exchanger.config.loading.load import read_config

KEY = "sk/live+0123 secret".replace(" ", "=")
S3_SECRET = "another-secret-value"
CONFIG = """
connections:
  main:
    braze: {endpoint: iad-01, api_key: "${KEY}"}
    s3: {bucket: acme, access_key_id: "${ID}", secret_access_key: "${SECRET}"}
"""


@pytest.fixture
def config():
    return read_config(CONFIG, {"KEY": KEY, "ID": "AKIDUMMY", "SECRET": S3_SECRET})


@pytest.fixture(autouse=True)
def _plain_structlog():
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_every_secret_of_the_configuration_is_known(config):
    """The secrets of all connections are collected, wherever in the models they are."""
    assert sorted(secrets_of(config)) == sorted([KEY, "AKIDUMMY", S3_SECRET])


@pytest.mark.parametrize(
    "leak",
    [
        {"detail": f"Invalid API key: {KEY}"},
        {"url": f"https://x/?key={quote(KEY, safe='')}"},
        {"header": base64.b64encode(f"user:{KEY}".encode()).decode()},
        {"nested": {"list": [f"a {S3_SECRET} b"]}},
        {"nested": {S3_SECRET: 1}},
        {"error": ValueError(f"no {KEY}")},
        {"tuple": ("x", KEY)},
    ],
)
def test_no_secret_leaves_in_an_event(config, leak, capsys):
    """A secret is taken out of every value of an event, in any spelling and at any depth."""
    set_up_logs(LogLevel.debug, config)
    structlog.get_logger().info("something", **leak)
    shown = capsys.readouterr().err
    assert "[redacted]" in shown
    for spelling in (KEY, quote(KEY, safe=""), S3_SECRET, base64.b64encode(KEY.encode()).decode()):
        assert spelling not in shown


def test_no_secret_leaves_in_a_traceback(config, capsys):
    """The log of what was not foreseen is as clean, and its lines are not lost."""
    set_up_logs(LogLevel.info, config)
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError(f"leaked {KEY}")
    assert report_failure(caught.value, as_json=True) == 1
    out, err = capsys.readouterr()
    assert KEY not in out + err
    assert "Traceback" in json.loads(err.splitlines()[0])["exception"]
    assert json.loads(out)["error"]["kind"] == "RuntimeError"


def test_events_are_json_with_facts_and_what_is_bound(capsys):
    """One event is one line of JSON with its time, level, facts and the bound run id."""
    set_up_logs(LogLevel.info)
    structlog.contextvars.bind_contextvars(run_id="r-1")
    structlog.get_logger().info("import.file_read", rows=3)
    event = json.loads(capsys.readouterr().err)
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "import.file_read", "level": "info", "rows": 3, "run_id": "r-1"}


def test_the_level_is_the_least_that_is_logged(capsys):
    """What is below the level is not logged."""
    set_up_logs(LogLevel.warning)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["loud"]


def test_a_terminal_gets_lines_for_people(capsys, monkeypatch):
    """On a terminal, events are no JSON."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    set_up_logs(LogLevel.info)
    structlog.get_logger().warning("loud", rows=3)
    (line,) = capsys.readouterr().err.splitlines()
    assert "loud" in line
    assert not line.startswith("{")
