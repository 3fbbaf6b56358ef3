import errno

import pytest

from exchanger.app.messages.errors import plain_words, words_for
from exchanger.app.messages.outside_errors import words_for_outside
from exchanger.braze.endpoints import COHORT_USERS, COHORTS, PERMISSIONS
from exchanger.errors import (
    BrazeForbidden,
    BrazeKeyRefused,
    BrazeRefused,
    BrazeUnreachable,
    CatalogDiffers,
    CatalogMissing,
    CohortMissing,
    ConfigError,
    EngineDiffers,
    EngineError,
    EngineGaveUp,
    EngineMissing,
    EngineSilent,
    EngineUnreachable,
    ExchangerError,
    ExportEmpty,
    ExportIncomplete,
    ExportRunning,
    FileRejected,
    JobBusy,
    NothingToAdopt,
    NothingToBackfill,
    PlanMoved,
    PlanUnusable,
    Problem,
    QueueError,
    RunMissing,
    RunUnsuitable,
    SegmentMissing,
    StateDamaged,
    StateMissing,
    Stopped,
    StorageDenied,
    StorageMissing,
    StorageUnreachable,
    WorkspaceDiffers,
)


def every_error(kind=ExchangerError):
    for sub in kind.__subclasses__():
        if sub.__module__ == "exchanger.errors":
            yield sub
        yield from every_error(sub)


@pytest.mark.parametrize("kind", sorted(set(every_error()), key=lambda kind: kind.__name__))
def test_every_error_has_words_of_its_own(kind):
    """No error that we raise on purpose is left to general words."""
    assert kind in plain_words.registry.keys() | words_for_outside.registry.keys()


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
        (SegmentMissing("VIPs", ["All", "VIP", "VIP 2"], near=["VIP", "VIP 2"]),
         "did you mean 'VIP'? Also spelt much like it:\n  VIP 2", "exchanger segments"),
        (SegmentMissing("VIP", ["VIP"], ["a1", "b2"]), "Several segments", "id"),
        (SegmentMissing("VIP", []), "no other either", "exchanger segments"),
        (SegmentMissing("x", [f"s{n}" for n in range(12)]), "There are:", "exchanger segments"),
        (SegmentMissing("x", [f"s{n}" for n in range(1_012)]),
         "and 1,002 more", "exchanger segments"),
        (CatalogMissing("shops", ["shop"]), "did you mean 'shop'?", "check --connect"),
        (CatalogMissing("x", ["shop", "menu"]), "There are:\n  shop\n  menu", "the files wait"),
        (CatalogMissing("x", []), "no other either", "the files wait"),
        (CatalogDiffers("shop", ["titel"], {"price": ("string", "number")}, ["title", "price"]),
         "no field 'titel'; did you mean 'title'?\n  its field 'price' is of type number, and",
         "set its 'type'"),
        (BrazeKeyRefused(COHORTS, 401, "Invalid client secret"),
         "change the cohort (401 at /partners/{name}/cohorts: Invalid client secret).",
         "partner_key and client_secret"),
        (BrazeForbidden(COHORT_USERS, 403), "change the cohort (403 at", "api_key has no part"),
        (CohortMissing(COHORT_USERS, "acme/vip"), "the cohort 'acme/vip', and no job", "discard"),
        (ExportRunning("abc", "busy"), "already exporting the segment abc", "Wait"),
        (ExportEmpty("VIP", "s3://b/segment-export/1/", estimate=1234, may_be_allowed=True),
         "'VIP' brought nobody: no file came to s3://b/segment-export/1/, and Braze estimates 1,2",
         "empty: allow"),
        (ExportEmpty("VIP", "", unknown_because="Braze did not answer"),
         "Braze offered holds no user, and how many users Braze estimates is not known (Braze did",
         "assume_empty"),
        (ExportEmpty("VIP", "s3://b/x/1/", estimate=0, files=2),
         "its 2 files in s3://b/x/1/ hold no user", "export_root"),
        (ExportIncomplete("/users/export/segment", 0, "not complete after 5 s"),
         "(not complete after 5 s).", "timeout: 8h"),
        (ExportIncomplete("/users/export/segment", 0, "late", empty_folder="s3://b/x/1/"),
         "No file came to s3://b/x/1/.", "export_root"),
        (StorageDenied("read", "acme", "a/b"), "allow us to read s3://acme/a/b", "--connect"),
        (StorageMissing("list", "acme"), "no bucket called acme", "exchanger sandbox"),
        (StorageMissing("read", "acme", "a"), "no object s3://acme/a", "again"),
        (StorageUnreachable("list", "acme", detail="refused"), "(refused)", "Nothing is lost"),
        (EngineUnreachable("tcp://a:1", "refused"),
         "tcp://a:1 cannot be used: refused", "dask worker tcp://a:1"),
        (EngineDiffers("tcp://a:1", "tcp://b:2", {"polars": "1"}, {"polars": "2"}),
         "polars: 1 there, 2 here", "same versions"),
        (EngineDiffers("tcp://a:1", "", {"braze-s3-exchanger": ""}, {"braze-s3-exchanger": "2"}),
         "exchanger: not installed there, 2 here", "same versions"),
        (EngineGaveUp("tcp://a:1", 4), "4 workers", "--memory-limit"),
        (EngineSilent("tcp://a:1", 30), "not come back for 30 minutes", "dask worker"),
        (EngineMissing("tcp://a:1", "No module named 'dask'"), "not installed", "pip install"),
        (
            QueueError("hear of new files from", "https://sqs/1/q", "AccessDenied: no"),
            "SQS could not hear of new files from https://sqs/1/q: AccessDenied: no.",
            "sqs:ReceiveMessage",
        ),
        (EngineError("tcp://a:1", "odd"), "did not plan the run: odd", "Nothing was sent"),
        (FileRejected("in/a.csv", "ragged", "This row has 3 cells.", 7, "tier"),
         "in/a.csv, row 7, column tier: This row has 3 cells.", ""),
        (JobBusy("crm", "host-1"), "working on crm (host-1)", "exchanger runs"),
        (StateDamaged("runs/1.json", "no JSON"), "runs/1.json", "do not delete"),
        (StateMissing("outbox/1"), "outbox/1, which exchanger wrote", "exchanger discard RUN"),
        (NothingToBackfill("crm", "no range"), "crm has nothing to backfill", "--full"),
        (NothingToBackfill("crm", "it is old", "Do that"), "to backfill: it is old.", "Do that"),
        (PlanUnusable("p.json", "it is odd"), "p.json cannot be used: it is odd.", "--save"),
        (PlanMoved("crm", "It moved."), "nothing was sent. It moved.", "plan crm --save"),
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


