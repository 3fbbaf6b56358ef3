"""``exchanger schema``."""

from __future__ import annotations


def schema() -> None:
    """
    Print the JSON Schema of the configuration, for editors that complete and check it.

    Example: exchanger schema > exchanger.schema.json
    """
    from exchanger.cli.exit import print_json
    from exchanger.config.schema import json_schema

    print_json(json_schema())
