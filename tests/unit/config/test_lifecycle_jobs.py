"""What may stand in a job that does something with people as such."""

from __future__ import annotations

import pytest
from support.config_texts import ENVIRON, ONE
from support.config_texts import messages as problems

from exchanger.config.describing.jobs import describe_job
from exchanger.config.loading.load import read_config

ID = "match: {external_id: id}"
ALIASES = f"object: aliases, {ID}, alias: {{name: a, label: crm}}"
MERGES = "object: merges, merge: {keep: {external_id: a}, drop: {external_id: b}}"
ALIAS = "match: {alias: {name: n, label: crm}}"
IDENTIFY = f"object: identify, {ALIAS}, identify: {{external_id: a"
PRIORITY = "identify.prioritization"
DELETIONS = "object: deletions, match: {email: mail}, confirm_deletes: true"
RENAMES = "object: renames, rename: {from: old, to: new}"


def job(text):
    text = text.replace("BOTH", "[identified, unidentified]")
    return ONE + f"jobs: {{crm: {{type: import, source: {{prefix: in/}}, {text}}}}}"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("object: renames, match: {external_id: id}", ""),
        ("object: renames, rename: {from: old}", "rename.to"),
        ("object: renames, rename: {from: old, to: ''}", "rename.to"),
        (f"{RENAMES}, match: {{external_id: id}}", "match"),
        (f"{RENAMES}, fields: {{a: set}}", "fields"),
        (f"{RENAMES}, row_id: x", "row_id"),
        (f"{RENAMES}, create_missing: false", "create_missing"),
        (f"{RENAMES}, on_unknown: hold", "on_unknown"),
        (f"{RENAMES}, on_invalid: drop_value", "on_invalid"),
        (f"object: aliases, {ID}", ""),
        (f"object: aliases, {ID}, alias: {{name: a}}", "alias.label"),
        (f"object: aliases, {ID}, alias: {{name: a, label: ' '}}", "alias.label"),
        (f"object: aliases, {ID}, alias: {{name: '', label: crm}}", "alias.name"),
        (f"object: aliases, {ID}, alias: {{name: a, label: crm, replaces: ''}}", "alias.replaces"),
        ("object: aliases, match: {email: m}, alias: {name: a, label: crm}", "match"),
        ("object: merges, match: {external_id: a}", ""),
        ("object: merges, merge: {keep: {external_id: a}}, match: {external_id: b}", "merge.drop"),
        ("object: merges, merge: {keep: {email: a}, drop: {external_id: b}}", "merge.keep"),
        (f"{MERGES}, match: {{external_id: c}}", "match"),
        (f"object: identify, {ID}, identify: {{external_id: a}}", "match[0]"),
        ("object: identify, match: {email: m}, identify: {external_id: a}", PRIORITY),
        (f"{IDENTIFY}, prioritization: [identified]}}", PRIORITY),
        (
            "object: identify, match: {phone: m}, identify: {external_id: a, prioritization: BOTH}",
            PRIORITY,
        ),
        (f"object: deletions, {ID}", ""),
        (f"object: deletions, {ID}, confirm_deletes: false", ""),
        (f"{DELETIONS}, guards: {{max_deletes: -1}}", "guards.max_deletes"),
        (f"{ID}, fields: {{a: set}}, confirm_deletes: true", "confirm_deletes"),
        (f"{ID}, fields: {{a: set}}, guards: {{max_deletes: 1}}", "guards.max_deletes"),
        (f"{DELETIONS}, on_ambiguous: reject", "on_ambiguous"),
        (
            "rename: {from: old, to: new}, match: {external_id: id}, fields: {a: set}",
            "rename",
        ),
    ],
)
def test_what_does_not_go_together_is_named(text, path):
    """Nothing is accepted and ignored: each has its place."""
    assert {".".join(filter(None, ("jobs.crm", path)))} == problems(job(text)).keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RENAMES, "leaves the old id valid"),
        (RENAMES.replace("new}", "new, remove_old: true}"), "ends the old id"),
        (MERGES, "merges who has the external_id in column b into who has the external_id in"),
        (f"{IDENTIFY}}}", "gives the external_id in column a to who has the alias in column n"),
        (DELETIONS, "deletes every profile that has the e-mail address in column mail"),
        (DELETIONS, "deletes nobody before you have approved it"),
        (DELETIONS + ", guards: {max_deletes: 9}", "deletes at most 9 in a run that you have not"),
        (ALIASES, "gives who has the external_id in column id the alias in column a"),
        (ALIASES.replace("crm}", "crm, replaces: b}"), "in the place of the name in column b"),
    ],
)
def test_check_says_what_becomes_of_a_row(text, said):
    """A person reads what is done, and how it is made sure of."""
    lines = "\n".join(describe_job(read_config(job(text), ENVIRON), "crm"))
    assert said in lines
    assert "looks before whether anything is in the way" in lines
