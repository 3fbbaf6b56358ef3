"""Requests about cohorts of partners: keys stand in their bodies (braze-api.md 11). No I/O."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from exchanger.outside.braze.answers import Answer, TrackAnswer

if TYPE_CHECKING:
    from exchanger.config.models import AudienceCohort


def creation(cohort: AudienceCohort, at: datetime) -> bytes:
    """
    Build the request that makes a cohort, or gives it another name.

    Args:
        cohort: The cohort.
        at: When it is made.
    """
    named = {"name": cohort.name, "created_at": at.astimezone(UTC).isoformat(timespec="seconds")}
    return with_keys(orjson.dumps(named), cohort)


def with_keys(body: bytes, cohort: AudienceCohort) -> bytes:
    """Put the keys of a cohort, and its id, into the object that a request is."""
    keys = {
        "partner_api_key": cohort.partner_key.get_secret_value().strip(),
        "client_secret": cohort.client_secret.get_secret_value().strip(),
        "cohort_id": cohort.id,
    }
    return b"".join((orjson.dumps(keys)[:-1], b",", body[1:]))


def read_change(answer: Answer) -> TrackAnswer | None:
    """
    Read the answer to a change: any 2xx, whose body is not documented, or a 400.

    Returns:
        None for a 400: it is about the request as a whole.
    """
    if answer.status == 400:
        return None
    return TrackAnswer(True, {}, (), answer.uncertain, answer.lost)
