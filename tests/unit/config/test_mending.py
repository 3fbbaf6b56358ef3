"""All problems at once: what is known to be wrong although something else is missing."""

import pytest
from support.config_texts import CONNECTION, TWO, problems

from exchanger.config.loading.partial_models import build
from exchanger.config.models import Config, ExportJob, ImportJob, Match, PersonMerge, Strict

FIELDS = "fields: {a: set}"
SOURCE, MATCH = "source: {prefix: in}", "match: {external_id: id}"


def jobs(*jobs, head=CONNECTION):
    return head + "jobs:\n" + "".join(f"  job{i}: {{{job}}}\n" for i, job in enumerate(jobs))


def connection(braze, s3):
    return f"connections: {{main: {{braze: {{{braze}}}, s3: {{{s3}}}}}}}\n"


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (jobs("type: import, schedule: {cron: 0 3 *}, fields: {a: {merge: sum, type: json}}"),
         ["job0.source", "job0.match", "job0.schedule.cron", "job0.fields.a.type"]),
        (jobs(f"type: import, source: {{pattern: /x, timezone: X}}, {MATCH}, {FIELDS}"),
         ["job0.source.prefix", "job0.source.pattern", "job0.source.timezone"]),
        (jobs(f"type: import, source: 5, {MATCH}"), ["job0", "job0.source"]),
        (jobs("type: import, source: {timezone: X}, match: {}, fields: {a: set}"),
         ["job0.source.prefix", "job0.source.timezone", "job0.match[0]"]),
        (jobs(f"type: import, {SOURCE}, match: {{email: a, phone: b}}, fields: {{a: sett}}"),
         ["job0.match[0]", "job0.fields.a"]),
        (jobs(f"type: import, {SOURCE}, match: {{alias: {{name: a}}}}, fields: {{a: sett}}"),
         ["job0.match[0].alias.label", "job0.fields.a"]),
        (jobs(f"type: import, {SOURCE}, {FIELDS}", f"type: import, {SOURCE}, {MATCH}, {FIELDS}"),
         ["job0.match", "job1.source.prefix"]),
        (jobs("type: export, fields: {a: emial, b: {type: decimal}}, completion: {quiet: 5h}"),
         ["job0.segment", "job0.target", "job0.fields.a", "job0.fields.b", "job0.fields.b.from",
          "job0.completion.quiet"]),
        (jobs("segment: A, target: {prefix: o}, fields: {a: email, b: emial}"),
         ["job0.type", "job0.fields.b"]),
        (jobs(f"type: imprt, {SOURCE}, {MATCH}, fields: {{a: sett}}"),
         ["job0.type", "job0.fields.a"]),
        (jobs("connection: nain, type: import"),
         ["job0", "job0.connection", "job0.source", "job0.match"]),
    ],
)  # fmt: skip
def test_what_is_missing_in_a_job_hides_nothing_else(text, paths):
    """A job that lacks something is checked all the same, by itself and beside the others."""
    assert {f"jobs.{path}" for path in paths} == set(problems(text))


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (connection("endpoint: nowhere", "endpoint_url: nowhere, export_root: /"),
         ["braze.endpoint", "braze.api_key", "s3.bucket", "s3.endpoint_url", "s3.export_root"]),
        (connection('endpoint: iad-01, api_key: "${KEY}", rate_limit: {per: 0s}', "bucket: a/b"),
         ["braze.rate_limit.requests", "braze.rate_limit.per", "s3.bucket"]),
        ("connections: {main: {s3: {bucket: a/b}}}", ["braze", "s3.bucket"]),
        ("connections: {main: {lease: soon}}", ["braze", "s3", "lease"]),
    ],
)  # fmt: skip
def test_what_is_missing_in_a_connection_hides_nothing_else(text, paths):
    """A connection that lacks something is checked all the same."""
    assert {f"connections.main.{path}" for path in paths} == set(problems(text))


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("connections: {main: 5}\n" + jobs(f"connection: main, type: import, {SOURCE}, {MATCH},"
         f" {FIELDS}", head=""), ["connections.main"]),
        ("connections: {main: {}}\n" + jobs(f"connection: main, type: import, {SOURCE}, {MATCH},"
         f" {FIELDS}", head=""), ["connections.main.braze", "connections.main.s3"]),
        (jobs(f"connection: x, type: import, {SOURCE}, {MATCH}, {FIELDS}", head=""),
         ["connections"]),
        (jobs(*[f"type: import, source: {{}}, {MATCH}, {FIELDS}"] * 2),
         ["jobs.job0.source.prefix", "jobs.job1.source.prefix"]),
        (jobs(*[f"type: import, {source}, {MATCH}, {FIELDS}"
                for source in ("source: {prefix: '${NONE}'}", SOURCE)]),
         ["jobs.job0.source.prefix"]),
        (jobs(*[f"type: import, {SOURCE}, {MATCH}, {FIELDS}"] * 2, head=TWO),
         ["jobs.job0.connection", "jobs.job1.connection"]),
        (jobs(f"type: import, {SOURCE}, {MATCH}, {FIELDS}",
              head=CONNECTION.replace("acme", "acme, state_prefix: 5")),
         ["connections.main.s3.state_prefix"]),
        (TWO.replace("bucket: acme", "state_prefix: y"),
         ["connections.eu.s3.bucket", "connections.us.s3.bucket"]),
        (jobs("fields: {a: email, b: 5}"), ["jobs.job0.type"]),
        (jobs(f"type: import, {SOURCE}, {MATCH}, fields: {{a: {{tpye: decimal, scale: 2}},"
              " b: {merge: ad, split: x}, c: {type: decimal, scal: 2},"
              " d: {merge: summ, type: list}, e: {merge: clera, type: list, too_long: cut}}"),
         [f"jobs.job0.fields.{path}"
          for path in ("a.tpye", "b.merge", "c.scal", "d.merge", "e.merge", "e.too_long")]),
        (jobs(f"type: import, {SOURCE}, {MATCH}, {FIELDS},"
              " baseline: {segment: 5, complete: true, completion: {quiet: 5h, timeout: x}}"),
         ["jobs.job0.baseline.segment", "jobs.job0.baseline.completion.timeout"]),
    ],
)  # fmt: skip
def test_what_only_follows_from_another_problem_is_not_one_more(text, paths):
    """What is missing or wrong is told once, and nothing that its correction takes away."""
    assert set(paths) == set(problems(text))


