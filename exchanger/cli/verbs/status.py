"""``exchanger status``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, ConnectionName, Level

if TYPE_CHECKING:
    from exchanger.app.messages.standings import Kind


def status(
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    fail_on: Annotated[
        str,
        typer.Option(
            metavar="KINDS",
            help="End with 4 for any of failed and stale, and with 5 for held: failed,held,stale.",
        ),
    ] = "",
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Show whether a daemon is alive, and what needs a person.

    Failed are jobs whose last run failed, held are runs that wait for a decision, and stale are
    jobs that brought nothing for longer than they expect, and schedules without a daemon.

    Example: exchanger status --fail-on failed,held,stale
    """
    from exchanger.cli.lean import load_arrow

    load_arrow()
    from exchanger.app.asking import ask_each
    from exchanger.app.messages.standings import code_of, describe_standing, standing_json
    from exchanger.app.outcome import worst
    from exchanger.app.wiring import prepare
    from exchanger.cli.choosing import connections_of
    from exchanger.cli.exit import end_with
    from exchanger.jobs.inventory.standing import standing

    kinds = _kinds(fail_on)
    loaded = prepare(config, log_level, as_json=as_json)
    chosen = connections_of(loaded, connection)
    if connection is None:
        chosen = [name for name in chosen if loaded.connections[name].enabled]
    found, faults = ask_each(
        loaded, chosen, lambda context: standing(context, loaded.jobs_of(context.connection))
    )
    content = standing_json(loaded, found)
    lines = partial(describe_standing, content)
    code = end_with("status", content, faults, as_json=as_json, describe=lines)
    raise typer.Exit(worst([code, code_of(content, kinds)]))


def _kinds(text: str) -> set[Kind]:
    """
    Read ``--fail-on``.

    Raises:
        typer.BadParameter: It names something else.
    """
    from exchanger.app.messages.standings import CODES
    from exchanger.config.findings import closest, listed

    named = {word.strip() for word in text.split(",") if word.strip()}
    for word in sorted(named - CODES.keys()):
        guess = closest(word, CODES)
        hint = f"did you mean {guess}?" if guess else f"there are {listed(sorted(CODES), 'and')}"
        raise typer.BadParameter(f"there is no kind '{word}'; {hint}", param_hint="--fail-on")
    return {kind for kind in CODES if kind in named}
