"""Whether what a file gives to sums counts, counts as a difference, or waits, case by case."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import polars as pl
import pytest

from exchanger.config.models import FieldConfig
from exchanger.errors import FileRejected
from exchanger.jobs.intake.deduplication import FileDecision, decide
from exchanger.jobs.intake.requests import FileRequest
from exchanger.jobs.runtime.memories import Memories
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.outside.delta.table import Table
from exchanger.profiles.frames.rules import Rule
from exchanger.state.inputs.file_ledger import FileLedger
from exchanger.state.runs.log import ClaimedFile

SUM = Rule("spend", "spend", "integer", FieldConfig(merge="sum", type="integer"))
SET = Rule("tier", "tier", "string", FieldConfig(merge="set", type="string"))


def file(key="in/a.csv", content="A", *, rows=10, rejected=0, outcome="applied", **more):
    """A claim of a version; its ETag tells its content."""
    more = {"sums": ("spend",)} | more
    return ClaimedFile(
        key=key, etag=f"etag-{content}", sha256=content, outcome=outcome, rows=rows,
        rejected=rejected, **more,
    )  # fmt: skip


class NoRuns:
    """A run log whose runs set every other field; none of them summed one that is not named."""

    def read(self, seq):
        return SimpleNamespace(document=SimpleNamespace(discarded=False, ack_parts=(), fields={}))


class Elsewhere(Memories):
    """Another state of the bucket that knows every file."""

    def of(self, file, sums, arrived):
        return "applied_elsewhere", "Another state applied it."


@dataclass
class Case:
    """What was applied before, the file that comes, what is asked, and what is decided."""

    decided: object
    before: list = field(default_factory=list)
    comes: ClaimedFile = field(default_factory=lambda: file(sums=()))
    rules: list = field(default_factory=lambda: [SUM, SET])
    request: dict = field(default_factory=dict)
    options: ImportOptions = field(default_factory=ImportOptions)
    memories: Memories = field(default_factory=Memories)
    counts_files: tuple = ()
    """Of a job whose rows have no names: what each file counts for once."""


AGAIN = {"rows": pl.Series([1], dtype=pl.UInt32)}
FULL = ImportOptions(full=True)
ROWS = ("@rows of crm",)
EVENTS = file(sums=ROWS)
TESTED = file(outcome="tested", rows=1, row=1)
TESTED_EVENT = file(outcome="tested", rows=1, row=1, sums=ROWS)
COUNTS, LEFT_OUT, DIFFERENCE = ("spend", "tier"), ("tier",), "difference"

CASES = {
    "a new file counts": Case(COUNTS),
    "a file of a job without sums counts": Case(("tier",), [file()], rules=[SET]),
    "the same content by another name waits": Case(
        "equal_content", [file()], file("in/b.csv", sums=())
    ),
    "the same content of a rejected file counts": Case(
        COUNTS, [file(rejected=10)], file("in/b.csv", sums=())
    ),
    "the same content of a partly rejected file waits": Case(
        "equal_content", [file(rejected=9)], file("in/b.csv", sums=())
    ),
    "the same content of a discarded file that had been sent waits": Case(
        "equal_content", [file(outcome="discarded")], file("in/b.csv", sums=())
    ),
    "a new version waits": Case("replaced", [file()], file(content="B", sums=())),
    "a new version of a rejected file counts": Case(
        COUNTS, [file(rejected=10)], file(content="B", sums=())
    ),
    "a version that came back waits": Case(
        "replaced", [file(), file(content="B", replaces=True)], file(sums=())
    ),
    "a new version that was approved counts as a difference": Case(
        DIFFERENCE, [file()], file(content="B", sums=()), request={"counting": "difference"}
    ),
    "a file that was approved in full counts": Case(
        COUNTS, [file()], file("in/b.csv", sums=()), request={"counting": "in_full"}
    ),
    "rows that are given again count": Case(COUNTS, [file(rejected=10)], request=AGAIN),
    "a file taken as if new gives nothing to a sum that it fed": Case(
        LEFT_OUT, [file()], options=FULL
    ),
    "a file taken as if new that was rejected counts": Case(
        COUNTS, [file(rejected=10)], options=FULL
    ),
    "a file that another state knows waits": Case("applied_elsewhere", memories=Elsewhere()),
    "rows given again of one that another state knows count": Case(
        COUNTS, request=AGAIN, memories=Elsewhere()
    ),
    "a rejected file that another state knows waits": Case(
        "applied_elsewhere", [file(rejected=10)], options=FULL, memories=Elsewhere()
    ),
    "a file of a run that waits counts for nobody": Case(
        COUNTS, [file(outcome="equal_content")], file("in/b.csv", sums=())
    ),
    "a copy of a file of nameless rows waits": Case(
        "equal_content", [EVENTS], file("in/b.csv", sums=()), [SET], counts_files=ROWS
    ),
    "a new version of a file of nameless rows waits": Case(
        "replaced", [EVENTS], file(content="B", sums=()), [SET], counts_files=ROWS
    ),
    "a file of which a row was tested counts as a difference": Case(DIFFERENCE, [TESTED]),
    "so does a new version of it": Case(DIFFERENCE, [TESTED], file(content="B", sums=())),
    "so does a file taken as if new": Case(DIFFERENCE, [TESTED], options=FULL),
    "a further row of it that is tested counts": Case(
        COUNTS, [TESTED], request=AGAIN | {"test": 2}
    ),
    "a test of a file that was applied waits": Case(
        "equal_content", [file()], request=AGAIN | {"test": 1}
    ),
    "so does a copy of it": Case(DIFFERENCE, [TESTED], file("in/b.csv", sums=())),
    "so does a copy of it that was approved": Case(
        DIFFERENCE, [TESTED], file("in/b.csv", sums=()), request={"counting": "in_full"}
    ),
    "a further copy of it waits": Case(
        "equal_content", [TESTED, file("in/b.csv", replaces=True)], file("in/c.csv", sums=())
    ),
    "it waits itself once a copy of it was applied": Case(
        "equal_content", [TESTED, file("in/b.csv", replaces=True)]
    ),
    "a copy of it waits once it was applied": Case(
        "equal_content", [TESTED, file(replaces=True)], file("in/b.csv", sums=())
    ),
    "a copy that was approved once it was applied counts": Case(
        COUNTS, [TESTED, file(replaces=True)], file("in/b.csv", sums=()),
        request={"counting": "in_full"},
    ),
    "what a row by hand has in common with a file waits": Case(
        "equal_content", [replace(TESTED, key="by hand", etag="")]
    ),
    "a file of which a tested row was rejected counts": Case(
        COUNTS, [file(outcome="tested", rows=1, rejected=1, row=1)]
    ),
    "a new version of a file that was applied after a test waits": Case(
        "replaced", [TESTED, file(replaces=True)], file(content="B", sums=())
    ),
    "a file of nameless rows of which one was tested counts": Case(
        ("tier",), [TESTED_EVENT], rules=[SET], counts_files=ROWS
    ),
    "so does a copy of it by another name": Case(
        ("tier",), [TESTED_EVENT], file("in/b.csv", sums=()), [SET], counts_files=ROWS
    ),
    "a new version of a file of which a nameless row was tested waits": Case(
        "replaced", [TESTED_EVENT], file(content="B", sums=()), [SET], counts_files=ROWS
    ),
}  # fmt: skip


def test_a_file_of_nameless_rows_that_is_taken_again_repeats_them(tmp_path):
    """Taken as if new, none of its rows is sent; of a new version nobody knows the difference."""
    ledger = FileLedger(Table(str(tmp_path / "applied"), {}), runs=NoRuns())
    ledger.record("crm", [EVENTS], seq=1)
    call = SimpleNamespace(name="crm", memories=Memories(), options=FULL, counts_files=ROWS)
    again = decide(call, file(sums=()), FileRequest("in/a.csv", "etag-A"), [SET], ledger.snapshot())
    assert again.repeated
    approved = FileRequest("in/a.csv", "etag-B", counting="difference")
    with pytest.raises(FileRejected, match="row_id"):
        decide(call, file(content="B", sums=()), approved, [SET], ledger.snapshot())


@pytest.mark.parametrize("name", CASES)
def test_a_file_counts_once(name, tmp_path):
    """The decision is that of its name: fields that are fed, a difference, or why it waits."""
    case = CASES[name]
    ledger = FileLedger(Table(str(tmp_path / "applied"), {}), runs=NoRuns())
    for seq, earlier in enumerate(case.before, 1):
        ledger.record("crm", [earlier], seq=seq)
    call = SimpleNamespace(
        name="crm",
        memories=case.memories,
        options=case.options,
        counts_files=case.counts_files,
    )
    request = FileRequest(case.comes.key, case.comes.etag, **case.request)
    found = decide(call, case.comes, request, case.rules, ledger.snapshot())
    if not isinstance(found, FileDecision):
        assert case.decided == found.claim.outcome
        assert found.claim.facts
    elif case.decided == DIFFERENCE:
        assert found.claim.replaces
    else:
        assert case.decided == tuple(rule.name for rule in found.rules)
        assert not found.claim.replaces
