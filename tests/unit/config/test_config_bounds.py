"""What no configuration is: it is refused as one, whatever reading it would have done."""

import tracemalloc

import pytest
from support.config_texts import CONNECTION, ENVIRON, import_job, messages, problems, read

from exchanger.config.loading import load as loading
from exchanger.config.loading.load import LARGEST, load_config, read_config
from exchanger.errors import ConfigError

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
LADDER = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 3_000))
STEPS = "".join(f"{' ' * n}a:\n" for n in range(3_000))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 5_000, "within each other"),
        ("[" * 5_000 + "]" * 5_000, "within each other"),
        ("{a: " * 5_000, "within each other"),
        (STEPS, "within each other"),
        ("- " * 5_000, "within each other"),
        (LADDER, "within each other"),
        (BOMB, "references"),
        (CONNECTION + "jobs: " + "[" * 60 + "]" * 60, "within each other"),
    ],
    ids=["open", "closed", "mappings", "blocks", "lists", "ladder", "bomb", "within"],
)
def test_what_is_too_deep_or_repeats_itself_is_refused(text, words):
    """Brackets without end and references that multiply cost neither the process nor its memory."""
    tracemalloc.start()
    found = problems(text)
    assert tracemalloc.get_traced_memory()[1] < 200 << 20
    tracemalloc.stop()
    assert words in found[""][0]


def test_references_may_be_used():
    """What several jobs share may be written once."""
    text = CONNECTION + import_job(fields="&shared {first_name: set}")
    text += """
  other:
    type: import
    source: {prefix: outbox/}
    match: [{external_id: id}]
    fields: *shared
"""
    jobs = read(text).jobs
    assert jobs["crm"].fields == jobs["other"].fields


def test_a_file_that_no_configuration_is_as_large_as_is_refused(tmp_path):
    """Nothing reads a dump that somebody named as the configuration."""
    path = tmp_path / "exchanger.yaml"
    path.write_text(CONNECTION + "# " + "x" * LARGEST)
    with pytest.raises(ConfigError) as refused:
        load_config(path, ENVIRON)
    assert "at most 4 MB" in refused.value.problems[0].message


@pytest.mark.parametrize("error", [RecursionError, ValueError, KeyError, AttributeError])
def test_whatever_else_goes_wrong_is_a_refusal(monkeypatch, error):
    """A daemon goes on with the configuration that it has, whatever stands in the new one."""

    def stumble(*_):
        raise error("a secret")

    monkeypatch.setattr(loading, "settle_kinds", stumble)
    with pytest.raises(ConfigError) as refused:
        read_config(CONNECTION, ENVIRON, "x.yaml")
    assert error.__name__ in refused.value.problems[0].message
    assert "secret" not in refused.value.problems[0].message


def with_pattern(pattern):
    source = f'{{prefix: in/, pattern: "{pattern}"}}'
    return CONNECTION + import_job().replace("{prefix: inbox/}", source)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("[z-a]", "[z-a]"),
        ("part-[9-0].csv", "[9-0]"),
        ("[a-z0-9A-]*[!z-b]", "[z-b]"),
        ("[!]", "characters"),
        ("*" * 50, "stars"),
        ("**/" * 30, "stars"),
    ],
)
def test_a_pattern_that_means_nothing_is_refused(pattern, words):
    """What would fail every run of its job is told beforehand."""
    text = CONNECTION + import_job().replace(
        "{prefix: inbox/}", f'{{prefix: in/, pattern: "{pattern}"}}'
    )
    assert words in messages(text)["jobs.crm.source.pattern"]


@pytest.mark.parametrize(
    "pattern", ["[a-z]", "[!a-z]*", "[^x]", "[[]", "[a&&b]", "[]", "[-a]", "a]b", "[é]"]
)
def test_a_pattern_that_means_something_is_taken(pattern):
    """Brackets are characters as shells know them."""
    text = CONNECTION + import_job().replace(
        "{prefix: inbox/}", f'{{prefix: in/, pattern: "{pattern}"}}'
    )
    assert {} == messages(text)
