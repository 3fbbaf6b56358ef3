"""The configuration file as the daemon sees it: watched, and kept as it was accepted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exchanger.config.loading.document import read_document
from exchanger.config.loading.load import load_config, read_bounded, read_config
from exchanger.config.models import Config, ImportJob, Job, Notification
from exchanger.config.patterns import nested
from exchanger.errors import ConfigError, Problem
from exchanger.outside.scratch import Scratch

_MANY = 10
"""Jobs of a file that takes long enough to read to give each run only its part of it."""


class ConfigFile:
    """
    A configuration file that may change at any time.

    Runs are started with a copy of what was accepted, never with the file itself: else a broken
    edit would fail every run, though the daemon keeps to the old configuration.

    Args:
        path: The file.
        environ: Where ``${NAME}`` is looked up.
    """

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self.path = path.absolute()
        self._environ = environ
        self._scratch = Scratch()
        self._folder = self._scratch.path
        self._accepted = b""
        self._config: Config | None = None
        self._plain: dict[str, Any] = {}
        self._excerpts: dict[str, bytes] = {}
        self._tried: bytes | None = None
        self._seen: bytes | None = None

    def accept(self) -> Config:
        """
        Read and check the file; from now on ``copy`` is this content.

        Raises:
            ConfigError: With every problem. The copy stays as it was.
        """
        self._tried = self._seen = None
        try:
            content = self._tried = self._seen = read_bounded(self.path)
            config = load_config(self._write(content), self._environ)
        except OSError as error:
            problem = Problem("", f"it cannot be read: {error.strerror or type(error).__name__}")
            raise ConfigError([problem], str(self.path)) from error
        except ConfigError as error:
            raise ConfigError(error.problems, str(self.path)) from error
        self._accepted, self._config, self._plain, self._excerpts = content, config, {}, {}
        return config

    def copy(self) -> Path:
        """Write a file with the content accepted last."""
        return self._write(self._accepted)

    def copy_for(self, job: str) -> Path:
        """Write a file with the content accepted last, as far as a run of this job needs it."""
        if job not in self._excerpts:
            self._excerpts[job] = self._excerpt(job)
        return self._write(self._excerpts[job])

    def has_changed(self) -> bool:
        """
        Return whether there is content new to ``accept``, the same at two looks in a row.

        A file that is being written may be valid and lack its end, so that one look is not enough.
        The content itself is compared, as times and sizes may stay the same.
        """
        content = self._read()
        settled = content == self._seen
        self._seen = content
        return settled and content != self._tried

    def close(self) -> None:
        """Remove the copies."""
        self._scratch.close()

    def _read(self) -> bytes | None:
        try:
            return read_bounded(self.path)
        except OSError:
            return None

    def _excerpt(self, job: str) -> bytes:
        config = self._config
        if config is None or len(config.jobs) < _MANY or job not in config.jobs:
            return self._accepted
        self._plain = self._plain or read_document(self._accepted.decode("utf-8-sig")).content
        kept = _with_neighbours(config, job)
        # YAML reads JSON. Of what it does not read alike, odd signs for one, the file is the copy.
        jobs = {name: self._plain["jobs"][name] for name in kept}
        told = _told_alone(config, job)
        plain = self._plain | {"jobs": jobs}
        if told:
            plain["notifications"] = [
                entry | {"jobs": [*one.jobs]}
                for entry, one in zip(self._plain["notifications"], told, strict=True)
            ]
        text = json.dumps(plain, ensure_ascii=False, indent=1)
        wanted = config.model_copy(update={"jobs": kept, "notifications": told})
        try:
            same = read_config(text, self._environ) == wanted
        except ConfigError:
            return self._accepted
        return text.encode() if same else self._accepted

    def _write(self, content: bytes) -> Path:
        copy = self._folder / f"{hashlib.sha256(content).hexdigest()[:12]}.yaml"
        # Cleaners of temporary folders remove old files under a daemon that runs for weeks.
        if not copy.exists():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            copy.write_bytes(content)
        return copy


def _with_neighbours(config: Config, job: str) -> dict[str, Job]:
    """
    Return a job and all others that may read files of its folder, in the configuration's order.

    By these it knows which of the files that it leaves are taken by nobody. With them go jobs of
    cohorts: whose run is under way, any other of the connection ends, and needs its keys.
    """
    ours, home = config.jobs[job], config.connection_of(job)
    prefixes = [ours.source.prefix] if isinstance(ours, ImportJob) else []

    def goes_with(name: str, other: Job) -> bool:
        if not isinstance(other, ImportJob):
            return False
        cohort = other.cohort is not None and config.connection_of(name) == home
        return cohort or any(nested(other.source.prefix, prefix) for prefix in prefixes)

    jobs = config.jobs.items()
    return {name: other for name, other in jobs if name == job or goes_with(name, other)}


def _told_alone(config: Config, job: str) -> tuple[Notification, ...]:
    """Return the channels as a file with few jobs may have them: it lacks those that they name."""
    # No job is called like the second pattern. The places stay, by which channels are named.
    patterns = [("*",) if one.hears_of(job) else ("-*",) for one in config.notifications]
    return tuple(
        one.model_copy(update={"jobs": jobs})
        for one, jobs in zip(config.notifications, patterns, strict=True)
    )
