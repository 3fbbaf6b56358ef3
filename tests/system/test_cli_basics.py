import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from exchanger.cli.app import app
from exchanger.cli.app import run as run_command_line

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "exchanger.example.yaml"
VERBS = [command.name for command in app.registered_commands if not command.hidden]

WRONG = [
    ("frobnicate",),
    ("run",),
    ("run", "nope", "--config", EXAMPLE),
    ("run", "vip_export", "--force", "--config", EXAMPLE),
    ("run", "crm_profiles", "--fresh", "--config", EXAMPLE),
    ("run", "crm_profiles", "--frobnicate", "--config", EXAMPLE),
    ("plan", "vip_export", "--config", EXAMPLE),
    ("drift", "vip_export", "--config", EXAMPLE),
    ("drift", "crm_profiles", "--full", "--sample", "3", "--config", EXAMPLE),
    ("rebuild", "vip_export", "--segment", "A", "--config", EXAMPLE),
    ("rebuild", "crm_profiles", "--config", EXAMPLE),
    ("rebuild", "crm_profiles", "--segment", "A", "--wait", "soon", "--config", EXAMPLE),
    ("backfill", "crm_profiles", "--config", EXAMPLE),
    ("backfill", "crm_profiles", "--full", "--prefix", "x", "--config", EXAMPLE),
    ("backfill", "crm_profiles", "--since", "yesterday", "--config", EXAMPLE),
    ("backfill", "crm_profiles", "--since", "2026-09-02", "--until", "2026-09-01",
     "--config", EXAMPLE),
    ("segments", "--connection", "nope", "--config", EXAMPLE),
    ("runs", "nope", "--config", EXAMPLE),
    ("sandbox", "--setting", "latency"),
    ("sandbox", "--setting", "no_such=1"),
    ("sandbox", "--setting", "latency=abc"),
    ("sandbox", "--braze-port", "99999"),
    ("sandbox", "--bucket", "ab", "--braze-port", "0", "--s3-port", "0"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _plain_logs():
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def exchanger(capsys, monkeypatch, tmp_path):
    """Run a command line in this process: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    for name in ("EXCHANGER_CONFIG", "EXCHANGER_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            run_command_line([str(argument) for argument in arguments])
        code = caught.value.code
        return (code or 0, *capsys.readouterr())

    return call


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8").replace("first_name: set", "first_name: x"))
    return path


def test_help_loads_nothing_heavy():
    """Asking for help answers at once, as nothing that only a run needs is imported."""
    script = (
        "import sys, exchanger.cli.app as app\n"
        "try:\n    app.run(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'asyncio', 'polars', 'pyarrow', 'boto3', 'aiohttp', 'pydantic'}\n"
        "heavy |= {'structlog', 'deltalake'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stderr.strip() == "[]"
    assert "Keep Braze and an S3 bucket in step." in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_it_does_with_an_example(exchanger, verb):
    """Help begins with a sentence and has an example to paste, for every verb."""
    code, out, _ = exchanger(verb, "--help")
    assert code == 0
    assert re.search(r"\n  [A-Z][^\n]+", out)
    assert f"Example: exchanger {verb}" in out


def test_the_verbs_of_the_contract_are_there():
    """No verb of this version is missing."""
    contract = "init check plan run daemon backfill jobs segments runs show sandbox schema"
    assert set(contract.split()) <= set(VERBS)


def test_the_module_is_the_program():
    """``python -m exchanger`` is the same as ``exchanger``."""
    done = subprocess.run(
        [sys.executable, "-m", "exchanger", "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert re.fullmatch(r"exchanger \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_usage_is_code_2_with_words(exchanger, arguments):
    """A command line that makes no sense ends with 2 and says why, without a traceback."""
    code, out, err = exchanger(*arguments)
    assert (code, out) == (2, "")
    assert "Error: " in err
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_usage_is_one_json_document_where_json_is_asked_for(exchanger, arguments):
    """A program gets the same words as a person, who still sees them on standard error."""
    code, out, err = exchanger(*arguments, "--json")
    error = json.loads(out)["error"]
    assert (2, 2, "UsageError", False) == (
        code, error["exit_code"], error["kind"], error["retryable"],
    )  # fmt: skip
    assert f"Error: {error['message']}\n" in err
    assert re.fullmatch(r"How it is used: exchanger( [a-z]+)? --help", error["next"])


def test_a_misspelt_job_gets_a_guess(exchanger):
    """The name of a job is guessed as keys of the configuration are."""
    _, _, err = exchanger("run", "crm_profile", "--config", EXAMPLE)
    assert "there is no job 'crm_profile'; did you mean crm_profiles?" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("plan", "crm_profiles"),
        ("drift", "crm_profiles"),
        ("rebuild", "crm_profiles"),
        ("run", "crm_profiles"),
        ("daemon",),
        ("backfill", "crm_profiles", "--full"),
        ("jobs",),
        ("segments",),
        ("runs",),
        ("show", "1"),
    ],
)
def test_a_broken_configuration_is_code_3_for_every_verb(exchanger, broken, arguments):
    """Each verb refuses a broken configuration, with line, path and guess."""
    code, out, err = exchanger(*arguments, "--config", broken)
    assert (code, out) == (3, "")
    assert "jobs.crm_profiles.fields.first_name: 'x' is not a strategy" in err
    assert "did you mean {from: x, merge: set}?" in err


def test_problems_of_the_configuration_are_one_json_document(exchanger, broken):
    """A program gets each problem with path, message, guess and line."""
    code, out, _ = exchanger("check", "--json", "--config", broken)
    error = json.loads(out)["error"]
    assert (code, error["kind"], error["exit_code"]) == (3, "ConfigError", 3)
    (problem,) = error["problems"]
    assert problem["path"] == "jobs.crm_profiles.fields.first_name"
    assert problem["line"] > 0


def test_a_missing_configuration_names_init(exchanger):
    """Who has no configuration yet is told how to get one."""
    code, _, err = exchanger("check")
    assert code == 3
    assert "exchanger init" in err


def test_the_environment_names_the_configuration(exchanger, monkeypatch):
    """EXCHANGER_CONFIG stands in for --config."""
    monkeypatch.setenv("EXCHANGER_CONFIG", str(EXAMPLE))
    code, out, _ = exchanger("jobs")
    assert code == 0
    assert "crm_profiles  import  every 15m" in out


def test_init_writes_the_example_once(exchanger, tmp_path):
    """The sample is written where the other verbs look for it, and never over a file unasked."""
    path = tmp_path / "config" / "exchanger.yaml"
    assert exchanger("init")[0] == 0
    assert path.read_text(encoding="utf-8") == EXAMPLE.read_text(encoding="utf-8")
    path.write_text("mine")
    code, _, err = exchanger("init")
    assert (code, path.read_text(encoding="utf-8")) == (2, "mine")
    assert "--force" in err
    assert exchanger("init", "--force")[0] == 0
    assert exchanger("check")[0] == 0


def test_check_says_what_each_job_will_do(exchanger):
    """A sound configuration is read back in plain words, for people and for programs."""
    code, out, _ = exchanger("check", "--config", EXAMPLE)
    words = "lifetime_value: adds order_total (decimal, 2 places) to what Braze has"
    assert code == 0
    assert words in out
    code, out, _ = exchanger("check", "--json", "--config", EXAMPLE)
    content = json.loads(out)
    assert (code, content["ok"]) == (0, True)
    assert any(words in line for line in content["jobs"]["crm_profiles"])


def test_jobs_are_one_json_document(exchanger):
    """A program gets each job with its kind, connection and schedule."""
    code, out, _ = exchanger("jobs", "--json", "--config", EXAMPLE)
    assert code == 0
    assert [
        (job["job"], job["type"], job["connection"], job["enabled"], job["schedule"])
        for job in json.loads(out)
    ] == [
        ("crm_profiles", "import", "main", True, "every 15m"),
        ("vip_export", "export", "main", True, "0 3 * * * UTC"),
    ]


def test_schema_prints_the_schema(exchanger):
    """The schema goes to standard output, ready for a file."""
    code, out, _ = exchanger("schema")
    assert code == 0
    assert json.loads(out)["$schema"].startswith("https://json-schema.org/")
