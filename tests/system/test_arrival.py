"""Which objects count as files, and when they count as arrived."""

from __future__ import annotations

import json

import pytest
from support.local_sqs import LocalSqs
from support.looking import until, until_the_next_second

from exchanger.jobs.inventory.listing import in_order

JOB = {
    "type": "import",
    "source": {"prefix": "in/"},
    "match": [{"external_id": "id"}],
    "fields": {"spend": {"merge": "sum", "type": "integer"}, "tier": "set"},
}
NO_DATA = {
    "in/_SUCCESS": "",
    "in/day/_committed_81": "{}",
    "in/.part-0.csv.crc": "crc",
    "in/a.csv.md5": "d41d8cd98f00b204e9800998ecf8427e",
    "in/a.csv.sha256": "e3b0c44298fc1c149afbf4c8996fb924",
    "in/a.csv.done": "",
    "in/day/": "",
    "in/dt=2026-09-15_$folder$": "",
    "in/empty-folder": "",
    "in/b.csv.tmp": "id,spend\na,100\n",
    "in/b.csv.filepart": "id,spend\na,100\n",
    "in/~$a.xlsx": "x",
    "in/desktop.ini": "[.ShellClassInfo]",
    "in/Thumbs.db": "x",
    "in/.DS_Store": "x",
}
OURS = {"in_reports/old.csv.json": "{}", "in_reports/3/a.csv": "id,spend\na,100\n"}


def rows(*lines):
    return "\n".join(("id,spend,tier", *lines, ""))


def outcomes(report):
    return {file["key"]: file["outcome"] for file in report["files"]}


def test_what_is_no_data_is_passed_over_and_told_once(exchange):
    """Marks, checksums and desktops' notes cost no run its good end; they are listed with why."""
    exchange.configure(t=JOB)
    for key, body in (NO_DATA | OURS).items():
        exchange.drop(key, body)
    exchange.drop("in/a.csv", rows("a,1,gold"))
    # What came in the second of a run is told twice, not never.
    until_the_next_second(exchange.bucket, "in/")
    first = exchange.ask("run", "t")
    assert {"in/a.csv": "applied"} == outcomes(first)
    [told] = [note for note in first["notes"] if "no data" in note]
    assert "in/.DS_Store and 13 more" in told
    [entry] = exchange.ask("jobs", "--waiting")
    assert sorted(NO_DATA) == sorted(one["key"] for one in entry["passed_over"])
    assert 0 == entry["files_waiting"]
    shown = exchange.call("jobs", "--waiting").stdout
    assert "passed over: in/a.csv.md5 (about the files beside it, or a copy of one)" in shown
    exchange.drop("in/c.csv", rows("a,2,gold"))
    assert not [note for note in exchange.ask("run", "t")["notes"] if "no data" in note]
    assert "3" == exchange.attribute("a", "spend")
    assert "about the files beside it" in exchange.call("files", "in/a.csv.md5").stdout
    assert (
        "exchanger or Braze writes here" in exchange.call("files", "in_reports/old.csv.json").stdout
    )


@pytest.mark.nightly
@pytest.mark.parametrize("pattern", ["*.done", "a.csv.done"])
def test_a_pattern_takes_what_would_be_passed_over(exchange, pattern):
    """Whoever writes the ending of a companion into the pattern means such files."""
    exchange.configure(t=JOB | {"source": {"prefix": "in/", "pattern": pattern}})
    exchange.drop("in/a.csv.done", rows("a,1,gold"))
    assert {"in/a.csv.done": "applied"} == outcomes(exchange.ask("run", "t"))


def with_source(**keys):
    return JOB | {"source": JOB["source"] | keys}


def test_what_is_too_fresh_is_left_and_told(exchange):
    """A run takes what has settled, and says what it leaves and why; a later one takes that."""
    exchange.configure(t=with_source(complete_when={"settled": "1h"}))
    exchange.drop("in/a.csv", rows("a,1,gold"))
    report = exchange.ask("run", "t")
    assert ("nothing_to_do", [], 1) == (
        report["state"],
        report["files"],
        report["files_incomplete"],
    )
    assert any("in/a.csv is left for a later run" in note for note in report["notes"])
    [entry] = exchange.ask("jobs", "--waiting")
    assert (0, 1, 1) == tuple(
        entry[key] for key in ("files_waiting", "files_incomplete", "files_settling")
    )
    exchange.configure(t=with_source(complete_when={"settled": "1s"}))
    until(lambda: exchange.ask("run", "t").get("files"), "it never settled")
    assert "1" == exchange.attribute("a", "spend")


