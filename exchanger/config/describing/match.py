"""Who is meant by the rows of a job, and what becomes of people without a profile, in words."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.braze.identifiers import SHARED, IdentifierKind
from exchanger.config.findings import listed
from exchanger.config.models import Baseline, ImportJob, Match

WORDS: dict[IdentifierKind, str] = {
    "external_id": "external_id",
    "braze_id": "braze_id",
    "alias": "alias",
    "email": "e-mail address",
    "phone": "phone number",
}
"""Each identifier as sentences call it."""
_CREATES: dict[IdentifierKind, str] = {
    "external_id": "",
    "braze_id": "leaves out every braze_id that Braze does not know: it cannot be created",
    "alias": "creates a profile that has only the alias where Braze has none with it",
    "email": "creates a profile that has only the e-mail address where Braze has none with it",
    "phone": "creates a profile that has only the phone number where Braze has none with it",
}


def describe_match(job: ImportJob) -> Iterator[str]:
    """Return by what each profile is found, and what happens where several have it."""
    if len(job.match) == 1:
        yield f"finds each profile by its {named_by(job.match[0])}"
    else:
        each = "; ".join(named_by(match) for match in job.match)
        yield f"finds each profile by the first of these that its row has: {each}"
    shared = list(dict.fromkeys(match.kind for match in job.match if match.kind in SHARED))
    if not shared or job.object in ("subscriptions", "email_state"):
        return
    words = listed([WORDS[kind] for kind in shared])
    if job.on_ambiguous == "most_recent":
        often = " So everything is sent each time, changed or not"
        yield (
            f"leaves it to Braze whose {words} is meant where several profiles have it: the one"
            f" that was updated last.{often if job.object in ('attributes', 'audience') else ''}"
        )
    elif job.assumes_empty:
        yield f"takes an {words} that was never seen for that of one profile at most"
    else:
        addresses = listed([f"{WORDS[kind]}{'es' * (kind == 'email')}{'s' * (kind == 'phone')}"
                            for kind in shared], "and")  # fmt: skip
        how = f"looks up {addresses} that were never seen, one request each"
        if isinstance(job.baseline, Baseline) and job.baseline.segment is not None:
            segment = job.baseline.segment
            how = (
                f"learns from the segment '{segment}' whose the {addresses} are that were never"
                " seen, or looks up a few, one request each"
            )
        yield f"{how}, and rejects the rows of those that several profiles have"


def describe_missing(job: ImportJob) -> Iterator[str]:
    """Describe what becomes of people whom Braze does not have, for each identifier."""
    if job.object in ("subscriptions", "email_state"):
        return
    if job.gate_segment is not None:
        yield f"skips whoever is not in the segment '{job.gate_segment}', exported for each run"
    for name, values in job.gates.items():
        yield f"skips whoever has not {name}: {listed(map(str, values))} in Braze; looked up first"
    if not job.creates:
        yield "leaves out people that Braze does not know"
        return
    for kind in dict.fromkeys(match.kind for match in job.match):
        if _CREATES[kind]:
            yield _CREATES[kind]


def named_by(match: Match) -> str:
    """Describe which column, or columns, hold an identifier."""
    if match.alias is None:
        return f"{WORDS[match.kind]} in column {match.column}"
    column = match.alias.label_column
    label = f"that in column {column}" if column is not None else repr(match.alias.label)
    return f"alias in column {match.alias.name}, of which the label is {label}"
