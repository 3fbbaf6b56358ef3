"""What all models of the configuration share: their strictness, and the types of single values."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from exchanger.config.durations import parse_duration
from exchanger.config.names import trimmed

ColumnName = Annotated[str, AfterValidator(trimmed)]
"""A column of a file, compared without the white space around it, as names in files are."""
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
"""A length of time, written ``10s``, ``5m``, ``2h`` or ``1d``."""
FieldType = Literal[
    "string", "integer", "float", "decimal", "boolean", "date", "datetime", "list", "json"
]
Raw = Literal["remove", "keep"]
"""Whether Braze's own files of an export stay in the bucket once they were used."""
Priority = Literal["urgent", "normal", "low"]
"""Which of several waiting jobs the daemon starts first."""


class Strict(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)
