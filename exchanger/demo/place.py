"""Where the demo takes place: a local Braze, a local S3, and a configuration that names both."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchanger.app.defaults import LogLevel
from exchanger.app.outcome import Outcome, words_of
from exchanger.app.runner import run_job, story_of
from exchanger.app.wiring import open_context, prepare
from exchanger.config.models import Config, ImportJob
from exchanger.jobs.plan import plan_import
from exchanger.jobs.runtime.context import SilentProgress
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.sandbox import LocalS3, Sandbox
from exchanger.sandbox.run import fill_in

if TYPE_CHECKING:
    from exchanger.demo.households import Drop, Texts
    from exchanger.jobs.planning.preview import PlanReport
    from exchanger.outside.s3.bucket import Bucket

BUCKET = "exchange"
_CONNECTION = "sandbox"
_CONNECTIONS = """\
connections:
  sandbox:
    braze:
      endpoint: {braze}
      api_key: ${{DEMO_BRAZE_KEY:-{api_key}}}
      spacing: 0s                        # this Braze applies updates in order
    s3:
      bucket: {bucket}
      region: {region}
      endpoint_url: {s3}
      access_key_id: ${{DEMO_S3_KEY:-{access_key}}}
      secret_access_key: ${{DEMO_S3_SECRET:-{secret_key}}}

"""


@dataclass(frozen=True)
class DemoPlace:
    """
    Both servers and the configuration, with the verbs that the story uses.

    Args:
        config_path: The configuration file, which any other ``exchanger`` command can use too.
        config: What it says.
        braze: The local Braze.
        bucket: The local bucket.
        stopping: Set when the person wants out.
    """

    config_path: Path
    config: Config
    braze: Sandbox
    bucket: Bucket
    stopping: threading.Event

    def drop(self, file: Drop) -> None:
        """Put a file into the bucket, as people do."""
        self.bucket.write(file.key, file.body)

    def plan(self, name: str) -> PlanReport:
        """Preview a job: ``exchanger plan``."""
        job = self.config.jobs[name]
        if not isinstance(job, ImportJob):
            raise TypeError(name)
        with open_context(self.config, _CONNECTION) as context:
            return plan_import(context, name, job)

    def run(self, name: str) -> Outcome:
        """Run a job: ``exchanger run``."""
        return run_job(
            self.config,
            name,
            story_of(name, self.config.jobs[name], ImportOptions()),
            stopping=self.stopping,
            progress=SilentProgress(),
            tell=words_of,
        )

    def read_json(self, key: str) -> Any:
        """Read a document from the bucket."""
        return json.loads(self.bucket.read(key)[0])

    def texts(self, attributes: tuple[str, ...]) -> Texts:
        """Look into Braze: the JSON text of each attribute of each household."""
        return {
            household: {name: self.braze.raw_attribute(household, name) for name in attributes}
            for household in self.braze.users()
        }


@contextmanager
def demo_place(jobs: str, stopping: threading.Event) -> Iterator[DemoPlace]:
    """
    Start both servers on free ports and write the configuration; all of it goes at the end.

    Args:
        jobs: The ``jobs`` section of the configuration.
        stopping: Set when the person wants out.
    """
    with (
        tempfile.TemporaryDirectory(prefix="exchanger-demo-") as folder,
        LocalS3() as s3,
        Sandbox(s3=s3, bucket=BUCKET) as braze,
    ):
        path = Path(folder) / "exchanger.yaml"
        path.write_text(fill_in(_CONNECTIONS, braze, s3, BUCKET) + jobs, encoding="utf-8")
        config = prepare(path, LogLevel.error, as_json=False)
        with open_context(config, _CONNECTION) as context:
            yield DemoPlace(path, config, braze, context.bucket, stopping)
