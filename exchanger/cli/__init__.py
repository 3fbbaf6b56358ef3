"""The command line: verbs, wiring and words. Importing this package imports nothing else."""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process and exit with its code."""
    from exchanger.cli.app import run

    run()
