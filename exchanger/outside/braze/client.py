"""
Braze's REST API.

Every request goes through ``requests``, which paces and tries again; what answers mean is in
``answers``. Sources are named by section of ``braze-api.md``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Literal, Self

import orjson
from pydantic import SecretStr

from exchanger.braze.endpoints import (
    ATTRIBUTES,
    CANCEL_EXPORT,
    CATALOG_ITEM,
    CATALOGS,
    COHORTS,
    ENDPOINTS,
    EXPORT_IDS,
    EXPORT_SEGMENT,
    GROUP_STATES,
    LIST_SEGMENTS,
    SIZE_SEGMENT,
    STATE_IN_GROUP,
    TRACK,
    TRACK_STATUS,
    Endpoint,
)
from exchanger.braze.limits import SEGMENTS_PER_PAGE
from exchanger.config.models import AudienceCohort, BrazeConfig
from exchanger.errors import (
    BrazeError,
    BrazeRefused,
    BrazeUnreachable,
    CohortMissing,
    ExportRunning,
)
from exchanger.outside.braze.answers import (
    Answer,
    ExportStarted,
    IdsAnswer,
    Segment,
    TrackAnswer,
    read_export,
    read_ids,
    read_segments,
    read_size,
    read_track,
)
from exchanger.outside.braze.catalog_answers import Catalog, read_catalogs, read_item
from exchanger.outside.braze.cohorts import creation, read_change, with_keys
from exchanger.outside.braze.group_states import (
    PAGE,
    Params,
    names_group,
    people_named,
    read_states,
    read_users,
)
from exchanger.outside.braze.look_up_request import look_up_request
from exchanger.outside.braze.rate_limit import Quotas
from exchanger.outside.braze.request_group import read_done, read_received, with_group
from exchanger.outside.braze.requests import (
    DOWNLOAD,
    BrazeRequests,
)
from exchanger.outside.braze.transport import REQUEST_SECONDS, Call, is_safe
from exchanger.outside.clock import Clock, SystemClock

_EXPORT_LIMIT_WAITING = 10.0
_DAYS_OF_SIZES = "14"
"""Days to look back for an estimate: some may have none."""


class Braze:
    """
    One workspace: ``async with Braze(config) as braze``. Not for use from several event loops.

    All methods raise, once trying again has not helped or cannot help:

    - ``BrazeKeyRefused`` for 401, ``BrazeForbidden`` for 403, ``BrazeRefused`` for any other answer
      that is about the request;
    - ``BrazeUnreachable`` for no answer, 5xx, 429, and a 2xx that cannot be read.

    ``uncertain`` of the error says whether an attempt may have taken effect all the same.

    Args:
        config: Address, key and limits.
        clock: Time.
        random: Source of jitter.
        timeout: Seconds after which a request without an answer counts as lost.
        quotas: Where requests are counted by the hour, if there is a limit.
        cohorts: Those that people may be given to, by what names them.

    Raises:
        ValueError: The address is neither https nor on this machine.
    """

    def __init__(  # noqa: PLR0913 - each but the first may be left out
        self,
        config: BrazeConfig,
        *,
        clock: Clock | None = None,
        random: Random | None = None,
        timeout: float = REQUEST_SECONDS,
        quotas: Quotas | None = None,
        cohorts: Mapping[str, AudienceCohort] | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._cohorts = cohorts or {}
        self._named: set[str] = set()
        """The cohorts that have got their names already."""
        self._base = config.endpoint.rstrip("/")
        if not is_safe(self._base):
            raise ValueError("the key is only sent over https")
        self._key = config.api_key
        self.group = ""
        """The ``group_id`` of requests to ``/users/track``; none once Braze does not track them."""
        keys = [key for it in self._cohorts.values() for key in (it.partner_key, it.client_secret)]
        self._requests = BrazeRequests(
            config,
            clock=self._clock,
            random=random,
            timeout=timeout,
            quotas=quotas,
            secrets=[key.get_secret_value() for key in keys],
        )

    def __repr__(self) -> str:
        return f"Braze({self._base!r})"

    async def __aenter__(self) -> Self:
        await self._requests.wire.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._requests.close()

    @property
    def permit(self) -> Callable[[], None]:
        """Called before every attempt to write; raises if this process may not write now."""
        return self._requests.permit

    @permit.setter
    def permit(self, permit: Callable[[], None]) -> None:
        self._requests.permit = permit

    def listen(self, heard: Callable[[Call, Answer | None], None]) -> None:
        """Call this after every attempt to write, with the answer if there was one."""
        self._requests.heard = heard

    @property
    def requests(self) -> int:
        """How many requests with objects were sent, every attempt counted."""
        return sum(self._requests.sent[path] for path in {it.path for it in ENDPOINTS.values()})

    @property
    def requests_by_endpoint(self) -> Mapping[str, int]:
        """How many requests were sent to each endpoint, every attempt counted."""
        return dict(self._requests.sent)

    @property
    def taken_at_most(self) -> int:
        """
        How many requests to ``/users/track`` Braze may count as received, every attempt counted.

        That is all but those without a connection and those answered 429: what was refused as a
        whole should not be counted (2.11), but nobody says so.
        """
        return self._requests.sent[TRACK] - self._requests.not_taken[TRACK]

    def expect(self, requests: int) -> None:
        """
        Prepare for a run of so many requests with objects.

        They may go at once where they fit into a limit of which nothing is used; otherwise they are
        spread.
        """
        self._requests.expect(requests)

    def in_flight(self, endpoint: Endpoint = ATTRIBUTES) -> int:
        """Return how many requests with objects should be under way at once."""
        return self._requests.in_flight(endpoint.path)

    async def name_cohort(self, endpoint: Endpoint) -> None:
        """
        Create the cohort that an endpoint is about, or give it its name; once (11).

        Raises:
            CohortMissing: Nobody knows its keys.
        """
        if endpoint.of in self._named:
            return
        cohort = self._cohort(endpoint)
        url = self._base + COHORTS.replace("{name}", cohort.partner)
        body = creation(cohort, self._clock.now())
        call = Call(COHORTS, "POST", url, body, writes=True)
        await self._requests.send(call, lambda _: None)
        self._named.add(endpoint.of)

    def _cohort(self, endpoint: Endpoint) -> AudienceCohort:
        if endpoint.of not in self._cohorts:
            raise CohortMissing(endpoint.path, endpoint.of)
        return self._cohorts[endpoint.of]

    def track(
        self, body: bytes, endpoint: Endpoint = ATTRIBUTES, group: str = ""
    ) -> Coroutine[Any, Any, TrackAnswer]:
        """
        Send objects (2).

        Lost answers are met by sending them again, where the endpoint says that this is safe.

        Args:
            body: JSON with the array of the endpoint.
            endpoint: Where they are sent.
            group: The ``group_id`` of this very request, in place of that of all of them.

        Returns:
            Which objects were refused, and whether the others were taken.

        Raises:
            BrazeRefused: The request as a whole was refused: 400 that names no object, 413. Smaller
                requests may show which object it is about. A larger body than the endpoint takes is
                not sent at all.
        """
        if len(body) > endpoint.size:
            detail = f"{len(body)} bytes are more than {endpoint.size}"
            raise BrazeRefused(endpoint.path, 413, detail)
        group = group or self.group
        if group and endpoint.path == TRACK:
            grouped = with_group(body, group)
            body = grouped if len(grouped) <= endpoint.size else body
        if len(endpoint.methods) > 1:
            return self._tracked_by_each(body, endpoint)
        # Not awaited here: of the most frequent request, every step costs.
        return self._track_once(body, endpoint, endpoint.methods[0])

    def _track_once(
        self, body: bytes, endpoint: Endpoint, method: str
    ) -> Coroutine[Any, Any, TrackAnswer]:
        key: SecretStr | None = self._key
        if endpoint.packed == "cohort":
            body, key = with_keys(body, self._cohort(endpoint)), None
        call = Call(
            endpoint.path,
            method,
            self._base + endpoint.address,
            body,
            key=key,
            writes=True,
            idempotent=endpoint.idempotent,
            counts_again=endpoint.counts_again,
        )
        return self._requests.send(call, partial(self._tracked, endpoint), reads=(400,))

    async def _tracked_by_each(self, body: bytes, endpoint: Endpoint) -> TrackAnswer:
        """Send the same objects by one method after the other; the last answer is that of all."""
        first, *others = endpoint.methods
        answer = await self._track_once(body, endpoint, first)
        for method in others:
            try:
                answer = await self._track_once(body, endpoint, method)
            except BrazeError as error:
                error.uncertain = True  # The methods before have taken effect.
                raise
        return answer

    async def done_with(self, group: str) -> int:
        """
        Ask whether Braze has processed what it received of a group, a beta (2.11).

        Returns:
            How many requests these are, if they are all processed. Otherwise 0: also of a group
            that is unknown, or unknown by now, and of an answer that contradicts itself.
        """
        call = self._get(TRACK_STATUS, (("group_id", group),))
        return await self._requests.send(call, lambda answer: read_done(answer, group))

    async def received(self, group: str) -> int:
        """
        Ask how many requests of a group Braze has taken, whether it has processed them or not.

        0 proves nothing: one may be under way, or the group unknown by now (2.11).
        """
        call = self._get(TRACK_STATUS, (("group_id", group),))
        return await self._requests.send(call, lambda answer: read_received(answer, group))

    async def export_segment(
        self,
        segment_id: str,
        fields: Sequence[str],
        custom_attributes: Sequence[str] | None = None,
        output_format: Literal["gzip", "zip"] = "gzip",
    ) -> ExportStarted:
        """
        Begin an export of a segment (4).

        Args:
            segment_id: The segment.
            fields: Names of fields to export.
            custom_attributes: Names of custom attributes, at most 500; None for none by name.
            output_format: How the files are packed.

        Raises:
            ExportRunning: 429, for longer than a few seconds. Most likely an export of this segment
                is running, which may be one that we began without getting the answer.
        """
        request: dict[str, Any] = {
            "segment_id": segment_id,
            "fields_to_export": list(fields),
            "output_format": output_format,
        }
        if custom_attributes is not None:
            request["custom_attributes_to_export"] = list(custom_attributes)
        try:
            return await self._requests.send(
                self._post(EXPORT_SEGMENT, orjson.dumps(request)),
                read_export,
                limit_waiting=_EXPORT_LIMIT_WAITING,
            )
        except BrazeUnreachable as error:
            if error.status == 429:
                raise ExportRunning(segment_id, error.detail) from error
            raise

    async def cancel_export(self, segment_id: str) -> bool:
        """
        Ask Braze to stop the running exports of a segment (4.3).

        Returns:
            Whether Braze took it. The endpoint is scarcely documented and may not be there.
        """
        call = self._post(CANCEL_EXPORT, orjson.dumps({"segment_id": segment_id}))
        return await self._requests.send(call, lambda answer: answer.status < 300, reads=(400, 404))

    async def export_ids(self, keys: Sequence[str], fields: Sequence[str]) -> IdsAnswer:
        """
        Look up profiles (5). ``external_id`` is always among the fields.

        Args:
            keys: Of profiles: external ids and aliases, at most 50 of them together; or a single
                one of any other kind.
            fields: Names of fields to export.
        """
        if not keys:
            return IdsAnswer([], [], [])
        named = look_up_request(keys)
        needed = ["external_id", *(["user_aliases"] if "user_aliases" in named else [])]
        request = {**named, "fields_to_export": list(dict.fromkeys([*needed, *fields]))}
        call = self._post(EXPORT_IDS, orjson.dumps(request))
        return await self._requests.send(call, lambda answer: read_ids(answer, keys))

    async def group_states(self, keys: Sequence[str]) -> dict[str, list[dict[str, str]]]:
        """
        Look up the subscription groups of people (10).

        Args:
            keys: At most 50, of one kind: external ids, e-mail addresses or phone numbers.

        Returns:
            By key, of each profile that has it the state in each group that was ever set.
        """
        found: dict[str, list[dict[str, str]]] = {}
        for offset in range(0, 1_000_000, PAGE):
            page = (("limit", str(PAGE)), ("offset", str(offset)))
            call = self._get(GROUP_STATES, people_named(keys) + page)
            users, total = await self._requests.send(call, lambda got: read_users(got, keys))
            for key, states in users.items():
                found.setdefault(key, []).extend(states)
            if offset + PAGE >= total:
                break
        return found

    async def states_in_group(self, group: str, keys: Sequence[str]) -> dict[str, str]:
        """
        Look up the states of identifiers in one group, also of those that no profile has (10).

        Args:
            group: Its id.
            keys: As for *group_states*.

        Returns:
            By key; without those of which nothing is known, and nothing at all of a group that
            there is not.
        """
        named = (("subscription_group_id", group), *people_named(keys))
        call = self._get(STATE_IN_GROUP, named)
        return await self._requests.send(
            call, lambda got: read_states(got, keys) if got.status < 300 else {}, reads=(400,)
        )

    async def has_group(self, group: str) -> bool:
        """
        Ask whether there is a subscription group (10).

        No answer is documented for one that there is not: a refusal that speaks of a group counts
        as that, any other one tells nothing.
        """
        named = (("subscription_group_id", group), ("external_id[]", "exchanger"))
        call = self._get(STATE_IN_GROUP, named)
        return await self._requests.send(call, names_group, reads=(400, 404))

    async def segments(self) -> list[Segment]:
        """List the segments of the workspace, the oldest first; archived ones are left out (8)."""
        found: dict[str, Segment] = {}
        for page in range(1_000_000):
            call = self._get(LIST_SEGMENTS, (("page", str(page)), ("sort_direction", "asc")))
            listed = await self._requests.send(call, read_segments)
            new = {segment.id: segment for segment in listed if segment.id not in found}
            found |= new
            # Braze does not say where the list ends. A page that brings nothing new would mean
            # that page numbers are ignored.
            if len(listed) < SEGMENTS_PER_PAGE or not new:
                break
        return list(found.values())

    async def segment_size(self, segment_id: str) -> int | None:
        """
        Ask how many users Braze estimates in a segment; None if it has no estimate (8).

        The estimate comes from a sample: that of a small segment may be 0.
        """
        named = (("segment_id", segment_id), ("length", _DAYS_OF_SIZES))
        call = self._get(SIZE_SEGMENT, named)
        return await self._requests.send(call, read_size)

    async def catalogs(self) -> list[Catalog]:
        """List the catalogs, with the type of each of their fields (16)."""
        return await self._requests.send(self._get(CATALOGS), read_catalogs)

    async def catalog_item(self, catalog: str, item: str) -> dict[str, Any] | None:
        """Look up one item of a catalog; None if there is none of that id (16)."""
        path = CATALOG_ITEM.replace("{name}", catalog).replace("{id}", item)
        call = Call(CATALOG_ITEM, "GET", self._base + path, key=self._key)
        return await self._requests.send(call, read_item, reads=(404,))

    async def download(self, url: str, path: Path) -> bool:
        """
        Fetch an export from where Braze said it will be (4.2).

        The address is signed and not part of the API, so the key is not sent to it.

        Returns:
            True when the whole file was written; False while there is nothing yet (403, 404). An
            address that has expired also answers 403.
        """
        if not is_safe(url):
            raise BrazeRefused(DOWNLOAD, 0, "the address is neither https nor on this machine")
        part = path.with_name(path.name + ".part")
        call = Call(DOWNLOAD, "GET", url, save_to=part)
        try:
            there = await self._requests.send(
                call, lambda answer: answer.status < 300, reads=(403, 404)
            )
            if there:
                await asyncio.to_thread(part.replace, path)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)
        return there

    def _get(self, endpoint: str, params: Params = ()) -> Call:
        return Call(endpoint, "GET", self._base + endpoint, params=params, key=self._key)

    def _post(self, endpoint: str, body: bytes) -> Call:
        return Call(endpoint, "POST", self._base + endpoint, body, key=self._key)

    def _tracked(self, endpoint: Endpoint, answer: Answer) -> TrackAnswer:
        cohort = endpoint.packed == "cohort"
        said = read_change(answer) if cohort else read_track(answer, endpoint.array)
        if said and not said.tracked:
            self.group = ""
        return self._cleaned(said) if said else self._requests.refuse(endpoint.path, answer)

    def _cleaned(self, said: TrackAnswer) -> TrackAnswer:
        """Take secrets out of what Braze says of single objects, as that is kept."""
        if not said.refused and not said.warnings:
            return said
        clean = self._requests.clean
        refused = {position: clean(reason) for position, reason in said.refused.items()}
        return replace(said, refused=refused, warnings=tuple(map(clean, said.warnings)))
