"""What a job of snapshots may say, and how it is described."""

from __future__ import annotations

import pytest
from support.config_texts import ENVIRON, ONE
from support.config_texts import messages as problems

from exchanger.config.describing.jobs import describe_job
from exchanger.config.loading.load import read_config


def snapshot(more="", source="", fields="{tier: set}"):
    text = f"source: {{prefix: in/, mode: snapshot{source}}}, match: {{external_id: id}}"
    return f"{ONE}\njobs: {{crm: {{type: import, {text}, fields: {fields}{more}}}}}"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (snapshot(fields="{tier: sum}"), "jobs.crm.fields.tier.merge"),
        (snapshot(", remaining_fields: {merge: sum}"), "jobs.crm.remaining_fields[0].merge"),
        (snapshot(source=", files: all"), "jobs.crm.source.files"),
        (snapshot(source=", on_removed: delete"), "jobs.crm"),
        (snapshot(source=", on_removed: {event: $x}"), "jobs.crm.source.on_removed.event"),
        (
            snapshot(source=", on_removed: clear_fields").replace("mode: snapshot, ", ""),
            "jobs.crm.source.on_removed",
        ),
        (snapshot(", guards: {max_deletes: 3}"), "jobs.crm.guards.max_deletes"),
        (snapshot(", confirm_deletes: true"), "jobs.crm.confirm_deletes"),
        (
            snapshot(", guards: {max_leavers_percent: 5}").replace("snapshot", "changes"),
            "jobs.crm.guards.max_leavers_percent",
        ),
        (
            ONE
            + "\njobs: {crm: {type: import, source: {prefix: in/, mode: snapshot}, object: events,"
            " match: {external_id: id}, event: {name: x, time: at}}}",
            "jobs.crm.source.mode",
        ),
    ],
)
def test_what_makes_no_sense_of_snapshots_is_refused(text, path):
    """What would add up again, or could never say anything, is told, and nothing else."""
    assert [path] == list(problems(text))


def test_the_guards_of_snapshots_are_described_and_can_be_changed():
    """They are on unless the job says otherwise, and the description says so."""
    limit = (
        "waits for you if more than {} % of the people whom it had are missing in the newest file"
    )
    empty = "waits for you if a file has no rows"
    said = describe_job(read_config(snapshot(), ENVIRON), "crm")
    assert {limit.format(20), empty} <= {*said}
    assert "takes the newest file alone, as the whole truth of who there is" in said
    other = ", guards: {max_leavers_percent: 50, empty_file: ignore}"
    said = describe_job(read_config(snapshot(other), ENVIRON), "crm")
    assert limit.format(50) in said
    assert empty not in said


@pytest.mark.parametrize(
    ("on_removed", "said"),
    [
        ("ignore", "leaves everybody as they are whom this job had before"),
        ("clear_fields", "clears its fields, but for consent, of everybody whom this job had"),
        ("{event: Left}", "sends the event 'Left' for everybody whom this job had before"),
        (
            "delete",
            "deletes everybody whom this job had before, and who is missing in it, for good",
        ),
    ],
)
def test_what_becomes_of_people_who_left_is_described(on_removed, said):
    """In words, so that nobody has to know the key."""
    text = snapshot(
        ", confirm_deletes: true" * (on_removed == "delete"), f", on_removed: {on_removed}"
    )
    assert said in "\n".join(describe_job(read_config(text, ENVIRON), "crm"))
