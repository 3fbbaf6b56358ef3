"""The job's fields, the files that are dropped for it, and what their rows do: plain Python."""

import hashlib
from dataclasses import dataclass

from exchanger.config.models import FieldConfig, ImportJob, Match, RemainingFields, Source

PROFILES = ("ada", "bob", "cyd")
JOBS = ("crm", "shop")
ORDERED = "shop"
"""The job whose rows have an order."""
CONFIGURED = {
    "total": FieldConfig(merge="sum", type="integer"),
    "tags": FieldConfig(merge="add", type="list", split="|"),
    "source": FieldConfig(merge="set_if_empty", type="string"),
    "note": FieldConfig(merge="clear", type="string"),
    "best": FieldConfig(merge="highest", type="integer"),
}
FIELDS = (*CONFIGURED, "tier")
LATE = ("tier", "source", "note")
"""Fields in which an old row would undo a newer one, so that it says nothing if it comes late."""
REPLACING = ("tier", "note")
"""Those of them that are kept in order."""
FRACTION = "0.5"
"""A total that is rejected until the job takes numbers."""


def job(name, rows_per_run, *, takes_fractions=False, on_drift="overwrite"):
    """
    Both jobs write the same fields, from folders of their own; one of them in order.

    The type of ``tier`` is told from what the files hold, and widens with them.
    """
    number = FieldConfig(merge="sum", type="float")
    return ImportJob(
        type="import",
        source=Source(prefix=prefix(name), order_by="at" if name == ORDERED else None),
        match=(Match(external_id="id"),),
        max_rows_per_run=rows_per_run,
        fields=CONFIGURED | {"total": number} if takes_fractions else CONFIGURED,
        remaining_fields=(RemainingFields(columns="tier", merge="set", on_drift=on_drift),),
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
    at: str = ""

    def order(self, job):
        """Tell where it stands in the order of a job; None if it has none there."""
        return int(self.at) if job == ORDERED and self.at else None

    def says(self):
        """Tell which fields it speaks of, and what it says of them."""
        said = {
            "total": self.total and float(self.total),
            "tags": self.tags and tuple(self.tags.split("|")),
            "tier": float(self.tier) if self.tier[:1].isdigit() else self.tier,
            "source": self.source,
            "best": self.best and int(self.best),
        }
        return {name: value for name, value in said.items() if value != ""} | {"note": self.note}


class Dropped:
    """All file versions that were ever dropped: by key, their SHA-256 in order; by that, rows."""

    def __init__(self):
        self.versions = {}
        self.contents = {}

    def add(self, key, rows):
        """Note one more version, and return its content."""
        body = as_csv(rows)
        sha256 = hashlib.sha256(body).hexdigest()
        self.versions.setdefault(key, []).append(sha256)
        self.contents[sha256] = rows
        return body


def as_csv(rows):
    """Render a file."""
    columns = ("id", *FIELDS, "at")
    lines = [",".join(columns)]
    lines += [",".join(getattr(row, name) for name in columns) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def applied(profile, says):
    """Apply what one row says to a profile: a dict without empty fields, as Braze keeps it."""
    after = dict(profile)
    if "total" in says:
        after["total"] = profile.get("total", 0) + says["total"]
    if "tags" in says:
        held = profile.get("tags", [])
        after["tags"] = held + [tag for tag in dict.fromkeys(says["tags"]) if tag not in held]
    if "source" in says:
        after.setdefault("source", says["source"])
    if "best" in says:
        after["best"] = max(says["best"], profile.get("best", says["best"]))
    after |= {name: says[name] for name in ("tier", "note") if name in says}
    return {name: value for name, value in after.items() if value != ""}
