"""The page about retention says what the code keeps, and for how long."""

import inspect
import json
import re
from pathlib import Path

from exchanger.config.durations import show_duration
from exchanger.config.models import Retention
from exchanger.state.names import StateNames

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "retention.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and line.count("|") == 7 and "---" not in line
][1:]
ARGUMENTS = {"seq": 1, "part": 1, "window": 1, "position": 1}


def _places():
    """Name the first folder, or the object, of everything that is written below a state prefix."""
    names = StateNames("state/")
    for name, member in vars(StateNames).items():
        if name.startswith(("_", "seq_of")) or name == "prefix":
            continue
        key = getattr(names, name)
        if inspect.isfunction(member):
            wanted = [*inspect.signature(member).parameters][1:]
            key = key(*(ARGUMENTS.get(one, "x") for one in wanted))
        head, folder, _ = key.removeprefix("state/").partition("/")
        yield head + folder if folder or "." in head else f"{head}/"


def test_every_kind_of_state_is_on_the_page():
    """Whatever is written below the state prefix is in the table, and nothing else is."""
    told = {place for row in ROWS for place in re.findall(r"`([^`]+)`", row[1])}
    assert set(_places()) == told


def test_the_page_tells_the_keys_and_their_defaults():
    """Each key of ``retention`` is in one row, with the default that the configuration has."""
    told = [(row[3].strip("`"), row[4].strip("`")) for row in ROWS if row[3]]
    keeps = Retention().model_dump()
    written = {
        key: value if isinstance(value, str) else show_duration(value)
        for key, value in keeps.items()
    }
    assert sorted(written.items()) == sorted(told)
    [sample] = re.findall(r"retention: \{(.*)\}", PAGE)
    assert written == dict(pair.split(": ") for pair in sample.split(", "))


def test_the_lifecycle_document_expires_nothing_that_is_current(s3_config, bucket):
    """It is JSON that S3 takes, and no rule of it removes an object that somebody may read."""
    [document] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    content = json.loads(document)
    bucket._client.put_bucket_lifecycle_configuration(
        Bucket=s3_config.bucket, LifecycleConfiguration=content
    )
    for rule in content["Rules"]:
        assert rule.keys() <= {
            "ID",
            "Status",
            "Filter",
            "AbortIncompleteMultipartUpload",
            "NoncurrentVersionExpiration",
            "Expiration",
        }
        assert {"ExpiredObjectDeleteMarker": True} == rule.get(
            "Expiration", {"ExpiredObjectDeleteMarker": True}
        )
