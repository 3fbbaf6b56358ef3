"""How what a run sends is looked after."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from exchanger.config.models.base import Duration, Strict

_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,4})?) ?%")
_WHOLE = 100


def _parse_share(given: object) -> object:
    """
    Turn ``1%`` into a number of percent.

    Raises:
        ValueError: The text has another form, or is no share.
    """
    found = _SHARE.fullmatch(given.strip()) if isinstance(given, str) else None
    percent = float(found[1]) if found else 0.0
    if isinstance(given, float):  # As a model has it.
        percent = given
    if not 0 < percent <= _WHOLE:
        message = "write a share, such as 1% or 0.1%, of at most 100%"
        raise ValueError(message)
    return percent


Share = Annotated[
    float,
    BeforeValidator(_parse_share),
    WithJsonSchema(
        {"type": "string", "pattern": r"^[0-9.]+ ?%$", "examples": ["1%", "0.1%"]},
        mode="validation",
    ),
]
"""A share, written as ``1%``."""


class Verify(Strict):
    """What is read back of what a run sent, once Braze must show it."""

    sample: Share = Field(
        description=(
            "of how many of the profiles that a run changed, such as `1%`; of 25 at least, and of"
            " 5,000 at most"
        )
    )


class Delivery(Strict):
    """How what a run sends is looked after."""

    verify: Verify | None = Field(
        default=None,
        description=(
            "reads a sample back after the grace, and tells what Braze does not have; if left out,"
            " only of attributes that are delivered for the first time"
        ),
    )
    canary: int | None = Field(
        default=None,
        ge=1,
        le=5_000,
        description=(
            "of a run with more objects, so many are sent first and read back after the grace; if"
            " Braze has each as it was sent, the rest follows in the same run, or else it is not"
            " sent, and `exchanger retry RUN` gives it"
        ),
    )
    shadow: bool = Field(
        default=False,
        description=(
            "with `true`, runs take files and plan what they would send, and send nothing; what"
            " they planned is compared later with what Braze then holds"
        ),
    )
    compare_after: Duration = Field(
        default=timedelta(hours=1),
        description="with `shadow`, how long after a run that is; never before the grace",
    )
