"""What a job of states does, in plain words."""

from __future__ import annotations

from exchanger.config.findings import listed
from exchanger.config.models import GroupState, ImportJob


def describe_consent(job: ImportJob) -> list[str]:
    """Describe which states a job sets, of whom, and of whom it does not."""
    lines = []
    if job.subscription is not None:
        group = job.subscription.group
        which = f"that column {group.from_} names" if group.from_ else f"{group.value}"
        lines.append(f"sets the state of people in the subscription group {which}")
        lines += _words(job.subscription.state)
        if job.subscription.double_opt_in:
            lines.append("lets Braze ask the owners of numbers before they are subscribed")
    if job.state is not None:
        lines.append("sets the state of e-mail addresses, for all who have them")
        lines += _words(job.state)
    lines.append(
        "subscribes also who is unsubscribed"
        if job.may_resubscribe
        else "subscribes nobody who is unsubscribed, looked up where a state is new"
    )
    return lines


def _words(state: GroupState) -> list[str]:
    return [
        f"{name}: where column {state.from_} is {listed(map(repr, map(str, words)))}"
        for name, words in state
        if isinstance(words, tuple) and words
    ]
