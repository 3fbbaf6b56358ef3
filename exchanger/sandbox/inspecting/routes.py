"""``/sandbox/...``: look inside a workspace, and arrange what happens next. Needs no key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchanger.sandbox.exporting.exporter import Exporter
from exchanger.sandbox.http.faults import Fault
from exchanger.sandbox.http.local_only import HEADER
from exchanger.sandbox.json_text import parse, render
from exchanger.sandbox.seeding import rows_of
from exchanger.sandbox.workspace import Workspace

_PAGE = 1000


def inspection_routes(workspace: Workspace, exporter: Exporter) -> list[Route]:
    """The routes below ``/sandbox``."""
    inspection = _Inspection(workspace, exporter)
    return [
        Route("/users", inspection.users),
        Route("/users/{external_id:path}", inspection.user),
        Route("/meter", inspection.meter),
        Route("/requests", inspection.requests),
        Route("/writes", inspection.writes),
        Route("/catalogs/{name}", inspection.catalog),
        Route("/cohorts", inspection.cohorts),
        Route("/segments", inspection.segments, methods=["GET"]),
        Route("/settings", inspection.settings, methods=["GET"]),
        Route("/faults", inspection.faults, methods=["GET"]),
        Route("/faults", _told(inspection.clear_faults), methods=["DELETE"]),
        *(
            Route(path, _told(handle), methods=["POST"])
            for path, handle in (
                ("/segments", inspection.add_segment),
                ("/subscription-groups", inspection.add_subscription_group),
                ("/opt-ins", inspection.answer_opt_ins),
                ("/marks", inspection.mark),
                ("/settings", inspection.change_settings),
                ("/faults", inspection.add_faults),
                ("/seed", inspection.seed),
                ("/reset", inspection.reset),
                ("/advance", inspection.advance),
            )
        ),
    ]


def _json(value: Any, status: int = 200) -> Response:
    return Response(render(value), status, media_type="application/json")


def _told(handle: Callable[[Any], Any]) -> Callable[[Request], Awaitable[Response]]:
    """
    A route that passes the JSON body on, and answers 400 with the reason if it is wrong.

    It changes something or reads files of this machine, so it demands a header that no page can
    send: browsers ask for leave first, which nobody gives.
    """

    async def answer(request: Request) -> Response:
        if HEADER not in request.headers:
            return _json({"message": f"send the header {HEADER}: 1 with this request"}, 403)
        body = await request.body()
        try:
            return _json(handle(parse(body) if body else {}))
        except (ValueError, TypeError, KeyError, OSError) as error:
            return _json({"message": str(error)}, 400)

    return answer


class _Inspection:
    def __init__(self, workspace: Workspace, exporter: Exporter) -> None:
        self._workspace = workspace
        self._exporter = exporter

    async def users(self, request: Request) -> Response:
        start = int(request.query_params.get("offset", 0))
        size = int(request.query_params.get("limit", _PAGE))
        with self._workspace.lock:
            everyone = self._workspace.everyone()
            page = [profile.inspected() for profile in everyone[start : start + size]]
        if request.query_params.get("format") == "ndjson":
            lines = b"".join(render(profile) + b"\n" for profile in page)
            return Response(lines, media_type="application/x-ndjson")
        return _json({"total": len(everyone), "users": page})

    async def user(self, request: Request) -> Response:
        with self._workspace.settled():
            known = self._workspace.directory.by_external_id
            profile = known.get(request.path_params["external_id"])
            if profile is None:
                return _json({"message": "no such user"}, 404)
            return _json(profile.inspected())

    async def meter(self, _request: Request) -> Response:
        with self._workspace.settled():
            meter = self._workspace.meter
            return _json({"data_points": meter.total, "by_name": dict(meter.by_name)})

    async def requests(self, request: Request) -> Response:
        endpoint, last = request.query_params.get("endpoint"), request.query_params.get("last")
        with self._workspace.lock:
            journal = self._workspace.journal
            answer: dict[str, Any] = {"counts": dict(journal.counts)}
            if last is not None:
                answer["last"] = [one.shown() for one in journal.newest(endpoint, int(last))]
        return _json(answer)

    async def writes(self, request: Request) -> Response:
        asked = request.query_params
        with self._workspace.settled():
            writes = self._workspace.scene.writes
            found = writes.newest(asked.get("outcome"), asked.get("braze_id"))
            counts = [
                {"what": what, "outcome": outcome, "count": count}
                for (what, outcome), count in writes.counts.items()
            ]
        return _json({"counts": counts, "writes": found})

    async def catalog(self, request: Request) -> Response:
        with self._workspace.settled():
            found = self._workspace.scene.catalogs.known.get(request.path_params["name"])
            if found is None:
                return _json({"message": "no such catalog"}, 404)
            return _json({"catalog": found.shown(), "items": list(found.items.values())})

    async def cohorts(self, _request: Request) -> Response:
        with self._workspace.settled():
            known = self._workspace.scene.cohorts.known.values()
            shown = [
                {
                    "partner": one.partner,
                    "cohort_id": one.id,
                    "name": one.name,
                    "members": sorted(one.members),
                }
                for one in known
            ]
        return _json({"cohorts": shown})

    async def segments(self, _request: Request) -> Response:
        with self._workspace.lock:
            known = list(self._workspace.segments.values())
        return _json(
            {
                "segments": [
                    one.listed()
                    | {
                        "where": [dict(condition) for condition in one.where],
                        "members": None if one.members is None else sorted(one.members),
                    }
                    for one in known
                ]
            }
        )

    async def settings(self, _request: Request) -> Response:
        return _json(self._workspace.settings.shown())

    def add_segment(self, body: dict[str, Any]) -> dict[str, Any]:
        segment = self._workspace.add_segment(
            body["name"], body.get("where", ()), body.get("members"), body.get("tags", ())
        )
        return segment.listed()

    def add_subscription_group(self, body: dict[str, Any]) -> dict[str, Any]:
        with self._workspace.lock:
            states = self._workspace.scene.subscriptions
            return asdict(states.add_group(body["name"], body.get("channel", "email")))

    def answer_opt_ins(self, body: dict[str, Any]) -> dict[str, Any]:
        space = self._workspace
        with space.settled():
            agreed = space.scene.subscriptions.answer_prompts(
                body["subscription_group_id"], space.directory, space.now()
            )
        return {"agreed": agreed}

    def mark(self, body: dict[str, Any]) -> dict[str, Any]:
        self._workspace.mark(body["external_id"], body["flags"])
        return {"flags": sorted(body["flags"])}

    def change_settings(self, body: dict[str, Any]) -> dict[str, Any]:
        with self._workspace.lock:
            self._workspace.settings = self._workspace.settings.changed(body)
            return self._workspace.settings.shown()

    async def faults(self, _request: Request) -> Response:
        with self._workspace.lock:
            waiting = [asdict(fault) for fault in self._workspace.faults.waiting()]
        return _json({"faults": waiting})

    def clear_faults(self, _body: Any) -> dict[str, Any]:
        with self._workspace.lock:
            return {"cleared": self._workspace.faults.clear()}

    def add_faults(self, body: Any) -> dict[str, Any]:
        faults = [Fault.described(one) for one in (body if isinstance(body, list) else [body])]
        with self._workspace.lock:
            for fault in faults:
                self._workspace.faults.add(fault)
        return {"added": len(faults)}

    def seed(self, body: Any) -> dict[str, Any]:
        rows = body["users"] if "users" in body else rows_of(body["path"])
        return {"seeded": self._workspace.set_profiles(rows)}

    def reset(self, _body: Any) -> dict[str, Any]:
        self._exporter.forget()
        self._workspace.reset()
        return {"message": "success"}

    def advance(self, body: dict[str, Any]) -> dict[str, Any]:
        self._workspace.set_ahead(float(body.get("seconds", 0)))
        self._exporter.write_due()
        return {"now": self._workspace.now()}
