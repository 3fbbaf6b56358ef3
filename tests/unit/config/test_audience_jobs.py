"""What may stand in a job of an audience, and what it says it does."""

from __future__ import annotations

import pytest
from support.config_texts import ENVIRON, ONE
from support.config_texts import messages as problems

from exchanger.config.describing.jobs import describe_job
from exchanger.config.loading.load import read_config

OP = "action: {from: op, add: add, remove: [remove, '-']}"
AS = "audience: {as: {attribute: is_vip}}"
LIST = "audience: {as: [{list: audiences, entry: vip}]}"
EVENTS = "audience: {historical: false, as: {events: {entered: Came, exited: Went}}}"
COHORT = (
    '{cohort: {id: vip, name: VIP, partner: acme, client_secret: "${KEY}", partner_key: "${KEY}"}}'
)
SNAPSHOT = "source: {prefix: in/, mode: snapshot}"
BY_ID = "object: audience, match: {external_id: id}"


def job(text, more=""):
    source = "" if SNAPSHOT[:-1] in text else "source: {prefix: in/}, "
    return ONE + f"jobs: {{vip: {{type: import, {source}{text}}}{more}}}"


def cohort(was, becomes):
    """The job of a cohort, with something else in it."""
    text = f"{BY_ID}, {OP}, audience: {{as: [{COHORT}]}}"
    assert was in text
    return text.replace(was, becomes)


def attribute(more):
    return f"{BY_ID}, {OP}, audience: {{as: {{attribute: a, {more}}}}}"


