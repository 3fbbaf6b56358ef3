"""A local Braze: one workspace, served over HTTP and open to tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from exchanger.sandbox.exporting.exporter import Exporter
from exchanger.sandbox.http.endpoints import PERMISSIONS
from exchanger.sandbox.http.faults import Fault
from exchanger.sandbox.http.server import HOST, HttpServer, application
from exchanger.sandbox.inspecting.writes import Outcome
from exchanger.sandbox.json_text import parse, render
from exchanger.sandbox.seeding import rows_of
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.subscriptions.states import Channel
from exchanger.sandbox.workspace import Workspace

if TYPE_CHECKING:
    from exchanger.sandbox.local_s3 import LocalS3


class Sandbox:
    """
    A running workspace; a context manager.

    Args:
        settings: What the workspace is like.
        s3: Where segment exports go; without it they are downloaded from an address.
        bucket: The bucket there; created unless it exists.
        port: 0 for any that is free.
    """

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        *,
        s3: LocalS3 | None = None,
        bucket: str | None = None,
        port: int = 0,
    ) -> None:
        if (s3 is None) != (bucket is None):
            raise ValueError("s3 and bucket go together")
        self._workspace = Workspace(settings or SandboxSettings())
        self._s3, self._bucket, self._port = s3, bucket, port

    # --- Its life ---

    def start(self) -> Self:
        """Serve from now on."""
        storage = None
        if self._s3 is not None and self._bucket is not None:
            from exchanger.sandbox.local_s3 import BucketStorage

            storage = BucketStorage(self._s3, self._bucket)
        self._exporter = Exporter(self._workspace, storage)
        self._server = HttpServer(application(self._workspace, self._exporter), self._port)
        self._exporter.base_url = self.url
        self._server.start()
        self._exporter.start_thread()
        return self

    def stop(self) -> None:
        """Close the port and stop all exports; what the workspace holds can still be asked."""
        self._server.stop()
        self._exporter.stop_thread()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The REST endpoint's address."""
        return f"http://{HOST}:{self._server.port}"

    @property
    def api_key(self) -> str:
        """The first key of the settings; after ``give_key``, the one that was given last."""
        return next(iter(self._workspace.settings.api_keys))

    # --- Arranging ---

    def seed(self, source: Any) -> int:
        """
        Set profiles without a request: unmetered, at once.

        Args:
            source: See ``seeding.rows_of``: a path, a polars frame, or mappings.

        Returns:
            How many profiles there were.
        """
        return self._workspace.set_profiles(rows_of(source))

    def add_segment(
        self,
        name: str,
        where: Iterable[Mapping[str, Any]] = (),
        members: Iterable[str] | None = None,
    ) -> str:
        """
        Create a segment, or replace the one of that name.

        Args:
            name: Of the segment.
            where: Conditions that all must hold, such as
                ``{"attribute": "tier", "equals": "gold"}``; none for all users.
            members: External ids, for a segment of these users.

        Returns:
            Its id.
        """
        return self._workspace.add_segment(name, where, members).id

    def add_subscription_group(self, name: str, channel: Channel = "email") -> str:
        """
        Create a subscription group.

        Args:
            name: Of the group.
            channel: ``email``, or ``sms`` for RCS as well.

        Returns:
            Its id.
        """
        with self._workspace.lock:
            return self._workspace.scene.subscriptions.add_group(name, channel).id

    def answer_opt_ins(self, subscription_group_id: str) -> int:
        """Let all agree whom a double opt-in asked; returns how many there were."""
        space = self._workspace
        with space.settled():
            states = space.scene.subscriptions
            return states.answer_prompts(subscription_group_id, space.directory, space.now())

    def mark(self, external_id: str, *flags: str) -> None:
        """
        Mark a profile with the flags, and with no other.

        Args:
            external_id: Whose profile.
            *flags: ``control_group``, ``marked_for_deletion``, ``test_user``, ``invalid_phone``,
                ``hard_bounced``.

        Raises:
            ValueError: There is no such flag.
        """
        self._workspace.mark(external_id, flags)

    def faults(self, endpoint: str, **description: Any) -> None:
        """
        Put a fault on the tape: ``faults("/users/track", status=503, times=2)``.

        Args:
            endpoint: Its path, or ``*`` for any.
            **description: ``times``, ``skip``, ``status``, ``applied``, ``body``, ``headers``,
                ``drop``, ``truncate``, ``delay``, ``late`` as in ``faults.Fault``.

        Raises:
            ValueError: There is no such key, or the fault would do nothing.
        """
        fault = Fault.described({"endpoint": endpoint} | description)
        with self._workspace.lock:
            self._workspace.faults.add(fault)

    def clear_faults(self) -> None:
        """Empty the tape."""
        with self._workspace.lock:
            self._workspace.faults.clear()

    def change(self, **changes: Any) -> None:
        """Change settings by name while it runs."""
        with self._workspace.lock:
            self._workspace.settings = self._workspace.settings.changed(changes)

    def give_key(self, key: str, *, lacking: Iterable[str] = (), keep_others: bool = False) -> None:
        """
        Add an API key to the workspace while it runs; ``api_key`` is this one from then on.

        Args:
            key: The key; one that exists gets other permissions.
            lacking: Permissions that it does not have, such as ``segments.list``.
            keep_others: Whether the earlier keys stay valid; else they answer 401.

        Raises:
            ValueError: There is no such permission.
        """
        if unknown := sorted(set(lacking) - PERMISSIONS):
            raise ValueError(f"no such permission: {', '.join(unknown)}")
        granted = PERMISSIONS - set(lacking) if lacking else None
        with self._workspace.lock:
            others = self._workspace.settings.api_keys if keep_others else {}
            keys = {key: granted} | {name: has for name, has in others.items() if name != key}
            self.change(api_keys=keys)

    def advance(self, seconds: float = 0.0) -> None:
        """Let time pass at once: what was due is applied and written when this returns."""
        self._workspace.set_ahead(seconds)
        self._workspace.settle()
        self._exporter.write_due()

    def reset(self) -> None:
        """Forget profiles, segments, exports, faults, requests and data points."""
        self._exporter.forget()
        self._workspace.reset()

    # --- Looking ---

    def users(self) -> dict[str, dict[str, Any]]:
        """
        All identified profiles by external id.

        Each has the names of an export line (``custom_attributes`` within), and the standard
        fields that no export shows. Numbers that are not plain integers compare as floats and
        know their ``text``.
        """
        with self._workspace.lock:
            everyone = self._workspace.everyone()
            return {user.external_id: user.inspected() for user in everyone if user.external_id}

    def profiles(self) -> list[dict[str, Any]]:
        """All profiles, those without an external id too, in order of creation."""
        with self._workspace.lock:
            return [profile.inspected() for profile in self._workspace.everyone()]

    def raw_attribute(self, external_id: str, name: str) -> str | None:
        """The exact JSON text of a standard field or custom attribute, ``None`` if not set."""
        with self._workspace.settled():
            profile = self._workspace.directory.by_external_id[external_id]
            value = profile.standard.get(name, profile.custom.get(name))
            return None if value is None else render(value).decode()

    def requests(self, endpoint: str) -> int:
        """How many requests of an endpoint came in, answered or not."""
        with self._workspace.lock:
            return self._workspace.journal.counts[endpoint]

    def bodies(self, endpoint: str) -> list[Any]:
        """The JSON of the kept requests of an endpoint, oldest first; numbers know their text."""
        return [parse(body) for body in self.raw_bodies(endpoint)]

    def raw_bodies(self, endpoint: str) -> list[bytes]:
        """The kept request bodies of an endpoint as received, oldest first."""
        with self._workspace.lock:
            return [one.body for one in self._workspace.journal.newest(endpoint)]

    def catalog(self, name: str) -> dict[str, dict[str, Any]]:
        """The items of a catalog by id."""
        with self._workspace.settled():
            return dict(self._workspace.scene.catalogs.known[name].items)

    def cohort(self, partner: str, cohort_id: str) -> set[str]:
        """The external ids in a cohort of a partner; of who has none, the ``braze_id``."""
        with self._workspace.settled():
            members = self._workspace.scene.cohorts.known[partner, cohort_id].members
            everyone = self._workspace.everyone()
            return {one.external_id or one.braze_id for one in everyone if one.braze_id in members}

    def writes(self, outcome: Outcome | None = None) -> list[dict[str, Any]]:
        """What became of the kept objects and items, with the reason; of one outcome, or any."""
        with self._workspace.settled():
            return self._workspace.scene.writes.newest(outcome)

    @property
    def meter(self) -> int:
        """Data points so far."""
        with self._workspace.settled():
            return self._workspace.meter.total

    def points_by_name(self) -> dict[str, int]:
        """Data points so far by attribute, ``event:NAME`` and ``purchase:NAME``."""
        with self._workspace.settled():
            return dict(self._workspace.meter.by_name)
