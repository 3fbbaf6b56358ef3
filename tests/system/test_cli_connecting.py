import json
import re
import socket
from pathlib import Path

import pytest
import structlog
from support.fault_proxy import FaultProxy, Schedule

from exchanger.cli.app import run as run_command_line
from exchanger.config.models import S3Config
from exchanger.jobs.history import runs as history
from exchanger.outside import dask_engine as dask_cluster
from exchanger.outside.s3.bucket import Bucket
from exchanger.sandbox import LocalS3, Sandbox
from exchanger.state.store import open_state

EXAMPLE = Path(__file__).parents[2] / "config" / "exchanger.example.yaml"


@pytest.fixture(scope="module")
def local_s3():
    with LocalS3() as s3:
        s3.create_bucket("exchange")
        yield s3


@pytest.fixture(scope="module")
def sandbox(local_s3):
    with Sandbox(s3=local_s3, bucket="exchange") as braze:
        yield braze


@pytest.fixture
def exchanger(sandbox, local_s3, capsys, monkeypatch):
    sandbox.reset()
    sandbox.clear_faults()
    monkeypatch.setenv("EXCHANGER_BRAZE_URL", sandbox.url)
    monkeypatch.setenv("EXCHANGER_S3_URL", local_s3.url)
    monkeypatch.delenv("BRAZE_API_KEY", raising=False)
    monkeypatch.delenv("EXCHANGER_BUCKET", raising=False)

    def call(*arguments, config=EXAMPLE):
        with pytest.raises(SystemExit) as caught:
            run_command_line([*arguments, "--config", str(config)])
        structlog.reset_defaults()
        return (caught.value.code or 0, *capsys.readouterr())

    return call


def trials(out):
    return {trial["what"]: trial["ok"] for trial in json.loads(out)["trials"]}


EXPORTS = "list s3://exchange/segment-export/, where segment exports of Braze are looked for"
EVERYTHING = {
    "keep state in s3://exchange/_exchanger/main/, with conditional writes": True,
    "recognise whose state s3://exchange/_exchanger/main/ is": True,
    "list s3://exchange/inbox/crm/": True,
    EXPORTS: True,
    "write to s3://exchange/exports/vip/": True,
    "find the segment 'VIP customers'": True,
    "export segments in Braze": True,
    "update profiles in Braze": True,
    "look up profiles in Braze": True,
}


def test_everything_that_a_configuration_names_is_tried(exchanger, sandbox):
    """With key, permissions, bucket and segment in place, all succeeds, and nothing is sent."""
    sandbox.add_segment("VIP customers")
    code, out, _ = exchanger("check", "--connect", "--json")
    assert (code, trials(out)) == (0, EVERYTHING)
    assert sandbox.users() == {}


def test_a_missing_segment_is_code_3_and_names_what_there_is(exchanger, sandbox):
    """A misspelt segment is a mistake of the configuration, answered with a guess."""
    sandbox.add_segment("VIP customer")
    code, out, _ = exchanger("check", "--connect")
    assert code == 3
    assert "NOT  main: find the segment 'VIP customers'" in out
    assert "did you mean 'VIP customer'?" in out


def test_files_that_may_be_listed_and_not_read_are_found_out(
    exchanger, sandbox, local_s3, monkeypatch
):
    """Keys that may list a folder and read nothing in it would fail at each file of each run."""
    sandbox.add_segment("VIP customers")
    key = "inbox/crm/2026/first.csv"
    local_s3.client().put_object(Bucket="exchange", Key=key, Body=b"customer_id\na\n")
    with FaultProxy(local_s3.url, Schedule(0)) as proxy:
        monkeypatch.setenv("EXCHANGER_S3_URL", proxy.url)
        assert 0 == exchanger("check", "--connect")[0]
        proxy.forbid("HEAD", "inbox/crm/")
        code, out, _ = exchanger("check", "--connect")
    local_s3.client().delete_object(Bucket="exchange", Key=key)
    assert code == 6
    assert "NOT  main: list s3://exchange/inbox/crm/" in out
    assert f"s3:GetObject on arn:aws:s3:::exchange/{key}" in out


WITH_BASELINE = """
  from_a_segment:
    type: import
    source: {prefix: inbox/shop/}
    match: [{external_id: id}]
    fields: {points: sum}
    baseline: {segment: Everybody}
"""


def test_the_segment_of_a_baseline_is_tried(exchanger, sandbox, tmp_path):
    """An import that learns from a segment needs it and its export, as an export job does."""
    head, _, _ = EXAMPLE.read_text().partition("\njobs:")
    config = tmp_path / "c.yaml"
    config.write_text(f"{head}\njobs:{WITH_BASELINE}")
    code, out, _ = exchanger("check", "--connect", "--json", config=config)
    assert (code, trials(out)["find the segment 'Everybody'"]) == (3, False)
    sandbox.add_segment("Everybody")
    code, out, _ = exchanger("check", "--connect", "--json", config=config)
    assert (code, trials(out)["find the segment 'Everybody'"]) == (0, True)
    assert (True, True) == (trials(out)["export segments in Braze"], trials(out)[EXPORTS])


