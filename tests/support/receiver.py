"""A receiver of alerts: an HTTP server to which Apprise posts JSON, and which may refuse."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Keeps what it was told, in order; answers with *status*."""

    def __init__(self):
        self.told = []
        self.status = 200
        self.tried = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.tried += 1
                if receiver.status == 200:
                    receiver.told.append(json.loads(body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self._thread.start()

    def url(self, secret="s3cretPath99"):
        """Return the address by which Apprise reaches it."""
        return f"json://127.0.0.1:{self._server.server_address[1]}/{secret}"

    def titles(self):
        """Return what was told since the last call, without the name of the program."""
        told, self.told = self.told, []
        return [one["title"].removeprefix("exchanger: ") for one in told]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
