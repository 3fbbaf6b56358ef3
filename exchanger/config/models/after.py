"""What a job does for whoever drops its files, once a run of it has ended."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from exchanger.config.models.base import ColumnName, Strict


class After(Strict):
    """
    What is done for whoever dropped a file, once a run of it has ended or waits for a person.

    What is written lies beside the folder of the files, so ``in/crm/day.csv`` is answered by
    ``in/crm_reports/day.csv.html``. A file itself is moved, renamed or tagged once a run has taken
    it; one that was rejected as a whole, or waits, stays as it is.
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
    move_to: str | None = Field(
        default=None,
        description=(
            "the folder of the bucket, such as `done/crm/`, into which files are moved once they"
            " were taken: `done/crm/RUN_ID/NAME`; they stay where they are if left out"
        ),
    )
    suffix: str | None = Field(
        default=None,
        description=(
            "an ending, such as `.done`, that files get once they were taken, where they lie"
            " (`NAME.RUN_ID.done`) or are moved to (`NAME.done`)"
        ),
    )
    tag: dict[str, str] = Field(
        default={},
        description=(
            "tags that S3 gives to files once they were taken, such as `{exchanger: done}`, beside"
            " those that they have"
        ),
    )

    @property
    def moves(self) -> bool:
        """Whether files are not left under their own names."""
        return self.move_to is not None or self.suffix is not None


Masked = Annotated[
    tuple[ColumnName, ...],
    Field(description="columns of which no report shows a value"),
]
