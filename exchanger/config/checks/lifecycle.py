"""What belongs to a job that does something with people as such: renames and the like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exchanger.config.findings import Finding, Where
from exchanger.config.models import ImportJob, Match

CALLS: Mapping[str, str] = {"renames": "rename"}
"""The key that says what is done, by the name of the object."""
_OF_OTHERS = {
    "fields", "remaining_fields", "baseline", "row_id", "on_unknown", "on_ambiguous",
    "create_missing",
}  # fmt: skip


def check_call(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what does not go together in a job whose rows are calls about people."""
    own = CALLS[job.object]
    for key in sorted(job.model_fields_set & _OF_OTHERS):
        yield Finding((*where, key), f"this means nothing to {job.object}", beside=("object",))
    if job.source.order_by is not None:
        message = "these have no order: give what comes second in a later file"
        yield Finding((*where, "source", "order_by"), message)
    if getattr(job, own) is None:
        yield Finding(where, f"'object: {job.object}' needs '{own}'", missed=(own,))
        return
    yield from _check_columns(job, where)
    if job.rename is not None and job.match != (Match(external_id=job.rename.from_),):
        message = "'rename' says who is meant: leave this out"
        yield Finding((*where, "match"), message, beside=("rename",))


def _check_columns(job: ImportJob, where: Where) -> Iterator[Finding]:
    own = CALLS[job.object]
    for name, column in (job.call.cells if job.call is not None else {}).items():
        if not column:
            yield Finding((*where, own, name), "name a column")
