"""When files of an import count as arrived, and which of them count."""

from __future__ import annotations

from pydantic import Field

from exchanger.config.models.base import Duration, Strict


class CompleteWhen(Strict):
    """
    How to know that a file is complete, where S3 shows it before all of a delivery is there.

    Exactly one of the keys. Files that are not complete are left for a later run, which is told.
    """

    settled: Duration | None = Field(
        default=None, description="a file is, once it has not changed for so long"
    )
    marker: str | None = Field(
        default=None,
        description=(
            "a file is, once an object of this name, such as `_SUCCESS`, lies in its folder or in"
            " one around it, and is no older"
        ),
    )
    suffix: str | None = Field(
        default=None,
        description=(
            "a file is, once an object of its name and this ending, such as `.done`, lies beside"
            " it, and is no older"
        ),
    )
    manifest: str | None = Field(
        default=None,
        description=(
            "a file is, once a manifest names it and all that this manifest names is there; which"
            " objects are manifests, such as `*.manifest.json`"
        ),
    )
