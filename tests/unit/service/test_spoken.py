import os
import threading

import pytest
from structlog.testing import capture_logs

from exchanger.service.telling import spoken
from exchanger.service.telling.spoken import pieces, tell

AN_EVENT = '{"event": "run.planned", "level": "error", "timestamp": "T", "seq": 1}'
AS_EVENT = {
    "event": "run.planned", "log_level": "error", "timestamp": "T", "seq": 1, "job": "crm",
}  # fmt: skip


LEFT_OUT = "\n... 42,000 characters left out ...\n"


def words(text):
    return {"event": "run.said", "log_level": "warning", "job": "crm", "text": text}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([AN_EVENT], [AS_EVENT]),
        (["Traceback", "  in x", "ValueError"], [words("Traceback\n  in x\nValueError")]),
        (["before", AN_EVENT, "after"], [words("before"), AS_EVENT, words("after")]),
        (['{"event": "cut o'], [words('{"event": "cut o')]),
        (['{"a": 1}'], [words('{"a": 1}')]),
        (['{"event": 3}'], [words('{"event": 3}')]),
        (["[1]"], [words("[1]")]),
        (["{" * 50_000], [words("{" * 2_000 + LEFT_OUT + "{" * 6_000)]),
        (["", "  "], []),
        ([], []),
        # whom it is about, a child knows best; what is no level is a warning
        (['{"event": "e", "job": "other"}'],
         [{"event": "e", "log_level": "warning", "job": "other"}]),
        (['{"event": "e", "level": 7, "self": 1}'],
         [{"event": "e", "log_level": "warning", "job": "crm"}]),
    ],
)  # fmt: skip
def test_what_a_child_says_becomes_events(lines, expected):
    """Its own events pass as they are; all else is one event for what stands together."""
    with capture_logs() as told:
        tell(lines, "run.said", job="crm")
    assert expected == told


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as there, os.fdopen(writing, "wb", buffering=0) as w:
        yield there.fileno(), w


def test_lines_that_come_together_stay_together(pipe):
    """A traceback is one piece, although it is written line by line, and the last needs no end."""
    reading, writing = pipe
    for part in (b"Traceback\n", b"  in x\n", b"Val", "uéError\n".encode(), b"\xff last"):
        writing.write(part)
    writing.close()

    assert ["Traceback", "  in x", "ValuéError", "\N{REPLACEMENT CHARACTER} last"] == [
        line for piece in pieces(reading) for line in piece
    ]


def test_a_line_is_not_held_until_the_next_one(pipe):
    """What a child says before it is silent is told then, not at its end."""
    reading, writing = pipe
    writing.write(b"one\ntw")
    read = pieces(reading)
    assert ["one"] == next(read)
    writing.write(b"o\n")
    assert ["two"] == next(read)


def test_a_line_without_end_takes_bounded_memory(pipe, monkeypatch):
    """Who writes on and on without a line end is cut."""
    monkeypatch.setattr(spoken, "_LONGEST", 100_000)
    reading, writing = pipe

    def write():
        for _ in range(30):
            writing.write(b"x" * 10_000)
        writing.close()

    threading.Thread(target=write).start()
    found = [line for piece in pieces(reading) for line in piece]
    assert 300_000 == sum(map(len, found))
    assert max(map(len, found)) <= 100_000 + 2 * (1 << 16)
