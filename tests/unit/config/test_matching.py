"""Who is meant by a row: what ``match`` takes, what goes together, and how it is said in words."""

import pytest
from support.config_texts import CONNECTION, ONE, problems, read

from exchanger.config.describing.jobs import describe_job


def job(match, fields="{tier: set}", more=""):
    return (
        f"jobs: {{crm: {{type: import, source: {{prefix: in/}}, match: {match},"
        f" fields: {fields}{', ' + more if more else ''}}}}}"
    )


@pytest.mark.parametrize(
    ("match", "kinds", "columns"),
    [
        ("{external_id: id}", ["external_id"], ("id",)),
        ("[{external_id: id}, {external_id: old_id}]", ["external_id"] * 2, ("id", "old_id")),
        ("{braze_id: b}", ["braze_id"], ("b",)),
        ("{alias: {name: n, label: crm}}", ["alias"], ("n",)),
        ("{alias: {name: n, label: {from: l}}}", ["alias"], ("n", "l")),
        ("[{email: e}, {phone: p}]", ["email", "phone"], ("e", "p")),
        ("[{phone: p}, {alias: {name: p, label: x}}]", ["phone", "alias"], ("p",)),
    ],
)
def test_identifiers_are_read_in_their_order(match, kinds, columns):
    """Each entry names one kind of identifier, with its columns."""
    crm = read(CONNECTION + job(match)).jobs["crm"]
    assert kinds == [each.kind for each in crm.match]
    assert columns == crm.match_columns
    assert crm.by_external_id is (kinds == ["external_id"])


