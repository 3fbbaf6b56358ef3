import pytest

from exchanger.cli import outside_wording
from exchanger.cli.outside_wording import words_for_outside
from exchanger.cli.wording import words_for
from exchanger.errors import (
    BrazeForbidden,
    BrazeKeyRefused,
    BrazeUnreachable,
    ConfigError,
    EngineDiffers,
    EngineError,
    EngineGaveUp,
    EngineMissing,
    EngineSilent,
    EngineUnreachable,
    ExchangerError,
    ExportRunning,
    FileRejected,
    JobBusy,
    NothingToBackfill,
    Problem,
    RunMissing,
    SegmentMissing,
    StateDamaged,
    StateMissing,
    Stopped,
    StorageDenied,
    StorageMissing,
    StorageUnreachable,
)


def every_error(kind=ExchangerError):
    for sub in kind.__subclasses__():
        if sub.__module__ == "exchanger.errors":
            yield sub
        yield from every_error(sub)


@pytest.mark.parametrize("kind", sorted(set(every_error()), key=lambda kind: kind.__name__))
def test_every_error_has_words_of_its_own(kind):
    """No error that we raise on purpose is left to general words."""
    assert kind in words_for.registry.keys() | words_for_outside.registry.keys()


PROBLEMS = [
    Problem("jobs.crm.fields.first_name", "'fname' is not a strategy",
            "{from: fname, merge: set}", 12),
    Problem("connections", "name at least one connection"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "what", "then"),
    [
        (
            ConfigError(PROBLEMS, "c.yaml"),
            """2 problems in c.yaml:
  line 12: jobs.crm.fields.first_name: 'fname' is not a strategy; did you mean {from: fname, \
merge: set}?
  connections: name at least one connection""",
            "exchanger check",
        ),
        (
            ConfigError([Problem("", "it cannot be read: No such file")], "c.yaml"),
            "One problem in c.yaml:\n  it cannot be read: No such file",
            "exchanger init",
        ),
        (BrazeKeyRefused("/users/track", 401), "does not know this API key", "api_key"),
        (BrazeForbidden("/users/export/ids", 403), "the permission users.export.ids", "create"),
        (BrazeUnreachable("/users/track", 503), "answered 503", "Nothing is lost"),
        (BrazeUnreachable("/users/track"), "did not answer", "Nothing is lost"),
        (SegmentMissing("VIPs", ["VIP", "All"]), "did you mean 'VIP'?", "exchanger segments"),
        (SegmentMissing("VIP", ["VIP"], ["a1", "b2"]), "Several segments", "id"),
        (SegmentMissing("VIP", []), "no other either", "exchanger segments"),
        (SegmentMissing("x", [f"s{n}" for n in range(12)]), "and 2 more", "exchanger segments"),
        (ExportRunning("abc", "busy"), "already exporting the segment abc", "Wait"),
        (StorageDenied("read", "acme", "a/b"), "allow us to read s3://acme/a/b", "--connect"),
        (StorageMissing("list", "acme"), "no bucket called acme", "exchanger sandbox"),
        (StorageMissing("read", "acme", "a"), "no object s3://acme/a", "again"),
        (StorageUnreachable("list", "acme", detail="refused"), "(refused)", "Nothing is lost"),
        (EngineUnreachable("tcp://a:1", "refused"),
         "tcp://a:1 cannot be used: refused", "dask worker tcp://a:1"),
        (EngineDiffers("tcp://a:1", "tcp://b:2", {"polars": "1"}, {"polars": "2"}),
         "polars: 1 there, 2 here", "same versions"),
        (EngineDiffers("tcp://a:1", "", {"exchanger": ""}, {"exchanger": "2"}),
         "exchanger: not installed there, 2 here", "same versions"),
        (EngineGaveUp("tcp://a:1", 4), "4 workers", "--memory-limit"),
        (EngineSilent("tcp://a:1", 30), "not come back for 30 minutes", "dask worker"),
        (EngineMissing("tcp://a:1", "No module named 'dask'"), "not installed", "pip install"),
        (EngineError("tcp://a:1", "odd"), "did not plan the run: odd", "Nothing was sent"),
        (FileRejected("in/a.csv", "ragged", "This row has 3 cells.", 7, "tier"),
         "in/a.csv, row 7, column tier: This row has 3 cells.", ""),
        (JobBusy("crm", "host-1"), "working on crm (host-1)", "exchanger runs"),
        (StateDamaged("runs/1.json", "no JSON"), "runs/1.json", "do not delete"),
        (StateMissing("outbox/1"), "outbox/1, which exchanger wrote", "exchanger discard RUN"),
        (NothingToBackfill("crm", "no range"), "crm has nothing to backfill", "--full"),
        (Stopped(), "before anything was sent", "again"),
        (RunMissing("12"), "no run 12", "exchanger runs"),
        (RunMissing("x-crm-1"), "Nothing is kept of a run that had", "exchanger runs"),
        (ZeroDivisionError("division"), "ZeroDivisionError: division", "--log-level debug"),
    ],
)  # fmt: skip
def test_an_error_says_what_happened_and_what_to_type_next(error, what, then):
    """Words name the facts of the error and the next step."""
    words = words_for(error)
    assert what in words.what
    assert then in words.next


def test_a_command_of_a_later_version_is_no_broken_file():
    """There is nothing to correct when a command is not built yet."""
    words = words_for(ConfigError([Problem("undo", "this is not in this version")]))
    assert "exchanger check" not in str(words)


def test_permissions_are_named_as_braze_names_them():
    """The words of a missing permission can be searched for in Braze's list of permissions."""
    assert set(outside_wording._PERMISSIONS.values()) == {
        "users.track",
        "users.export.segment",
        "users.export.ids",
        "segments.list",
    }