def test_where_exports_are_looked_up_is_tried_at_its_place(exchanger, sandbox, tmp_path):
    """The folder is the configured one, and only what uses segments needs it."""
    sandbox.add_segment("VIP customers")
    config = tmp_path / "c.yaml"
    text = EXAMPLE.read_text().replace("    s3:\n", "    s3:\n      export_root: from/braze\n")
    config.write_text(text)
    _, out, _ = exchanger("check", "--connect", "--json", config=config)
    assert trials(out)[EXPORTS.replace("segment-export", "from/braze")] is True
    config.write_text(text.partition("  vip_export:")[0])
    _, out, _ = exchanger("check", "--connect", "--json", config=config)
    assert [] == [what for what in trials(out) if "from/braze" in what]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"sandbox-key": None}, (0, True)),
        ({"sandbox-key": ["users.track"]}, (0, True)),
        ({"another-key": None}, (7, False)),
    ],
)
def test_the_key_of_a_connection_without_jobs_is_tried(
    exchanger, sandbox, tmp_path, keys, expected
):
    """A key that Braze does not know fails; one that may not list segments is a known one."""
    head, _, _ = EXAMPLE.read_text().partition("\njobs:")
    config = tmp_path / "c.yaml"
    config.write_text(head)
    sandbox.change(api_keys=keys)
    try:
        code, out, _ = exchanger("check", "--connect", "--json", config=config)
    finally:
        sandbox.change(api_keys={"sandbox-key": None})
    assert (code, trials(out)["use the key in Braze"]) == expected


def test_a_disabled_connection_is_said_to_be_skipped(exchanger, sandbox, tmp_path):
    """Nothing is claimed of what was not tried."""
    sandbox.add_segment("VIP customers")
    config = tmp_path / "c.yaml"
    config.write_text(
        EXAMPLE.read_text().replace("    braze:\n", "    enabled: false\n    braze:\n")
    )
    code, out, _ = exchanger("check", "--connect", config=config)
    assert (code, out.splitlines()[-2:]) == (
        0,
        [
            "     main: nothing was tried, as the connection has enabled: false",
            f"{config} is sound and everything that was tried works",
        ],
    )
    _, out, _ = exchanger("check", "--connect", "--json", config=config)
    assert [trial["tried"] for trial in json.loads(out)["trials"]] == [False]


def test_a_wrong_key_is_code_7_and_never_shown(exchanger, monkeypatch):
    """Braze echoes a key that it does not know; nothing of ours repeats it."""
    monkeypatch.setenv("BRAZE_API_KEY", "wrong-key-4711")
    code, out, err = exchanger("check", "--connect")
    assert code == 7
    assert "Braze does not know this API key" in out
    assert "wrong-key-4711" not in out + err


def test_a_missing_permission_is_named_as_braze_names_it(exchanger, sandbox):
    """A key without the permission to look up says which permission to add."""
    sandbox.add_segment("VIP customers")
    allowed = ["users.track", "segments.list", "users.export.segment"]
    sandbox.change(api_keys={"sandbox-key": allowed})
    try:
        code, out, _ = exchanger("check", "--connect", "--json")
    finally:
        sandbox.change(api_keys={"sandbox-key": None})
    failed = [trial for trial in json.loads(out)["trials"] if not trial["ok"]]
    assert code == 7
    assert [trial["what"] for trial in failed] == ["look up profiles in Braze"]
    assert "lacks the permission users.export.ids" in failed[0]["problem"]


def test_a_wrong_bucket_is_code_6(exchanger, monkeypatch, sandbox):
    """A bucket that does not exist is named."""
    sandbox.add_segment("VIP customers")
    monkeypatch.setenv("EXCHANGER_BUCKET", "no-such-bucket")
    code, out, _ = exchanger("check", "--connect")
    assert code == 6
    assert "There is no bucket called no-such-bucket." in out


def test_segments_are_listed_with_their_ids(exchanger, sandbox):
    """What an export can name is listed, for people and for programs."""
    number = sandbox.add_segment("VIP customers")
    code, out, _ = exchanger("segments")
    assert (code, out.splitlines()) == (0, [f"{number}  VIP customers"])
    code, out, _ = exchanger("segments", "--json")
    assert [(s["connection"], s["id"], s["name"]) for s in json.loads(out)] == [
        ("main", number, "VIP customers")
    ]


