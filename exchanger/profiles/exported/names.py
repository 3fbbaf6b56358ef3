"""
Names of a dataset's columns, of which no two differ in case alone.

Athena, Spark, Hive, Redshift and others do not tell ``Plan`` from ``plan``: of a file that has both
they refuse to read, or show one in place of the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from exchanger.config.names import without_case
from exchanger.notes import Note, noted
from exchanger.profiles.exported.selection import CUSTOM


@dataclass(frozen=True)
class Renamed:
    """
    A custom attribute whose column has another name than asked for.

    Args:
        attribute: The custom attribute.
        column: The name of its column.
        taken_by: The column that has the name, or one that differs from it in case alone.
    """

    attribute: str
    column: str
    taken_by: str

    def note(self, prefix: str) -> Note:
        """Note it, where other names begin with a prefix."""
        return noted(
            "column_renamed",
            attribute=self.attribute,
            column=self.column,
            taken_by=self.taken_by,
            in_case=self.taken_by != f"{prefix}{self.attribute}",
        )


def name_remaining(
    named: Collection[str], prefix: str, users: Mapping[str, int]
) -> tuple[dict[str, str], list[Renamed]]:
    """
    Name the columns of custom attributes that no column names.

    Of several that differ in case alone the one that most users have keeps its name: a slip in a
    single profile then moves no column that somebody reads.

    Args:
        named: The columns that the job names, which keep their names.
        prefix: Before the names of the others.
        users: How many users have each custom attribute.

    Returns:
        The column of each custom attribute, and those that are not called as asked for, by name.
    """
    taken = {without_case(name): name for name in named}
    columns: dict[str, str] = {}
    renamed: list[Renamed] = []
    for attribute in sorted(users, key=lambda one: (-users[one], one)):
        wanted = name = f"{prefix}{attribute}"
        while without_case(name) in taken:
            name = f"{CUSTOM}.{name}"
        if name != wanted:
            renamed.append(Renamed(attribute, name, taken[without_case(wanted)]))
        taken[without_case(name)] = name
        columns[attribute] = name
    return columns, sorted(renamed, key=lambda one: one.attribute)
