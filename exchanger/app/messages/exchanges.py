"""What is said to Braze and what it answers, word by word, without what is secret."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exchanger.app.logs import secrets_of
from exchanger.braze.endpoints import PARTNERS
from exchanger.redaction import REDACTED, Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from exchanger.config.models import Config
    from exchanger.jobs.send_test import Exchange


def without_secrets(config: Config, exchanges: Iterable[Exchange]) -> list[Exchange]:
    """Return requests and answers in which no secret of the configuration stands."""
    clean = Redactor(secrets_of(config)).replaced
    return [replace(one, body=clean(one.body), answer=clean(one.answer)) for one in exchanges]


def describe_requests(exchanges: Sequence[Exchange]) -> Iterator[str]:
    """Describe requests as they go out, and what was answered where there was an answer."""
    for one in exchanges:
        yield f"  {one.method} {one.path}"
        if not one.path.startswith(PARTNERS):
            yield f"    Authorization: Bearer {REDACTED}"
        if one.body:
            yield f"    {one.body}"
        if one.status:
            yield f"    Braze answered {one.status}: {one.answer.strip()}"
