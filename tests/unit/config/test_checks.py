import pytest
from support.config_texts import ENVIRON, ONE, SOURCE, TWO
from support.config_texts import messages as problems

from exchanger.config.loading.load import read_config
from exchanger.errors import ConfigError


def fields(text, more=""):
    return ONE + f"jobs: {{crm: {{type: import, {SOURCE}, fields: {{{text}}} {more}}}}}"


def job(extra, source="source: {prefix: in/}, match: [{external_id: id}]", head=ONE):
    return head + f"jobs: {{crm: {{type: import, {source}, fields: {{a: set}}, {extra}}}}}"


ARRIVALS = [
    ("complete_when: {}", "complete_when"),
    ("complete_when: {settled: 5s, marker: _SUCCESS}", "complete_when"),
    ("complete_when: {settled: 0s}", "complete_when.settled"),
    ('complete_when: {marker: ""}', "complete_when.marker"),
    ("complete_when: {marker: day/_SUCCESS}", "complete_when.marker"),
    ("complete_when: {suffix: /done}", "complete_when.suffix"),
    ('complete_when: {manifest: "**"}', "complete_when.manifest"),
    ('complete_when: {manifest: "/*.json"}', "complete_when.manifest"),
    ('complete_when: {manifest: "[b-a].json"}', "complete_when.manifest"),
    ("complete_when: {sufix: .done}", "complete_when.sufix"),
    ('pattern: "*.csv", complete_when: {suffix: .CSV}', "complete_when.suffix"),
    ('pattern: "*.json", complete_when: {manifest: "*.json"}', "complete_when.manifest"),
    ("csv: {escape: '\"'}", "csv.escape"),
    ("csv: {quote: ';', delimiter: ';'}", "csv.quote"),
    ("csv: {escape: '|', delimiter: '|'}", "csv.escape"),
    ("notices: {}", "notices.sqs"),
    ("notices: {sqs: arrivals}", "notices.sqs"),
    ("notices: {sqs: 'arn:aws:sqs:eu-west-1:1:arrivals'}", "notices.sqs"),
    ("notices: {sqs: 'https://sqs.eu-west-1.amazonaws.com'}", "notices.sqs"),
    ("notices: {sqs: 'https://h/1/q', endpoint_url: 'h:9'}", "notices.endpoint_url"),
]
"""Ways to say how files arrive, and are written, that mean nothing, and the place that is told."""


def export(extra, target="target: {prefix: out/}"):
    return ONE + f"jobs: {{vip: {{type: export, segment: VIP, {target}, {extra}}}}}"


@pytest.mark.parametrize(
    ("field", "path"),
    [
        *[
            (f"a: {{merge: {merge}, type: {kind}}}", "a.type")
            for merge in ("sum", "highest", "lowest")
            for kind in ("boolean", "string", "list", "json")
        ],
        ("a: {merge: sum, type: date}", "a.type"),
        ("a: {merge: sum, type: datetime}", "a.type"),
        ("a: {merge: add, type: string}", "a.type"),
        ("a: {merge: remove, type: json}", "a.type"),
        ("a: {merge: deep, type: list}", "a.type"),
        ("a: {merge: rows, key: sku, type: string}", "a.type"),
        ("a: {merge: rows}", "a"),
        ('a: {merge: rows, key: ""}', "a"),
        ("a: rows", "a"),
        ("a: {merge: deep, key: sku}", "a.key"),
        ("a: {type: json, complete: true}", "a.complete"),
        ("a: {merge: deep, on_drift: keep}", "a.on_drift"),
        ("a: {merge: deep, value: 1}", "a.merge"),
        ("first_name: deep", "first_name.merge"),
        *[
            (f"a: {{merge: {merge}, on_drift: keep}}", "a.on_drift")
            for merge in ("sum", "add", "remove", "set_if_empty", "highest", "lowest")
        ],
        ("a: {on_drift: shout}", "a.on_drift"),
        ("image_url: {on_drift: keep}", "image_url.on_drift"),
        ("a: {type: integer, scale: 2}", "a.scale"),
        ("a: {scale: 2}", "a.scale"),
        ("a: {type: decimal}", "a"),
        ('a: {split: "|"}', "a.split"),
        ('a: {merge: add, split: ""}', "a.split"),
        ("a: {items: integer}", "a.items"),
        ("a: {ordered: true}", "a.ordered"),
        ("a: {merge: add, ordered: true}", "a.ordered"),
        ("a: {type: string, max_items: 5}", "a.max_items"),
        ("a: {type: integer, too_long: cut}", "a.too_long"),
        ("a: {merge: add, too_long: cut}", "a.too_long"),
        ("a: {type: string, nan: empty}", "a.nan"),
        ("a: {type: date, nan: empty}", "a.nan"),
        ("a: {value: x, from: b}", "a.from"),
        ('a: {value: x, split: "|", type: list}', "a.split"),
        ("a: {value: x, trim: true}", "a.trim"),
        ("a: {value: x, merge: sum}", "a.merge"),
        ("a: {value: x, merge: clear}", "a.merge"),
        ("a: {value: null}", "a.value"),
        ('a: {value: " "}', "a.value"),
        ("a: {value: .nan}", "a.value"),
        (f"a: {{value: {'x' * 256}}}", "a.value"),
        ('"@a": set', "@a"),
        ('"a\\tb": set', "a\tb"),
        ("external_id: set", "external_id"),
        ("braze_id: set", "braze_id"),
        ("user_alias: set", "user_alias"),
        ("_merge_objects: set", "_merge_objects"),
        ("subscription_groups: add", "subscription_groups"),
        ("image_url: set_if_empty", "image_url"),
        ("date_of_last_session: highest", "date_of_last_session"),
    ],
)
def test_what_makes_no_sense_in_a_field_is_refused(field, path):
    """Strategy, type and options that contradict each other are one problem, at their place."""
    assert [f"jobs.crm.fields.{path}"] == list(problems(fields(field)))


