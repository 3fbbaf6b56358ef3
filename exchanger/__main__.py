"""Runs the command line with ``python -m exchanger``."""

from exchanger.cli import main

if __name__ == "__main__":
    main()
