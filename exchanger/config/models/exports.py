"""An export job: one segment of Braze into the bucket."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from exchanger.config.models.base import FieldType, Raw, Strict
from exchanger.config.models.jobs import AnyJob, Completion


class ExportField(Strict):
    """
    One column of an export: a path into the exported profile, and its type.

    A text in its place is the path alone: ``email: email``, ``tier: custom_attributes.tier``.
    """

    from_: str = Field(
        alias="from",
        description="the path of the value in a profile as Braze exports it",
    )
    type: FieldType | None = Field(
        default=None, description="of the column; if left out, what the values are"
    )
    scale: int | None = Field(
        default=None, ge=0, le=15, description="decimal places of a `decimal`, which needs them"
    )


class RemainingExport(Strict):
    """Every custom attribute that no column names, under its own name behind ``prefix``."""

    prefix: str = Field(default="", description="goes before the name of the attribute")


class Target(Strict):
    """
    Where an export is written, and as what.

    With ``keep``, published datasets of the job beyond the newest so many are removed.
    """

    prefix: str = Field(description="the folder, for this job alone")
    format: Literal["parquet", "csv", "ndjson"] = Field(
        default="parquet", description="of the parts"
    )
    mode: Literal["full"] = Field(default="full", description="every export has the whole segment")
    rows_per_part: int = Field(default=1_000_000, ge=1, description="most rows in one object")
    keep: int | None = Field(
        default=None, ge=1, description="how many datasets of this job stay; all if left out"
    )


class ExportJob(AnyJob):
    """
    One Braze segment into the bucket, as a dataset.

    An export that brings no file may mean an empty segment, or a folder that Braze does not write
    to. With ``empty: allow`` it becomes a dataset without rows, else the run fails. Braze's own
    files of the export are removed once the dataset is published, unless ``raw`` is ``keep``.
    """

    type: Literal["export"] = Field(description="what kind of job this is")
    segment: str = Field(description="its name or id; `exchanger segments` lists both")
    empty: Literal["fail", "allow"] = Field(
        default="fail",
        description="what happens if nobody comes; `allow` needs `completion: {confirm: true}`",
    )
    raw: Raw = Field(
        default="remove",
        description="what becomes of the files that Braze itself wrote for this export",
    )
    fields: dict[str, ExportField] = Field(default={}, description="the columns, each by its name")
    remaining_fields: RemainingExport | None = Field(
        default=None,
        description="also takes every custom attribute that no column names; not if left out",
    )
    target: Target = Field(description="where the dataset is written, and as what")
    completion: Completion = Field(
        default=Completion(), description="how to know that Braze is done"
    )
