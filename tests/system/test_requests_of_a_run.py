"""A small run asks the bucket no more often than it must: each request is tens of milliseconds."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from support.fault_proxy import FaultProxy, Schedule
from support.jobs import import_job

IMPORT = import_job(source={"prefix": "in/"}, fields={"city": "set"})
MOST = 91
"""
Requests of a run of one file after two others; it was 139, and grew by 17 with each. Three tell
whoever dropped the file what became of it.
"""


@pytest.fixture
def counted(exchange):
    """The connection by way of a proxy that lists the requests."""
    seen = []
    with FaultProxy(exchange.connection["s3"]["endpoint_url"], Schedule(0)) as proxy:
        proxy.before_each(lambda it: seen.append(f"{it.command} {unquote(it.path)}"))
        exchange.connection["s3"]["endpoint_url"] = proxy.url
        exchange.connection["braze"]["grace"] = "10m"  # So nothing is read back meanwhile.
        exchange.connection["lease"] = "2m"  # So none is prolonged, however long a run takes.
        exchange.configure(people=IMPORT)
        yield exchange, seen


def of_run(counted, number):
    """Run a file of two profiles, and list its requests."""
    exchange, seen = counted
    exchange.drop(f"in/{number}.csv", f"id,city\n{number}a,Oslo\n{number}b,Rome\n")
    seen.clear()
    report = exchange.ask("run", "people")
    assert report["fields_changed"] == 2
    return list(seen)


def to(requests, name, *commands):
    """Choose the requests to an object of the state, by part of its name."""
    return [
        request
        for request in requests
        if name in urlsplit(request.split(" ", 1)[1]).path and request.split(" ")[0] in commands
    ]


def test_a_run_of_one_file_makes_few_requests(counted):
    """Under the lease nothing is read twice, and no table is opened twice."""
    for number in range(2):
        of_run(counted, number)

    requests = of_run(counted, 2)

    assert len(requests) <= MOST, "\n".join(requests)
    # Before the lease, whether there is anything to do at all; under it, to plan by.
    assert len(to(requests, "/.states/newest/", "GET")) == 2
    assert len(to(requests, "/first-deliveries.json", "GET")) == 1
    assert len(to(requests, "/lease.json", "GET", "HEAD")) == 1
    # As long as nobody has sent anything of a run, there is nothing to be read of that; once it is
    # sent, what is there is fixed.
    assert len([one for one in requests if "/acks/" in one and "prefix" in one]) == 1
    assert to(requests, "/column-types/people.json", "GET")
    assert not to(requests, "/column-types/people.json", "PUT")
    for table in ("file-ledger", "held", "run-index"):
        opened = to(requests, f"/{table}/_delta_log/{0:020}.json", "GET")
        assert 1 <= len(opened) <= 3, table
        assert len(to(requests, f"/{table}/part-", "GET")) <= 2, table


@pytest.mark.nightly
def test_a_run_with_nothing_to_do_writes_nothing(counted):
    """A look costs what finding out takes, and neither a lease nor any other write."""
    exchange, seen = counted
    of_run(counted, 0)
    seen.clear()

    assert exchange.ask("run", "people")["state"] == "nothing_to_do"

    assert not [request for request in seen if not request.startswith("GET ")]
    assert len(seen) <= 14, "\n".join(seen)


@pytest.mark.nightly
def test_what_waits_for_many_jobs_is_asked_of_the_folders_alone(counted):
    """A daemon asks it each quarter of an hour: of each folder a listing, and of the rest once."""
    exchange, seen = counted
    of_run(counted, 0)

    def asked(number):
        more = {
            f"more{n}": import_job(source={"prefix": f"in{n}/"}, fields={f"f{n}": "set"})
            for n in range(number)
        }
        exchange.configure(people=IMPORT, **more)
        seen.clear()
        assert number + 1 == len(exchange.ask("jobs", "--waiting"))
        return len(seen)

    assert asked(5) - asked(1) == 4


@pytest.mark.nightly
def test_each_of_many_files_costs_one_request_and_those_that_answer_about_it(counted):
    """It is read once, and two tell what became of it; one more has its rejected rows."""
    exchange, seen = counted
    of_run(counted, 0)
    files = 40
    for number in range(files):
        bad = ",Rome\n" if number % 2 else ""
        exchange.drop(f"in/many-{number:02}.csv", f"id,city\n{number},Oslo\n{bad}")
    seen.clear()
    report = exchange.ask("run", "people", code=4)
    assert (files, files // 2) == (len(report["files"]), report["rows_rejected"])

    about = [one for one in seen if "/many-" in one]
    for number in range(files):
        named = [one.split("?")[0] for one in about if f"/many-{number:02}.csv" in one]
        assert 3 + number % 2 == len(named), named
    assert len(seen) - len(about) <= MOST