SPARK = ("in/day=1/part-0.csv", "in/day=1/part-1.csv")
ENTRIES = [{"url": f"s3://BUCKET/{key}"} for key in SPARK]
SIGNS = [
    ({"marker": "_SUCCESS"}, {"in/day=1/_SUCCESS": ""}),
    ({"marker": "_SUCCESS"}, {"in/_SUCCESS": ""}),
    pytest.param(
        {"marker": "READY"}, {"in/day=1/READY": "yes"}, marks=pytest.mark.nightly
    ),
    ({"suffix": ".done"}, {f"{key}.done": "" for key in SPARK}),
    pytest.param(
        {"suffix": ".ok"}, {f"{key}.ok": "2 rows" for key in SPARK}, marks=pytest.mark.nightly
    ),
    (
        {"manifest": "*.manifest.json"},
        {"in/day=1/x.manifest.json": '{"files": ["part-0.csv", "part-1.csv"]}'},
    ),
    ({"manifest": "*.list"}, {"in/x.list": "day=1/part-0.csv\n" + SPARK[1]}),
    (
        {"manifest": "manifest"},
        {"in/day=1/manifest": json.dumps({"entries": ENTRIES})},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "signs"), SIGNS)
def test_files_are_taken_once_something_says_that_they_are_complete(exchange, rule, signs):
    """Nothing is taken before, files beside that nothing speaks of stay, and no sign is a file."""
    exchange.configure(t=with_source(complete_when=rule))
    for key in SPARK:
        exchange.drop(key, rows("a,1,gold"))
    exchange.drop("in/day=2/part-0.csv", rows("a,100,gold"))
    report = exchange.ask("run", "t")
    assert ("nothing_to_do", 3) == (report["state"], report["files_incomplete"])
    assert any("left for a later run" in note for note in report["notes"])
    if "in/_SUCCESS" in signs:  # It speaks of all that is below.
        exchange.bucket.delete(["in/day=2/part-0.csv"])
    for key, body in signs.items():
        exchange.drop(key, body.replace("BUCKET", exchange.bucket.name))
    assert [*SPARK] == [file["key"] for file in exchange.ask("run", "t", "--force")["files"]]
    assert "2" == exchange.attribute("a", "spend")
    assert not exchange.ask("run", "t")["files"]
    assert "that they are complete" in exchange.call("files", next(iter(signs))).stdout


def test_a_manifest_waits_for_its_last_file(exchange):
    """All of what it names is taken together; one that cannot be read is told."""
    exchange.configure(t=with_source(complete_when={"manifest": "*.manifest.json"}))
    exchange.drop("in/x.manifest.json", '{"files": ["a.csv", "b.csv"]}')
    exchange.drop("in/a.csv", rows("a,1,gold"))
    report = exchange.ask("run", "t")
    assert any("in/x.manifest.json waits for in/b.csv" in note for note in report["notes"])
    exchange.drop("in/b.csv", rows("a,2,gold"))
    assert ["in/a.csv", "in/b.csv"] == [file["key"] for file in exchange.ask("run", "t")["files"]]
    exchange.drop("in/day/y.manifest.json", '{"files": 7}')
    exchange.drop("in/day/c.csv", rows("a,4,gold"))
    [note] = [note for note in exchange.ask("run", "t")["notes"] if "left for" in note]
    assert "in/day/y.manifest.json cannot be read as a manifest" in note
    assert "3" == exchange.attribute("a", "spend")


@pytest.mark.nightly
def test_the_newest_file_counts_alone(exchange):
    """What came before it is left out for good, in the natural order of names within a second."""
    exchange.configure(t=with_source(files="latest"))
    for number in (10, 8, 9):
        exchange.drop(f"in/{number}.csv", rows(f"a,{number},gold"))
    planned = exchange.ask("plan", "t")["report"]
    newest, *older = (file.key for file in reversed(in_order(exchange.bucket.list("in/"))))
    expected = {newest: "applied", **dict.fromkeys(older, "superseded")}
    assert expected == outcomes(planned)
    report = exchange.ask("run", "t")
    assert ("succeeded", 1, expected) == (report["state"], report["rows_read"], outcomes(report))
    value = newest.removeprefix("in/").removesuffix(".csv")
    assert value == exchange.attribute("a", "spend")
    exchange.bucket.delete([newest])
    assert "nothing_to_do" == exchange.ask("run", "t")["state"]
    assert value == exchange.attribute("a", "spend")
    assert "takes the newest file alone" in exchange.call("files", older[0]).stdout
    again = exchange.ask("backfill", "t", "--prefix", older[0])
    assert {older[0]: "applied"} == outcomes(again)


