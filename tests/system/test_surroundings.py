"""What surrounds a run: variables, terminals, disks. None of it decides what is sent."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

JOB = {
    "type": "import",
    "source": {"prefix": "in/"},
    "match": [{"external_id": "customer_id"}],
    "fields": {"spend": {"merge": "sum", "type": "integer"}},
}


@pytest.fixture
def job(exchange):
    """One job that sums, and a way to run the command line with other variables."""
    exchange.configure(t=JOB)

    def call(*words, **variables):
        process = exchange.warm.start(
            [*words, "--config", exchange.config],
            exchange.folder,
            {**exchange.environment, **variables},
        )
        out, err = process.communicate(timeout=240)
        return SimpleNamespace(code=process.returncode, out=out, err=err)

    return SimpleNamespace(exchange=exchange, call=call)


def test_variables_of_aws_change_no_sum(job, tmp_path):
    """A profile, a stale token and another store in the environment are none of the run's."""
    exchange = job.exchange
    exchange.drop("in/a.csv", "customer_id,spend\nf1,1\n")
    nowhere = "http://127.0.0.1:1"
    wrong = {"AWS_ENDPOINT_URL_S3": nowhere, "AWS_ENDPOINT_URL": nowhere, "ENDPOINT": nowhere}
    wrong |= {"AWS_PROFILE": "nope", "AWS_SESSION_TOKEN": "stale", "TOKEN": "stale"}
    wrong |= {"AWS_SKIP_SIGNATURE": "true", "TIMEOUT": "5", "AWS_REGION": "eu-north-1"}
    first = job.call("run", "t", **wrong)
    assert (0, "1") == (first.code, exchange.attribute("f1", "spend")), first.err
    exchange.drop("in/b.csv", "customer_id,spend\nf1,2\n")
    second = job.call("run", "t")
    assert (0, "3") == (second.code, exchange.attribute("f1", "spend")), second.err
    assert 0 == job.call("check", "--connect", **wrong).code
