"""What the endpoints of one workspace work on, and how they put work off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exchanger.sandbox.audiences.cohorts import Cohorts
from exchanger.sandbox.catalogs.catalogs import Catalogs
from exchanger.sandbox.http.answers import Answer
from exchanger.sandbox.identity.directory import Directory
from exchanger.sandbox.inspecting.writes import Writes
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.subscriptions.states import Subscriptions
from exchanger.sandbox.tracking.groups import Groups
from exchanger.sandbox.tracking.meter import Meter


@dataclass
class Scene:
    """
    Everything that requests read and change; a reset replaces it as a whole.

    Args:
        settings: What the workspace is like.
        now: Its time in epoch seconds.
        directory: Its profiles.
        meter: Its data points.
        groups: Groups of track requests.
        subscriptions: Subscription groups, and the states of addresses without a profile.
        catalogs: Its catalogs.
        cohorts: What partners made.
        writes: What became of what was accepted.
    """

    settings: SandboxSettings
    now: Callable[[], float]
    directory: Directory
    meter: Meter
    groups: Groups
    subscriptions: Subscriptions
    catalogs: Catalogs
    cohorts: Cohorts
    writes: Writes


@dataclass(frozen=True)
class Step:
    """
    Work of an accepted request that is done after its answer.

    Args:
        kind: Which of the ``delays`` of the settings it waits for, after the step before it.
        apply: Does it, on the scene and at the time at which it is done.
    """

    kind: str
    apply: Callable[[Scene, float], None]


@dataclass(frozen=True)
class Queued:
    """
    An answer that only says that the request was understood.

    Args:
        answer: The answer.
        steps: What is done later, in this order.
    """

    answer: Answer
    steps: tuple[Step, ...]


Handler = Callable[..., Answer | Queued]
"""Answers the JSON body or the query parameters, on a scene; parts of the path come last."""
