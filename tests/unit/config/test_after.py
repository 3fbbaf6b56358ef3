"""What becomes of files that were taken: where they may go, and that nobody takes them again."""

import pytest
from support.config_texts import ONE, read
from support.config_texts import messages as problems
from support.jobs import import_model

from exchanger.config.describing.after import describe_answers
from exchanger.config.patterns import may_share_names, reaches_into
from exchanger.config.taken import is_taken_name, taken_name
from exchanger.files.drops import is_drop

RUN = "20261130T104447Z-crm.eu-1a2b3c4d"


def jobs(after, source="prefix: in/crm/", other="source: {prefix: in/web/}, fields: {b: set}"):
    return (
        ONE
        + f"""jobs:
  crm:
    type: import
    match: [{{external_id: id}}]
    source: {{{source}}}
    fields: {{a: set}}
    after: {{{after}}}
  other: {{type: import, match: [{{external_id: id}}], {other}}}
  out: {{type: export, segment: VIP, target: {{prefix: out/}}, remaining_fields: {{}}}}
"""
    )


@pytest.mark.parametrize(
    ("after", "place"),
    [
        ("move_to: /done/crm", ""),
        ("move_to: in/crm_done/", ""),
        ("move_to: in/crm/_done/", ""),
        ("suffix: .done, tag: {exchanger: done}", ""),
        ("tag: {}", ""),
        ("move_to: /", "move_to"),
        ("move_to: s3://acme/done/", "move_to"),
        ("move_to: in/crm/done/", "move_to"),
        ("move_to: in/crm/", "move_to"),
        ("move_to: in/", "move_to"),
        ("move_to: in/web/done/", "move_to"),
        ("move_to: in/web_reports/", "move_to"),
        ("move_to: out/old/", "move_to"),
        ("move_to: segment-export/", "move_to"),
        ("move_to: _exchanger/main/done/", "move_to"),
        ("move_to: done/, suffix: .done, tag: {exchanger: done}", ""),
        ("suffix: done", "suffix"),
        ("suffix: .a/b", "suffix"),
        ("tag: {aws:x: y}", "tag.aws:x"),
        ('tag: {a: "ü?"}', "tag.a"),
        (f"tag: {{a: {'v' * 257}}}", "tag.a"),
        (f"tag: {{{', '.join(f'k{n}: v' for n in range(11))}}}", "tag"),
    ],
)
def test_a_place_of_somebody_else_is_refused(after, place):
    """Jobs, exports, answers, our own state and Braze have theirs; a place beside is nobody's."""
    found = problems(jobs(after))
    assert ([f"jobs.crm.after.{place}"] if place else []) == [*found]


@pytest.mark.parametrize(
    ("source", "after", "place"),
    [
        ('prefix: in/crm/, pattern: "*.csv"', "move_to: in/crm/done/", ""),
        ('prefix: in/crm/, pattern: "*/*.csv"', "move_to: in/crm/done/", "move_to"),
        ('prefix: in/crm/, pattern: "new/**"', "move_to: in/crm/done/", ""),
        ('prefix: in/crm/, complete_when: {manifest: "*.m.json"}', "move_to: done/", "move_to"),
        ('prefix: in/crm/, complete_when: {manifest: "*.m.json"}', "tag: {a: b}", ""),
        ("prefix: in/crm/, complete_when: {suffix: .done}", "suffix: .done", "suffix"),
        ("prefix: in/crm/, complete_when: {suffix: .done}", "suffix: .taken", ""),
        ("prefix: in/crm/, complete_when: {marker: _SUCCESS}", "move_to: done/", ""),
    ],
)
def test_a_place_that_the_own_job_would_look_into_is_refused(source, after, place):
    """So is what would keep files from ever being complete."""
    found = problems(jobs(after, source))
    assert ([f"jobs.crm.after.{place}"] if place else []) == [*found]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({}, ["puts rejected rows into", "; takes them corrected"]),
        ({"mode": "snapshot"}, ["puts rejected rows into"]),
        ({"skip_rows": 1}, []),
        ({"header": ["id", "a"]}, []),
        ({"payload": "p"}, []),
    ],
)
def test_rejected_rows_are_promised_only_where_they_are_written(source, told):
    """Where a job's rows are not those of its files, nobody can correct them in their shape."""
    job = import_model(source={"prefix": "in/", **source})
    said = " ".join(describe_answers(job, "s3://acme/"))
    words = ("puts rejected rows into", "; takes them corrected")
    assert told == [one for one in words if one in said]


