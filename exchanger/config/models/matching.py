"""Who is meant by a row: the columns that name a profile, in order."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, Tag, model_validator

from exchanger.braze.identifiers import KINDS, IdentifierKind
from exchanger.config.findings import listed
from exchanger.config.models.base import ColumnName, Strict, text_or

OnAmbiguous = Literal["reject", "most_recent"]
"""What happens to a row whose e-mail address or phone number belongs to several profiles."""


class LabelColumn(Strict):
    """The column that holds the label of each alias, in place of one label for all."""

    from_: ColumnName = Field(alias="from", description="the column")


class Alias(Strict):
    """
    An alias: a name together with its label. Both make the profile.

    A text as ``label`` is that of all rows.
    """

    name: ColumnName = Field(description="the column of the alias's name")
    label: Annotated[
        Annotated[str, Tag("text")] | Annotated[LabelColumn, Tag("mapping")],
        text_or(LabelColumn),
    ] = Field(description="the label itself, or the column that holds it")

    @property
    def label_column(self) -> str | None:
        """The column of the label; None if all rows have the same."""
        return self.label.from_ if isinstance(self.label, LabelColumn) else None


class Match(Strict):
    """
    What names the profile of a row: one of these keys, with its column.

    Of several in a list, the first that has a value in a row names the profile of that row.
    """

    external_id: ColumnName | None = Field(
        default=None, description="the column of your own identifier"
    )
    braze_id: ColumnName | None = Field(
        default=None,
        description="the column of Braze's own identifier; who is not there is never created",
    )
    alias: Alias | None = Field(default=None, description="the columns of an alias")
    email: ColumnName | None = Field(
        default=None, description="the column of e-mail addresses, which are compared without case"
    )
    phone: ColumnName | None = Field(
        default=None, description="the column of phone numbers, written like `+4917...`"
    )

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            several = f"write {listed(given, 'and')} as entries of their own" if given else ""
            raise ValueError(several or f"name the column of one of {listed(KINDS)}")
        return self

    @property
    def kind(self) -> IdentifierKind:
        """What the column holds."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def column(self) -> str:
        """The column of the identifier; of an alias that of its name."""
        found = getattr(self, self.kind)
        return found.name if isinstance(found, Alias) else str(found)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that it reads."""
        label = None if self.alias is None else self.alias.label_column
        return (self.column,) if label is None else (self.column, label)
