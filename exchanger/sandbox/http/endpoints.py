"""The Braze endpoints, and the door every request passes (braze-api.md 1.2 to 1.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from exchanger.sandbox.exporting.exporter import Exporter
from exchanger.sandbox.http.answers import Answer, refused
from exchanger.sandbox.http.connections import drop_connection, send_truncated
from exchanger.sandbox.http.faults import Fault
from exchanger.sandbox.json_text import parse, render
from exchanger.sandbox.workspace import Workspace

_NOT_JSON = "Error while parsing request body. Please check your syntax."
_BEARER = "Bearer "
PERMISSIONS = frozenset(
    {
        "users.track",
        "users.track.status",
        "users.export.ids",
        "users.export.segment",
        "segments.list",
        "segments.details",
        "segments.data_series",
    }
)


@dataclass(frozen=True)
class Endpoint:
    """
    One Braze endpoint.

    Args:
        method: ``GET`` or ``POST``.
        path: Without a trailing slash.
        permission: What the key must be granted.
        pool: Which rate limit it counts against.
        handle: Makes the answer from the JSON body or the query parameters.
    """

    method: str
    path: str
    permission: str
    pool: str
    handle: Callable[[Any], Answer]


def endpoints(workspace: Workspace, exporter: Exporter) -> list[Endpoint]:
    """The endpoints of a workspace."""
    return [
        Endpoint("POST", "/users/track", "users.track", "track", workspace.track),
        Endpoint(
            "GET", "/users/track/status", "users.track.status", "status", workspace.tell_group
        ),
        Endpoint("POST", "/users/export/ids", "users.export.ids", "lookup", workspace.look_up),
        Endpoint("POST", "/users/export/segment", "users.export.segment", "shared", exporter.start),
        Endpoint("POST", "/export/segment/cancel", "segments.list", "shared", exporter.cancel),
        Endpoint("GET", "/segments/list", "segments.list", "shared", workspace.list_segments),
        Endpoint(
            "GET", "/segments/details", "segments.details", "shared", workspace.describe_segment
        ),
        Endpoint(
            "GET", "/segments/data_series", "segments.data_series", "shared", workspace.size_segment
        ),
    ]


class Door:
    """
    Takes requests in, as ASGI: faults, key, size, type, limits, then the endpoint.

    Args:
        workspace: Whose endpoints these are.
        exporter: Its exports.
    """

    def __init__(self, workspace: Workspace, exporter: Exporter) -> None:
        self._workspace = workspace
        self._known = {
            (known.method, known.path): known for known in endpoints(workspace, exporter)
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        body = await request.body()
        space, path = self._workspace, request.url.path
        with space.lock:
            space.journal.note(path, body)
            fault = space.faults.next_for(path, space.settings)
            latency = space.settings.latency + (fault.delay if fault else 0.0)
        if latency:
            await asyncio.sleep(latency)
        answer = None
        if fault is None or fault.takes_effect:
            answer = self._answer(request, body)
        if fault is not None and fault.drop is not None:
            await drop_connection(request)
            return
        response = _response(answer, fault)
        if fault is not None and fault.truncate:
            await send_truncated(request, response, send)
            return
        await response(scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> Answer:
        known = self._known.get((request.method, request.url.path))
        if known is None:
            return refused(404)
        if problem := self._unauthorized(request.headers, known):
            return problem
        if len(body) > self._workspace.settings.max_body_bytes:
            return refused(self._workspace.settings.oversize_status)
        if known.method == "POST" and not _is_json(request.headers):
            return refused(415)
        verdict = self._workspace.spend(known.pool)
        if not verdict.passed:
            return refused(429, **verdict.headers)
        answer = self._handled(known, request, body)
        return Answer(answer.status, answer.body, verdict.headers | answer.headers)

    def _unauthorized(self, headers: Mapping[str, str], known: Endpoint) -> Answer | None:
        header = headers.get("authorization", "")
        if not header.startswith(_BEARER):
            return refused(401)
        key, keys = header.removeprefix(_BEARER), self._workspace.settings.api_keys
        if key not in keys:
            return refused(401, f"Invalid API key: {key}")
        granted = keys[key]
        return None if granted is None or known.permission in granted else refused(403)

    @staticmethod
    def _handled(known: Endpoint, request: Request, body: bytes) -> Answer:
        if known.method == "GET":
            return known.handle(request.query_params)
        try:
            parsed = parse(body)
        except ValueError:
            return Answer(400, {"error": _NOT_JSON})
        if not isinstance(parsed, dict):
            return Answer(400, {"error": _NOT_JSON})
        return known.handle(parsed)


def _is_json(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _response(answer: Answer | None, fault: Fault | None) -> Response:
    headers = dict(answer.headers) if answer else {}
    if fault is None or fault.status is None:
        status, body = (answer.status, answer.body) if answer else (500, {})
        return Response(render(body), status, headers, "application/json")
    body = fault.body if fault.body is not None else refused(fault.status).body
    content = body.encode() if isinstance(body, str) else render(body)
    told = {name.lower(): value for name, value in fault.headers.items()}
    return Response(content, fault.status, headers | told, "application/json")