@pytest.mark.parametrize(
    ("own", "theirs", "shared"),
    [
        (("in/", "**"), ("in/", "**"), True),
        (("in/", "**"), ("in/a/", "*.csv"), True),
        (("in/", "*.csv"), ("in/a/", "*.csv"), False),
        (("in/", "*/*.csv"), ("in/a/", "*.csv"), True),
        (("in/", "a_*.csv"), ("in/", "b_*.csv"), False),
        (("in/", "a_*.csv"), ("in/", "*_b.csv"), True),
        (("in/", "a_*.csv"), ("in/", "a_*.CSV"), True),
        (("in/", "*.csv"), ("in/", "*.csv.gz"), False),
        (("in/", "[ab]*.csv"), ("in/", "c*.csv"), True),
        (("in/", "**/x.csv"), ("in/", "x.csv"), True),
        (("in/", "a?.csv"), ("in/", "a/.csv"), False),
        (("in/", "**"), ("inn/", "**"), False),
    ],
)
@pytest.mark.parametrize("does", ["move_to: done/", "suffix: .done", "tag: {a: b}"])
def test_no_job_moves_what_another_one_reads(own, theirs, shared, does):
    """It would find nothing, if it came second; tags are in nobody's way."""
    source = "prefix: {}, pattern: '{}'"
    other = f"source: {{{source.format(*theirs)}}}, fields: {{b: set}}"
    found = problems(jobs(does, source.format(*own), other))
    key = does.partition(":")[0]
    assert ([f"jobs.crm.after.{key}"] if shared and key != "tag" else []) == [*found]
    assert shared == may_share_names(theirs, own)


def test_a_folder_is_one_of_the_bucket():
    """With or without slashes around it, as all prefixes."""
    assert "done/crm/" == read(jobs("move_to: /done/crm")).jobs["crm"].after.move_to


@pytest.mark.parametrize(
    ("pattern", "reaches"),
    [("**", True), ("*.csv", False), ("**/*.csv", True), ("done/*", True), ("d*/x", True),
     ("[a-d]one/**", True), ("do/**", False), ("*", False), ("do**", True), ("?one/a.csv", True)],
)  # fmt: skip
def test_whether_a_pattern_reaches_into_a_folder(pattern, reaches):
    """It does if any name there fits."""
    assert reaches == reaches_into(pattern, "done/")


@pytest.mark.parametrize(
    ("to", "name"),
    [
        ({"move_to": "done/", "suffix": ""}, f"done/{RUN}/2026/a.csv.gz"),
        ({"move_to": "done/", "suffix": ".done"}, f"done/{RUN}/2026/a.csv.gz.done"),
        ({"move_to": "", "suffix": ".done"}, f"in/crm/2026/a.csv.gz.{RUN}.done"),
        ({"move_to": "", "suffix": ".x"}, f"in/crm/2026/a.csv.gz.{RUN}.x"),
        ({"move_to": "", "suffix": ""}, ""),
    ],
)
def test_the_place_of_a_file_is_its_run_s_alone_and_nobody_takes_it(to, name):
    """Whatever a configuration says by then: the name alone says that it was taken."""
    assert name == taken_name("in/crm/2026/a.csv.gz", "in/crm/", RUN, **to)
    assert bool(name) == is_taken_name(name)
    for prefix in ("in/crm/", "in/", "done/") if name else ():
        assert not is_drop(name, prefix, "**", "_exchanger/")


@pytest.mark.parametrize(
    "key", ["a.csv", f"run={RUN}/part-0.csv", f"{RUN}", f"x.{RUN}", "20261130T104447Z-crm/a.csv"]
)
def test_what_people_and_exports_call_files_is_taken_as_ever(key):
    """Only the whole id of a run, in its place, tells that a file was taken."""
    assert is_drop(f"in/{key}", "in/", "**", "_exchanger/")
