import os
import signal

import pytest

from exchanger.app.wiring import open_context
from exchanger.cli.signals import stopping_on_signals
from exchanger.config.loading.load import read_config
from exchanger.errors import ConfigError

CONFIG = """
connections:
  main:
    braze: {endpoint: iad-01, api_key: "${KEY}", batch_size: 50, spacing: 2s}
    s3: {bucket: acme, region: eu-west-1, state_prefix: _x/main, export_root: /exports/}
"""


def test_a_context_is_what_the_configuration_says():
    """State prefix, export root, batch size and spacing reach the job; its folder goes."""
    config = read_config(CONFIG, {"KEY": "dummy"})
    with open_context(config, "main") as context:
        assert (context.connection, context.bucket.name) == ("main", "acme")
        assert (context.state_prefix, context.export_root) == ("_x/main/", "exports")
        assert (context.batch_size, context.spacing) == (50, 2.0)
        assert context.workdir.is_dir()
        assert context.braze() is not context.braze()
    assert not context.workdir.exists()


def test_sql_that_is_none_is_told_before_anything_is_opened():
    """All of it at once, by the jobs' names; what only files can tell is left to them."""
    match = "type: import, match: {external_id: id}, fields: {a: set}"
    job = f"{{{match}, source: {{prefix: %s, sql: '%s'}}}}"
    queries = {"odd": "select * from crm", "fine": "select id, a from self", "cut": "select (1"}
    jobs = [f"  {name}: {job % (name, query)}" for name, query in queries.items()]
    config = read_config("\n".join([CONFIG + "jobs:", *jobs]), {"KEY": "dummy"})
    with pytest.raises(ConfigError) as caught, open_context(config, "main"):
        pass
    told = {problem.path: problem.message for problem in caught.value.problems}
    assert {"jobs.odd.source.sql", "jobs.cut.source.sql"} == {*told}
    assert "the rows of a file are the table self" in told["jobs.odd.source.sql"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_asks_to_stop(number):
    """The first signal sets the event and interrupts nothing; handlers are put back."""
    # Whoever runs the tests under nohup has SIGHUP ignored.
    before = signal.signal(number, signal.default_int_handler)
    try:
        with stopping_on_signals() as stopping:
            os.kill(os.getpid(), number)
            assert stopping.wait(5)
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)


def test_what_nohup_ignores_stays_ignored():
    """A terminal that is closed stops no run that was started not to mind."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping_on_signals() as stopping:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stopping.is_set()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_interrupt_ends_at_once():
    """Whoever presses Ctrl-C twice does not have to wait."""
    with stopping_on_signals() as stopping, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        assert stopping.wait(5)
        os.kill(os.getpid(), signal.SIGINT)
        stopping.wait(5)


def test_a_second_request_to_end_does_not_interrupt():
    """A supervisor that repeats itself still lets the run finish what is in flight."""
    with stopping_on_signals() as stopping:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopping.wait(5)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopping.wait(5)
