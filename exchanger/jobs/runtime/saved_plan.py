"""A plan that a person looked at and keeps, so that a run does exactly this or nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from errno import EISDIR, ENOENT
from os import strerror
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from exchanger.config.models import ImportJob
    from exchanger.jobs.runtime.context import JobContext

from exchanger.errors import PlanUnusable

_FORMAT = 1
_OF_NO_MATTER = {"enabled", "description", "labels", "schedule", "expect", "priority"}
"""Keys of a job that decide when it runs, and nothing about what it sends."""
_DIGITS = 16
"""Of a hash in the document, which is compared with few others."""


@dataclass(frozen=True)
class SavedPlan:
    """
    What a plan was made of, and what it came to.

    Args:
        job: The job.
        connection: Whose workspace and which bucket it is for, by name.
        configuration: For each key of the job, a hash of what it says.
        after_run: The newest run of the connection, 0 if there is none: what is held is known up to
            it.
        files: Key and ETag of every file that the run takes, in order.
        totals: The numbers of the plan, by name; ``content`` stands for all that is sent.
        made_at: When it was made, ISO 8601.
    """

    job: str
    connection: dict[str, str]
    configuration: dict[str, str]
    after_run: int
    files: tuple[tuple[str, str], ...]
    totals: dict[str, Any] = field(default_factory=dict)
    made_at: str = ""

    def write(self, path: Path) -> None:
        """
        Write it to a file of this machine.

        Raises:
            PlanUnusable: It cannot be written.
        """
        content = {"format": _FORMAT, **asdict(self)}
        try:
            path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise PlanUnusable(str(path), f"it cannot be written: {error.strerror}") from error

    @staticmethod
    def read(path: Path) -> SavedPlan:
        """
        Read what *write* wrote.

        Raises:
            PlanUnusable: It cannot be read, or is something else.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            written = content.pop("format")
            files = tuple((str(key), str(etag)) for key, etag in content.pop("files"))
            plan = SavedPlan(**content, files=files)
        except OSError as error:
            raise PlanUnusable(str(path), f"it cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PlanUnusable(str(path), "it is no plan that exchanger saved") from error
        if written != _FORMAT:
            raise PlanUnusable(str(path), "another version of exchanger saved it")
        return plan


def identity_of(context: JobContext) -> dict[str, str]:
    """Return by what the workspace and the bucket of a connection are known."""
    instance = "" if context.account is None else context.account.instance
    state = f"s3://{context.bucket.name}/{context.state_prefix}"
    return {"name": context.connection, "braze": instance, "state": state}


def configuration_of(job: ImportJob) -> dict[str, str]:
    """Return a hash of each key of a job that has a say in what it sends."""
    said = job.model_dump(mode="json", by_alias=True, exclude=_OF_NO_MATTER)
    return {key: _hash(value) for key, value in said.items()}


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def demand_place(path: Path) -> None:
    """
    Check before any work is done that a plan can be kept there.

    Raises:
        PlanUnusable: There is no such folder, or it is a folder itself.
    """
    code = EISDIR if path.is_dir() else 0 if path.parent.is_dir() else ENOENT
    if code:
        raise PlanUnusable(str(path), f"it cannot be written: {strerror(code)}")
