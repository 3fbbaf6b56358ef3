"""A second kind of object, which counts once more whenever it is sent: each once, or in doubt."""

import asyncio
import json
from collections import Counter
from contextlib import nullcontext

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from support.contexts import job_context
from support.machine.bucket_double import BucketDouble, Store
from support.machine.processes import Fault, Process, ProcessClock, Time

from exchanger.braze.endpoints import ENDPOINTS, Endpoint
from exchanger.errors import BrazeKeyRefused, BrazeRefused, BrazeUnreachable
from exchanger.files.scratch.frame_file import FrameWriter
from exchanger.jobs.delivery import sender
from exchanger.outside.braze.answers import TrackAnswer
from exchanger.state.names import StateNames
from exchanger.state.runs.acknowledgements import IN_DOUBT, Acknowledgements

TALLIES = Endpoint("tallies", "/tallies", "tallies", objects=3, size=1_000, idempotent=False)
OBJECTS = 10
STATE = "_state/"
EXAMPLES, AT_NIGHT = 100, 3_000

faults = st.lists(
    st.builds(
        Fault,
        kind=st.sampled_from(("track", "track", "write", "list", "read")),
        nth=st.integers(0, 3),
        fate=st.sampled_from(("crash", "fail", "odd")),
        after=st.booleans(),
        variant=st.integers(0, 4),
    ),
    max_size=4,
)


class Tallies:
    """A client of a service that counts every object as often as it comes."""

    def __init__(self, counted, process):
        self._counted = counted
        self._process = process
        self.requests = 0
        self.permit = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        return None

    def expect(self, requests):
        """Nothing is paced here."""

    def in_flight(self, endpoint):
        return 48

    async def track(self, body, endpoint, group=""):
        assert not endpoint.idempotent
        objects = [one["n"] for one in json.loads(body)[endpoint.array]]
        self._process.tick()
        self.permit()
        self.requests += 1
        fault = self._process.fault("track")
        if fault is None:
            return self._take(objects)
        if fault.fate == "odd":
            return self._answer_oddly(fault, objects)
        if fault.after:
            self._take(objects)
        if fault.fate == "crash":
            self._process.die()
        raise BrazeUnreachable(endpoint.path, 0, "fault", uncertain=True)

    def _take(self, objects):
        self._counted.update(objects)
        return TrackAnswer(accepted=True, refused={})

    def _answer_oddly(self, fault, objects):
        bad = fault.nth % len(objects)
        if fault.variant == 0:  # One is refused, the others are taken.
            self._take([n for at, n in enumerate(objects) if at != bad])
            return TrackAnswer(accepted=True, refused={bad: "bad"})
        if fault.variant == 1:  # One is refused by name, and nothing is taken.
            return TrackAnswer(accepted=False, refused={bad: "bad"})
        if fault.variant == 2:  # All are refused without a name.
            raise BrazeRefused(TALLIES.path, 400, "bad")
        if fault.variant == 3:
            raise BrazeKeyRefused(TALLIES.path, 401, "fault")
        raise BrazeUnreachable(TALLIES.path, 503, "fault")  # Surely nothing was taken.


class Story:
    """Processes that deliver one outbox, one after the other."""

    def __init__(self, folder):
        self.time = Time()
        self.store = Store(self.time, folder)
        self.counted = Counter()
        self._folder = folder
        writer = FrameWriter(folder / "outbox")
        writer.append(
            pl.DataFrame(
                {
                    "@item": pl.int_range(OBJECTS, dtype=pl.UInt32, eager=True),
                    "@endpoint": [TALLIES.name] * OBJECTS,
                    "@object": [f'{{"n":{n}}}' for n in range(OBJECTS)],
                    "@points": [1] * OBJECTS,
                }
            )
        )
        self._outbox = writer.close()

    def deliver(self, faults=()):
        """Let one more process deliver what is left; whether it came to the end."""

        def work(process):
            context = job_context(
                BucketDouble(self.store, process),
                lambda: Tallies(self.counted, process),
                self._folder,
                state_prefix=STATE,
                clock=ProcessClock(process),
                batch_size=75,
                keep=lambda lease, every: nullcontext(),
            )
            acks = Acknowledgements(context.bucket, StateNames(STATE), 1)
            return asyncio.run(sender.deliver(context, self._outbox, acks, lambda: None))

        process = Process(self.time, work)
        process.go(faults)
        assert process.ended
        return process.result is not None and process.result.complete

    def outcomes(self):
        """Every item with its outcome, reason and certainty."""
        process = Process(self.time, lambda _: None)
        acks = Acknowledgements(BucketDouble(self.store, process), StateNames(STATE), 1)
        answers = acks.read(acks.parts())
        told = dict.fromkeys(answers.ok, ("ok", None, False))
        for item, outcome, reason, uncertain in answers.others.select(
            "@item", "outcome", "reason", "uncertain"
        ).iter_rows():
            told[item] = (outcome, reason, uncertain)
        return told


@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(AT_NIGHT, marks=pytest.mark.nightly)])
def test_each_object_counts_once_or_is_listed_as_in_doubt(examples, tmp_path_factory, monkeypatch):
    """
    Whatever fails, is refused or dies: no object counts twice, and none is lost without a word.

    What is told as accepted has counted, what is told as refused has not, and of what is in doubt
    nobody can know.
    """
    monkeypatch.setitem(ENDPOINTS, TALLIES.name, TALLIES)
    monkeypatch.setattr(sender, "WINDOW", 4)
    seen = Counter()

    @settings(max_examples=examples, derandomize=True, deadline=None, database=None)
    @given(st.lists(faults, max_size=3))
    def law(schedule):
        story = Story(tmp_path_factory.mktemp("tallies"))
        with capture_logs():
            for faults in schedule:
                story.deliver(faults)
            assert story.deliver() or story.deliver(), "an undisturbed process comes to the end"
        told = story.outcomes()
        assert list(range(OBJECTS)) == sorted(told)
        for item, (outcome, reason, uncertain) in told.items():
            count = story.counted[item]
            assert count <= 1, "no object counts twice"
            if outcome == "ok":
                assert 1 == count
            elif uncertain:
                assert IN_DOUBT == reason
            else:
                assert 0 == count
            seen[outcome, uncertain] += 1

    law()
    assert {("ok", False), ("refused", True), ("refused", False)} == set(seen)
