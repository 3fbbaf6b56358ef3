import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from exchanger.config.describing.jobs import describe_job
from exchanger.config.loading.document import read_document
from exchanger.config.loading.load import load_config, read_config
from exchanger.config.schema import json_schema

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config" / "exchanger.example.yaml"


@pytest.fixture(scope="module")
def validator():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def example():
    return copy.deepcopy(read_document(EXAMPLE.read_text(encoding="utf-8")).content)


def test_the_example_loads_without_any_variable():
    """The example works as it stands, against the sandbox."""
    config = load_config(EXAMPLE, {})
    assert config.connections["main"].braze.endpoint == "http://127.0.0.1:8601"
    assert list(config.jobs) == ["crm_profiles", "vip_export"]


def test_the_example_is_what_init_writes():
    """There is one sample, in two places."""
    packaged = ROOT / "exchanger" / "cli" / "sample.yaml"
    assert packaged.read_text(encoding="utf-8") == EXAMPLE.read_text(encoding="utf-8")


def test_the_schema_accepts_the_example(validator):
    """An editor finds nothing wrong with the example."""
    assert [error.message for error in validator.iter_errors(example())] == []


def test_the_schema_is_json_without_pydantic_spellings():
    """Defaults are written as the configuration writes them, not as pydantic does."""
    text = json.dumps(json_schema())
    assert not re.search(r'"-?P[0-9T]', text)
    assert '"default": "5s"' in text
    assert '"contributions": "400d"' in text


def test_every_section_and_key_says_what_it_means():
    """Whoever points at a key in an editor reads a sentence, in Markdown."""
    kinds = {name: kind for name, kind in json_schema()["$defs"].items() if "properties" in kind}
    silent = [name for name, kind in kinds.items() if not kind.get("description")]
    silent += [
        f"{name}.{key}"
        for name, kind in kinds.items()
        for key, content in kind["properties"].items()
        if not content.get("description")
    ]
    assert silent == []
    assert "``" not in json.dumps(kinds)


@pytest.mark.parametrize(
    ("job", "key", "value"),
    [
        ("crm_profiles", "fields", {"a": "increment", "b": {"merge": "set_or_clear"}}),
        ("crm_profiles", "fields", {"a": {"type": "decimal", "scale": "${SCALE:-2}"}}),
        ("crm_profiles", "remaining_fields", [{"columns": "pref_*", "exclude": "x"}]),
        ("crm_profiles", "remaining_fields", {"exclude": ["x", "y"]}),
        ("crm_profiles", "match", {"external_id": "id"}),
        ("crm_profiles", "enabled", "${ENABLED:-true}"),
        ("crm_profiles", "max_rows_per_run", "${ROWS}"),
        ("crm_profiles", "schedule", {"every": "${EVERY:-5m}"}),
        ("vip_export", "completion", {"quiet": "90s", "confirm": False}),
    ],
)
def test_the_schema_accepts_short_spellings_and_variables(validator, job, key, value):
    """What loads is not marked as wrong."""
    content = example()
    content["jobs"][job][key] = value
    assert [error.message for error in validator.iter_errors(content)] == []
    read_config(json.dumps(content), {"ROWS": "5"})


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("jobs", "crm_profiles", "fields", "first_name"), "fname"),
        (("jobs", "crm_profiles", "shedule"), {}),
        (("jobs", "crm_profiles", "schedule"), {"every": "5 minutes"}),
        (("jobs", "vip_export", "target", "format"), "parket"),
        (("connections", "main", "braze", "batch_size"), 76),
        (("connections", "main", "braze", "api_key"), "sk-plain"),
    ],
)
def test_the_schema_finds_what_is_wrong(validator, place, value):
    """An editor marks a misspelt key, strategy, format or length, and a plain secret."""
    content = example()
    part = content
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    assert list(validator.iter_errors(content))


def test_jobs_are_described_in_words():
    """Each field of the example says what it will do, where its value comes from and how."""
    config = load_config(EXAMPLE, {})
    lines = describe_job(config, "crm_profiles")
    tags = "adds the members of tags (list) split at '|' that Braze's list lacks"
    looked_up = "looked up first where unknown"
    assert lines == [
        "runs every 15m",
        "reads s3://exchange/inbox/crm/**",
        "finds each profile by its external_id in column customer_id",
        "first_name: takes first_name; empty leaves what Braze has",
        "loyalty_tier: takes loyalty_tier; empty clears it in Braze",
        "signup_source: takes src only where Braze has nothing; looked up first where unknown",
        f"interests: {tags}; {looked_up}",
        f"lifetime_value: adds order_total (decimal, 2 places) to what Braze has; {looked_up}",
        f"last_order_at: keeps the later of ordered_at (datetime) and what Braze has; {looked_up}",
        "source_system: is always 'crm'",
        (
            "every other column but Braze's standard attributes, named crm_COLUMN: takes its value;"
            " empty leaves what Braze has"
        ),
        "reports in s3://exchange/inbox/crm_reports/ what became of each file",
        (
            "puts rejected rows into s3://exchange/inbox/crm_rejected/RUN/; takes them corrected"
            " from s3://exchange/inbox/crm_corrected/RUN/, each row once"
        ),
    ]
    assert "points: custom_attributes.points (integer)" in describe_job(config, "vip_export")


@pytest.mark.parametrize(
    ("baseline", "end"),
    [
        ("lookup", "; looked up first where unknown"),
        ("assume_empty", "; profiles never seen before are taken as empty"),
        ({"max_age": "1d"}, "; looked up first where unknown or older than 1d"),
        ({"segment": "All"}, "; learnt from the segment 'All' first where unknown"),
    ],
)
def test_a_job_says_where_it_takes_values_from(tmp_path, baseline, end):
    """Each field that builds on what Braze has says how that is known."""
    content = {
        "connections": {
            "main": {
                "braze": {"endpoint": "iad-01", "api_key": "${KEY}"},
                "s3": {"bucket": "acme"},
            }
        },
        "jobs": {
            "crm": {
                "type": "import",
                "source": {"prefix": "in/"},
                "match": [{"external_id": "id"}],
                "fields": {"points": "sum"},
                "baseline": baseline,
            }
        },
    }
    path = tmp_path / "exchanger.yaml"
    path.write_text(json.dumps(content))
    lines = describe_job(load_config(path, {"KEY": "dummy"}), "crm")
    assert f"points: adds points to what Braze has{end}" in lines


def test_the_configuration_is_light():
    """The daemon reads the configuration without loading what only a run needs."""
    script = (
        "import sys, exchanger.config.loading.load, exchanger.config.describing.jobs;"
        "import exchanger.config.schema;"
        "print(sorted({'polars', 'pyarrow', 'boto3', 'aiohttp', 'deltalake'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.strip() == "[]"