def listed(more):
    return f"{BY_ID}, {OP}, audience: {{as: {{list: a, {more}}}}}"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"{BY_ID}, {AS}", ""),
        (f"{BY_ID}, {OP}", ""),
        (f"{BY_ID}, {OP}, audience: {{as: []}}", "audience.as"),
        (f"{BY_ID}, {SNAPSHOT}, {OP}, {AS}", "action"),
        (f"{BY_ID}, {SNAPSHOT[:-1]}, on_removed: ignore}}, {AS}", "source.on_removed"),
        (f"{BY_ID}, {OP}, audience: {{as: [{{entry: a}}]}}", "audience.as[0]"),
        (f"{BY_ID}, {OP}, audience: {{as: [{{attribute: a, list: b}}]}}", "audience.as[0]"),
        (f"{BY_ID}, {OP}, audience: {{as: [{{attribute: a}}, {{attribute: a}}]}}",
         "audience.as[1]"),
        (f"{BY_ID}, {AS}, action: {{from: op}}", "action"),
        (f"{BY_ID}, {AS}, action: {{from: op, add: [a], remove: [A]}}", "action.remove"),
        (f"{BY_ID}, {AS}, action: {{from: op, add: ['']}}", "action.add"),
        (f"{BY_ID}, {AS}, action: {{add: [a]}}", "action.from"),
        (f"{BY_ID}, {AS}, {OP}, fields: {{a: set}}", "fields"),
        (f"{BY_ID}, {AS}, {OP}, row_id: a", "row_id"),
        (f"match: {{external_id: id}}, fields: {{a: set}}, {AS}", "audience"),
        (f"match: {{external_id: id}}, fields: {{a: set}}, {OP}", "action"),
        (attribute("entry: vip"), "audience.as[0].entry"),
        (attribute("value: {member: gold}"), "audience.as[0].value"),
        (attribute("value: {member: null, leaver: null}"), "audience.as[0].value"),
        (attribute("value: {member: a, leaver: a}"), "audience.as[0].value"),
        (attribute("value: {member: '', leaver: a}"), "audience.as[0].value.member"),
        (f"{BY_ID}, {OP}, audience: {{as: {{attribute: country}}}}", "audience.as[0].attribute"),
        (listed("entry: b, max_items: 3"), "audience.as[0].max_items"),
        (listed("entry: a, value: {member: a}"), "audience.as[0].value"),
        (listed('entry: "a\\tb"'), "audience.as[0].entry"),
        (f"{BY_ID}, {OP}, {LIST}, baseline: assume_empty", "baseline"),
        (f"object: audience, match: {{email: m}}, on_ambiguous: most_recent, {OP}, {LIST}",
         "on_ambiguous"),
        (f"{BY_ID}, {OP}, audience: {{as: [{{attribute: a}}, {{events: {{entered: E}}}}]}}",
         "audience.as"),
        (f"{BY_ID}, {OP}, audience: {{as: [{{events: {{}}}}]}}", "audience.as[0].events"),
        (f"{BY_ID}, {OP}, audience: {{as: [{{events: {{entered: $a}}}}]}}",
         "audience.as[0].events.entered"),
        (f"{BY_ID}, {OP}, audience: {{as: [{{events: {{exited: ''}}}}]}}",
         "audience.as[0].events.exited"),
        (f"{BY_ID}, {OP}, {EVENTS}, baseline: assume_empty", "baseline"),
        (f"{BY_ID}, {OP}, {EVENTS}, only_if: {{a: b}}", "only_if"),
        (f"object: audience, match: {{email: m}}, {OP}, {EVENTS}", "on_ambiguous"),
        (f"{BY_ID}, {OP}, audience: {{historical: false, as: {{attribute: a}}}}",
         "audience.historical"),
        (f"{BY_ID}, {OP}, audience: {{as: [{COHORT}, {COHORT}]}}", "audience.as"),
        (f"{BY_ID}, {OP}, audience: {{as: [{COHORT}, {{events: {{entered: E}}}}]}}",
         "audience.as"),
        (f"{BY_ID}, {OP}, create_missing: true, audience: {{as: [{{attribute: a}}, {COHORT}]}}",
         "create_missing"),
        (f"{BY_ID}, {OP}, audience: {{as: [{COHORT[:-1]}, entry: vip}}]}}", "audience.as[0].entry"),
        (cohort("id: vip", "id: ' vip'"), "audience.as[0].cohort.id"),
        (cohort("id: vip", "id: ''"), "audience.as[0].cohort.id"),
        (cohort("name: VIP", "name: ''"), "audience.as[0].cohort.name"),
        (cohort(", name: VIP", ""), "audience.as[0].cohort.name"),
        (cohort("partner: acme", "partner: a/b"), "audience.as[0].cohort.partner"),
        (cohort('client_secret: "${KEY}"', 'client_secret: "${EMPTY:-}"'),
         "audience.as[0].cohort.client_secret"),
        (cohort('partner_key: "${KEY}"', "partner_key: plain"),
         "audience.as[0].cohort.partner_key"),
        (cohort('partner_key: "${KEY}"', "partner_key: '${NONE:-\"x\"}'"),
         "audience.as[0].cohort.partner_key"),
        (cohort("external_id: id", "email: m"), "match"),
        (cohort("{external_id: id}", "[{alias: {name: a, label: b}}, {phone: p}]"), "match"),
        (cohort("{external_id: id}", "{braze_id: id}"), "match"),
        (cohort("object:", "create_missing: true, object:"), "create_missing"),
        (cohort("object:", "baseline: assume_empty, object:"), "baseline"),
        (cohort("object:", "only_if: {a: b}, object:"), "only_if"),
        (cohort("object:", "delivery: {shadow: true}, object:"), "delivery.shadow"),
        (cohort("object:", "delivery: {verify: {sample: 1%}}, object:"), "delivery.verify"),
        (cohort("object:", "guards: {max_changed_percent: 5}, object:"),
         "guards.max_changed_percent"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_named(text, path):
    """Each problem has its place; what is not built is not taken and ignored."""
    found = problems(job(text))
    assert [f"jobs.vip{'.' * bool(path)}{path}"] == [each.split(":")[0] for each in found], found


def test_two_jobs_do_not_write_one_attribute_from_the_same_files():
    """Whether as a field or as an audience."""
    other = ", crm: {type: import, source: {prefix: in/}, match: {external_id: id}"
    found = problems(job(f"{BY_ID}, {OP}, {AS}", f"{other}, fields: {{is_vip: set}}}}"))
    assert ["jobs.crm.source.prefix"] == [each.split(":")[0] for each in found]
    assert "both write is_vip" in str(found)


def test_two_jobs_say_the_same_of_one_cohort():
    """Whichever runs, it has one name and one key; and no file is about it twice."""
    text = cohort("vip", "vip")
    same = f", other: {{type: import, source: {{prefix: b/}}, {text}}}"
    assert {} == problems(job(text, same))
    found = problems(job(text, same.replace("name: VIP", "name: Others")))
    assert ["jobs.other.audience.as"] == [*found]
    found = problems(job(text, same.replace("prefix: b/", "prefix: in/b/")))
    assert ["jobs.other.source.prefix"] == [*found]


def test_keys_of_a_cohort_stand_in_the_environment():
    """Also of one among several; and what stood in their place is not repeated."""
    for text in (COHORT, f"[{COHORT}]"):
        plain = f"{BY_ID}, {OP}, audience: {{as: {text}}}".replace("${KEY}", "pl4in")
        found = problems(job(plain))
        assert {"client_secret", "partner_key"} == {where.rsplit(".")[-1] for where in found}
        assert "environment variable" in str(found)
        assert "pl4in" not in str(found)


def test_a_job_says_who_comes_and_goes():
    """In plain words: the words of the column, and what becomes of membership."""
    more = "{list: audiences, entry: vip}, {attribute: t, value: {member: gold, leaver: null}}"
    text = f"{BY_ID}, {OP}, audience: {{as: [{{attribute: is_vip}}, {more}]}}"
    lines = describe_job(read_config(job(text), ENVIRON), "vip")
    for said in (
        "takes it that somebody comes where op is 'add'",
        "takes it that somebody goes where op is 'remove' or '-'",
        "is_vip: true for who comes, false for who goes",
        "t: 'gold' for who comes, nothing (cleared) for who goes",
        "audiences: has the entry 'vip' of who comes",
    ):
        assert any(said in line for line in lines), lines
    lines = describe_job(read_config(job(f"{BY_ID}, {SNAPSHOT}, {AS}"), ENVIRON), "vip")
    said = "takes it that everybody whom it names comes, and that whoever is missing then goes"
    assert said in lines
    lines = describe_job(read_config(job(f"{BY_ID}, {OP}, {EVENTS}"), ENVIRON), "vip")
    for said in (
        "sends the event 'Came' for who comes and did not belong to it before",
        "sends the event 'Went' for who goes and belonged to it before",
        "sends nothing for people whom its first files name",
    ):
        assert said in lines
    text = "\n".join(describe_job(read_config(job(cohort("vip", "vip")), ENVIRON), "vip"))
    assert "gives who comes to the cohort 'VIP' (vip) of acme" in text
    assert "leaves out people that Braze does not know" in text
    named = cohort("{external_id: id}", "[{alias: {name: a, label: b}}, {external_id: id}]")
    text = "\n".join(describe_job(read_config(job(named), ENVIRON), "vip"))
    assert "gives by the alias alone who has no external_id" in text
