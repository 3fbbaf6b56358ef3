"""``exchanger send-test``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, JobName, Level, Wait, wait_seconds

if TYPE_CHECKING:
    from exchanger.config.models import Config
    from exchanger.jobs.planning.preview import PlanReport
    from exchanger.jobs.send_test import Exchange, OneRow


def send_test(  # noqa: PLR0913 - one for each option
    job: JobName,
    given: Annotated[
        str,
        typer.Argument(
            metavar="[JSON]", help='A row by hand, in place of one of a file: {"COLUMN": "value"}'
        ),
    ] = "",
    *,
    row: Annotated[
        int | None,
        typer.Option(min=1, help="Which row of the newest file that waits; the first if left out."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Send it without a question.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    wait: Wait = "10m",
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Try a job with one row: show the request, ask, send it, and show what Braze answers.

    The row counts once: what it gave is not given again when its file is run. A row by hand is a
    file of its own. Without a terminal or with --json, it is only sent with --yes.

    Example: exchanger send-test crm_profiles --row 3
    """
    from exchanger.cli.signals import stopping_on_signals

    with stopping_on_signals() as stopping:
        from exchanger.app.messages.exchanges import describe_requests, without_secrets
        from exchanger.app.wiring import prepare
        from exchanger.cli.choosing import import_job_of
        from exchanger.cli.execution import carry_out, show_outcomes
        from exchanger.cli.exit import print_json
        from exchanger.jobs import send_test as story

        seconds, loaded = wait_seconds(wait), prepare(config, log_level, as_json=as_json)
        wanted, chosen = import_job_of(loaded, job), _chosen(row, given)
        plan, planned = _foreseen(loaded, job, chosen, as_json=as_json)
        code = 4 if plan["report"]["rows_rejected"] else 0
        if not planned or not (yes or (not as_json and _agreed())):
            if as_json:
                print_json({"plan": plan, "requests": [*map(asdict, planned)], "sent": False})
            else:
                typer.echo("Nothing was sent.")
            raise typer.Exit(code)
        heard: list[Exchange] = []
        outcome = carry_out(
            loaded,
            job,
            lambda context: story.send_test(context, job, wanted, chosen, seconds, heard.append),
            stopping=stopping,
            as_json=as_json,
            begins=False,
        )
        said = without_secrets(loaded, heard)
        if as_json:
            told = {"requests": [*map(asdict, said)], "sent": bool(said), "report": outcome.report}
            print_json(told)
            raise typer.Exit(outcome.exit_code)
        for line in describe_requests(said):
            typer.echo(line)
        raise typer.Exit(show_outcomes([outcome], as_json=False, as_list=False))


def _chosen(row: int | None, given: str) -> OneRow:
    """
    Read which row is meant.

    Raises:
        typer.BadParameter: Several are, or what stands there is no row.
    """
    from exchanger.jobs.send_test import OneRow

    if given and row is not None:
        raise typer.BadParameter("name a row of a file, or give one, but not both")
    if not given:
        return OneRow(row or 1)
    try:
        found: Any = json.loads(given)
    except ValueError as error:
        raise typer.BadParameter(f"this is no JSON: {error}", param_hint="JSON") from error
    if not isinstance(found, dict) or not found:
        raise typer.BadParameter("a row is an object of columns", param_hint="JSON")
    return OneRow(given=given)


def _foreseen(
    config: Config, job: str, row: OneRow, *, as_json: bool
) -> tuple[dict[str, Any], list[Exchange]]:
    """Plan the row, and show to a person what would be sent."""
    from exchanger.app.messages.exchanges import describe_requests, without_secrets
    from exchanger.app.messages.notes.words import worded
    from exchanger.app.messages.plans import describe_plan
    from exchanger.app.wiring import open_context
    from exchanger.cli.choosing import import_job_of
    from exchanger.cli.progress import shown_progress
    from exchanger.jobs.send_test import plan_test

    planned: PlanReport
    wanted = import_job_of(config, job)
    with (
        shown_progress(as_json=as_json) as progress,
        open_context(config, config.connection_of(job), progress=progress) as context,
    ):
        planned, requests = plan_test(context, job, wanted, row)
    plan = planned.to_dict()
    plan["report"] = worded(plan["report"], context.option)
    requests = without_secrets(config, requests)
    if not as_json:
        for line in [*describe_plan(plan), *describe_requests(requests)]:
            typer.echo(line)
    return plan, requests


def _agreed() -> bool:
    """Ask a person; nobody is there without a terminal."""
    if not sys.stdin.isatty():
        typer.echo("To send it: the same once more with --yes")
        return False
    return typer.confirm("Send this to Braze?")