@pytest.mark.parametrize(
    ("match", "more"),
    [
        ("[{email: e}, {phone: p}]", "baseline: {segment: A, complete: true}"),
        ("{email: e}", "baseline: {segment: A}, on_ambiguous: most_recent"),
        ("[{alias: {name: n, label: l}}, {braze_id: b}]", "baseline: {segment: A}"),
    ],
)
def test_a_segment_tells_of_every_identifier(match, more):
    """Of an address or number that may belong to several it does only if everybody is in it."""
    assert "A" == read(CONNECTION + job(match, more=more)).jobs["crm"].baseline.segment


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (job("{}"), "match[0]"),
        (job("[]"), "match"),
        (job("{email: e, phone: p}"), "match[0]"),
        (job("{user_alias: {name: n, label: l}}"), "match[0].user_alias"),
        (job("{alias: n}"), "match[0].alias"),
        (job("{alias: {name: n}}"), "match[0].alias.label"),
        (job("{alias: {label: n}}"), "match[0].alias.name"),
        (job('{alias: {name: n, label: ""}}'), "match[0].alias.label"),
        (job('{alias: {name: n, label: " crm"}}'), "match[0].alias.label"),
        (job(f"{{alias: {{name: n, label: {'é' * 119}}}}}"), "match[0].alias.label"),
        (job('{alias: {name: n, label: {from: ""}}}'), "match[0].alias.label.from"),
        (job('{alias: {name: "", label: x}}'), "match[0].alias.name"),
        (job('{email: ""}'), "match[0].email"),
        (job("[{email: e}, {email: e}]"), "match[1]"),
        (job("{external_id: id}", more="on_ambiguous: reject"), "on_ambiguous"),
        (job("{email: e}", more="on_ambiguous: newest"), "on_ambiguous"),
        (job("{email: e}", "{n: {merge: sum}}", "on_ambiguous: most_recent"), "on_ambiguous"),
        (job("{email: e}", "{n: add}", "on_ambiguous: most_recent"), "on_ambiguous"),
        (job("{email: e}", "{n: {on_drift: keep}}", "on_ambiguous: most_recent"), "on_ambiguous"),
        (job("{email: e}", "{tier: set}",
             "on_ambiguous: most_recent, remaining_fields: {merge: highest}"), "on_ambiguous"),
        (job("{email: e}", more="baseline: {segment: A}"), "baseline.segment"),
        (job("[{external_id: i}, {phone: p}]", more="baseline: {segment: A}"), "baseline.segment"),
        (job("{email: e}", "{email: {from: new_email}, tier: set}"), "fields.email"),
        (job("{email: e}", "{email: {from: e}}"), "fields"),
        (job("{phone: p}", "{email: set, tier: set}"), "fields.email"),
        (job("[{phone: p}, {email: email}]", "{email: set, tier: set}"), "fields.email"),
        (job("{phone: p}", more="remaining_fields: {standard: true}"), "remaining_fields[0]"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_in_match_is_refused(text, path):
    """Each contradiction is one problem, at its place."""
    assert [f"jobs.crm.{path}"] == list(problems(ONE + text))


@pytest.mark.parametrize(
    "text",
    [
        job("{email: e}", "{n: {merge: sum}}"),
        job("[{external_id: id}, {email: e}]", "{email: {from: e}}"),
        job("[{email: e}, {phone: p}]", "{email: {from: e}, tier: set}"),
        job("{email: e}", "{email: {from: e}, phone: set}"),
        job("{external_id: id}", "{email: {from: new_email}}"),
        job("{phone: p}", more="remaining_fields: {standard: true, exclude: email}"),
        job("{email: e}", "{tier: set}", "on_ambiguous: most_recent"),
    ],
)
def test_what_goes_together_in_match_is_taken(text):
    """An address may name the profile and be an attribute too, where it is the same one."""
    job = read(CONNECTION + text).jobs["crm"]
    assert {match.column for match in job.match} <= set(job.match_columns)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (job("{external_id: id}"), ["finds each profile by its external_id in column id"]),
        (
            job("{external_id: id}", more="create_missing: false"),
            [
                "finds each profile by its external_id in column id",
                "leaves out people that Braze does not know",
            ],
        ),
        (
            job("{alias: {name: n, label: crm}}"),
            [
                "finds each profile by its alias in column n, of which the label is 'crm'",
                "creates a profile that has only the alias where Braze has none with it",
            ],
        ),
        (
            job("[{braze_id: b}, {email: e}]"),
            [
                (
                    "finds each profile by the first of these that its row has: braze_id in column"
                    " b; e-mail address in column e"
                ),
                (
                    "looks up e-mail addresses that were never seen, one request each, and rejects"
                    " the rows of those that several profiles have"
                ),
                "leaves out every braze_id that Braze does not know: it cannot be created",
                "creates a profile that has only the e-mail address where Braze has none with it",
            ],
        ),
        (
            job("{email: e}", more="baseline: {segment: A, complete: true}, create_missing: false"),
            [
                "finds each profile by its e-mail address in column e",
                (
                    "learns from the segment 'A' whose the e-mail addresses are that were never"
                    " seen, or looks up a few, one request each, and rejects the rows of those that"
                    " several profiles have"
                ),
                "leaves out people that Braze does not know",
            ],
        ),
        (
            job("{phone: p}", more="on_ambiguous: most_recent, create_missing: false"),
            [
                "finds each profile by its phone number in column p",
                (
                    "leaves it to Braze whose phone number is meant where several profiles have it:"
                    " the one that was updated last. So everything is sent each time, changed or"
                    " not"
                ),
                "leaves out people that Braze does not know",
            ],
        ),
    ],
)
def test_who_is_meant_is_said_in_words(text, words):
    """``check`` says by what profiles are found, and what becomes of people without one."""
    said = describe_job(read(CONNECTION + text), "crm")
    assert words == said[2:-3]


def event(match, more=""):
    return (
        "jobs: {crm: {type: import, object: events, event: {name: Bought, time: at},"
        f" source: {{prefix: in/}}, match: {match}{more}}}}}"
    )


def test_an_event_of_an_address_is_taken():
    """Either who has it is looked up, which ``check`` says, or Braze chooses."""
    said = describe_job(read(CONNECTION + event("{email: mail}")), "crm")
    assert any("looks up e-mail addresses that were never seen" in line for line in said)
    read(CONNECTION + event("{email: mail}", ", on_ambiguous: most_recent"))
    read(CONNECTION + event("[{external_id: id}, {alias: {name: n, label: crm}}]"))
