"""The door that every request passes (braze-api.md 1.2 to 1.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from exchanger.sandbox.exporting.exporter import Exporter
from exchanger.sandbox.http.answers import Answer, refused
from exchanger.sandbox.http.connections import drop_connection, send_truncated
from exchanger.sandbox.http.endpoints import Endpoint, Endpoints
from exchanger.sandbox.http.faults import Fault
from exchanger.sandbox.json_text import parse, render
from exchanger.sandbox.workspace import Workspace

_NOT_JSON = "Error while parsing request body. Please check your syntax."
_BEARER = "Bearer "


class Door:
    """Takes requests in, as ASGI: faults, key, size, type, limits, then the endpoint."""

    def __init__(self, workspace: Workspace, exporter: Exporter) -> None:
        self._workspace = workspace
        self._known = Endpoints(workspace, exporter)

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
            with space.putting_off(fault.late if fault else 0.0):
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
        known, captured = self._known.at(request.method, request.url.path)
        if known is None:
            return refused(404)
        if problem := self._unauthorized(request.headers, known):
            return problem
        if len(body) > self._workspace.settings.max_body_bytes:
            return refused(self._workspace.settings.oversize_status)
        if known.has_body and not _is_json(request.headers):
            return refused(415)
        verdict = self._workspace.spend(known.pool)
        if not verdict.passed:
            return refused(429, **verdict.headers)
        answer = self._handled(known, captured, request, body)
        return Answer(answer.status, answer.body, verdict.headers | answer.headers)

    def _unauthorized(self, headers: Mapping[str, str], known: Endpoint) -> Answer | None:
        if not known.permission:
            return None
        header = headers.get("authorization", "")
        if not header.startswith(_BEARER):
            return refused(401)
        key, keys = header.removeprefix(_BEARER), self._workspace.settings.api_keys
        if key not in keys:
            return refused(401, f"Invalid API key: {key}")
        granted = keys[key]
        return None if granted is None or known.permission in granted else refused(403)

    @staticmethod
    def _handled(
        known: Endpoint, captured: tuple[str, ...], request: Request, body: bytes
    ) -> Answer:
        if not known.has_body:
            return known.handle(request.query_params, *captured)
        try:
            parsed = parse(body)
        except ValueError:
            return Answer(400, {"error": _NOT_JSON})
        if not isinstance(parsed, dict):
            return Answer(400, {"error": _NOT_JSON})
        return known.handle(parsed, *captured)


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
