"""What is new in a folder, against a real S3 protocol."""

import io
import time

import pytest
from botocore.awsrequest import AWSResponse
from moto.s3.models import s3_backends

from exchanger.config.loading.load import read_config
from exchanger.errors import StorageMissing, StorageUnreachable
from exchanger.outside.s3.listing_diff import ListingDiff
from exchanger.service.looking.folder_scanner import FolderScanner, ScanResult

ODD_KEYS = [
    "in/plain.csv",
    "in/with space.csv",
    "in/a+b%20c.csv",
    "in/<Key>&amp;.csv",
    "in/données/é.csv",
]


@pytest.fixture
def news(s3_config):
    return ListingDiff(s3_config)


def test_only_what_was_not_there_before_is_new(news, bucket):
    """The first look knows nothing; after it a new file and a new version are new, once."""
    bucket.write("in/old.csv", b"old")
    bucket.write("in/same.csv", b"same")
    bucket.write("out/other.csv", b"elsewhere")
    first, nothing = news.since(None, "in/")
    bucket.write("in/old.csv", b"newer")
    bucket.write("in/fresh.csv", b"fresh")

    second, new = news.since(first, "in/")
    third, none = news.since(second, "in/")

    assert [] == nothing == none
    assert ["in/fresh.csv", "in/old.csv"] == new
    assert (2, 3, second) == (len(first), len(second), third)


def test_what_is_gone_is_not_new_and_is_new_when_it_comes_back(news, bucket):
    """A file that was deleted and dropped again is taken for new."""
    bucket.write("in/a.csv", b"a")
    first, _ = news.since(None, "in/")
    bucket.delete(["in/a.csv"])
    second, gone = news.since(first, "in/")
    bucket.write("in/a.csv", b"a")

    assert ([], ["in/a.csv"]) == (gone, news.since(second, "in/")[1])


def test_odd_names_come_through_as_they_are(news, bucket):
    """Names that XML and URLs write otherwise are told as people wrote them."""
    empty, _ = news.since(None, "in/")
    for key in ODD_KEYS:
        bucket.write(key, b"x")

    known, new = news.since(empty, "in/")

    assert sorted(ODD_KEYS) == sorted(new)
    assert [] == news.since(known, "in/")[1]


def test_folders_of_several_pages_are_seen_to_their_end(news, bucket, s3_config):
    """
    A listing comes in pages of a thousand, and something new may be on any of them.

    Each is a request, and one that takes more of them than it may is given up.
    """
    store = s3_backends["123456789012"]["aws"]
    for number in range(2_100):
        store.put_object(s3_config.bucket, f"in/{number:05d}.csv", b"x")
    first, _ = news.since(None, "in/")
    store.put_object(s3_config.bucket, "in/01500-new.csv", b"x")
    store.put_object(s3_config.bucket, "in/99999.csv", b"x")

    second, new = news.since(first, "in/")

    assert ["in/01500-new.csv", "in/99999.csv"] == new
    assert (2_100, 2_102) == (len(first), len(second))
    assert (second, new, 3) == news.since_within(3, first, "in/")
    assert news.since_within(2, first, "in/") is None


def test_what_is_known_of_a_folder_serves_in_a_listing_of_its_parent(news, bucket):
    """The entry of an object is the same in both, also of a name that URLs write otherwise."""
    for key in ODD_KEYS:
        bucket.write(key, b"x")
    known, _ = news.since(None, "in/")
    bucket.write("is/a.csv", b"x")

    assert ["is/a.csv"] == news.since(known, "i")[1]


def test_a_failed_look_is_told_in_the_words_of_storage(s3_config):
    """A bucket that is not there, or a server that is not, is no empty folder."""
    with pytest.raises(StorageMissing):
        ListingDiff(s3_config.model_copy(update={"bucket": "no-such-bucket"})).since(None, "in/")
    silent = s3_config.model_copy(update={"endpoint_url": "http://127.0.0.1:9"})
    with pytest.raises(StorageUnreachable):
        ListingDiff(silent).since(None, "in/")


class RawBody(io.BytesIO):
    """The body of an answer, as urllib3 hands it to botocore."""

    def stream(self, **_):
        yield self.read()