@pytest.fixture
def sqs():
    with LocalSqs() as server:
        yield server


def hears_of(exchange, url, **more):
    exchange.configure(t=with_source(notices={"sqs": url}, **more) | {"baseline": "assume_empty"})


def told_by_s3(exchange, local_s3, sqs, url):
    """Let the bucket tell the queue of each object; first comes S3's own test event."""
    local_s3.client().put_bucket_notification_configuration(
        Bucket=exchange.bucket.name,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": sqs.arn(url), "Events": ["s3:ObjectCreated:*"]}]
        },
    )


def notice_of(exchange, key):
    told = {"bucket": {"name": exchange.bucket.name}, "object": {"key": key}}
    return json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": told}]})


@pytest.mark.long(45)
def test_a_notice_wakes_the_daemon(exchange, local_s3, sqs, start_daemon):
    """A file is taken long before the job is due; messages go once it was looked for."""
    url = sqs.queue("arrivals", visible_after=600)
    hears_of(exchange, url)
    told_by_s3(exchange, local_s3, sqs, url)
    assert any("looks as soon as" in line for line in exchange.call("check").stdout.splitlines())
    daemon = start_daemon()
    daemon.until(lambda _: daemon.told("daemon.started"))
    exchange.drop("in/a b+ü.csv", rows("a,1,gold"))
    daemon.until(lambda _: daemon.told("run.finished"))
    [ran] = daemon.told("run.started")
    assert "notice" == ran["why"]
    assert "1" == exchange.attribute("a", "spend")
    until(lambda: sqs.left(url) == 0, "messages stayed")
    assert 0 == daemon.stop()
    assert not daemon.told("notice.unreadable")


@pytest.mark.nightly
@pytest.mark.long(60)
def test_what_no_notice_is_goes_where_the_queue_sends_it(exchange, sqs, start_daemon):
    """Poison is told once and left to redrive; a message that comes again does no harm."""
    dead = sqs.queue("dead")
    url = sqs.queue("arrivals", visible_after=1, redrive_to=dead, after=2)
    hears_of(exchange, url)
    poison = sqs.send(url, "no notice")
    daemon = start_daemon()
    exchange.drop("in/a.csv", rows("a,1,gold"))
    for _ in range(2):
        sqs.send(
            url, json.dumps({"Type": "Notification", "Message": notice_of(exchange, "in/a.csv")})
        )
    daemon.until(lambda _: daemon.told("run.finished") and daemon.told("notice.unreadable"))
    until(lambda: sqs.left(dead) == 1 and sqs.left(url) == 0, "it was not sent on")
    sqs.send(url, notice_of(exchange, "in/a.csv"))
    until(lambda: sqs.left(url) == 0, "it stayed")
    assert 0 == daemon.stop()
    assert [poison] == [one["message_id"] for one in daemon.told("notice.unreadable")]
    assert "1" == exchange.attribute("a", "spend")


@pytest.mark.nightly
def test_a_queue_that_does_not_answer_is_told_and_folders_are_listed(exchange, sqs, start_daemon):
    """The listing stays the truth: the job runs by its schedule."""
    hears_of(exchange, f"{sqs.url}/123456789012/nowhere")
    exchange.jobs["t"]["schedule"] = {"every": "1s"}
    exchange.configure(**exchange.jobs)
    exchange.drop("in/a.csv", rows("a,1,gold"))
    trial = exchange.call("check", "--connect")
    assert (6, True) == (trial.returncode, "sqs:ReceiveMessage" in trial.stdout + trial.stderr)
    daemon = start_daemon()
    daemon.until(lambda _: daemon.told("run.finished") and daemon.told("notices.failed"))
    assert "1" == exchange.attribute("a", "spend")
    assert 0 == daemon.stop()


@pytest.mark.nightly
@pytest.mark.long(60)
def test_the_daemon_comes_back_for_what_has_settled(exchange, sqs, start_daemon):
    """A run that leaves what is too fresh is followed by one once it is not, due or not."""
    url = sqs.queue("arrivals")
    hears_of(exchange, url, complete_when={"settled": "6s"})
    daemon = start_daemon()
    daemon.until(lambda _: daemon.told("daemon.started"))
    exchange.drop("in/a.csv", rows("a,1,gold"))
    sqs.send(url, notice_of(exchange, "in/a.csv"))
    daemon.until(lambda _: len(daemon.finished()) == 2)
    assert ["notice", "settled"] == [one["why"] for one in daemon.told("run.started")]
    assert 1 == daemon.told("run.finished")[0]["files_incomplete"]
    assert "1" == exchange.attribute("a", "spend")
    assert 0 == daemon.stop()
