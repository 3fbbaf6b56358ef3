"""How much a run may do before a person has looked at it."""

from __future__ import annotations

from pydantic import Field

from exchanger.config.models.base import Strict


class Guards(Strict):
    """What a run may do at most; beyond that its files wait for a person, and nothing is sent."""

    max_deletes: int = Field(
        default=0, ge=0, description="profiles that a run of `object: deletions` may delete"
    )
