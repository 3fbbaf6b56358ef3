"""How what a job sends is looked after: what can be written."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from exchanger.config.checks.guards import check_delivery
from exchanger.config.describing.guards import describe_delivery
from exchanger.config.loading.unsupported import split_later
from exchanger.config.models import Delivery, ImportJob


@pytest.mark.parametrize(
    ("text", "percent"), [("1%", 1.0), ("0.1 %", 0.1), ("100%", 100.0), (" 25.5% ", 25.5)]
)
def test_a_share_is_written_in_percent(text, percent):
    """With its sign, so that nobody takes 1 for everybody."""
    delivery = Delivery.model_validate({"verify": {"sample": text}})
    assert percent == delivery.verify.sample
    assert delivery == Delivery.model_validate(delivery.model_dump())
    assert [f"reads back {percent:g} % of what a run sent, once Braze must show it"] == [
        *describe_delivery(delivery)
    ]


@pytest.mark.parametrize("text", ["0%", "101%", "1", "%", "-1%", "1 percent", 1, None])
def test_what_is_no_share_is_refused(text):
    """With an example of one."""
    with pytest.raises(ValidationError, match="write a share, such as 1%"):
        Delivery.model_validate({"verify": {"sample": text}})


@pytest.mark.parametrize(
    ("kind", "fits"), [("attributes", True), ("audience", True), ("events", False)]
)
def test_only_what_a_look_up_shows_is_read_back(kind, fits):
    """Nothing shows whether an event came in."""
    job = ImportJob.model_construct(object=kind, delivery=Delivery(verify={"sample": "1%"}))
    assert fits == (not [*check_delivery(job, ("jobs", "a"))])


@pytest.mark.parametrize(
    ("said", "fits"),
    [({"shadow": True, "compare_after": "2h"}, True), ({"compare_after": "2h"}, False)],
)
def test_what_only_shadow_needs_is_refused_without_it(said, fits):
    """Nothing is accepted and ignored."""
    job = ImportJob.model_construct(object="attributes", delivery=Delivery.model_validate(said))
    assert fits == (not [*check_delivery(job, ("jobs", "a"))])


@pytest.mark.parametrize("mode", ["live", "shadow"])
def test_whoever_writes_shadow_as_a_mode_is_told_where_it_stands(mode):
    """The key is taken by catalogs."""
    job = {"type": "import", "mode": mode, "delivery": {"canary": 500}}
    kept, [finding] = split_later({"jobs": {"a": job}})
    assert {"type": "import", "delivery": {"canary": 500}} == kept["jobs"]["a"]
    assert ("jobs", "a", "mode") == finding.where
    assert "delivery: {shadow: true}" in finding.message


@pytest.mark.parametrize(
    ("kind", "fits"), [("attributes", True), ("audience", False), ("events", False)]
)
def test_only_attributes_are_sent_a_few_first(kind, fits):
    """Nothing else is read back before the rest is sent."""
    job = ImportJob.model_construct(object=kind, delivery=Delivery(canary=500))
    assert fits == (not [*check_delivery(job, ("jobs", "a"))])


def test_a_job_that_sends_a_few_first_says_so():
    """Beside what it reads back later; a job in shadow sends none at all."""
    both = Delivery.model_validate({"canary": 500, "verify": {"sample": "1%"}})
    first, later = describe_delivery(both)
    assert "sends the first 500 objects of a run, and the rest only once" in first
    assert later.startswith("reads back 1 %")
    [shadow] = describe_delivery(Delivery(canary=500, shadow=True))
    assert shadow.startswith("sends nothing")


@pytest.mark.parametrize("number", [0, -1, 5_001])
def test_how_many_are_sent_first_has_bounds(number):
    """They are read back one by one, and in memory."""
    with pytest.raises(ValidationError):
        Delivery(canary=number)
