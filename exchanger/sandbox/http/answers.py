"""What an endpoint answers, before it becomes HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """
    Status and JSON body.

    Args:
        status: HTTP status.
        body: The JSON document.
        headers: Further headers, lower-case.
    """

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


LABELS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Access Denied",
    404: "Not Found",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    423: "Resource locked",
    429: "Rate Limited",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def refused(status: int, message: str | None = None, **headers: str) -> Answer:
    """A fatal answer: *message*, or the label of the status."""
    return Answer(status, {"message": message or LABELS.get(status, "Error")}, headers)


class Malformed(ValueError):
    """A request that is refused as a whole with a 400, and the message of it."""

    @property
    def answer(self) -> Answer:
        """What the endpoint answers."""
        return refused(400, str(self))


TOO_MANY_IDS = "The max number of ids per request was exceeded"
"""The message of more than 50 of them (1.4)."""
