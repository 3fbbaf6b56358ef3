"""Laws of the configuration: whatever is written, the answer is a configuration or its problems."""

import copy
import json
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from exchanger.config.describing.jobs import describe_job
from exchanger.config.loading.document import read_document
from exchanger.config.loading.load import read_config
from exchanger.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "config" / "exchanger.example.yaml"
CONTENT = read_document(EXAMPLE.read_text(encoding="utf-8")).content


def places(content, place=()):
    yield place
    if isinstance(content, dict | list):
        items = content.items() if isinstance(content, dict) else enumerate(content)
        for step, part in items:
            yield from places(part, (*place, step))


PLACES = [place for place in places(CONTENT) if place]
WORDS = [
    "set", "sum", "clear", "import", "export", "list", "decimal", "iad-01", "5m", "*/5 * * * *",
    "${HOME}", "${", "${NONE}", "${NONE:-x}", "external_id", "@x", "/", "", "UTC",
    "1e999", "[", "\x00", "http://[", "https://a:b", "Europe", "a.b.c",
]  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(WORDS),
    st.text(max_size=5),
)
VALUES = st.recursive(
    SCALARS,
    lambda part: st.one_of(
        st.lists(part, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from(["from", "merge", "type", "external_id", "prefix"]), st.text()
            ),
            part,
            max_size=3,
        ),
    ),
    max_leaves=5,
)
GONE = object()
EDITS = st.lists(st.tuples(st.sampled_from(PLACES), st.just(GONE) | VALUES), min_size=1, max_size=4)


def edited(edits):
    content = copy.deepcopy(CONTENT)
    for place, value in edits:
        part = content
        try:
            for step in place[:-1]:
                part = part[step]
            if value is GONE:
                del part[place[-1]]
            else:
                part[place[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # An earlier edit took the place away.
    return content


def answer(text):
    try:
        return read_config(text, {"HOME": "x"}), []
    except ConfigError as error:
        return None, error.problems


@settings(max_examples=200, deadline=None)
@given(EDITS)
def test_any_edit_is_a_configuration_or_named_problems(edits):
    """No value, nor its absence, crashes the loader: it is accepted, or answered with problems."""
    config, problems = answer(json.dumps(edited(edits)))
    event("accepted" if config else "problems")
    assert (config is None) == bool(problems)
    assert all(problem.message for problem in problems)
    assert config is None or all(describe_job(config, name) for name in config.jobs)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab:-[]{}\"'\n #&*!|>%@`\t,?0.\u00e9", max_size=40))
def test_any_text_is_answered_with_problems(text):
    """No text crashes the reader, and none that says so little is a configuration."""
    config, problems = answer(text)
    assert config is None
    assert problems
