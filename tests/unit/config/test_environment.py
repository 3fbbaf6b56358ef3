"""What a configuration takes from the environment, and secrets, which stand only there."""

import pytest
from support.config_texts import CONNECTION, ENVIRON, import_job, problems, read


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


KEYED = """
connections:
  main:
    braze: {endpoint: "${URL}", api_key: "${KEY}"}
    s3:
      bucket: acme
      endpoint_url: "${STORE}"
      access_key_id: "${ID}"
      secret_access_key: "${SECRET}"
"""
GIVEN = {
    "URL": "https://rest.iad-01.braze.com",
    "KEY": "s3cret",
    "STORE": "http://127.0.0.1:9000",
    "ID": "id",
    "SECRET": "secret",
}


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\n\n"])
def test_line_ends_behind_a_variable_are_none_of_it(end):
    """A key that was read from a file, with the end of its line, is that key; so are addresses."""
    main = read(KEYED, {name: value + end for name, value in GIVEN.items()}).connections["main"]
    assert main == read(KEYED, GIVEN).connections["main"]
    assert "http://127.0.0.1:9000" == main.s3.endpoint_url


@pytest.mark.parametrize("place", ["braze.api_key", "s3.access_key_id", "s3.secret_access_key"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a b", "space"),
        (" a", "space"),
        ("a\nb", "line break"),
        ("a\tb", "space"),
        ("é", "a sign that no key has"),
        ('"a"', "quotes"),
        ("'a'", "quotes"),
    ],
)
def test_a_key_that_no_request_could_carry_is_named(place, value, words):
    """What would be blamed on a region or an address later is told of the key itself."""
    name = {"api_key": "KEY", "access_key_id": "ID", "secret_access_key": "SECRET"}
    found = problems(KEYED, GIVEN | {name[place.rpartition(".")[2]]: value})
    assert [f"connections.main.{place}"] == list(found)
    assert words in found[f"connections.main.{place}"][0]


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_variable_is_no_wish_for_other_credentials(empty):
    """Keys that the configuration names and the environment lacks are told, not looked up."""
    found = problems(KEYED, GIVEN | {"ID": empty, "SECRET": empty})
    assert {"connections.main.s3.access_key_id", "connections.main.s3.secret_access_key"} == set(
        found
    )
    assert "the environment variable ID is empty" in found["connections.main.s3.access_key_id"][0]


@pytest.mark.parametrize(
    ("missing", "environ"),
    [
        ("access_key_id", {"ID": ""}),
        ("secret_access_key", {"SECRET": ""}),
    ],
)
def test_one_key_of_two_is_a_problem(missing, environ):
    """Half a pair is never filled up from AWS's own chain."""
    text = KEYED.replace("${ID}", "${ID:-}").replace("${SECRET}", "${SECRET:-}")
    assert [f"connections.main.s3.{missing}"] == list(problems(text, GIVEN | environ))


def test_both_keys_may_be_left_to_the_environment():
    """``${NAME:-}`` says that the key may be missing; without both, AWS's chain is asked."""
    text = KEYED.replace("${ID}", "${ID:-}").replace("${SECRET}", "${SECRET:-}")
    s3 = read(text, GIVEN | {"ID": "", "SECRET": ""}).connections["main"].s3
    assert (None, None) == (s3.access_key_id, s3.secret_access_key)
