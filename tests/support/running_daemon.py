"""The real daemon as a process, with a small program in place of the command line."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

from support.lines import Lines

PATIENCE = 60.0

HARNESS = """
import sys
from pathlib import Path
from exchanger.app.logs import log_everything, set_up_logs
from exchanger.app.defaults import LogLevel
from exchanger.service.daemon import run_daemon
from exchanger.service.telling import attention, heartbeat
attention.FIRST, heartbeat.FIRST = 0.0, 1e9  # There is no bucket here.
set_up_logs(LogLevel.info)
log_everything()
code = run_daemon(Path(sys.argv[1]), command=sys.argv[2:])
heavy = {"polars", "pyarrow", "deltalake", "boto3", "botocore", "aiohttp"} & sys.modules.keys()
print(sorted(heavy))
sys.exit(code)
"""

# Stands for the command line. What a job does is in a file of its name; a job that holds waits
# until the test writes into its pipe.
CHILD = """
import json, os, signal, sys
from pathlib import Path
control, verb, *arguments = Path(sys.argv[1]), *sys.argv[2:]
if verb == "runs":
    assert arguments[:2] == ["--latest", "--connection"], arguments
    assert (arguments[3], arguments[5:]) == ("--config", ["--json"]), arguments
    sys.stdout.write((control / f"runs-{arguments[2]}.json").read_text())
    sys.exit()
if verb == "status":
    assert (arguments[0], arguments[2], arguments[4:]) == ("--connection", "--config", ["--json"])
    told = control / f"status-{arguments[1]}.json"
    print(told.read_text() if told.exists() else json.dumps({"jobs": []}))
    sys.exit()
job, option, config, as_json = arguments
assert (verb, option, as_json) == ("run", "--config", "--json"), arguments
first = Path(config).read_text().splitlines()[0]
deed = (control / job).read_text()
def report(state):
    print(json.dumps({"run_id": f"run-{os.getpid()}", "job": job, "state": state, "rows_read": 7}))
def stop(*_):
    report("partial")
    sys.stdout.flush()
    os._exit(4)
signal.signal(signal.SIGTERM, signal.SIG_IGN if deed == "stubborn" else stop)
sys.stderr.write(f"child {job} reads {first}\\n")
sys.stderr.flush()
if deed == "crash":
    os.kill(os.getpid(), signal.SIGKILL)
if deed == "native":
    import faulthandler
    faulthandler.enable()
    sys.stderr.write(json.dumps({"event": "run.planned", "level": "info", "seq": 3}) + "\\n")
    sys.stderr.write('{"event": cut off by the crash')
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGSEGV)
if deed == "raise":
    raise ValueError("of this\\nnobody thought")
if deed in ("hold", "stubborn"):
    (control / f"{job}.pipe").read_text()
if deed == "babble":
    print("no report")
    sys.exit(1)
report("succeeded")
"""

CONNECTIONS = """
connections:
  main: &connection
    braze: {endpoint: iad-01, api_key: '${BRAZE_API_KEY}'}
    s3: {bucket: acme-exchange, region: eu-west-1, endpoint_url: "http://127.0.0.1:9",
         access_key_id: '${BRAZE_API_KEY}', secret_access_key: '${BRAZE_API_KEY}'}
  shop: *connection
jobs:
"""


class RunningDaemon:
    """A daemon process, read line by line; every wait has a deadline."""

    def __init__(self, folder):
        self.config = folder / "exchanger.yaml"
        self.control = folder / "control"
        self.control.mkdir()
        (folder / "harness.py").write_text(HARNESS)
        (folder / "child.py").write_text(CHILD)
        self.folder = folder
        self.events = []
        self.said = []
        self.process = None
        self.program = sys.executable
        self.plain = []
        self._lines = None

    def configure(self, title="first", **jobs):
        """Write a configuration of export jobs, each with its schedule, or more, as YAML text."""
        text = f"# {title}{CONNECTIONS}"
        for name, schedule in jobs.items():
            connection = "" if "connection:" in schedule else "connection: main, "
            text += (
                f"  {name}: {{type: export, segment: VIP, fields: {{id: external_id}},"
                f" target: {{prefix: exports/{name}/}}, {connection}{schedule}}}\n"
            )
        fresh = self.config.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.config)

    def deed(self, job, deed):
        (self.control / job).write_text(deed)
        if deed in ("hold", "stubborn"):
            os.mkfifo(self.control / f"{job}.pipe")

    def release(self, job):
        """Let a job that holds go on; waits until it is there to be released."""
        (self.control / f"{job}.pipe").write_text("go")

    def last_starts(self, connection="main", **hours_ago):
        runs = [
            {"job": job, "started_at": (datetime.now(UTC) - timedelta(hours=hours)).isoformat()}
            for job, hours in hours_ago.items()
        ]
        (self.control / f"runs-{connection}.json").write_text(json.dumps(runs))

    def start(self):
        script, child = self.folder / "harness.py", self.folder / "child.py"
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(self.config), *self._command(child)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "BRAZE_API_KEY": "dummy-key"},
        )
        self._lines = Lines(self.process.stderr)
        return self.until("daemon.started")

    def _command(self, child):
        return [self.program, str(child), str(self.control)]

    def tell(self, number):
        self.process.send_signal(number)

    def until(self, event, **facts):
        """Read on until an event with these facts comes, and return it."""
        return self.until_all({"event": event, **facts})[0]

    def until_all(self, *wanted):
        """Read on until all of these events came, in any order."""
        found = [None] * len(wanted)
        deadline = time.monotonic() + PATIENCE
        while None in found:
            seen = self._next_event(deadline)
            assert seen, f"{wanted} did not come; events: {self.events}; said: {self.said}"
            for at, each in enumerate(wanted):
                if found[at] is None and each.items() <= seen.items():
                    found[at] = seen
                    break
        return found

    def until_said(self, count):
        """Read on until the children wrote so many lines."""
        deadline = time.monotonic() + PATIENCE
        while len(self.said) < count:
            assert self._read_line(deadline), f"no more; events: {self.events}"

    def _next_event(self, deadline):
        count = len(self.events)
        while len(self.events) == count:
            if not self._read_line(deadline):
                return None
        return self.events[-1]

    def _read_line(self, deadline):
        line = self._lines.next(deadline)
        if line is not None and line.startswith(b"{"):
            event = json.loads(line)
            self.events.append(event)
            if event["event"] == "run.said":
                self.said += event["text"].splitlines()
        elif line is not None:
            self.plain.append(line.decode())
        return line is not None

    def end(self):
        """Read all that is left; return the exit code and what it printed."""
        while self._next_event(time.monotonic() + PATIENCE):
            pass
        printed = self.process.stdout.read().decode()
        return self.process.wait(timeout=PATIENCE), printed

    def count(self, event, **facts):
        return sum({"event": event, **facts}.items() <= seen.items() for seen in self.events)
