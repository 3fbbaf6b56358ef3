"""``exchanger adopt``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, ConnectionName, Level, Wait, wait_seconds

if TYPE_CHECKING:
    from exchanger.jobs.adopt import Adoption


def adopt(  # noqa: PLR0913 - one for each option
    state: Annotated[
        str | None,
        typer.Argument(
            metavar="STATE",
            help="The state prefix to take over; if left out, the only one that can be meant.",
        ),
    ] = None,
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    wait: Wait = "10m",
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Let a connection go on with a memory: after its key or address changed, or after it was renamed.

    It says that the state was made with the workspace that the connection reaches. If the state is
    that of another name of the connection, it takes the place of the connection's own.

    Example: exchanger adopt _exchanger/old_name/
    """
    from exchanger.cli.signals import stopping_on_signals

    with stopping_on_signals() as stopping:
        from dataclasses import asdict

        from exchanger.app.wiring import open_context, prepare
        from exchanger.cli.choosing import only_connection
        from exchanger.cli.exit import print_result
        from exchanger.config.loading.shorthand import folder
        from exchanger.jobs.adopt import adopt as take_over

        seconds = wait_seconds(wait)
        loaded = prepare(config, log_level, as_json=as_json)
        name = only_connection(loaded, connection)
        source = None if state is None else folder(state)
        with open_context(loaded, name, stopping=stopping) as context:
            adoption = take_over(context, source, seconds)
    print_result(asdict(adoption), lambda _: _lines(adoption), as_json=as_json)


def _lines(adoption: Adoption) -> list[str]:
    runs = f"{adoption.runs:,} {'run' if adoption.runs == 1 else 'runs'}"
    said = [f"{adoption.connection} goes on with the memory in {adoption.state}: {runs}."]
    if adoption.moved:
        said.append(f"  It was made by the connection '{adoption.made_by}'.")
    if adoption.instance_before != adoption.instance:
        before = adoption.instance_before or "an instance that it did not name"
        said.append(
            f"  Made with {before}, it counts as a state of {adoption.instance} from now on."
        )
    return said
