"""The job's fields, the files that are dropped for it, and what their rows do: plain Python."""

from dataclasses import dataclass

from exchanger.config.models import FieldConfig, ImportJob, Match, Source

PROFILES = ("ada", "bob", "cyd")
JOBS = ("crm", "shop")
FIELDS = {
    "total": FieldConfig(merge="sum", type="integer"),
    "tags": FieldConfig(merge="add", type="list", split="|"),
    "tier": FieldConfig(merge="set", type="string"),
    "source": FieldConfig(merge="set_if_empty", type="string"),
    "note": FieldConfig(merge="clear", type="string"),
    "best": FieldConfig(merge="highest", type="integer"),
}


def job(name):
    """Both jobs write the same fields, from folders of their own."""
    return ImportJob(
        type="import",
        source=Source(prefix=prefix(name)),
        match=(Match(external_id="id"),),
        fields=FIELDS,
    )


def prefix(name):
    """Name the folder of a job."""
    return f"inbox/{name}/"


@dataclass(frozen=True)
class Row:
    """One row of a file; an empty text says nothing, and under ``clear`` it clears."""

    id: str
    total: str
    tags: str
    tier: str
    source: str
    note: str
    best: str


def as_csv(rows):
    """Render a file."""
    lines = [",".join(("id", *FIELDS))]
    lines += [
        f"{row.id},{row.total},{row.tags},{row.tier},{row.source},{row.note},{row.best}"
        for row in rows
    ]
    return ("\n".join(lines) + "\n").encode()


def applied(profile, row):
    """Apply one row to a profile: a dict without empty fields, as Braze keeps it."""
    after = dict(profile)
    if row.total:
        after["total"] = profile.get("total", 0) + int(row.total)
    if row.tags:
        held = profile.get("tags", [])
        new = [tag for tag in dict.fromkeys(row.tags.split("|")) if tag not in held]
        after["tags"] = held + new
    if row.tier:
        after["tier"] = row.tier
    if row.source:
        after.setdefault("source", row.source)
    after["note"] = row.note
    if row.best:
        after["best"] = max(int(row.best), profile.get("best", int(row.best)))
    return {name: value for name, value in after.items() if value != ""}
