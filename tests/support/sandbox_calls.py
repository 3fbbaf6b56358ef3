"""Requests to the local Braze, as a client without ours would send them."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from exchanger.sandbox import Sandbox

TRACK, IDS = "/users/track", "/users/export/ids"


def call(
    braze: Sandbox, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, dict[str, str], Any]:
    connection = http.client.HTTPConnection(urlsplit(braze.url).netloc, timeout=10)
    told = {"authorization": f"Bearer {braze.api_key}", "content-type": "application/json"}
    told |= {"x-sandbox": "1"} if path.startswith("/sandbox/") else {}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    try:
        connection.request(method, path, content, {k: v for k, v in told.items() if v})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), json.loads(answer.read())
    finally:
        connection.close()


def post(braze: Sandbox, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    status, _, answer = call(braze, "POST", path, body, **headers)
    return status, answer


def track(braze: Sandbox, *attributes: Any, **arrays: Any) -> tuple[int, Any]:
    return post(braze, TRACK, ({"attributes": list(attributes)} if attributes else {}) | arrays)


def people(count: int, prefix: str = "u") -> list[dict[str, Any]]:
    return [{"external_id": f"{prefix}{n}", "n": n} for n in range(count)]
