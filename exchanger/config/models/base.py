"""What all models of the configuration share: their strictness, and the types of single values."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator

from exchanger.config.durations import parse_duration
from exchanger.config.names import trimmed

ColumnName = Annotated[str, AfterValidator(trimmed)]
"""A column of a file, compared without the white space around it, as names in files are."""
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
"""A length of time, written ``10s``, ``5m``, ``2h`` or ``1d``."""
_DIRECTIVES = "dmyYHMSfzbBjpIeT%"
_DAYS = (("d", "e"), ("m", "b", "B"), ("y", "Y"))


def _time_format(text: str) -> str:
    found = re.findall(r"%(.?)", text)
    odd = next((each for each in found if each not in _DIRECTIVES or not each), None)
    if odd is not None:
        message = f"'%{odd}' is no part of a format here; write such as %d.%m.%Y or %d/%m/%Y %H:%M"
        raise ValueError(message)
    a_day = "j" in found or all(set(found) & set(part) for part in _DAYS[:2])
    if not a_day or not set(found) & set(_DAYS[2]):
        message = "a format needs day, month and year, such as %d.%m.%Y"
        raise ValueError(message)
    if "f" in found and ".%f" not in text:
        message = "write fractions of a second as .%f"
        raise ValueError(message)
    return text


TimeFormat = Annotated[str | None, AfterValidator(lambda text: text and _time_format(text))]
"""How a time is written as text, as of ``strptime``."""
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


def text_or(mapping: type[Strict]) -> Discriminator:
    """Build what tells a text, tagged ``text``, from a model, tagged ``mapping``."""
    return Discriminator(
        lambda content: "mapping" if isinstance(content, dict | mapping) else "text"
    )
