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
    429: "Rate Limited",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def refused(status: int, message: str | None = None, **headers: str) -> Answer:
    """A fatal answer: *message*, or the label of the status."""
    return Answer(status, {"message": message or LABELS.get(status, "Error")}, headers)
