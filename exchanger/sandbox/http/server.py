"""The HTTP server of a sandbox, in a thread of its own."""

from __future__ import annotations

import socket
import threading

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from exchanger.sandbox.exporting.exporter import Exporter
from exchanger.sandbox.http.connections import CuttableProtocol
from exchanger.sandbox.http.door import Door
from exchanger.sandbox.http.local_only import LocalOnly
from exchanger.sandbox.inspecting.routes import inspection_routes
from exchanger.sandbox.workspace import Workspace

HOST = "127.0.0.1"
_KEEP_ALIVE_SECONDS = 75
_NOT_YET = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
)


def application(workspace: Workspace, exporter: Exporter) -> LocalOnly:
    """The ASGI application: Braze's paths, the download addresses, and ``/sandbox``."""

    async def download(request: Request) -> Response:
        archive = exporter.archive(request.path_params["prefix"])
        if archive is None:
            return Response(_NOT_YET, 403, media_type="application/xml")
        return Response(archive, 200, media_type="application/zip")

    app = Starlette(
        routes=[
            Mount("/sandbox", routes=inspection_routes(workspace, exporter)),
            Route("/exports/{prefix}.zip", download),
            Mount("/", app=Door(workspace, exporter)),
        ]
    )
    app.router.redirect_slashes = False
    return LocalOnly(app)


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.listening.set()


class HttpServer:
    """
    Serves an application on the loopback interface.

    Args:
        app: The ASGI application.
        port: 0 for any that is free.
    """

    def __init__(self, app: LocalOnly, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name="sandbox-http",
            daemon=True,
        )

    def start(self) -> None:
        """Serve from now on; returns when requests are taken."""
        self._thread.start()
        self._server.listening.wait()

    def stop(self) -> None:
        """Close all connections and the port."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
