"""``exchanger forget``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import (
    AsJson,
    ConfigPath,
    ConnectionName,
    Kind,
    Label,
    Level,
    ProfileName,
    Wait,
    key_of,
    typed,
    wait_seconds,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.jobs.forget import ForgetReport

_LEFT = 4


def forget(  # noqa: PLR0913 - one for each option
    profile: ProfileName,
    *,
    by: Annotated[
        Kind, typer.Option("--by", help="What the identifier is, as in the job's match.")
    ] = Kind.external_id,
    label: Label = "",
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

    seconds = wait_seconds(wait)
    key = key_of(profile, by, label)
    loaded = prepare(config, log_level, as_json=as_json)
    reports = []
    for name in connections_of(loaded, connection):
        with open_context(loaded, name) as context:
            reports.append(with_words(erase(context, key, erase=yes, wait=seconds), context.option))
    if as_json:
        told = [asdict(report, dict_factory=as_plain) for report in reports]
        print_json({"profile": profile.strip(), "connections": told})
    else:
        for line in (line for report in reports for line in _lines(report)):
            typer.echo(line)
        if not yes:
            how = [] if by is Kind.external_id else ["--by", by.value]
            how += ["--label", label] if label else []
            erasing = typed("forget", profile, *how, "--yes", connection=connection)
            typer.echo(f"Nothing was erased. To erase it: {erasing}")
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
