"""``exchanger demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_WEEKS = 6
_LOOK = 0.5
_NEXT = """\
What to try next, with a sandbox of your own that stays:

  exchanger init                 writes a commented configuration that works with the sandbox
  exchanger sandbox              a local Braze and a local S3 (in another terminal)
  exchanger check --connect      tries everything that the configuration names
  exchanger plan crm_profiles    what a run would send

Or look around in this one: exchanger demo --stay"""


def demo(
    *,
    weeks: Annotated[
        int,
        typer.Option(min=2, max=26, help="How many weeks of purchases come as files."),
    ] = _WEEKS,
    stay: Annotated[
        bool,
        typer.Option("--stay", help="Keep both servers at the end, until Ctrl-C, to look around."),
    ] = False,
) -> None:
    """
    Run the whole story on a local Braze and a local S3, with real data, and check it.

    Example: exchanger demo --weeks 12
    """
    from exchanger.cli.signals import stopping_on_signals

    with stopping_on_signals() as stopping:
        try:
            from exchanger.demo.households import Households
            from exchanger.demo.narrator import Narrator
            from exchanger.demo.place import demo_place
            from exchanger.demo.story import DemoStory, Stopped

            data = Households.load(weeks)
        except ModuleNotFoundError as error:
            from exchanger.app.messages.words import how_to_install

            message = f"the demo needs {error.name}. {how_to_install('demo')}"
            raise typer.BadParameter(message, param_hint="demo") from error
        telling = Narrator()
        jobs = (Path(__file__).parents[2] / "demo" / "demo.yaml").read_text(encoding="utf-8")
        with demo_place(jobs, stopping) as place:
            try:
                DemoStory(place, data, telling).tell()
            except Stopped:
                typer.echo("Stopped. Nothing is left behind.", err=True)
                raise typer.Exit(1) from None
            if stay:
                typer.echo(
                    f"\nBoth servers stay until Ctrl-C. In another terminal:\n\n"
                    f"  export EXCHANGER_CONFIG={place.config_path}\n"
                    f"  exchanger runs\n"
                    f"  exchanger show 3\n"
                )
                # Once polars is loaded, a signal no longer ends a wait without a limit.
                while not stopping.wait(_LOOK):
                    continue
            elif not telling.failures:
                typer.echo(_NEXT)
    raise typer.Exit(1 if telling.failures else 0)
