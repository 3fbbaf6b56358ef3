"""``exchanger init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import ConfigPath


def sample_text() -> str:
    """Read the sample configuration: commented, and working with the sandbox as it stands."""
    return (Path(__file__).parents[1] / "sample.yaml").read_text(encoding="utf-8")


def init(
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file.")] = False,
) -> None:
    """
    Write a commented sample configuration to start from.

    Example: exchanger init
    """
    if config.exists() and not force:
        message = f"{config} is there already; write elsewhere, or add --force to overwrite it"
        raise typer.BadParameter(message, param_hint="--config")
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(sample_text(), encoding="utf-8")
    typer.echo(f"Wrote {config}. It works with the sandbox as it stands:")
    typer.echo("  exchanger sandbox        (in another terminal)")
    typer.echo("  exchanger check --connect")
