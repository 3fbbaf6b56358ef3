import io
import sys

from rich.console import Console
from rich.progress import Progress as Bars

from exchanger.cli.progress import PlainProgress, TerminalProgress, shown_progress
from exchanger.jobs.runtime.context import SilentProgress


def test_plain_progress_says_steps_and_now_and_then_how_far():
    """A step is a line, and a long one says how far it is every ten seconds and at its end."""
    out, seconds = io.StringIO(), iter([0, 1, 11, 11, 12, 12, 13])
    progress = PlainProgress(out, lambda: next(seconds))
    progress.step("sending", 3000)
    progress.advance(1000)
    progress.advance(1000)
    progress.advance(1000)
    progress.step("settling")
    progress.close()
    assert out.getvalue().splitlines() == [
        "sending (3,000)",
        "sending: 2,000 of 3,000",
        "sending: 3,000 of 3,000",
        "settling",
    ]


def test_a_program_that_reads_gets_no_progress(capsys):
    """With --json, standard error holds log events alone."""
    with shown_progress(as_json=True) as progress:
        assert isinstance(progress, SilentProgress)
        progress.step("sending", 3)
        progress.advance(3)
    assert capsys.readouterr() == ("", "")


def test_what_is_no_terminal_gets_plain_lines_on_standard_error(capsys):
    """Cron mails and build logs get lines, not bars."""
    with shown_progress(as_json=False) as progress:
        progress.step("reading files", 2)
        progress.advance(2)
    assert capsys.readouterr() == ("", "reading files (2)\nreading files: 2 of 2\n")


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    """A terminal shows one bar for each step."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with shown_progress(as_json=False) as progress:
        assert isinstance(progress, TerminalProgress)
        progress.step("reading files", 2)


def test_the_bar_of_a_step_is_full_when_the_next_begins():
    """A finished step does not look as if it hung."""
    bars = Bars(console=Console(file=io.StringIO()))
    progress = TerminalProgress(bars)
    progress.step("reading", 10)
    progress.advance(4)
    progress.step("sending")
    progress.advance(1)
    assert [(task.description, task.completed) for task in bars.tasks] == [
        ("reading", 4),
        ("sending", 1),
    ]
    assert bars.tasks[0].finished
