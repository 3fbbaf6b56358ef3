"""Jobs and connections that would get into each other's way."""

from itertools import combinations
from random import Random

import pytest
from support.config_texts import BRAZE, ONE, SOURCE, TWO
from support.config_texts import messages as problems

SAME = "source: {prefix: in/}"
BELOW = "source: {prefix: in/a}"
ELSEWHERE = "source: {prefix: inn}"


def two_imports(first, second):
    return (
        ONE
        + f"""jobs:
  one: {{type: import, match: [{{external_id: id}}], {first}}}
  two: {{type: import, match: [{{external_id: id}}], {second}}}
"""
    )


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (f"{SAME}, fields: {{a: set}}", f"{SAME}, fields: {{a: set}}", "a"),
        (f"{BELOW}, fields: {{a: set}}", f"{SAME}, fields: {{a: set}}", "a"),
        (f"{SAME}, fields: {{a: set}}", f"{BELOW}, fields: {{b: set}}", ""),
        (f"{SAME}, fields: {{a: set}}", f"{ELSEWHERE}, fields: {{a: set}}", ""),
        (f"{SAME}, fields: {{a: set}}", f"{SAME}, remaining_fields: {{merge: set}}", "a"),
        (f"{SAME}, remaining_fields: {{merge: set}}", f"{SAME}, fields: {{a: set}}", "a"),
        (f"{SAME}, fields: {{a: set}}", f"{SAME}, remaining_fields: {{exclude: a}}", ""),
        (f"{SAME}, fields: {{a: set}}", f'{SAME}, remaining_fields: {{columns: "b*"}}', ""),
        (f"{SAME}, fields: {{a: set}}", f"{SAME}, remaining_fields: {{prefix: crm_}}", ""),
        (f"{SAME}, fields: {{crm_a: set}}", f"{SAME}, remaining_fields: {{prefix: crm_}}", "crm_a"),
        (f"{SAME}, fields: {{email: set}}", f"{SAME}, remaining_fields: {{}}", ""),
        (
            f"{SAME}, fields: {{email: set}}",
            f"{SAME}, remaining_fields: {{standard: true}}",
            "email",
        ),
        (f"{SAME}, remaining_fields: {{}}", f"{SAME}, remaining_fields: {{}}", "remaining fields"),
        (
            f"{SAME}, remaining_fields: {{prefix: a_}}",
            f"{SAME}, remaining_fields: {{prefix: b_}}",
            "",
        ),
        (
            f"{SAME}, remaining_fields: {{prefix: a_}}",
            f"{SAME}, remaining_fields: {{prefix: a_b}}",
            "remaining fields",
        ),
    ],
)
def test_two_imports_of_one_folder_write_different_fields(first, second, clash):
    """Jobs that read the same files are refused as soon as one attribute has two owners."""
    found = problems(two_imports(first, second))
    assert bool(clash) == ("jobs.two.source.prefix" in found)
    assert clash in found.get("jobs.two.source.prefix", "")


@pytest.mark.parametrize("folder", ["in_reports/", "in_rejected/", "in_corrected/7/"])
def test_no_import_reads_what_another_answers(folder):
    """Reports and rejected rows of one job are no drops of another, wherever below they lie."""
    second = f"source: {{prefix: {folder}}}, fields: {{b: set}}"

    found = problems(two_imports(f"{SAME}, fields: {{a: set}}", second))

    assert list(found) == ["jobs.two.source.prefix"]
    assert "job 'one' answers in in_" in found["jobs.two.source.prefix"]


def test_two_exports_do_not_share_a_folder():
    """An export removes the litter of its folder, so the folder is its own."""
    text = (
        ONE
        + """jobs:
  one: {type: export, segment: A, fields: {a: email}, target: {prefix: out/}}
  two: {type: export, segment: A, fields: {a: email}, target: {prefix: out/b}}
"""
    )
    assert list(problems(text)) == ["jobs.two.target.prefix"]


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("out/", "export 'two' writes to out/vip/"),
        ("out/vip/new/", "export 'two' writes to out/vip/"),
        ("segment-export/", "where Braze puts its segment exports"),
        ("in/", ""),
    ],
)
@pytest.mark.parametrize("first", ["one", "two"])
def test_an_import_does_not_read_what_an_export_writes(prefix, said, first):
    """Braze would be sent what it said before, as a change."""
    jobs = {
        "one": f"{{type: import, source: {{prefix: {prefix}}}, match: [{{external_id: id}}],"
        " fields: {a: set}}",
        "two": "{type: export, segment: A, fields: {a: email}, target: {prefix: out/vip/}}",
    }
    order = sorted(jobs, reverse=first == "two")
    found = problems(ONE + "jobs:\n" + "".join(f"  {name}: {jobs[name]}\n" for name in order))
    assert said in found.get("jobs.one.source.prefix", "")
    assert bool(said) == bool(found)


