"""``exchanger alerts``."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, ConnectionName, Level

if TYPE_CHECKING:
    from exchanger.config.models import Config

_UNREACHED = 4
"""The exit code where a channel was not reached."""


def alerts(  # noqa: PLR0913 - one for each option
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    trial: Annotated[
        bool, typer.Option("--try", help="Send a text to each channel, which says that it is one.")
    ] = False,
    hear: Annotated[
        str | None,
        typer.Option(hidden=True, help="What the daemon saw and people are to be told, as JSON."),
    ] = None,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Show what people were told of and is not over, and what could not be told yet.

    With --try, each channel of notifications gets a text; the exit code is 4 if one does not take
    it.

    Example: exchanger alerts --try
    """
    from exchanger.app.wiring import prepare
    from exchanger.cli.signals import stopping_on_signals

    with stopping_on_signals():  # What is being sent is written down before the end.
        loaded = prepare(config, log_level, as_json=as_json)
        if trial:
            code = _try(loaded, str(config), as_json=as_json)
        elif hear is not None:
            code = _hear(loaded, connection, json.loads(hear))
        else:
            code = _show(loaded, connection, as_json=as_json)
    raise typer.Exit(code)


def _try(config: Config, source: str, *, as_json: bool) -> int:
    from dataclasses import asdict

    from exchanger.app.alerts.channels import check_channels, try_channels
    from exchanger.cli.exit import print_json

    check_channels(config, source)
    trials = try_channels(config)
    ok = all(one.ok for one in trials)
    if as_json:
        print_json({"ok": ok, "channels": [asdict(one) for one in trials]})
    for one in [] if as_json else trials:
        typer.echo(f"{one.channel} {'took it' if one.ok else 'DID NOT take it'}")
    if not trials and not as_json:
        typer.echo("There are no notifications in the configuration: docs/alerts.md")
    return 0 if ok else _UNREACHED


def _hear(config: Config, connection: str | None, heard: list[dict[str, Any]]) -> int:
    """Send people what the daemon saw, and what could not be sent before."""
    from exchanger.app.alerts.news import news_of_daemon
    from exchanger.app.alerts.tell import open_alerts, tell
    from exchanger.app.wiring import open_context
    from exchanger.cli.choosing import connections_of
    from exchanger.cli.exit import print_json

    [name] = connections_of(config, connection)
    known = [one for one in heard if one["job"] in config.jobs]
    with open_context(config, name) as context:
        told = tell(
            open_alerts(context), config, [(news_of_daemon(config, one), None) for one in known]
        )
    print_json({"waiting": told.waiting, "again_in": told.again_in})
    return 0


def _show(config: Config, connection: str | None, *, as_json: bool) -> int:
    from exchanger.app.alerts.listing import alerts_json, describe_alerts
    from exchanger.app.alerts.tell import open_alerts
    from exchanger.app.asking import ask_each
    from exchanger.cli.choosing import connections_of
    from exchanger.cli.exit import end_with

    chosen = connections_of(config, connection)
    books, faults = ask_each(config, chosen, lambda context: open_alerts(context).read())
    content = alerts_json(config, books)
    lines = partial(describe_alerts, content)
    return end_with("alerts", content, faults, as_json=as_json, describe=lines)