@pytest.mark.parametrize(
    "field",
    [
        *[f"a: {{merge: sum, type: {kind}}}" for kind in ("integer", "float")],
        "a: {merge: sum, type: decimal, scale: 2}",
        *[f"a: {{merge: highest, type: {kind}}}" for kind in ("integer", "float", "date")],
        "a: {merge: lowest, type: datetime}",
        'a: {merge: add, split: "|", items: integer, max_items: 25}',
        "a: {merge: remove, type: list}",
        "a: deep",
        "a: {merge: deep, type: json, on_drift: quarantine}",
        "a: {merge: rows, key: sku}",
        "a: {merge: rows, key: sku, complete: true, from: items}",
        'a: {type: list, ordered: true, split: ","}',
        "a: {too_long: cut, trim: true}",
        "a: {merge: sum, type: integer, on_drift: quarantine}",
        "a: {merge: clear, on_drift: keep}",
        "a: {value: 1, on_drift: keep}",
        "a: {type: string, too_long: cut}",
        "a: {type: float, nan: empty}",
        "a: {nan: empty}",
        "a: {value: crm, merge: set_if_empty}",
        "a: {value: false}",
        "a: {value: 0, type: integer}",
        "image_url: set",
        "subscription_groups: {type: json}",
        "phone: set_if_empty",
    ],
)
def test_what_makes_sense_in_a_field_is_accepted(field):
    """Each strategy takes the types that the design gives it."""
    assert problems(fields(field)) == {}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (job("remaining_fields: {merge: rows}"), "jobs.crm.remaining_fields[0].merge"),
        (
            job("remaining_fields: {merge: deep, type: string}"),
            "jobs.crm.remaining_fields[0].type",
        ),
        (job("schedule: {}"), "jobs.crm.schedule"),
        (job('schedule: {cron: "* * * * *", every: 5m}'), "jobs.crm.schedule"),
        (job('schedule: {cron: "0 3 * *"}'), "jobs.crm.schedule.cron"),
        (job('schedule: {cron: "0 0 31 2 *"}'), "jobs.crm.schedule.cron"),
        (job("schedule: {every: 0s}"), "jobs.crm.schedule.every"),
        (job("schedule: {every: 400d}"), "jobs.crm.schedule.every"),
        (job("schedule: {every: 5m, timezone: Europe}"), "jobs.crm.schedule.timezone"),
        (job("schedule: {every: 5m, timezone: ../etc}"), "jobs.crm.schedule.timezone"),
        (job("connection: other"), "jobs.crm.connection"),
        (job("enabled: true", head=TWO), "jobs.crm.connection"),
        (
            job("enabled: true", "source: {prefix: in, timezone: X}, match: [{external_id: i}]"),
            "jobs.crm.source.timezone",
        ),
        (
            job("enabled: true", "source: {prefix: in, pattern: /x}, match: [{external_id: i}]"),
            "jobs.crm.source.pattern",
        ),
        (
            job("enabled: true", 'source: {prefix: in}, match: [{external_id: ""}]'),
            "jobs.crm.match[0].external_id",
        ),
        (job("enabled: true", 'source: {prefix: ""}, match: {external_id: i}'),
         "jobs.crm.source.prefix"),
        (job("enabled: true", "source: {prefix: _exchanger/main/x}, match: {external_id: i}"),
         "jobs.crm.source.prefix"),
        *[
            (
                job("enabled: true", f"source: {{prefix: in, {said}}}, match: {{external_id: i}}"),
                f"jobs.crm.source.{path}",
            )
            for said, path in ARRIVALS
        ],
        (job("remaining_fields: {type: decimal}"), "jobs.crm.remaining_fields[0]"),
        (job("remaining_fields: [{merge: sum, type: string}]"),
         "jobs.crm.remaining_fields[0].type"),
        (job('remaining_fields: {prefix: "@x"}'), "jobs.crm.remaining_fields[0].prefix"),
        (fields("a: remove", ", baseline: assume_empty"), "jobs.crm.fields.a.merge"),
        (
            job("baseline: assume_empty, remaining_fields: [{merge: remove}]"),
            "jobs.crm.remaining_fields[0].merge",
        ),
        (job("baseline: {complete: true}"), "jobs.crm.baseline.complete"),
        (job('baseline: {segment: " "}'), "jobs.crm.baseline.segment"),
        (job("baseline: {segment: All, completion: {quiet: 5h}}"),
         "jobs.crm.baseline.completion.quiet"),
        (job("baseline: {completion: {poll: 1s}}"), "jobs.crm.baseline.completion"),
        (job("baseline: {max_age: 0s}"), "jobs.crm.baseline.max_age"),
        (job("baseline: {max_age: soon}"), "jobs.crm.baseline.max_age"),
        (job("baseline: {max_aeg: 1d}"), "jobs.crm.baseline.max_aeg"),
        (job("baseline: assume_emtpy"), "jobs.crm.baseline"),
        (job("baseline: 7"), "jobs.crm.baseline"),
        (fields(""), "jobs.crm"),
        (export("enabled: true"), "jobs.vip"),
        (export("remaining_fields: {}", 'target: {prefix: ""}'), "jobs.vip.target.prefix"),
        (export("remaining_fields: {}", "target: {prefix: _exchanger}"), "jobs.vip.target.prefix"),
        (export("fields: {a: {from: email, type: decimal}}"), "jobs.vip.fields.a"),
        (export("fields: {a: {from: email, scale: 2}}"), "jobs.vip.fields.a.scale"),
        (export("fields: {Plan: email, plan: phone}"), "jobs.vip.fields.plan"),
        (export("fields: {a: email}, empty: allow, completion: {confirm: false}"),
         "jobs.vip.empty"),
        (export("fields: {a: email}, empty: yes"), "jobs.vip.empty"),
        (export("fields: {a: email}, raw: delete"), "jobs.vip.raw"),
        (export("fields: {a: email}", "target: {prefix: out/, keep: 0}"), "jobs.vip.target.keep"),
        (export("fields: {a: email}, completion: {poll: 0s}"), "jobs.vip.completion.poll"),
        (export("fields: {a: email}, completion: {quiet: 5h}"), "jobs.vip.completion.quiet"),
        (export('fields: {a: email}, segment: " "').replace("segment: VIP, ", ""),
         "jobs.vip.segment"),
        (ONE.replace("bucket: acme", "bucket: s3://acme/x"), "connections.main.s3.bucket"),
        (ONE.replace("bucket: acme", "bucket: a, endpoint_url: minio:9000"),
         "connections.main.s3.endpoint_url"),
        (ONE.replace("bucket: acme", 'bucket: a, endpoint_url: "http://[x"'),
         "connections.main.s3.endpoint_url"),
        (ONE.replace("bucket: acme", 'bucket: a, endpoint_url: "http://minio:port"'),
         "connections.main.s3.endpoint_url"),
        (ONE.replace("bucket: acme", 'bucket: a, endpoint_url: "http://:9000"'),
         "connections.main.s3.endpoint_url"),
        (ONE.replace("bucket: acme", 'bucket: a, secret_access_key: "${KEY}"'),
         "connections.main.s3.access_key_id"),
        (ONE.replace("bucket: acme", "bucket: a, export_root: /"),
         "connections.main.s3.export_root"),
        (ONE.replace("bucket: acme", "bucket: a, state_prefix: /"),
         "connections.main.s3.state_prefix"),
        (ONE.replace('"${KEY}"', '"${NONE:-}"'), "connections.main.braze.api_key"),
        (ONE.replace('"${KEY}"', '"${NONE:-a b}"'), "connections.main.braze.api_key"),
        (ONE.replace("iad-01,", "iad-01, rate_limit: {requests: 1, per: 0s},"),
         "connections.main.braze.rate_limit.per"),
        (ONE.replace("main:", '"a b":'), "connections.a b"),
        (TWO.replace("eu:", "us/x:").replace("us/x:", '"us.x":').replace(
            "bucket: acme}", "bucket: acme, state_prefix: _exchanger/us/x}", 1),
         "connections.us.s3.state_prefix"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(text, path):
    """What contradicts or refers to nothing is one problem, at its place."""
    assert list(problems(text)) == [path]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (job("schedule: {every: 90}"), ["jobs.crm.schedule.every"]),
        (job("schedule: {cron: 5}"), ["jobs.crm.schedule.cron"]),
        (job("schedule: {evry: 5m}"), ["jobs.crm.schedule.evry"]),
        (job("schedule: {every: 90, timezone: Europe}"),
         ["jobs.crm.schedule.every", "jobs.crm.schedule.timezone"]),
        (job("schedule: {timezone: 5}"), ["jobs.crm.schedule", "jobs.crm.schedule.timezone"]),
        (job("schedule: {cron: '* * * * *', every: 5m, timezone: 5}"),
         ["jobs.crm.schedule", "jobs.crm.schedule.timezone"]),
        (ONE + f"jobs: {{crm: {{type: import, {SOURCE}, fields: 5}}}}", ["jobs.crm.fields"]),
        (ONE + f"jobs: {{crm: {{type: import, {SOURCE}, filds: {{a: set}}}}}}",
         ["jobs.crm.filds"]),
        (ONE + f"jobs: {{crm: {{type: import, {SOURCE}, priority: now}}}}",
         ["jobs.crm", "jobs.crm.priority"]),
        (export("remaining_fields: 5"), ["jobs.vip.remaining_fields"]),
    ],
)  # fmt: skip
def test_what_was_given_but_is_wrong_is_not_missed_as_well(text, paths):
    """A wrong value is one problem: that the key is missing is not said of a key that is there."""
    assert paths == sorted(problems(text))


