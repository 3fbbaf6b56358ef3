"""What a job does for whoever drops its files, once a run of it has ended."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from exchanger.config.models.base import ColumnName, Strict


class After(Strict):
    """
    What is written for whoever dropped a file, once a run of it has ended or waits for a person.

    All of it lies beside the folder of the files, so ``in/crm/day.csv`` is answered by
    ``in/crm_reports/day.csv.html``.
    """

    report: bool = Field(
        default=True,
        description="a report about each file, as a page and as JSON, in `PREFIX_reports/`",
    )
    rejected: bool = Field(
        default=True,
        description=(
            "the rows that were rejected, in the format and the columns of their file, in"
            " `PREFIX_rejected/RUN/`; corrected, they are taken from `PREFIX_corrected/RUN/`"
        ),
    )


Masked = Annotated[
    tuple[ColumnName, ...],
    Field(description="columns of which no report shows a value"),
]