def lookout_of(s3_config, jobs, clock=time.monotonic):
    """Make the lookout of jobs, each given as (prefix, pattern); and count its requests."""
    text = """
connections:
  main:
    braze: {endpoint: iad-01, api_key: "${KEY}"}
    s3: {bucket: bucket-x, region: eu-west-1}
jobs:
"""
    for number, (name, (prefix, pattern)) in enumerate(jobs.items()):
        text += (
            f"  {name}: {{type: import, source: {{prefix: {prefix}, pattern: '{pattern}'}},"
            f" match: [{{external_id: id}}], fields: {{field_{number}: set}}}}\n"
        )
    config = read_config(text, {"KEY": "dummy"})
    connection = config.connections["main"].model_copy(update={"s3": s3_config})
    lookout = FolderScanner("main", connection, config.jobs, clock=clock)
    requests = []
    events = lookout._news._client.meta.events
    events.register("before-send.s3", lambda request, **_: requests.append(request.url))
    return lookout, requests


def test_five_hundred_jobs_on_five_folders_beside_each_other_cost_one_request(s3_config, bucket):
    """
    What a look costs follows what lies there, not the jobs; so does what it tells.

    Beside them nothing is looked for where no rejected rows wait to be corrected.
    """
    jobs = {f"job{n:03d}": (f"in/{n % 5}/", f"{n // 5:03d}-*.csv") for n in range(500)}
    bucket.write("in/3/042-old.csv", b"x")
    lookout, requests = lookout_of(s3_config, jobs)

    first = lookout.look(jobs)
    nothing = lookout.look(jobs)
    bucket.write("in/3/042-new.csv", b"x")
    one = lookout.look(["job003"])

    assert ScanResult(first=frozenset(jobs)) == first
    assert ScanResult() == nothing
    # It is told of a job that did not ask, as it is not new a second time.
    assert ScanResult(new=frozenset({"job213"})) == one
    assert 1 + 1 + 1 == len(requests)
    lookout.look(jobs, awaiting={"job004", "job007"})
    assert 1 + 2 == len(requests[1 + 1 + 1 :])


def test_corrected_rows_are_news_within_a_minute_and_at_once_where_a_notice_came(s3_config, bucket):
    """People correct rows by hand: nobody lists their folder at every look."""
    minutes = [0.0]
    lookout, _ = lookout_of(s3_config, {"crm": ("in/", "*.csv")}, lambda: minutes[0])

    def look():
        return lookout.look(["crm"], awaiting={"crm"})

    lookout.look(["crm"])
    assert ScanResult() == look()
    ours = ScanResult(new=frozenset({"crm"}))
    bucket.write("in_corrected/7/a.csv", b"x")
    bucket.write("in_corrected/7/b.csv.part", b"x")
    assert ScanResult() == look()
    minutes[0] = 60.0
    assert [ours, ScanResult()] == [look() for _ in range(2)]
    bucket.write("in_corrected/7/b.csv", b"x")
    assert ours == lookout.look(["crm"], noticed={"crm"})


def test_what_was_corrected_before_anybody_looked_is_news(s3_config, bucket):
    """Between the run that rejected rows and the first look beside its folder a file may come."""
    lookout, requests = lookout_of(s3_config, {"crm": ("in/", "*.csv")})
    lookout.look(["crm"])
    bucket.write("in_corrected/7/a.csv", b"x")

    assert ScanResult() == lookout.look(["crm"])
    assert not [url for url in requests if "_corrected" in url]
    ours = ScanResult(new=frozenset({"crm"}))
    assert ours == lookout.look(["crm"], awaiting={"crm"})


def test_our_own_and_hidden_names_are_no_news(s3_config, bucket):
    """What no run would take gives no reason for one."""
    lookout, _ = lookout_of(s3_config, {"all": ("in/", "**"), "csv": ("in/", "*.csv")})
    lookout.look(["all", "csv"])
    for key in ("in/_exchanger/lease.json", "in/_part.csv", "in/.tmp.csv", "in/sub/"):
        bucket.write(key, b"x")
    hidden = lookout.look(["all", "csv"])
    bucket.write("in/sub/a.csv", b"x")

    assert (ScanResult(), ScanResult(new=frozenset({"all"}))) == (
        hidden,
        lookout.look(["all", "csv"]),
    )


def test_folders_of_a_parent_that_may_not_be_listed_are_listed_each(s3_config, bucket):
    """As S3 refuses it: what the key may list is found all the same, and the parent left alone."""
    jobs = {f"job{n}": (f"in/{n}/", "**") for n in range(4)}
    lookout, requests = lookout_of(s3_config, jobs)
    refused = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"

    def refuse(request, **_):
        if "prefix=in%2F&" in request.url:
            return AWSResponse(request.url, 403, {}, RawBody(refused))
        return None

    lookout._news._client.meta.events.register("before-send.s3", refuse)
    lookout.look(jobs)
    bucket.write("in/3/a.csv", b"x")

    assert ScanResult(new=frozenset({"job3"})) == lookout.look(jobs)
    assert 1 + 4 + 4 == len(requests)