NOTHING = "this is not in this version"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (export("fields: {a: email}", "target: {prefix: out, mode: changes}"),
         "jobs.vip.target.mode"),
        (export("fields: {a: email}", "target: {prefix: out, mode: merge}"),
         "jobs.vip.target.mode"),
    ],
)  # fmt: skip
def test_what_comes_later_is_not_accepted_and_ignored(text, path):
    """A key of the contract that is not built yet says so, and only that."""
    found = problems(text)
    assert [path] == list(found)
    assert found[path].startswith(NOTHING)


@pytest.mark.parametrize(
    ("path", "guess"),
    [
        ("emial", "email"),
        ("loyalty", "custom_attributes.loyalty"),
        ("email.domain", "email"),
        ("custom_attributes.a..b", "custom_attributes.a.b"),
        ("custom_attributes.", "custom_attributes"),
    ],
)
def test_a_path_that_is_not_exported_is_a_problem(path, guess):
    """A path that Braze does not export is named with its place and a guess, before any run."""
    with pytest.raises(ConfigError) as caught:
        read_config(export(f"fields: {{ok: email, bad: {path}}}"), ENVIRON)
    assert [("jobs.vip.fields.bad", guess)] == [(p.path, p.guess) for p in caught.value.problems]


@pytest.mark.parametrize("path", ["custom_attributes.pref.color", "custom_attributes", "devices.0"])
def test_a_path_into_what_holds_more_is_none(path):
    """Custom attributes, and fields that are objects or lists, can be looked into."""
    assert problems(export(f"fields: {{ok: {path}}}")) == {}


