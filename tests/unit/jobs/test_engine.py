"""Parts are handed over ahead, but not too far, and fetched in their order."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from exchanger.app.wiring import open_context
from exchanger.config.loading.load import read_config
from exchanger.errors import EngineMissing
from exchanger.jobs.runtime.executor import LocalExecutor, in_order

CONFIG = """
engine: {dask: "tcp://127.0.0.1:8786"}
connections:
  main:
    braze: {endpoint: iad-01, api_key: "${KEY}"}
    s3: {bucket: acme, region: eu-west-1}
"""


class Threads(ThreadPoolExecutor):
    """An executor of the standard library is an engine, once it says how much it takes."""

    ahead = 3


def test_results_come_in_the_order_of_the_parts():
    """The first part waits until the second is done, and its result still comes first."""
    second = threading.Event()

    def work(number):
        if number == 0:
            assert second.wait(20)
        if number == 1:
            second.set()
        return number

    with Threads(2) as engine:
        assert [0, 1, 2, 3, 4] == list(in_order(engine, work, range(5)))


@pytest.mark.parametrize(("engine", "most"), [(LocalExecutor(), 1), (Threads(2), 3)])
def test_no_more_parts_are_made_than_there_is_room_for(engine, most):
    """A part is made only when an earlier result was taken, so memory does not grow."""
    made, found = 0, []

    def parts():
        nonlocal made
        for number in range(10):
            made += 1
            yield number

    for taken, _ in enumerate(in_order(engine, abs, parts())):
        found.append(made - taken)
    assert most == max(found)


def test_a_cluster_without_the_package_for_it_is_a_typed_error(monkeypatch):
    """Without Dask the error names the address, and only where a cluster is really used."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "exchanger.outside.dask_engine", raising=False)
    config = read_config(CONFIG, {"KEY": "dummy"})

    with open_context(config, "main") as context, pytest.raises(EngineMissing) as caught:
        context.engine()
    assert "tcp://127.0.0.1:8786" == caught.value.address
