"""States of subscriptions: of people in groups, and of e-mail addresses."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from exchanger.config.models.base import ColumnName, Strict
from exchanger.config.models.kinds.objects import Cell

Words = Annotated[
    tuple[str | int | float | bool, ...], Field(description="cells that mean this; without case")
]


class GroupState(Strict):
    """Which cells of a column mean which state. An empty cell says nothing."""

    from_: ColumnName = Field(alias="from", description="the column")
    subscribed: Words = ()
    unsubscribed: Words = ()

    @property
    def words(self) -> dict[str, str]:
        """The state that each cell means, by its text in lower case."""
        return words_of(self)


class EmailState(GroupState):
    """Which cells of a column mean which state. An empty cell says nothing."""

    opted_in: Words = ()


class Subscription(Strict):
    """
    The state of a person in a subscription group.

    A text as ``group`` is the id of one group for all rows.
    """

    group: Cell = Field(description="the id of the group, or `{from: COLUMN}`")
    state: GroupState = Field(description="the column of the state, and its words")
    double_opt_in: bool = Field(
        default=False,
        description=(
            "of SMS groups: Braze asks the person first, who stays unsubscribed until they agree"
        ),
    )


def words_of(state: Strict) -> dict[str, str]:
    """Return the state that each cell means, by its text in lower case."""
    return {
        as_word(word): name
        for name, listed in state
        if isinstance(listed, tuple)
        for word in listed
    }


def as_word(word: str | float) -> str:
    """Spell a word of the configuration as cells are compared with it."""
    return (str(word).lower() if isinstance(word, bool) else str(word)).strip().lower()