def test_a_strategy_in_an_export_is_told_that_exports_have_none():
    """No later version is promised for what an export does not need."""
    found = problems(export("fields: {a: {from: email, merge: set}, b: {from: phone}}"))
    assert ["jobs.vip.fields.a.merge"] == list(found)
    assert found["jobs.vip.fields.a.merge"].startswith("'merge' is no key here: an export takes")


@pytest.mark.parametrize(
    ("kept", "key", "words"),
    [
        ("changes: 1h", "changes", "what names people"),
        ("changes: 89d", "changes", "changes are kept for as long as quarantine at least"),
        ("outbox: 0s", "outbox", "what names people is kept for a day at least"),
        ("acknowledgements: 23h", "acknowledgements", "what names people"),
        ("quarantine: 1m", "quarantine", "what names people"),
        ("contributions: 0d", "contributions", "what names people"),
        ("quarantine: 500d, changes: 500d", "contributions", "contributions are kept for as long"),
        ("contributions: 30d", "contributions", "contributions are kept for as long as"),
        ("held_copies: 30d", "held_copies", ""),
        ("outboxes: 30d", "outboxes", ""),
    ],
)
def test_what_cannot_be_kept_for_so_long_is_told(kept, key, words):
    """Too short, too long beside the rest, or of a kind that nobody keeps."""
    found = problems(in_connection(f"retention: {{{kept}}}"))
    assert [f"connections.main.retention.{key}"] == list(found)
    assert found[f"connections.main.retention.{key}"].startswith(words)


