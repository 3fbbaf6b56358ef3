"""A kind says everything that the rest of the code asks of it, in words that the rest knows."""

from __future__ import annotations

from typing import get_args

import pytest

from exchanger.config.models import ObjectName
from exchanger.jobs.quarantine.given_again import GIVEN_AGAIN
from exchanger.jobs.settlement.settle import STEPS
from exchanger.objects.kinds import GivenAgain, Settled, every_kind, kind_named
from exchanger.objects.orders.lines import Lines
from exchanger.objects.rows import EachRow


def test_every_object_that_a_job_may_name_is_a_kind():
    """The configuration takes no word that nothing stands behind."""
    # An audience is four: values, events, a cohort, or values and a cohort.
    words = {*get_args(ObjectName), "audience_events", "audience_cohort", "audience_and_cohort"}
    assert words == {kind.name for kind in every_kind()}
    assert all(kind_named(kind.name) is kind for kind in every_kind())


def test_every_word_of_a_kind_is_known_where_it_is_done():
    """A new word without its step fails here, not in the middle of a run."""
    assert {*get_args(Settled)} == {*STEPS}
    assert {*get_args(GivenAgain)} == {*GIVEN_AGAIN}


@pytest.mark.parametrize(
    ("name", "holds", "counts", "looked_up", "again"),
    [
        ("attributes", True, False, True, "values"),
        ("events", False, True, False, "objects"),
        ("purchases", False, True, False, "objects"),
        ("catalog_items", True, False, False, "values"),
        ("orders", False, True, False, "objects"),
        ("audience", True, False, True, "values"),
        ("audience_events", False, False, False, "objects"),
        ("audience_cohort", True, False, False, "values"),
        ("audience_and_cohort", True, False, True, "values"),
        ("renames", False, False, False, "objects"),
        ("aliases", False, False, False, "objects"),
        ("merges", False, False, False, "objects"),
        ("identify", False, False, False, "objects"),
        ("deletions", False, False, False, "objects"),
    ],
)
def test_what_is_done_with_each_kind(name, holds, counts, looked_up, again):
    """Values are held and compared with Braze; what counts each time is remembered row by row."""
    kind = kind_named(name)
    asked = (kind.holds_values, kind.counts_rows, kind.looked_up, kind.given_again)
    assert (holds, counts, looked_up, again) == asked


def test_what_counts_each_time_is_never_sent_again_unless_the_job_says_so():
    """Of what counts an endpoint is idempotent only under on_unknown: resend."""
    makings = [kind.making for kind in every_kind() if kind.counts_rows]
    assert all(isinstance(making, EachRow | Lines) for making in makings)
    for making in makings:
        said = {word: endpoint.idempotent for word, endpoint in making.endpoints.items()}
        assert said == {"hold": False, "resend": True, "ask": False}
