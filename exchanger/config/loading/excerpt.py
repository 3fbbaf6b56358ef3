"""
The part of a configuration file that one job needs: itself, and whoever reads its folder, too.

Reading a file of five hundred jobs takes a second or two of CPU, which every run would spend anew.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from exchanger.config.models import Config, ImportJob

_KEY = re.compile(r"""( *)(["']?)([^"'#:\s][^"'#:]*)\2 *:(?:\s|$)""")
_NOTHING = re.compile(r" *(?:#.*)?$")


def without_other_jobs(text: str, keep: Collection[str], jobs: Collection[str]) -> str:
    """
    Leave out the lines of all jobs but some.

    Lines are all that is looked at, so that the result must be read and compared before it is used:
    a job may refer to an anchor in another one, for example.

    Args:
        text: The file, which has been accepted.
        keep: The jobs to keep.
        jobs: The names of all jobs.

    Returns:
        The shorter text; the same text if the jobs are not written as a block.
    """
    kept: list[str] = []
    indent = -1  # Of the jobs' names; 0 from "jobs:" to the first of them, -1 outside.
    keeping = True
    for line in text.splitlines(keepends=True):
        key = _KEY.match(line)
        depth = len(line) - len(line.lstrip(" "))
        if depth == 0 and not _NOTHING.match(line):
            indent, keeping = (0 if line.rstrip() == "jobs:" else -1), True
        elif key and key[3] in jobs and depth > 0 and indent in (0, depth):
            indent, keeping = depth, key[3] in keep
        if keeping:
            kept.append(line)
    return "".join(kept)


def with_neighbours(config: Config, job: str) -> list[str]:
    """
    Name a job and all others that may read files of its folder, in the order of the configuration.

    By these it knows which of the files that it leaves are taken by nobody.
    """
    ours = config.jobs[job]
    if not isinstance(ours, ImportJob):
        return [job]
    prefix = ours.source.prefix
    return [
        name
        for name, other in config.jobs.items()
        if name == job or (isinstance(other, ImportJob) and _nested(other.source.prefix, prefix))
    ]


def _nested(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