def in_connection(key):
    return ONE.replace("s3:", f"{key}, s3:")


TOP, CONNECTION = "at the top of the file", "in a connection"
JOB, FIELD = "in a job", "in a field of an import"
IN_SOURCE = "in the source of an import"


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        (in_connection('engine: {dask: "tcp://x:1"}'), "connections.main.engine", TOP),
        (job('engine: {dask: "tcp://x:1"}'), "jobs.crm.engine", TOP),
        (ONE + "max_plan_age: 1d", "max_plan_age", CONNECTION),
        (job("max_plan_age: 1d"), "jobs.crm.max_plan_age", CONNECTION),
        (export("max_plan_age: 1d, fields: {a: email}"), "jobs.vip.max_plan_age", CONNECTION),
        (ONE + "retention: {outbox: 7d}", "retention", CONNECTION),
        (job("retention: {outbox: 7d}"), "jobs.crm.retention", CONNECTION),
        (in_connection("notifications: []"), "connections.main.notifications", TOP),
        (job("notifications: []"), "jobs.crm.notifications", TOP),
        (ONE + "priority: low", "priority", JOB),
        (in_connection("priority: low"), "connections.main.priority", JOB),
        (ONE + "on_drift: keep", "on_drift", FIELD),
        (in_connection("on_drift: keep"), "connections.main.on_drift", FIELD),
        (job("on_drift: keep"), "jobs.crm.on_drift", FIELD),
        (job("placeholders: allow"), "jobs.crm.placeholders", IN_SOURCE),
        (job("nulls: [NA]"), "jobs.crm.nulls", IN_SOURCE),
    ],
)
def test_a_key_in_a_wrong_place_is_told_its_place(text, path, place):
    """A key that this version knows elsewhere is not called one of a later version."""
    key = path.rpartition(".")[2]
    found = problems(text)
    assert [path] == list(found)
    assert found[path].startswith(f"'{key}' is no key here: write it {place}")


@pytest.mark.parametrize(
    "text",
    [
        ONE + 'engine: {dask: "tcp://x:1"}',
        in_connection("max_plan_age: 1d"),
        in_connection("retention: {outbox: 7d, held_copies: decided}"),
        job("priority: low"),
        export("priority: low, fields: {a: email}"),
        fields("a: {merge: set, on_drift: keep}"),
        fields("", ", remaining_fields: {merge: set, on_drift: keep}"),
    ],
)
def test_a_key_is_taken_where_its_message_puts_it(text):
    """Following the advice on a key in a wrong place gives a sound configuration."""
    assert {} == problems(text)


