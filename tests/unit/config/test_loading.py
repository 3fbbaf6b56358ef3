from datetime import timedelta
from pathlib import Path

import pytest
from support.config_texts import (
    CONNECTION,
    ENVIRON,
    export_job,
    field_of,
    import_job,
    problems,
    read,
)

from exchanger.config.describing.jobs import describe_job
from exchanger.config.loading.load import load_config
from exchanger.errors import ConfigError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("iad-01", "https://rest.iad-01.braze.com"),
        ("US-07", "https://rest.iad-07.braze.com"),
        ("us-10", "https://rest.us-10.braze.com"),
        ("iad-10", "https://rest.iad-10.braze.com"),
        ("jp-01", "https://rest.jp-01.braze.com"),
        ("KR-01", "https://rest.kr-01.braze.com"),
        ("id-01", "https://rest.id-01.braze.com"),
        ("fra-02", "https://rest.fra-02.braze.eu"),
        ("EU-01", "https://rest.fra-01.braze.eu"),
        ("au-01", "https://rest.au-01.braze.com"),
        ("AU-01", "https://rest.au-01.braze.com"),
        ("https://rest.iad-03.braze.com/", "https://rest.iad-03.braze.com"),
        ("http://127.0.0.1:8601", "http://127.0.0.1:8601"),
        ("http://localhost:8601", "http://localhost:8601"),
        ("http://[::1]:8601", "http://[::1]:8601"),
    ],
)
def test_an_instance_alone_becomes_its_address(written, meant):
    """An instance, by its own name or the dashboard's, is its REST address."""
    config = read(CONNECTION.replace("iad-01", f'"{written}"'))
    assert meant == config.connections["main"].braze.endpoint


@pytest.mark.parametrize(
    ("written", "guess"),
    [
        ("http://rest.iad-01.braze.com", ""),
        ("ftp://rest.iad-01.braze.com", ""),
        ("iad01", ""),
        ("https://key@rest.iad-01.braze.com", ""),
        ("https://rest.iad-01.braze.com/users/track", ""),
        ("https://rest.iad-01.braze.com:port", ""),
        ("https://dashboard-03.braze.com", "https://rest.iad-03.braze.com"),
        ("https://dashboard-01.braze.eu", "https://rest.fra-01.braze.eu"),
    ],
)
def test_an_address_that_is_none_is_refused(written, guess):
    """Plain http to another machine, and what is no REST address, is refused."""
    found = problems(CONNECTION.replace("iad-01", f'"{written}"'))
    assert list(found) == ["connections.main.braze.endpoint"]
    assert guess == found["connections.main.braze.endpoint"][1]


def test_yaml_1_2_keeps_text_as_text():
    """Only true, false, null and numbers are anything else than text."""
    fields = "{NO: {value: NO}, t: {value: 12:30}, d: {value: 2026-01-01}, y: {value: yes}}"
    job = read(CONNECTION + import_job(fields)).jobs["crm"]
    assert {name: field.value for name, field in job.fields.items()} == {
        "NO": "NO",
        "t": "12:30",
        "d": "2026-01-01",
        "y": "yes",
    }


def test_a_number_as_a_key_is_a_name():
    """A column called 2024 needs no quotes."""
    assert field_of("{2024: set}").from_ == "2024"


def test_a_key_given_twice_is_an_error_with_both_lines():
    """The second of two equal keys is not quietly preferred."""
    with pytest.raises(ConfigError) as caught:
        read(CONNECTION + "jobs: {}\njobs: {}\n")
    (problem,) = caught.value.problems
    assert (
        problem.path,
        problem.message,
        problem.line,
    ) == ("jobs", "this key is given twice, on lines 6 and 7", 6)


@pytest.mark.parametrize("text", ["a: [", "\tx: 1", "a: &a [*a]\nb: *c", "", "- a\n", "\x01"])
def test_what_is_no_configuration_is_a_configuration_error(text):
    """Broken YAML, an empty file and a list are errors of the configuration, not crashes."""
    assert problems(text)


def test_yaml_that_refers_to_itself_ends():
    """A value that contains itself is an error, not an endless walk."""
    assert "this refers to itself" in str(problems("connections: &a {b: *a}"))


def test_a_missing_file_says_so(tmp_path: Path):
    """A configuration that cannot be read is a problem of the configuration."""
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "none.yaml", {})
    assert str(tmp_path / "none.yaml") == caught.value.source
    assert "cannot be read" in caught.value.problems[0].message


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path):
    """Editors on Windows put a mark in front of a text."""
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + CONNECTION.encode())
    assert "main" in load_config(path, ENVIRON).connections


