"""The verbs of the command line. Each verb imports what it needs only when it is called."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

import typer.main

from exchanger.cli.verbs import (
    adopt,
    alerts,
    backfill,
    check,
    daemon,
    decisions,
    demo,
    drift,
    explain,
    files,
    forget,
    init,
    jobs,
    plan,
    preview,
    rebuild,
    runs,
    sandbox,
    savings,
    schema,
    segments,
    send_test,
    show,
    status,
    types,
    undo,
)
from exchanger.cli.verbs import run as run_verb
from exchanger.version import __version__

_EPILOG = (
    "Exit codes: 0 done; 1 unexpected; 2 usage; 3 configuration; 4 done in part (rows rejected or"
    " refused); 5 held back until a person decides; 6 S3 unreachable or denied; 7 Braze unreachable"
    " or denied; 8 another process holds the job."
)

_AT_ITS_END = "PanicException"
"""What libraries in Rust raise that cannot go on; it is no exception of Python's."""

app = typer.Typer(
    name="exchanger",
    help="Keep Braze and an S3 bucket in step.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.command("init")(init.init)
app.command("check")(check.check)
app.command("plan")(plan.plan)
app.command("preview")(preview.preview)
app.command("send-test")(send_test.send_test)
app.command("run")(run_verb.run)
app.command("daemon")(daemon.daemon)
app.command("backfill")(backfill.backfill)
app.command("drift")(drift.drift)
app.command("rebuild")(rebuild.rebuild)
app.command("jobs")(jobs.jobs)
app.command("files")(files.files)
app.command("segments")(segments.segments)
app.command("runs")(runs.runs)
app.command("show")(show.show)
app.command("savings")(savings.savings)
app.command("explain")(explain.explain)
app.command("status")(status.status)
app.command("alerts")(alerts.alerts)
app.command("types")(types.types)
app.command("approve")(decisions.approve)
app.command("discard")(decisions.discard)
app.command("retry")(decisions.retry)
app.command("undo")(undo.undo)
app.command("forget")(forget.forget)
app.command("adopt")(adopt.adopt)
app.command("sandbox")(sandbox.sandbox)
app.command("demo")(demo.demo)
app.command("schema")(schema.schema)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - the signature of an option's callback
    if wanted:
        typer.echo(f"exchanger {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[  # noqa: ARG001 - its callback answers
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Keep Braze and an S3 bucket in step."""
    from exchanger.cli.lean import load_logging

    load_logging()


@cache
def command() -> Callable[..., Any]:
    """Return what carries out any verb; building it takes a thirtieth of a second."""
    return typer.main.get_command(app)


def run(arguments: list[str] | None = None) -> None:
    """
    Run a command line and exit with its code.

    Args:
        arguments: What follows the program's name; that of this process if left out.

    Raises:
        SystemExit: Always, with the exit code.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        # On its own, typer would tell wrong usage in words only, also where JSON is asked for.
        sys.exit(command()(args=words, prog_name="exchanger", standalone_mode=False))
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != _AT_ITS_END:
            raise
        from exchanger.cli.exit import report_failure

        sys.exit(report_failure(error, as_json="--json" in words))
