"""Jobs of tests: what nearly every import has, so that a test says only what is its own."""

from typing import Any

from exchanger.config.models import ImportJob

PLACED = {
    "event": "order_placed",
    "id": "order",
    "time": "at",
    "currency": "USD",
    "source": "web",
}
"""What an order says of itself, but for its lines."""


def import_job(**changes: Any) -> dict:
    """Return an import as YAML has it: of the files in inbox/, by the external_id in column id."""
    usual = {
        "type": "import",
        "source": {"prefix": "inbox/"},
        "match": [{"external_id": "id"}],
    }
    return usual | changes


def import_model(**changes: Any) -> ImportJob:
    """Return the same import as a run is given it; each field is in its long form."""
    return ImportJob.model_validate(import_job(**changes))
