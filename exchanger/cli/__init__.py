"""The command line: verbs, wiring and words. Importing this package imports nothing else."""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process and exit with its code."""
    import gc

    # What a start allocates stays: looking through it for garbage is a tenth of the time.
    gc.set_threshold(100_000, 50, 100)
    from exchanger.cli.lean import leave
    from exchanger.cli.streams import mend_streams

    mend_streams()
    from exchanger.cli.app import run

    try:
        run()
    except SystemExit as end:
        leave(end.code)
        raise
