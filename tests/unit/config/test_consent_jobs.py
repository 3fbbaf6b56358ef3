"""What may stand in a job of states, and what it says it does."""

from __future__ import annotations

import pytest
from support.config_texts import ENVIRON, ONE
from support.config_texts import messages as problems

from exchanger.config.describing.jobs import describe_job
from exchanger.config.loading.load import read_config

WORDS = "{from: news, subscribed: [yes, 1], unsubscribed: no}"
GROUP = f"object: subscriptions, subscription: {{group: 8d3a, state: {WORDS}}}"
MAIL = "object: email_state, state: {from: optin, unsubscribed: [no], opted_in: [yes]}"
BY_ID, BY_MAIL = "match: {external_id: id}", "match: {email: mail}"


def job(text):
    return ONE + f"jobs: {{crm: {{type: import, source: {{prefix: in/}}, {text}}}}}"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"{BY_ID}, object: subscriptions", ""),
        (f"{BY_MAIL}, object: email_state", ""),
        (f"{BY_ID}, {MAIL}", "match[0].external_id"),
        (f"match: {{braze_id: id}}, {GROUP}", "match[0].braze_id"),
        (f"{BY_ID}, {GROUP}, fields: {{a: set}}", "fields"),
        (f"{BY_ID}, {GROUP}, row_id: x", "row_id"),
        (f"{BY_ID}, {GROUP}, create_missing: false", "create_missing"),
        (f"{BY_ID}, {GROUP}, only_if: {{a: b}}", "only_if"),
        (f"{BY_ID}, {GROUP}, state: {WORDS}", "state"),
        (f"{BY_MAIL}, {MAIL}, subscription: {{group: a, state: {WORDS}}}", "subscription"),
        (f"{BY_ID}, fields: {{a: set}}, state: {WORDS}", "state"),
        (
            f"{BY_ID}, object: subscriptions, subscription: {{group: '', state: {WORDS}}}",
            "subscription.group",
        ),
        (
            f"{BY_ID}, object: subscriptions, subscription: {{group: a, state: {{from: x}}}}",
            "subscription.state",
        ),
        (
            f"{BY_MAIL}, object: email_state, state: {{from: x, subscribed: [a], opted_in: [A]}}",
            "state.opted_in",
        ),
        (
            f"{BY_MAIL}, object: email_state, state: {{from: x, subscribed: ['', a]}}",
            "state.subscribed",
        ),
        (
            f"{BY_ID}, {GROUP}".replace("unsubscribed: no", "opted_in: no"),
            "subscription.state.opted_in",
        ),
        (
            "match: {email: m}, on_ambiguous: most_recent, fields: {email_subscribe: set}",
            "on_ambiguous",
        ),
    ],
)
def test_what_does_not_go_together_is_named(text, path):
    """Each problem has its place."""
    found = problems(job(text))
    assert [f"jobs.crm{'.' * bool(path)}{path}"] == [each.split(":")[0] for each in found], found


def test_a_job_says_whom_it_subscribes():
    """In plain words: the group, the words of states, and who stays unsubscribed."""
    for text, said in (
        (f"{BY_ID}, {GROUP}", "subscription group 8d3a"),
        (f"{BY_ID}, {GROUP}", "subscribes nobody who is unsubscribed"),
        (f"{BY_ID}, {GROUP}, may_resubscribe: true", "subscribes also who is unsubscribed"),
        (f"{BY_MAIL}, {MAIL}", "opted_in: where column optin is 'yes'"),
        (f"{BY_ID}, fields: {{email_subscribe: set}}", "leaves out who is unsubscribed"),
    ):
        lines = describe_job(read_config(job(text), ENVIRON), "crm")
        assert any(said in line for line in lines), lines
