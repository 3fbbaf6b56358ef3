import pytest

from exchanger.config.loading import read_config
from exchanger.service.plan import Difference, compare, scheduled

CONNECTIONS = """
connections:
  main:
    braze: {endpoint: iad-01, api_key: "${KEY}"}
    s3: {bucket: acme-exchange, region: eu-west-1}
  other:
    enabled: OTHER
    braze: {endpoint: iad-02, api_key: "${KEY}"}
    s3: {bucket: acme-other, region: eu-west-1}
jobs:
"""


def config(*, key="one", other="true", **jobs):
    text = CONNECTIONS.replace("OTHER", other)
    for name, more in jobs.items():
        own = "" if "connection:" in more else "connection: main, "
        text += (
            f"  {name}: {{type: export, segment: VIP, fields: {{id: external_id}},"
            f" target: {{prefix: exports/{name}/}}, {own}{more}}}\n"
        )
    return read_config(text, {"KEY": key})


HOURLY = "schedule: {every: 1h}"


@pytest.mark.parametrize(
    ("more", "other", "expected"),
    [
        (HOURLY, "true", True),
        (f"{HOURLY}, enabled: false", "true", False),
        ("labels: [a]", "true", False),
        (f"{HOURLY}, connection: other", "true", True),
        (f"{HOURLY}, connection: other", "false", False),
    ],
)
def test_a_job_is_scheduled_if_it_and_its_connection_are_enabled(more, other, expected):
    """Without a schedule a job is started by hand; a disabled connection rests all its jobs."""
    assert expected == ("job" in scheduled(config(other=other, job=more)))


def test_a_difference_names_what_came_went_and_changed():
    """What is configured otherwise has changed even if its schedule stays."""
    before = config(same=HOURLY, gone=HOURLY, off=HOURLY, edited=HOURLY, manual="labels: [a]")
    after = config(
        same=HOURLY,
        fresh=HOURLY,
        off=f"{HOURLY}, enabled: false",
        edited=f"{HOURLY}, labels: [b]",
        manual=HOURLY,
    )

    assert Difference(["fresh", "manual"], ["gone", "off"], ["edited"]) == compare(before, after)


def test_a_new_key_changes_every_job_of_the_connection():
    """A job depends on its connection, secrets included."""
    assert compare(config(job=HOURLY), config(key="two", job=HOURLY)).changed == ["job"]
