"""
What is to be done to one field, with everything decided.

A rule is a ``FieldConfig`` (or a ``RemainingFields`` block applied to one column) whose column and
type are settled. Everything in ``profiles`` works on rules, never on configuration.
"""

from __future__ import annotations

from dataclasses import dataclass

from exchanger.braze.attributes import NOT_EXPORTED
from exchanger.config.models import (
    NEEDS_HELD,
    NESTED,
    EntryField,
    FieldConfig,
    FieldType,
    ItemField,
    StrategyName,
)


@dataclass(frozen=True)
class Rule:
    """
    One Braze attribute: where its value comes from, what type it has, how it is merged.

    Args:
        name: The Braze attribute, and the column name in every frame after casting.
        column: The column of the file; empty for a static value.
        type: The settled type; never None.
        config: The options (trim, split, scale, items, ...).
        day_first: A cell of the file shows that dates have the day first: 25/12/1990.
        void: Texts that mean that there is nothing also where Braze has them, as they were sent
            before anybody said so.
        guarded: It says what a person has agreed to, and nobody who is unsubscribed is subscribed
            by it.
    """

    name: str
    column: str
    type: FieldType
    config: FieldConfig
    void: tuple[str, ...] = ()
    day_first: bool = False
    guarded: bool = False

    @property
    def merge(self) -> StrategyName:
        """The strategy of the field."""
        return self.config.merge

    @property
    def of_item(self) -> bool:
        """Whether it is a field of a catalog item, and no attribute."""
        return isinstance(self.config, ItemField)

    @property
    def of_entry(self) -> bool:
        """Whether it is a list of which one entry is given, whatever else is in it."""
        return isinstance(self.config, EntryField)

    @property
    def in_parts(self) -> bool:
        """Whether it changes parts of JSON, and leaves the rest of it as it is in Braze."""
        return self.merge in NESTED

    @property
    def reads_state(self) -> bool:
        """Whether it is consent of which Braze tells the state, so that it can be looked up."""
        return self.guarded and self.name not in NOT_EXPORTED

    @property
    def needs_held(self) -> bool:
        """Whether what it does depends on what Braze has now (law 10)."""
        return self.merge in NEEDS_HELD or self.of_entry or self.reads_state

    @property
    def scale(self) -> int:
        """Decimal places of a ``decimal`` field."""
        return self.config.scale or 0
