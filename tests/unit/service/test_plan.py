import pytest

from exchanger.config.loading.load import read_config
from exchanger.service.scheduling.run_queue import Place
from exchanger.service.scheduling.schedules import (
    Difference,
    compare,
    place_of,
    scheduled,
    scheduled_imports,
)

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


def test_imports_queue_at_their_connection_and_exports_do_not():
    """One process at a time writes to a connection; the priority says who is first."""
    text = CONNECTIONS.replace("OTHER", "true")
    for name, more in {
        "plain": "",
        "hasty": ", priority: urgent",
        "other": ", connection: other, priority: low",
        "manual": None,
    }.items():
        schedule = "labels: [a]" if more is None else HOURLY
        home = "" if "connection" in (more or "") else ", connection: main"
        text += (
            f"  {name}: {{type: import, source: {{prefix: in/{name}}}, {schedule}{home}"
            f", match: {{external_id: id}}, fields: {{a: set}}{more or ''}}}\n"
        )
    text += (
        f"  out: {{type: export, connection: main, segment: S, fields: {{a: email}}, {HOURLY},"
        " target: {prefix: out}, priority: urgent}\n"
    )
    read = read_config(text, {"KEY": "one"})

    assert {
        "plain": Place("main", 1),
        "hasty": Place("main", 0),
        "other": Place("other", 2),
        "out": Place(None, 0),
    } == {name: place_of(read, name) for name in scheduled(read)}
    assert {"main": ["plain", "hasty"], "other": ["other"]} == {
        connection: list(jobs) for connection, jobs in scheduled_imports(read).items()
    }
