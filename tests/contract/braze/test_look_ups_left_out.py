"""Look-ups whose answers leave profiles out: nobody counts as absent for that alone."""

import asyncio
import random
from contextlib import asynccontextmanager
from datetime import timedelta

import polars as pl
import pytest
from aiohttp import web
from pydantic import SecretStr
from support.contexts import job_context

from exchanger.config.models import BrazeConfig, RateLimit
from exchanger.jobs.observing.left_out import IN_VAIN
from exchanger.jobs.observing.lookup import look_up
from exchanger.outside.braze.client import Braze


class Forgetful:
    """
    A workspace that answers look-ups, and leaves some profiles out of an answer for several.

    Args:
        known: Points of each profile.
        left_out: Profiles that only an answer to them alone, or to nobody who is known, names.
        renamed: New identifiers by old ones.
        lists_unknown: Whether it lists whom it does not know.
    """

    def __init__(self, known, *, left_out=(), renamed=None, lists_unknown=True):
        self.known = known
        self.left_out = set(left_out)
        self.renamed = renamed or {}
        self.lists_unknown = lists_unknown
        self.asked = []

    async def answer(self, request):
        ids = (await request.json())["external_ids"]
        self.asked.append(ids)
        others = [name for name in ids if name in self.known and name not in self.left_out]
        users = [
            {"external_id": self.renamed.get(name, name), "custom_attributes": {"n": value}}
            for name, value in self.known.items()
            if name in ids and not (name in self.left_out and others)
        ]
        unknown = [name for name in ids if name not in self.known]
        listed = {"invalid_user_ids": unknown} if self.lists_unknown else {}
        return web.json_response({"users": users} | listed, status=201)

    @asynccontextmanager
    async def serving(self):
        app = web.Application()
        app.router.add_post("/users/export/ids", self.answer)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        try:
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()


@pytest.fixture
def looked_up(stepped_clock, bucket, tmp_path):
    """Look profiles up in a workspace: their points as JSON, and who exists."""

    async def look(workspace, profiles):
        limit = RateLimit(requests=100_000, per=timedelta(minutes=1))
        async with workspace.serving() as url:
            config = BrazeConfig(endpoint=url, api_key=SecretStr("key"), lookup_limit=limit)
            context = job_context(
                bucket,
                lambda: Braze(config, clock=stepped_clock, random=random.Random(1)),
                tmp_path,
                clock=stepped_clock,
            )
            needed = pl.DataFrame({"@profile": profiles, "field": ["n"] * len(profiles)})
            seen = await asyncio.to_thread(look_up, context, needed)
        return {row["@profile"]: (row["@exists"], row["n"]) for row in seen.iter_rows(named=True)}

    return look


async def test_who_is_left_out_is_asked_once_more_alone(looked_up):
    """A profile that an answer neither returns nor lists is found; who is listed is not asked."""
    workspace = Forgetful({"a": 1, "b": 2, "c": 3}, left_out=["b", "c"])

    seen = await looked_up(workspace, ["a", "b", "c", "nobody"])

    nobody = (False, "null")
    assert {"a": (True, "1"), "b": (True, "2"), "c": (True, "3"), "nobody": nobody} == seen
    assert [["a", "b", "c", "nobody"], ["b"], ["c"]] == workspace.asked


async def test_who_is_left_out_again_is_absent(looked_up):
    """Some workspaces list nobody whom they do not know: who is silent twice does not exist."""
    workspace = Forgetful({"a": 1}, lists_unknown=False)

    seen = await looked_up(workspace, ["a", "x", "y"])

    assert {"a": (True, "1"), "x": (False, "null"), "y": (False, "null")} == seen
    assert [["a", "x", "y"], ["x"], ["y"]] == workspace.asked


async def test_a_workspace_that_never_lists_strangers_costs_twice_the_requests_at_most(looked_up):
    """Once asking alone was in vain many times, the left out of a request are asked together."""
    workspace = Forgetful({"a0990": 1, "a0995": 2}, left_out=["a0995"], lists_unknown=False)

    seen = await looked_up(workspace, [f"a{n:04}" for n in range(1_000)])

    requests = 1_000 // 50
    assert [("a0990", "1"), ("a0995", "2")] == [(name, s[1]) for name, s in seen.items() if s[0]]
    assert requests < len(workspace.asked) <= 2 * requests + IN_VAIN + 8


async def test_only_who_is_left_out_is_asked_for_a_stranger_in_the_answer(looked_up):
    """A renamed profile is found by its old identifier; whom Braze does not know is not asked."""
    workspace = Forgetful({"old": 1, "b": 2}, renamed={"old": "new"})

    seen = await looked_up(workspace, ["old", "b", *(f"x{n}" for n in range(40))])

    assert [("b", "2"), ("old", "1")] == sorted((n, s[1]) for n, s in seen.items() if s[0])
    assert 2 == len(workspace.asked)


async def test_renamed_profiles_are_found_when_the_left_out_are_asked_together(looked_up):
    """Also then, who answers with another name is asked for alone."""
    left_out = [f"z{n}" for n in range(3)]
    names = {name: f"new-{name}" for name in left_out}
    known = {"a": 0, **{name: n for n, name in enumerate(left_out, 1)}}
    workspace = Forgetful(known, left_out=left_out, renamed=names, lists_unknown=False)

    seen = await looked_up(workspace, [*(f"x{n}" for n in range(IN_VAIN + 46)), "a", *left_out])

    assert {"a": "0", "z0": "1", "z1": "2", "z2": "3"} == {n: s[1] for n, s in seen.items() if s[0]}