def test_a_file_that_is_not_utf8_says_so(tmp_path: Path):
    """Another encoding is named rather than guessed."""
    path = tmp_path / "c.yaml"
    path.write_bytes("# é".encode("latin-1"))
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(path, ENVIRON)


@pytest.mark.parametrize(
    ("written", "meant"), [("inbox", "inbox/"), ("/in/crm/", "in/crm/"), ("in/crm", "in/crm/")]
)
def test_prefixes_are_folders(written, meant):
    """A prefix never takes a folder whose name only begins alike."""
    assert meant == read(CONNECTION + import_job(prefix=written)).jobs["crm"].source.prefix


def test_the_state_lives_in_a_folder_of_its_own():
    """Without a state prefix, each connection has a folder below ours."""
    assert read(CONNECTION).connections["main"].s3.state_prefix == "_exchanger/main/"
    given = CONNECTION.replace("bucket: acme", "bucket: acme, state_prefix: /_x/y")
    assert read(given).connections["main"].s3.state_prefix == "_x/y/"


def test_empty_access_keys_are_left_out():
    """``${ID:-}`` lets the same file work with and without keys of its own."""
    text = CONNECTION.replace(
        "bucket: acme", 'bucket: acme, access_key_id: "${ID:-}", secret_access_key: "${SECRET:-}"'
    )
    assert read(text).connections["main"].s3.access_key_id is None


def test_a_mistaken_strategy_gets_the_guess_that_a_column_was_meant():
    """A column written where a strategy belongs is turned into the field that was meant."""
    assert problems(CONNECTION + import_job("{first_name: fname}")) == {
        "jobs.crm.fields.first_name": (
            "'fname' is not a strategy",
            "{from: fname, merge: set}",
        )
    }