def test_no_runs_are_an_empty_list(exchanger):
    """Before the first run there is nothing to show, and that is no error."""
    assert exchanger("runs", "--latest", "--json")[:2] == (0, "[]\n")
    assert exchanger("runs")[:2] == (0, "No runs yet.\n")


def test_a_run_that_does_not_exist_is_code_2(exchanger):
    """The number of a run that never was is a mistake on the command line."""
    code, _, err = exchanger("show", "12")
    assert code == 2
    assert "There is no run 12." in err


def test_a_run_with_nothing_to_do_promises_nothing_to_look_at(exchanger):
    """Nothing is kept of it: people are given no id, and a program's id is answered plainly."""
    _, out, _ = exchanger("run", "crm_profiles")
    assert re.fullmatch(r"crm_profiles: nothing to do in \d+\.\d s\n", out)
    _, out, _ = exchanger("run", "crm_profiles", "--json")
    code, _, err = exchanger("show", json.loads(out)["run_id"])
    assert (2, True) == (code, "Nothing is kept of a run that had nothing to do" in err)


def test_a_failed_run_is_one_document_and_ends_with_its_code(exchanger, monkeypatch):
    """A run in a bucket that is not there ends with 6, says so, and is a report for programs."""
    monkeypatch.setenv("EXCHANGER_BUCKET", "no-such-bucket")
    code, out, err = exchanger("run", "crm_profiles", "--json")
    report = json.loads(out)
    assert (code, report["job"], report["state"]) == (6, "crm_profiles", "failed")
    assert "There is no bucket called no-such-bucket." in report["error"]
    assert "There is no bucket called no-such-bucket." in err


def test_several_jobs_are_a_list_and_end_with_the_worst_code(exchanger, sandbox):
    """One job's failure does not keep the next from running, and is what the process ends with."""
    jobs = ("vip_export", "crm_profiles")
    code, out, _ = exchanger("run", *jobs, "--json")
    reports = json.loads(out)
    assert [(report["job"], report["state"]) for report in reports] == [
        ("vip_export", "failed"),
        ("crm_profiles", "nothing_to_do"),
    ]
    assert code == 3


def test_a_disabled_job_runs_by_hand_with_a_notice(exchanger, tmp_path):
    """Disabled means not by itself; whoever asks for it is told."""
    path = tmp_path / "c.yaml"
    text = EXAMPLE.read_text(encoding="utf-8")
    path.write_text(text.replace("type: import", "type: import\n    enabled: false"))
    code, out, err = exchanger("run", "crm_profiles", config=path)
    assert (code, "crm_profiles: nothing to do" in out) == (0, True)
    assert "crm_profiles is disabled; it runs now because you ask for it." in err


def test_a_plan_of_nothing_says_so(exchanger):
    """Without waiting files there is nothing to plan, for people and for programs."""
    code, out, _ = exchanger("plan", "crm_profiles")
    assert (code, "Nothing would be sent." in out) == (0, True)
    code, out, _ = exchanger("plan", "crm_profiles", "--json")
    content = json.loads(out)
    assert (code, content["report"]["state"], content["fields"]) == (0, "nothing_to_do", [])


def test_words_are_whole_even_where_a_dummy_key_is_a_word(exchanger, monkeypatch):
    """The keys of the sandbox are plain words; an error's words are not torn for it."""
    monkeypatch.setenv("EXCHANGER_BUCKET", "no-such-bucket")
    _, _, err = exchanger("run", "crm_profiles")
    assert "is exchanger sandbox running?" in err


def test_a_cluster_that_the_configuration_names_is_tried(exchanger, tmp_path, monkeypatch):
    """Nobody listens there: the trial says so with what to start, and what a run would do."""
    monkeypatch.setattr(dask_cluster, "ANSWER_SECONDS", 0.3)
    config = tmp_path / "engine.yaml"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        config.write_text(f'engine: {{dask: "{address}"}}\n' + EXAMPLE.read_text())
        code, out, _ = exchanger("check", "--connect", "--json", config=config)

    assert 6 == code
    assert trials(out)[f"plan large runs on {address}"] is False
    assert f"dask worker {address}" in out
    assert f"plans large runs on the Dask cluster at {address}" in out


