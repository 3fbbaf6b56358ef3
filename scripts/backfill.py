#!/usr/bin/env python3
"""One-shot backfill of a range of history: the same code as ``exchanger backfill``."""

import sys

from exchanger.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["backfill"]
    main()