@pytest.mark.parametrize(
    ("text", "path", "guess"),
    [
        (CONNECTION + "conections: {}", "conections", "connections"),
        (CONNECTION.replace("s3:", "s3s:"), "connections.main.s3s", "s3"),
        (CONNECTION + import_job("{a: sett}"), "jobs.crm.fields.a", "set"),
        (CONNECTION + import_job("{a: {mrege: set}}"), "jobs.crm.fields.a.mrege", "merge"),
        (CONNECTION + import_job("{a: {merge: summ}}"), "jobs.crm.fields.a.merge", "sum"),
        (CONNECTION + import_job("{a: {from: 1}}"), "jobs.crm.fields.a.from", '"1"'),
        (CONNECTION + import_job("{a: null}"), "jobs.crm.fields.a", "a: set"),
        (CONNECTION + import_job().replace("import", "imprt"), "jobs.crm.type", "import"),
        (CONNECTION + import_job(extra="schedul: {}"), "jobs.crm.schedul", "schedule"),
        (
            CONNECTION + import_job(extra="schedule: {cron: 0 3 * * *, timezone: Europe/Pariss}"),
            "jobs.crm.schedule.timezone",
            "Europe/Paris",
        ),
        (CONNECTION + import_job(extra="connection: mian"), "jobs.crm.connection", "main"),
        (CONNECTION + export_job(fields="{a: emial}"), "jobs.vip.fields.a", "email"),
        (
            CONNECTION + export_job(fields="{a: loyalty_tier}"),
            "jobs.vip.fields.a",
            "custom_attributes.loyalty_tier",
        ),
    ],
)
def test_a_slip_gets_a_guess(text, path, guess):
    """What is misspelt is answered with what was probably meant."""
    assert guess == problems(text)[path][1]


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        (CONNECTION.replace("bucket: acme", "region: x"), "connections.main.s3.bucket", "given"),
        (CONNECTION.replace("{bucket: acme}", "acme"), "connections.main.s3", "mapping"),
        (CONNECTION + "jobs: [a]", "jobs", "mapping"),
        (CONNECTION + "jobs: {a: b}", "jobs.a", "mapping"),
        (CONNECTION + import_job(extra="max_rows_per_run: many"), "jobs.crm.max_rows_per_run",
         "whole number"),
        (CONNECTION + import_job(extra="max_rows_per_run: 0"), "jobs.crm.max_rows_per_run",
         "at least 1"),
        (CONNECTION + import_job(extra="enabled: 7"), "jobs.crm.enabled", "true or false"),
        (CONNECTION + import_job(extra="priority: 1"), "jobs.crm.priority", "urgent, normal"),
        (CONNECTION + import_job(extra="labels: crm"), "jobs.crm.labels", "list"),
        (CONNECTION + import_job(extra="schedule: {every: 5 minutes}"), "jobs.crm.schedule.every",
         "10s, 5m"),
        (CONNECTION + import_job(extra="schedule: {every: 999999999999d}"),
         "jobs.crm.schedule.every", "longer"),
        (CONNECTION + import_job("{a: {value: [1]}}"), "jobs.crm.fields.a.value", "text, a number"),
        (CONNECTION.replace("iad-01,", "iad-01, batch_size: 76,"),
         "connections.main.braze.batch_size", "at most 75"),
        ("jobs: {}", "connections", "at least one"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_in_words(text, path, words):
    """A value of the wrong kind says what belongs there."""
    assert words in problems(text)[path][0]


def test_every_problem_is_reported_at_once_with_its_line():
    """One broken key hides neither its neighbours nor what lies in other jobs."""
    text = """connections:
  main:
    braze: {endpoint: iad-01, api_key: "${KEY}", batchsize: 7}
    s3: {bucket: acme, access_key_id: "${KEY}"}
jobs:
  crm:
    type: import
    conection: main
    schedule: {cron: "61 * * * *"}
    source: {prefix: a, formt: csv}
    match: [{external_id: id}]
    fields:
      first_name: fname
      total: {merge: sum, type: string}
  vip:
    type: export
    segment: 12
    target: {prefix: b}
"""
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert [(p.line, p.path) for p in caught.value.problems] == [
        (3, "connections.main.braze.batchsize"),
        (4, "connections.main.s3.secret_access_key"),
        (8, "jobs.crm.conection"),
        (9, "jobs.crm.schedule.cron"),
        (10, "jobs.crm.source.formt"),
        (13, "jobs.crm.fields.first_name"),
        (14, "jobs.crm.fields.total.type"),
        (15, "jobs.vip"),
        (17, "jobs.vip.segment"),
    ]


def test_problems_within_a_broken_list_are_all_named():
    """Each broken member of a list is named, and the list is not called empty."""
    text = (CONNECTION + import_job()).replace("[{external_id: id}]", "[null, {}]")
    assert sorted(problems(text)) == [
        "jobs.crm.match[0]",
        "jobs.crm.match[1]",
    ]


def test_lengths_of_time_are_read():
    """``5m`` is five minutes."""
    job = read(CONNECTION + import_job(extra="schedule: {every: 5m}")).jobs["crm"]
    assert timedelta(minutes=5) == job.schedule.every


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("enabled: true", []),
        ("expect: {every: 24h}", ["is overdue if it takes no file for 1d"]),
    ],
)
def test_what_is_expected_of_a_job_is_said_in_words(extra, expected):
    """A job of which nothing is expected is never overdue, and that is worth no line."""
    lines = describe_job(read(CONNECTION + import_job(extra=extra)), "crm")
    assert expected == [line for line in lines if "overdue" in line]


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("", "runs when you start it"),
        ("schedule: {every: 1h}", "runs every 1h"),
        ("notices", "runs every 15m"),
        ("notices, schedule: {every: 1h}", "runs every 1h"),
    ],
)
def test_what_notices_wake_is_due_all_the_same(extra, said):
    """One may be lost, so the folder is listed every so often, by a schedule or without."""
    text = import_job(extra=extra.replace("notices", "").strip(", ") or "enabled: true")
    if "notices" in extra:
        text = text.replace("prefix:", 'notices: {sqs: "https://sqs/1/q"}, prefix:', 1)
    assert said == describe_job(read(CONNECTION + text), "crm")[0]


@pytest.mark.parametrize(
    ("extra", "priority", "line"),
    [
        ("enabled: true", "normal", None),
        ("priority: urgent", "urgent", "goes ahead of other waiting jobs"),
        ("priority: low", "low", "lets other waiting jobs go first"),
    ],
)
def test_a_priority_is_read_and_said_in_words(extra, priority, line):
    """A job is normal unless it says otherwise, and only then it is worth a line."""
    config = read(CONNECTION + import_job(extra=extra))

    assert priority == config.jobs["crm"].priority
    assert [line] * (line is not None) == [
        said for said in describe_job(config, "crm") if "waiting jobs" in said
    ]
