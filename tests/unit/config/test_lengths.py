"""How long lengths of time may be."""

import pytest
from support.config_texts import CONNECTION, export_job, import_job, problems, read


def connection(key, value):
    return CONNECTION.replace("    braze:", f"    {key}: {value}\n    braze:")


def braze(key, value):
    return CONNECTION.replace("iad-01,", f"iad-01, {key}: {value},")


def export(key, value):
    return CONNECTION + export_job(extra=f"completion: {{{key}: {value}}}")


def limit(key, value):
    return braze(key, f"{{requests: 1, per: {value}}}")


def schedule(key, value):
    return CONNECTION + import_job(extra=f"schedule: {{{key}: {value}}}")


def baseline(key, value):
    return CONNECTION + import_job(extra=f"baseline: {{{key}: {value}}}")


def source(key, value):
    return CONNECTION + import_job().replace(
        "prefix:", f"complete_when: {{{key}: {value}}}, prefix:", 1
    )


@pytest.mark.parametrize(
    ("written", "key", "sensible", "short", "long"),
    [
        (connection, "lease", ("5s", "3m", "1h"), ("0s", "1s", "4s"), ("61m", "1d")),
        (connection, "max_plan_age", ("1s", "1d", "30d"), ("0s",), ("31d",)),
        (braze, "spacing", ("0s", "1h"), (), ("2h",)),
        (braze, "grace", ("0s", "1h"), (), ("2h",)),
        (braze, "give_up", ("0s", "1d"), (), ("2d",)),
        (limit, "rate_limit", ("1s", "1d"), ("0s",), ("2d",)),
        (limit, "lookup_limit", ("1s", "1d"), ("0s",), ("2d",)),
        (export, "poll", ("1s", "1h"), ("0s",), ("2h",)),
        (export, "quiet", ("1s", "1h"), ("0s",), ()),
        (export, "timeout", ("2m", "7d"), (), ("8d",)),
        (schedule, "every", ("1s", "366d"), ("0s",), ("367d",)),
        (source, "settled", ("1s", "30s", "1d"), ("0s",), ("2d",)),
        (baseline, "max_age", ("1s", "366d"), ("0s",), ("9999d",)),
    ],
)
def test_lengths_that_make_no_sense_are_refused(written, key, sensible, short, long):
    """A lease that no request fits in, and a wait of months, are slips; the bound is told."""
    for value in sensible:
        read(written(key, value))
    for value, words in [(v, "at least") for v in short] + [(v, "at most") for v in long]:
        [(place, (message, guess))] = problems(written(key, value)).items()
        assert key in place
        assert words in message
        assert guess in message
