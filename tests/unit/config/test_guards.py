"""What guards and budgets may say, and how they are described."""

from __future__ import annotations

import pytest
from support.config_texts import ENVIRON, ONE, import_job
from support.config_texts import messages as problems

from exchanger.config.describing.jobs import describe_job
from exchanger.config.loading.load import read_config

EVENTS = """
jobs:
  crm: {type: import, source: {prefix: in/}, match: {external_id: id}, object: events,
        event: {name: visit, time: at}, guards: {max_changed_percent: 5}}
"""


DESCRIBED = """\
waits for you if more than 50 % of the profiles that are known would lose a value that they have
waits for you if more than 5 % of the profiles that are known would lose a value and have none \
afterwards
waits for you if more than 7.5 % of its rows would be rejected
waits for you if a file has over 40 % fewer rows than the file before
waits for you if a field lacks a value in over 20 % more rows than before
waits for you if it would cost more than 2,000,000 data points
waits for you if a file has no rows
waits for you if all runs of its connection would cost more than 5,000,000 data points in a day \
(Europe/Berlin)
waits for you if all runs of its connection would cost more than 100,000,000 data points in a \
month (Europe/Berlin)""".splitlines()


def guarded(text):
    return ONE + import_job(extra=f"guards: {{{text}}}")


def budgeted(text):
    return ONE.replace("s3:", f"budget: {{{text}}}, s3:") + import_job()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (guarded("max_changed_percent: 101"), "jobs.crm.guards.max_changed_percent"),
        (guarded("max_cleared_percent: -1"), "jobs.crm.guards.max_cleared_percent"),
        (guarded("max_rejected_percent: few"), "jobs.crm.guards.max_rejected_percent"),
        (guarded("max_fewer_row_percent: 5"), "jobs.crm.guards.max_fewer_row_percent"),
        (guarded("max_data_points: 1.5k5"), "jobs.crm.guards.max_data_points"),
        (guarded("max_data_points: 0.0005k"), "jobs.crm.guards.max_data_points"),
        (guarded("max_data_points: -1"), "jobs.crm.guards.max_data_points"),
        (guarded("max_data_points: true"), "jobs.crm.guards.max_data_points"),
        (guarded("empty_file: reject"), "jobs.crm.guards.empty_file"),
        (guarded("max_more_empty_percent: 101"), "jobs.crm.guards.max_more_empty_percent"),
        (ONE + EVENTS, "jobs.crm.guards.max_changed_percent"),
        (budgeted(""), "connections.main.budget"),
        (budgeted("currency: EUR"), "connections.main.budget"),
        (budgeted("data_points: {day: 5M, month: 1M}"), "connections.main.budget.data_points.day"),
        (budgeted("data_points: {week: 5M}"), "connections.main.budget.data_points.week"),
        (budgeted("price: -1"), "connections.main.budget.price"),
        (budgeted("price: 1, currency: ''"), "connections.main.budget.currency"),
        (budgeted("price: 1, timezone: Europe/Berlinn"), "connections.main.budget.timezone"),
        ("guards: {max_data_points: 1}\n" + ONE + import_job(), "guards"),
        ("budget: {price: 1}\n" + ONE + import_job(), "budget"),
    ],
)
def test_what_makes_no_sense_is_one_problem_at_its_place(text, path):
    """A guard that could never say anything, or a budget without a number, is refused."""
    assert [path] == list(problems(text))


@pytest.mark.parametrize(
    ("text", "number"),
    [("2000000", 2_000_000), ("5M", 5_000_000), ("1.5m", 1_500_000), ('"2_000"', 2000),
     ("500k", 500_000), ("1B", 10**9), ("0", 0)],
)  # fmt: skip
def test_large_numbers_are_written_as_people_do(text, number):
    """Thousands, millions and billions need no counting of noughts."""
    job = read_config(guarded(f"max_data_points: {text}"), ENVIRON).jobs["crm"]
    assert number == job.guards.max_data_points


def test_each_guard_and_budget_is_described():
    """Whoever reads what a job does reads also when it waits."""
    guards = (
        "max_changed_percent: 50, max_cleared_percent: 5, max_rejected_percent: 7.5,"
        " max_fewer_rows_percent: 40, max_more_empty_percent: 20, max_data_points: 2M,"
        " empty_file: hold"
    )
    budget = "data_points: {day: 5M, month: 100M}, timezone: Europe/Berlin"
    text = guarded(guards).replace("s3:", f"budget: {{{budget}}}, s3:")
    said = describe_job(read_config(text, ENVIRON), "crm")
    assert DESCRIBED == [line for line in said if line.startswith("waits")]
