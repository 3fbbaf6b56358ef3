"""What a row of an import does with people as such: another id, another name, an end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from exchanger.config.models.base import ColumnName, Strict
from exchanger.config.models.kinds.objects import ObjectName
from exchanger.config.models.matching import Alias, Match

CALLS: Mapping[ObjectName, str] = {
    "renames": "rename",
    "aliases": "alias",
    "merges": "merge",
    "identify": "identify",
}
"""What does something with people as such, and the key that says what."""
Priority = Literal["identified", "unidentified", "most_recently_updated", "least_recently_updated"]
Part = Mapping[str, str]
"""Where a part of a call comes from: ``from`` names a column, ``value`` is the part itself."""


class Rename(Strict):
    """Another external id for a person. Both texts name columns."""

    from_: ColumnName = Field(alias="from", description="the column of the id that they have")
    to: ColumnName = Field(description="the column of the id that they get")
    remove_old: bool = Field(
        default=False,
        description="with `true` the old id ends; otherwise Braze goes on to take it for the same",
    )

    @property
    def cells(self) -> Mapping[str, Part]:
        """What is read beside who is meant, by the name of the part."""
        return {"to": {"from": self.to}}


class NewAlias(Alias):
    """
    A further name of a person, or one in the place of another.

    A text as ``label`` is that of all rows.
    """

    replaces: ColumnName | None = Field(
        default=None,
        description=(
            "the column of the name whose place the new one takes; where it is empty, or left out,"
            " the name is a further one"
        ),
    )

    @property
    def cells(self) -> Mapping[str, Part]:
        """What is read beside who is meant, by the name of the part."""
        column = self.label_column
        label = {"value": str(self.label)} if column is None else {"from": column}
        replaces = {} if self.replaces is None else {"replaces": {"from": self.replaces}}
        return {"name": {"from": self.name}, "label": label, **replaces}


class PersonMerge(Strict):
    """Two profiles of one person, of which one is left. Each side is named as in ``match``."""

    keep: Match = Field(description="what names the profile that is left: one identifier")
    drop: Match = Field(description="what names the profile that goes: one identifier")

    @property
    def cells(self) -> Mapping[str, Part]:
        """What is read beside who is meant, by the name of the part."""
        if self.keep.alias is None:
            return {"keep": {"from": self.keep.column}}
        parts = NewAlias.model_validate(self.keep.alias.model_dump(by_alias=True)).cells
        return {"keep": parts["name"], "label": parts["label"]}


class Identify(Strict):
    """An external id for who is known by an alias, an e-mail address or a phone number alone."""

    external_id: ColumnName = Field(description="the column of the id that the person gets")
    prioritization: tuple[Priority, ...] = Field(
        default=(),
        description=(
            "who is meant where several profiles have an address or number: each word narrows them"
            " down, and nothing happens unless one is left. Needed with `email` and `phone`"
        ),
    )

    @property
    def cells(self) -> Mapping[str, Part]:
        """What is read beside who is meant, by the name of the part."""
        return {"external_id": {"from": self.external_id}}
