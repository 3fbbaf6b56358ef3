"""A connection whose keys are planted: whatever is written holds them only if they leak."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote

from ruamel.yaml import YAML

from exchanger.outside.s3.bucket import Bucket
from exchanger.sandbox import Sandbox
from support import leaks
from support.jobs import import_job
from support.warm_start import WarmServer

BRAZE_KEY = "Zq7brazePLANTED/+=%&'\"\\-<k>~9x"
PARTNER, PARTNER_KEY = "acme", "Hm6partnerPLANTED/+=%&'\"\\-<k>~9x"
CLIENT_SECRET = "Fy8importPLANTED/+=%&'\"\\-<k>~5z"
S3_KEY = "AKIAPLANTEDs3idQ7w"
S3_SECRET = "Vj3s3secretPLANTED/+=%&'\"\\-<k>~4y"
ALERT_PASSWORD, ALERT_PATH = "Kx5alertPLANTEDpw", "Wd2alertPLANTEDpath"
ALERT_URL = f"json://someone:{ALERT_PASSWORD}@127.0.0.1:9/{ALERT_PATH}/"
"""A channel that takes nothing: who fails to reach it may tell of it."""
CORES = {
    ALERT_PASSWORD: ALERT_PASSWORD,
    ALERT_PATH: ALERT_PATH,
    BRAZE_KEY: "Zq7brazePLANTED",
    PARTNER_KEY: "Hm6partnerPLANTED",
    CLIENT_SECRET: "Fy8importPLANTED",
    S3_KEY: S3_KEY,
    S3_SECRET: "Vj3s3secretPLANTED",
}
"""Of each key, a part without odd characters: whatever escapes the rest leaves this as it is."""
CANARY = "harmless-canary-57"

TRACK, EXPORT, SEGMENTS = "/users/track", "/users/export/segment", "/segments/list"
IMPORT, EXPORT_JOB, COHORT_JOB = (f"{kind}-{CANARY}" for kind in ("import", "export", "cohort"))
COHORTS, COHORT_USERS = f"/partners/{PARTNER}/cohorts", f"/partners/{PARTNER}/cohorts/users"
LIMIT = 120
JOBS = {
    IMPORT: import_job(
        fields={
            "points": {"merge": "sum", "type": "integer"},
            "email": {"from": "email"},
            "note": {"from": "note"},
        }
    ),
    COHORT_JOB: import_job(
        source={"prefix": "people/", "mode": "snapshot"},
        object="audience",
        audience={
            "as": {
                "cohort": {
                    "id": "vip",
                    "name": CANARY,
                    "partner": PARTNER,
                    "client_secret": "${PLANTED_IMPORT}",
                    "partner_key": "${PLANTED_PARTNER}",
                }
            }
        },
    ),
    EXPORT_JOB: {
        "type": "export",
        "segment": "Everybody",
        "fields": {"external_id": {"from": "external_id"}},
        "remaining_fields": {"prefix": ""},
        "target": {"prefix": "exports/"},
        "completion": {"poll": "1s", "quiet": "1s", "timeout": "30s", "confirm": False},
    },
}
ROWS = (
    "id,points,email,note\n"
    f"a,1,a@example.com,{CANARY}\n"
    f"b,no number,b@example.com,{CANARY}\n"
    f"c,3,no address,{CANARY}\n"
)


def echoes() -> str:
    """Spell the keys of Braze in all the ways in which an answer may echo them."""
    said = ["Invalid API key:"]
    for key in (BRAZE_KEY, PARTNER_KEY, CLIENT_SECRET):
        encoded = [base64.b64encode(b"\0" * n + key.encode()).decode() for n in range(3)]
        said += [key, quote(key, safe=""), *encoded]
    return " ".join(said)


class EchoingStore(BaseHTTPRequestHandler):
    """An S3 that refuses everything, and tells all it was told."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = f"{self.headers} {S3_KEY} {S3_SECRET} {quote(S3_SECRET, safe='')}"
        escaped = told.replace("&", "&amp;").replace("<", "&lt;")
        status, code = self.server.says
        body = (
            f"<Error><Code>{code}</Code><Message>{escaped}</Message>"
            f"<AWSAccessKeyId>{S3_KEY}</AWSAccessKeyId></Error>"
        ).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

    def log_message(self, *words):
        pass


@dataclass
class Scene:
    """One connection with the planted keys, everything that it writes, and the command line."""

    folder: Path
    braze: Sandbox
    bucket: Bucket
    connection: dict
    warm: WarmServer
    channel: str = "${PLANTED_ALERT}"

    @property
    def temporary(self):
        return self.folder / "temporary"

    def start(self, *words):
        with (self.folder / "exchanger.yaml").open("w") as file:
            told = [{"url": self.channel}]
            connections = {"main": self.connection}
            YAML().dump({"connections": connections, "notifications": told, "jobs": JOBS}, file)
        self.temporary.mkdir(exist_ok=True)
        return self.warm.start(
            [*words, "--log-level", "debug"],
            self.folder,
            {
                **os.environ,
                "PLANTED_ALERT": ALERT_URL,
                "PLANTED_BRAZE": BRAZE_KEY,
                "PLANTED_ID": S3_KEY,
                "PLANTED_IMPORT": CLIENT_SECRET,
                "PLANTED_PARTNER": PARTNER_KEY,
                "PLANTED_SECRET": S3_SECRET,
                "EXCHANGER_CONFIG": str(self.folder / "exchanger.yaml"),
                "TMPDIR": str(self.temporary),
            },
        )

    def call(self, *words):
        """Run the command line; its exit code and what it wrote to either stream."""
        process = self.start(*words)
        out, err = process.communicate(timeout=LIMIT)
        name = " ".join(words)
        return process.returncode, [
            leaks.Place("stdout", name, out.encode()),
            leaks.Place("stderr", name, err.encode()),
        ]

    def written(self):
        """Open every object of the bucket and every file of the temporary folder."""
        places = []
        for item in self.bucket.list(""):
            places += leaks.opened(item.key, self.bucket.read(item.key)[0])
        for path in sorted(self.temporary.rglob("*")):
            if path.is_file():
                inner = leaks.opened(path.name, path.read_bytes())
                places += [leaks.Place("file", one.name, one.content) for one in inner]
        return places
