"""What a configuration takes from the environment, and secrets, which stand only there."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from texts import CONNECTION, ENVIRON, import_job, problems, read


@pytest.mark.parametrize(
    ("text", "environ", "meant"),
    [
        ("${A}", {"A": "x"}, "x"),
        ("${A:-y}", {}, "y"),
        ("${A:-y}", {"A": ""}, "y"),
        ("${A:-y}", {"A": "x"}, "x"),
        ("a-${A}-${B:-z}", {"A": "x"}, "a-x-z"),
        ("${A:-}", {}, ""),
        ("costs $5", {}, "costs $5"),
    ],
)
def test_variables_are_put_in(text, environ, meant):
    """``${NAME}`` is the variable and ``${NAME:-text}`` the text where there is none."""
    config = read(CONNECTION + import_job(extra=f'description: "{text}"'), ENVIRON | environ)
    assert meant == config.jobs["crm"].description


def test_every_missing_variable_is_a_problem_at_its_place():
    """Each reference without a value is named with its path."""
    text = CONNECTION.replace("acme", '"${BUCKET}"')
    found = problems(text, {})
    assert found == {
        "connections.main.braze.api_key": ("the environment variable KEY is not set", ""),
        "connections.main.s3.bucket": ("the environment variable BUCKET is not set", ""),
    }


def test_a_reference_that_cannot_be_read_is_a_problem():
    """A typing error in a reference does not end up as text."""
    found = problems(CONNECTION + import_job(extra='description: "${A B}"'))
    assert "${NAME}" in found["jobs.crm.description"][0]


def test_a_variable_may_stand_for_a_number():
    """Text of a variable is read as what the key holds."""
    text = CONNECTION.replace('"${KEY}"', '"${KEY}", batch_size: "${SIZE:-50}"')
    assert read(text).connections["main"].braze.batch_size == 50


@pytest.mark.parametrize("secret", ["sk-plain", "12345", '"x${KEY}"'])
def test_a_secret_in_the_file_is_refused_and_not_repeated(secret):
    """Secrets stand only in the environment, and no message repeats one."""
    found = problems(CONNECTION.replace('"${KEY}"', secret))
    assert list(found) == ["connections.main.braze.api_key"]
    assert secret not in str(found)


def test_a_secret_does_not_show_in_the_models():
    """Printing the configuration shows no key."""
    assert "s3cret-key" not in repr(read(CONNECTION))