@pytest.mark.parametrize(
    "model",
    # A list goes as a whole where a member of it is wrong, so that none stands in by itself; and
    # both sides of a merge are what else stands in such a list.
    [one for one in Strict.__subclasses__() if one not in (Config, Match, PersonMerge)],
    ids=lambda one: one.__name__,
)
def test_whatever_must_be_given_has_a_stand_in(model):
    """Of every part that lacks all its keys, the rest can be checked."""
    kinds = {ImportJob: {"type": "import"}, ExportJob: {"type": "export"}}
    built = build(model, kinds.get(model, {}), ("x",))
    assert isinstance(built.part, model)
    assert {finding.where for finding in built.findings} <= set(built.stood_in)


def test_what_stands_in_is_never_a_configuration():
    """With nothing but a missing key wrong, there is no configuration, and the key is named."""
    assert ["connections.main.s3.bucket"] == list(problems(CONNECTION.replace("bucket", "region")))


@pytest.mark.parametrize("key", ['"\\ud800"', '"\\ud800\\udc00"'])
def test_a_key_that_is_no_text_is_a_problem(key):
    """A key of signs that no text can hold is answered, wherever it stands."""
    export = f"type: export, segment: A, target: {{prefix: o}}, fields: {{{key}: {{}}}}"
    assert problems(jobs(export))
    assert problems(f"connections: {{main: {{{key}: null}}}}")