def test_near_names_are_not_said_to_be_all_that_there_are():
    """Where a name is guessed, nothing is said of which segments exist."""
    names = [f"s{n}" for n in range(50)] + ["VIP", "VIP 2"]
    words = words_for(SegmentMissing("VIPs", names, near=["VIP", "VIP 2"]))
    assert "There are" not in words.what


def test_a_command_of_a_later_version_is_no_broken_file():
    """There is nothing to correct when a command is not built yet."""
    words = words_for(ConfigError([Problem("undo", "this is not in this version")]))
    assert "exchanger check" not in str(words)


def test_permissions_are_named_as_braze_names_them():
    """The words of a missing permission can be searched for in Braze's list of permissions."""
    assert set(PERMISSIONS.values()) == {
        "users.track",
        "users.track.status",
        "users.export.segment",
        "users.export.ids",
        "email.status",
        "subscription.groups.get",
        "subscription.status.get",
        "subscription.status.set",
        "segments.list",
        "catalogs.get",
        "catalogs.get_item",
        "catalogs.add_items",
        "catalogs.update_items",
        "catalogs.replace_items",
        "catalogs.delete_items",
        "segments.data_series",
        "users.alias.new",
        "users.alias.update",
        "users.identify",
        "users.merge",
        "users.delete",
        "users.external_ids.rename",
        "users.external_ids.remove",
    }


def test_a_limit_of_open_files_is_told_as_that():
    """The library says only that it could not open one of them."""
    told = words_for(OSError(errno.EMFILE, "Too many open files", "/tmp/file-0"))
    assert "may not open more files at once (Too many open files: /tmp/file-0)" in told.what
    assert "ulimit -n 1024" in told.next
    other = words_for(OSError(errno.EIO, "Input/output error"))
    assert "Something unexpected happened: OSError" in other.what


PAGE = (
    "<!DOCTYPE html>\n<style>b {}</style><title>Blocked</title><b>by the proxy</b>"
    + "<p>x</p>" * 300
)


@pytest.mark.parametrize(
    "error",
    [
        BrazeForbidden("/users/track", 403, PAGE),
        BrazeKeyRefused("/users/track", 401, PAGE),
        BrazeRefused("/users/track", 404, PAGE),
        BrazeRefused("/users/track", 302, "Error"),
        BrazeRefused("/users/track", 407, "proxy auth"),
    ],
)
def test_what_a_proxy_answers_is_no_answer_of_braze(error):
    """Neither key nor permission is blamed; the page is shown as a few words, without its marks."""
    said = words_for(error)
    assert said.what.startswith("What answered in place of Braze at /users/track")
    assert f"({error.status}" in said.what
    assert "HTTPS_PROXY" in said.next
    assert "<" not in said.what
    assert len(said.what) < 200
    if error.detail == PAGE:
        assert "Blocked by the proxy" in said.what
    assert "permission" in words_for(BrazeForbidden("/users/track", 403, "Access denied")).what


DIFFERS = WorkspaceDiffers("eu", "s3://b/a/", "x", "y", unclear=False)


@pytest.mark.parametrize(
    ("error", "of", "then"),
    [
        (RunUnsuitable("3", "undo", "no"), " --connection eu", "exchanger show 3 --connection eu"),
        (RunUnsuitable("3", "undo", "no"), "", "exchanger show 3"),
        # An id is that of no other run.
        (RunUnsuitable("3-crm-x", "undo", "no"), " --connection eu", "exchanger show 3-crm-x"),
        (StateMissing("k"), " --connection eu", "exchanger discard RUN --connection eu; its"),
        (NothingToAdopt("eu", "no", ["a/"]), " --connection eu", "adopt a/ --connection eu"),
        (DIFFERS, " --connection eu", "exchanger adopt --connection eu"),
    ],
)
def test_what_to_type_names_the_connection_of_an_error_once(error, of, then):
    """Each connection counts its runs from 1: a number alone would be asked about."""
    error.option = of
    words = words_for(error)
    assert then in words.next
    assert str(words).count("--connection") == then.count("--connection")


def test_what_is_proposed_beside_what_went_wrong_names_it_too():
    """The reason itself may propose a command."""
    error = RunUnsuitable("3", "approve", "to drop it: exchanger discard 3. Or run it anew")
    error.option = " --connection eu"
    assert "exchanger discard 3 --connection eu. Or" in words_for(error).what
