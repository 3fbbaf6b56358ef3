"""``exchanger sandbox``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

_BRAZE_PORT = 8601
_S3_PORT = 8602
_PORTS = 65_535


def sandbox(  # noqa: PLR0913 - one for each option
    *,
    braze_port: Annotated[
        int, typer.Option(min=0, max=_PORTS, help="Port of Braze; 0 for any.")
    ] = _BRAZE_PORT,
    s3_port: Annotated[
        int, typer.Option(min=0, max=_PORTS, help="Port of S3; 0 for any.")
    ] = _S3_PORT,
    bucket: Annotated[
        str,
        typer.Option(
            help="The bucket to create: 3 to 63 lower-case letters, digits, hyphens and dots."
        ),
    ] = "exchange",
    api_key: Annotated[str, typer.Option(help="The key that Braze accepts.")] = "sandbox-key",
    seed: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A Parquet, CSV or NDJSON file of profiles that are there from the start: a column"
            " external_id, all others named as in Braze. May be repeated.",
        ),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="How Braze behaves: latency=0.05, error_rate=0.1. May be repeated.",
        ),
    ] = None,
) -> None:
    """
    Start a local Braze and a local S3 for trying things out; nothing is kept afterwards.

    Example: exchanger sandbox --seed profiles.csv
    """
    from exchanger.cli.signals import stopping_on_signals

    try:
        from exchanger.sandbox.run import serve
        from exchanger.sandbox.settings import SandboxSettings
    except ModuleNotFoundError as error:
        from exchanger.app.messages.words import how_to_install

        message = f"the sandbox needs {error.name}. {how_to_install('sandbox')}"
        raise typer.BadParameter(message, param_hint="sandbox") from error
    with stopping_on_signals() as stopping:
        try:
            serve(
                braze_port=braze_port,
                s3_port=s3_port,
                bucket=bucket,
                api_key=api_key,
                seed_files=seed or (),
                settings=SandboxSettings().changed(dict(map(_setting, setting or ()))),
                say=typer.echo,
                stopping=stopping,
            )
        except (OSError, ValueError) as error:
            raise typer.BadParameter(str(error), param_hint="sandbox") from error


def _setting(text: str) -> tuple[str, Any]:
    """Split ``NAME=VALUE``; a value that is no JSON is text."""
    name, sign, value = text.partition("=")
    if not sign:
        raise typer.BadParameter(f"write NAME=VALUE instead of {text}", param_hint="--setting")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
