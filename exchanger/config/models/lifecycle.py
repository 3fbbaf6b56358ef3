"""What a row of an import does with people as such: another id, another name, an end."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from exchanger.config.models.base import ColumnName, Strict


class Rename(Strict):
    """Another external id for a person. Both texts name columns."""

    from_: ColumnName = Field(alias="from", description="the column of the id that they have")
    to: ColumnName = Field(description="the column of the id that they get")
    remove_old: bool = Field(
        default=False,
        description="with `true` the old id ends; otherwise Braze goes on to take it for the same",
    )

    @property
    def cells(self) -> Mapping[str, str]:
        """The columns that are read beside who is meant, by the name of the part."""
        return {"to": self.to}