def test_imports_of_two_connections_may_share_everything():
    """Overlap is about one workspace and one bucket."""
    text = (
        TWO
        + f"""jobs:
  one: {{type: import, connection: eu, {SOURCE}, fields: {{a: set}}}}
  two: {{type: import, connection: us, {SOURCE}, fields: {{a: set}}}}
"""
    )
    assert problems(text) == {}


STORES = [
    ("", ""),
    (", region: eu-west-1", ', endpoint_url: "https://s3.eu-west-1.amazonaws.com"'),
    (', endpoint_url: "http://store:9000"', ', endpoint_url: "http://STORE:9000/"'),
    (', endpoint_url: "https://store"', ', endpoint_url: "https://store:443"'),
]


def two_connections(eu, us, prefix="in/"):
    return f"""connections:
  eu: {{braze: {BRAZE}, s3: {{bucket: acme{eu}}}}}
  us: {{braze: {BRAZE}, s3: {{bucket: acme{us}}}}}
jobs:
  crm: {{type: import, connection: eu, source: {{prefix: {prefix}}}, fields: {{a: set}},
    match: [{{external_id: id}}]}}
"""


@pytest.mark.parametrize(("eu", "us"), STORES)
@pytest.mark.parametrize(
    ("taken", "prefix", "whose"),
    [
        ("", "_exchanger/us/", "own state"),
        (", state_prefix: in/state/", "in/", "own state"),
        (", state_prefix: in/", "in/state/", "own state"),
        (", export_root: in/braze", "in/", "segment exports"),
    ],
)
def test_no_job_uses_what_another_connection_of_its_bucket_keeps(eu, us, taken, prefix, whose):
    """It would take our own documents for files, however the address of the store is spelt."""
    found = problems(two_connections(eu, us + taken, prefix))
    assert whose in found["jobs.crm.source.prefix"]
    assert {} == problems(two_connections(eu, f"{us}{taken}".replace("acme", "b"), "own/"))


@pytest.mark.parametrize(("eu", "us"), STORES)
def test_two_connections_share_no_folder_for_their_states(eu, us):
    """Also where the address of the store, or the folder, is spelt in another way."""
    at = ", state_prefix: state/one"
    found = problems(two_connections(f"{eu}{at}", f"{us}{at}/"))
    assert "already keeps its state there" in found["connections.us.s3.state_prefix"]


def test_an_address_that_is_none_is_told_as_that_alone():
    """Nothing is compared with it."""
    found = problems(two_connections(', endpoint_url: "http://store:port"', ""))
    assert ["connections.eu.s3.endpoint_url"] == list(found)


def test_nobody_reads_or_writes_the_register_of_states():
    """It would take, or be taken for, what leads from any state of a bucket to the others."""
    found = problems(two_connections("", "", "_exchanger/.states/"))
    assert "register" in found["jobs.crm.source.prefix"]


FOLDERS = ("a/", "a/b/", "ab/", "a_reports/", "a_rejected/7/", "a/b_corrected/x/", "b/", "B/")
BY_ID = "type: import, match: [{external_id: id}], source: {prefix: %s}"
KINDS = (
    "type: export, segment: A, fields: {a: email}, target: {prefix: %s}",
    f"{BY_ID}, fields: {{a: set}}",
    f"{BY_ID}, fields: {{b: set}}",
    *(
        f"{BY_ID[:-1]}, mode: snapshot}}, object: audience, audience: {{as: {{cohort: {{id: vip,"
        f' name: {name}, partner: acme, client_secret: "${{KEY}}", partner_key: "${{KEY}}"}}}}}}'
        for name in ("VIP", "Vip")
    ),
)


def some_jobs(draw):
    """Build jobs whose folders and cohorts often meet."""
    count = draw.randrange(3, 9)
    return {f"job{n}": draw.choice(KINDS) % draw.choice(FOLDERS) for n in range(count)}


def found_of(jobs):
    """Name the places at which something is found."""
    lines = "".join(f"  {name}: {{{job}}}\n" for name, job in jobs.items())
    return set(problems(f"{ONE}jobs:\n{lines}"))


@pytest.mark.parametrize("seed", range(20))
def test_many_jobs_meet_where_any_two_of_them_do(seed):
    """Not each pair of hundreds of jobs is looked at, and none that meets is passed over."""
    jobs = some_jobs(Random(seed))
    alone = {place for name, job in jobs.items() for place in found_of({name: job})}
    pairs = (dict(pair) for pair in combinations(jobs.items(), 2))

    assert found_of(jobs) == alone.union(*map(found_of, pairs))
