"""``exchanger forget``."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, ConnectionName, Level, Wait, wait_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.jobs.forget import ForgetReport

_LEFT = 4


class Kind(StrEnum):
    """What can name a person."""

    external_id = "external_id"
    braze_id = "braze_id"
    alias = "alias"
    email = "email"
    phone = "phone"


def forget(  # noqa: PLR0913 - one for each option
    profile: Annotated[
        str, typer.Argument(metavar="PROFILE", help="The identifier, as in your files.")
    ],
    *,
    by: Annotated[
        Kind, typer.Option("--by", help="What the identifier is, as in the job's match.")
    ] = Kind.external_id,
    label: Annotated[
        str, typer.Option("--label", help="The label of an alias, whose name PROFILE is.")
    ] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Erase; without it, only tell what would be erased.")
    ] = False,
    wait: Wait = "10m",
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Show what is kept of a person; with --yes, erase it, and tell what cannot be reached.

    Safe to stop and to start again. What Braze has, and your files, stay as they are.

    Example: exchanger forget 4711 --yes
    """
    from exchanger.app.messages.notes.words import with_words
    from exchanger.app.wiring import open_context, prepare
    from exchanger.cli.choosing import connections_of
    from exchanger.cli.exit import print_json
    from exchanger.jobs.forget import forget as erase
    from exchanger.notes import as_plain
    from exchanger.profiles.reading.resolve import canonical_key

    seconds = wait_seconds(wait)
    wanted = profile.strip()
    if not wanted:
        raise typer.BadParameter("name the identifier of a profile", param_hint="PROFILE")
    if (key := canonical_key(by.value, wanted, label.strip())) is None:
        needs = "an alias needs its --label" if by is Kind.alias else f"this is no {by.value}"
        raise typer.BadParameter(needs, param_hint="PROFILE")
    loaded = prepare(config, log_level, as_json=as_json)
    reports = []
    for name in connections_of(loaded, connection):
        with open_context(loaded, name) as context:
            reports.append(with_words(erase(context, key, erase=yes, wait=seconds)))
    if as_json:
        told = [asdict(report, dict_factory=as_plain) for report in reports]
        print_json({"profile": wanted, "connections": told})
    else:
        for line in (line for report in reports for line in _lines(report)):
            typer.echo(line)
        if not yes:
            how = "" if by is Kind.external_id else f" --by {by.value}"
            how += f" --label {label}" if label else ""
            typer.echo(f"Nothing was erased. To erase it: exchanger forget {profile}{how} --yes")
    raise typer.Exit(_LEFT if yes and any(report.left for report in reports) else 0)


def _lines(report: ForgetReport) -> Iterator[str]:
    found = {kind: rows for kind, rows in report.touched.items() if rows}
    does = "was erased" if report.erased else "is kept"
    if found:
        yield f"{report.connection}: what {does} of this profile:"
        yield from (f"  {kind}: {rows:,} row{'s' * (rows > 1)}" for kind, rows in found.items())
    else:
        yield f"{report.connection}: nothing is kept of this profile."
    yield from (f"  {note}." for note in report.notes)
    yield from (f"  Still there: {left}." for left in report.left)
    yield "  Not touched: " + "; ".join(report.unreachable) + "."
