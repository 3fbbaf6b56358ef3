"""Folders of jobs, which are named as they are called in the bucket."""

import pytest
from support.config_texts import CONNECTION, ONE, problems, read

FAULTS = [
    ("s3://acme/inbox/crm/", "inbox/crm/"),
    ("s3a://acme/inbox/crm", "inbox/crm/"),
    ("https://acme.s3.amazonaws.com/inbox/crm/", ""),
    ("inbox/crm/*.csv", "inbox/crm/"),
    ("inbox/*/new/", ""),
    ("inbox/{date}/", "inbox/"),
    (r"inbox\\crm", "inbox/crm/"),
    (" inbox/crm ", "inbox/crm/"),
    ("./inbox/crm/", "inbox/crm/"),
    ("inbox/../crm/", "inbox/crm/"),
    (".", ""),
]
JOBS = {
    "source": "type: import, source: {{prefix: {}}}, match: {{external_id: i}}, fields: {{a: set}}",
    "target": "type: export, segment: VIP, target: {{prefix: {}}}, remaining_fields: {{}}",
}


def job(part, prefix):
    return ONE + "jobs: {crm: {" + JOBS[part].format(f'"{prefix}"') + "}}"


@pytest.mark.parametrize("part", JOBS)
@pytest.mark.parametrize(("prefix", "guess"), FAULTS)
def test_a_folder_in_which_nothing_would_ever_be_found_is_refused(prefix, guess, part):
    """People name it as a program or another system does; looked for as it stands, it is empty."""
    found = problems(job(part, prefix))
    assert [f"jobs.crm.{part}.prefix"] == list(found)
    assert guess == found[f"jobs.crm.{part}.prefix"][1]


def test_the_folder_that_braze_writes_to_is_looked_at_likewise():
    """Its export would be waited for in vain."""
    text = CONNECTION.replace("{bucket: acme}", '{bucket: acme, export_root: "s3://acme/out"}')
    assert {"connections.main.s3.export_root": "out/"} == {
        place: guess for place, (_, guess) in problems(text).items()
    }


@pytest.mark.parametrize("prefix", ["/inbox/crm", "inbox/CRM équipe 100% (new)", "a//b/", "x=1/"])
def test_a_folder_may_be_called_anything_else(prefix):
    """What S3 allows is taken as it is, with or without slashes around it."""
    config = read(job("source", prefix))
    assert f"{prefix.strip('/')}/" == config.jobs["crm"].source.prefix


@pytest.mark.parametrize(
    ("pattern", "guess"),
    [("in/*.csv", "*.csv"), ("/*.csv", "*.csv"), ("s3://acme/in/*.csv", "*.csv"), ("in/", "**")],
)
def test_a_pattern_does_not_begin_with_the_folder(pattern, guess):
    """It is compared with what follows the folder, so it would match nothing."""
    text = ONE + "jobs: {crm: {" + JOBS["source"].format(f'in/, pattern: "{pattern}"') + "}}"
    assert {"jobs.crm.source.pattern": guess} == {
        place: guess for place, (_, guess) in problems(text).items()
    }
