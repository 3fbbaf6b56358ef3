"""``exchanger files``."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, ConnectionName, Level

if TYPE_CHECKING:
    from exchanger.config.models import Config
    from exchanger.jobs.inventory.file_fate import FileFate
    from exchanger.jobs.inventory.unclaimed import Unclaimed

_MISSING = 2
"""The exit code if nobody knows the file: it is misspelt."""


def files(  # noqa: PLR0913 - one for each option
    key: Annotated[
        str | None,
        typer.Argument(metavar="KEY", help="A file in the bucket: inbox/crm/monday.csv"),
    ] = None,
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    unclaimed: Annotated[
        bool,
        typer.Option(
            "--unclaimed", help="List files that no job takes: a wrong name, a wrong folder."
        ),
    ] = False,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Show what became of a file: which run took it, with what result, or why no job takes it.

    Without KEY, list the files of the last runs.

    Example: exchanger files inbox/crm/monday.csv
    """
    from exchanger.app.wiring import prepare
    from exchanger.cli.choosing import connections_of

    if key is not None and unclaimed:
        raise typer.BadParameter("name a file, or list all that no job takes", param_hint="KEY")
    loaded = prepare(config, log_level, as_json=as_json)
    chosen = connections_of(loaded, connection)
    if key is not None:
        raise typer.Exit(_show_fates(loaded, chosen, key, as_json=as_json))
    if unclaimed:
        _show_unclaimed(loaded, chosen, as_json=as_json)
    else:
        _show_recent(loaded, chosen, as_json=as_json)


def _show_fates(config: Config, connections: list[str], key: str, *, as_json: bool) -> int:
    from exchanger.app.messages.files import describe_fate, with_versions_worded
    from exchanger.cli.exit import print_result

    homes = _homes(config, connections, key)
    options = {name: config.option_of(name) for name in homes}
    found = {
        name: with_versions_worded(_fate(config, name, key), of) for name, of in options.items()
    }
    known = {name: fate for name, fate in found.items() if fate.is_known}
    # A bucket may be that of several connections, of which one alone has to do with the file.
    concerned = {name: fate for name, fate in known.items() if fate.jobs or fate.versions}
    shown = concerned or dict([*known.items(), *found.items()][:1])
    content = [{"connection": name} | fate.to_dict() for name, fate in shown.items()]
    lines = (describe_fate(fate, options[name]) for name, fate in shown.items())
    print_result(content, lambda _: chain.from_iterable(lines), as_json=as_json)
    return 0 if known else _MISSING


def _homes(config: Config, connections: list[str], key: str) -> list[str]:
    """Choose the connections in whose bucket a file may lie: all of them, unless it says which."""
    if not key.startswith("s3://"):
        return connections
    bucket = key.removeprefix("s3://").split("/")[0]
    homes = [name for name in connections if config.connections[name].s3.bucket == bucket]
    if not homes:
        raise typer.BadParameter(f"no connection has the bucket {bucket}", param_hint="KEY")
    return homes


def _fate(config: Config, connection: str, key: str) -> FileFate:
    from exchanger.app.wiring import open_context
    from exchanger.jobs.inventory.file_fate import fate_of

    if key.startswith("s3://"):
        key = key.removeprefix("s3://").partition("/")[2]
    with open_context(config, connection) as context:
        return fate_of(context, [*config.imports_of(connection)], key)


def _show_unclaimed(config: Config, connections: list[str], *, as_json: bool) -> None:
    from exchanger.app.messages.files import describe_unclaimed
    from exchanger.cli.exit import print_result

    unique: dict[tuple[str, str], tuple[str, Unclaimed]] = {}
    for name in connections:
        for each in _unclaimed(config, name):
            # Connections that share a bucket look at the same objects.
            unique.setdefault((config.connections[name].s3.bucket, each.key), (name, each))
    content = [{"connection": name} | each.to_dict() for name, each in unique.values()]
    found = [each for _, each in unique.values()]
    print_result(content, lambda _: describe_unclaimed(found), as_json=as_json)


def _unclaimed(config: Config, connection: str) -> list[Unclaimed]:
    from exchanger.app.wiring import open_context
    from exchanger.jobs.inventory.unclaimed import unclaimed_files

    with open_context(config, connection) as context:
        return unclaimed_files(context, [*config.imports_of(connection)])


def _show_recent(config: Config, connections: list[str], *, as_json: bool) -> None:
    from exchanger.app.messages.files import describe_recent
    from exchanger.app.wiring import open_context
    from exchanger.cli.exit import print_result
    from exchanger.jobs.inventory.file_fate import recent_files

    found: list[dict[str, Any]] = []
    for name in connections:
        with open_context(config, name) as context:
            found += [{"connection": name} | file for file in recent_files(context)]
    print_result(found, describe_recent, as_json=as_json)