def test_a_listing_says_how_many_runs_it_leaves_out(exchanger, local_s3, monkeypatch):
    """Twenty runs are shown, then how many more there are, as far as is looked."""
    monkeypatch.setenv("EXCHANGER_BUCKET", "many-runs")
    local_s3.create_bucket("many-runs")
    settings = S3Config(
        bucket="many-runs",
        region=local_s3.region,
        endpoint_url=local_s3.url,
        access_key_id=local_s3.access_key,
        secret_access_key=local_s3.secret_key,
    )
    runs = open_state(Bucket(settings), "_exchanger/main/").run_index
    for n in range(23):
        at = f"2026-09-15T06:00:{n:02d}+00:00"
        runs.record(
            {"run_id": f"r-{n}", "job": "crm_profiles", "seq": None, "state": "nothing_to_do",
             "started_at": at, "finished_at": at}
        )  # fmt: skip

    shown = exchanger("runs")[1].splitlines()
    monkeypatch.setattr(history, "LISTED", 22)
    cut = exchanger("runs")[1].splitlines()

    assert (21, "and 3 more; to see them, add --json") == (len(shown), shown[-1])
    assert (21, "and at least 2 more; add --json for the newest 22 of each connection") == (
        len(cut),
        cut[-1],
    )


TWO = """
connections:
  down:
    braze: {endpoint: '${EXCHANGER_BRAZE_URL}', api_key: '${NO:-another-key}'}
    s3: {bucket: no-such-bucket, region: us-east-1, endpoint_url: '${EXCHANGER_S3_URL}',
         access_key_id: '${NO:-sandbox}', secret_access_key: '${NO:-sandbox}'}
  up:
    braze: {endpoint: '${EXCHANGER_BRAZE_URL}', api_key: '${NO:-sandbox-key}'}
    s3: {bucket: exchange, region: us-east-1, endpoint_url: '${EXCHANGER_S3_URL}',
         access_key_id: '${NO:-sandbox}', secret_access_key: '${NO:-sandbox}',
         state_prefix: _exchanger/two/}
jobs:
  theirs: {type: import, connection: down, source: {prefix: a/}, match: {external_id: id},
           fields: {city: set}}
  ours: {type: import, connection: up, source: {prefix: two/}, match: {external_id: id},
         fields: {city: set}}
"""


@pytest.fixture
def one_is_down(exchanger, sandbox, tmp_path, bucket_of_up):
    """Ask with two connections, the first of which has neither bucket nor key."""
    sandbox.add_segment("VIP customers")
    config = tmp_path / "two.yaml"
    config.write_text(TWO)
    if not list(bucket_of_up.list("_exchanger/two/runs/")):
        bucket_of_up.write("two/1.csv", b"id,city\na,Lyon\n")
        assert 0 == exchanger("run", "ours", config=config)[0]
        bucket_of_up.write("two/2.csv", b"id,city\nb,Nice\n")
    return lambda *words: exchanger(*words, config=config)


@pytest.fixture
def bucket_of_up(local_s3):
    return Bucket(
        S3Config(
            bucket="exchange",
            region=local_s3.region,
            endpoint_url=local_s3.url,
            access_key_id=local_s3.access_key,
            secret_access_key=local_s3.secret_key,
        )
    )


@pytest.mark.parametrize(
    ("words", "name", "code", "shown"),
    [
        (("runs",), "runs", 6, "done           ours (up)  1 row read"),
        (("runs", "--latest"), "runs", 6, "done           ours (up)  1 row read"),
        (("jobs", "--waiting"), "jobs", 6, "ours  import  by hand\n  1 file waits\n"),
        (("segments",), "segments", 7, "  VIP customers\n"),
        (("show", "1"), "run", 6, "rows: 1 read; 1 applied\n"),
    ],
)
def test_a_connection_that_is_down_hides_nothing_of_the_others(
    one_is_down, words, name, code, shown
):
    """What is known is printed; the fault names its connection, last, and is the exit code."""
    ended, out, err = one_is_down(*words)
    assert (code, True) == (ended, shown in out)
    assert "Connection down: " in err

    ended, out, _ = one_is_down(*words, "--json")
    document = json.loads(out)
    known = "VIP customers" if name == "segments" else "ours"
    assert (code, known in json.dumps(document[name])) == (ended, True)
    assert [(code, "down")] == [(e["exit_code"], e["connection"]) for e in document["errors"]]
    assert document["errors"][0] == document["error"]

    if len(words) == 1:  # Of the other alone, the document is as ever.
        ended, out, _ = one_is_down(*words, "--connection", "up", "--json")
        assert (0, list) == (ended, type(json.loads(out)))


def test_nobody_decides_about_a_run_while_its_number_may_be_that_of_another(one_is_down):
    """By number: the connection that is down may have one, too. By id, or with its connection."""
    assert 6 == one_is_down("discard", "1")[0]
    code, out, _ = one_is_down("show", "1", "--connection", "up", "--json")
    assert 0 == code
    code, _, err = one_is_down("discard", json.loads(out)["run_id"])
    assert (2, True) == (code, "cannot be taken for discard" in err)


def test_what_only_a_connection_that_is_down_may_know_is_not_denied(one_is_down):
    """A run that nobody who answered has is not said to be missing."""
    code, out, err = one_is_down("show", "77")
    assert (6, "") == (code, out)
    assert "There is no run" not in err