@pytest.mark.parametrize(
    "address", ["tcp://scheduler.internal:8786", "tls://10.0.0.7:8786", "tcp://[::1]:8786"]
)
def test_a_cluster_is_named_by_its_scheduler(address):
    """The address of a scheduler is taken as it is."""
    assert address == read_config(ONE + f'engine: {{dask: "{address}"}}', ENVIRON).engine.dask


@pytest.mark.parametrize(
    ("address", "guess"),
    [
        ("scheduler", "tcp://scheduler:8786"),
        ("scheduler:9000", "tcp://scheduler:9000"),
        ("tcp://scheduler", "tcp://scheduler:8786"),
        ("https://scheduler:8787", "tcp://scheduler:8786"),
        ("tcp://scheduler:8786/status", ""),
        ("tcp://scheduler:port", ""),
        ("", ""),
    ],
)
def test_what_is_no_address_of_a_scheduler_says_so(address, guess):
    """A wrong address is found before a run needs it, with a guess where there is one."""
    with pytest.raises(ConfigError) as caught:
        read_config(ONE + f'engine: {{dask: "{address}"}}', ENVIRON)
    assert [("engine.dask", guess)] == [(p.path, p.guess) for p in caught.value.problems]


def test_an_engine_is_a_mapping():
    """A cluster is named by its kind, and a slip is guessed."""
    assert {"engine": "this must be a mapping of keys to values"} == problems(ONE + "engine: dask")
    assert ["engine.dask", "engine.dsk"] == list(problems(ONE + "engine: {dsk: x}"))


@pytest.mark.parametrize(
    ("entry", "path", "words"),
    [
        ("{}", "notifications[0].url", "this must be given"),
        ("{url: nowhere}", "notifications[0].url", "write an Apprise URL"),
        ("{url: 'json://h', when: []}", "notifications[0].when", "this must not be empty"),
        ("{url: 'json://h', when: [faild]}", "notifications[0].when[0]", "'faild' is not known"),
        ("{url: 'json://h', jobs: [crn]}", "notifications[0].jobs[0]", "there is no job 'crn'"),
        ("{url: 'json://h', at_least: {rejected_percent: 101}}",
         "notifications[0].at_least.rejected_percent", "this must be at most 100"),
        ("{uri: 'json://h'}", "notifications[0].uri", "'uri' is no key here"),
    ],
)  # fmt: skip
def test_a_channel_that_means_nothing_is_told_by_its_place(entry, path, words):
    """Each slip has its place and words; nothing of an address is repeated."""
    found = problems(job("").replace("jobs:", f"notifications: [{entry}]\njobs:"))
    assert found[path].startswith(words)
    assert "nowhere" not in "".join(found.values())


def test_channels_are_told_of_the_jobs_that_they_name():
    """One is told of all troubles of all jobs, unless it names some; none is shown in a text."""
    more = "notifications: [{url: 'json://u:s3cret-key@h'}, {url: 'json://h', jobs: [sh*]}]\njobs:"
    config = read_config(job("").replace("jobs:", more), ENVIRON)
    assert config.notifications[:1] == config.told_of("crm")
    everybody = config.notifications[0]
    assert [True, True, False] == [
        everybody.wants(kind) for kind in ("failed", "recovered", "succeeded")
    ]
    assert "s3cret-key" not in repr(config)
    assert problems(ONE + "notifications: json://h") == {"notifications": "this must be a list"}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (fields("a: set", "").replace("in/", "in/, schema: {missing: reject_rows}"), "missing"),
        (fields("a: set", "").replace("in/", "in/, schema: {retyped: reject}"), "retyped"),
        (fields("a: set", "").replace("in/", "in/, schema: {nw: note}"), "nw"),
    ],
)
def test_what_becomes_of_changed_columns_has_few_words(text, path):
    """Each change has its own, and a slip is told by its place."""
    assert [f"jobs.crm.source.schema.{path}"] == [*problems(text)]


def test_what_an_object_is_made_of_cannot_be_left_out():
    """A missing column may leave out a field of attributes, but no part of an event."""
    source = "source: {prefix: in/, schema: {missing: note}}, match: {external_id: id}"
    event = f"{{type: import, object: events, {source}, event: {{name: n, time: t}}}}"
    found = problems(f"{ONE}jobs: {{crm: {event}}}")
    assert found["jobs.crm.source.schema.missing"].startswith("rows without that column")
    assert {} == problems(fields("a: set").replace("in/", "in/, schema: {missing: note}"))
