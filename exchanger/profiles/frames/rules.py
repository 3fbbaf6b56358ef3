"""
What is to be done to one field, with everything decided.

A rule is a ``FieldConfig`` (or a ``RemainingFields`` block applied to one column) whose column and
type are settled. Everything in ``profiles`` works on rules, never on configuration.
"""

from __future__ import annotations

from dataclasses import dataclass

from exchanger.config.models import NEEDS_HELD, FieldConfig, FieldType, ItemField, StrategyName

__all__ = ["NEEDS_HELD", "Rule"]


@dataclass(frozen=True)
class Rule:
    """
    One Braze attribute: where its value comes from, what type it has, how it is merged.

    Args:
        name: The Braze attribute, and the column name in every frame after casting.
        column: The column of the file; empty for a static value.
        type: The settled type; never None.
        config: The options (trim, split, scale, items, ...).
        void: Texts that mean that there is nothing also where Braze has them, as they were sent
            before anybody said so.
    """

    name: str
    column: str
    type: FieldType
    config: FieldConfig
    void: tuple[str, ...] = ()

    @property
    def merge(self) -> StrategyName:
        """The strategy of the field."""
        return self.config.merge

    @property
    def of_item(self) -> bool:
        """Whether it is a field of a catalog item, and no attribute."""
        return isinstance(self.config, ItemField)

    @property
    def scale(self) -> int:
        """Decimal places of a ``decimal`` field."""
        return self.config.scale or 0
