"""The folder of our own state, which documents and tables must understand alike."""

import pytest
from support.config_texts import CONNECTION, problems, read


@pytest.mark.parametrize(
    ("prefix", "guess"),
    [
        ("_x/a b/", "_x/a-b/"),
        ("_x/CRM équipe 100% (new)/", "_x/CRM--quipe-100--(new)/"),
        ("_x/日本", "_x/--/"),
        ("_x/a%20b/", "_x/a-20b/"),
        ("_x/a#b/", "_x/a-b/"),
        ("_x/[a]/", "_x/-a-/"),
        ("_x/a?b", "_x/a-b/"),
        ("_x/{a}", "_x/-a-/"),
        ("_x/a|b", "_x/a-b/"),
        ("_x/<a>", "_x/-a-/"),
        ("_x/^a`", "_x/-a-/"),
        ("_x/a\\\\b", "_x/a-b/"),
        ("_x/a\\tb", "_x/a-b/"),
        ("_x/a//b", "_x/a/b/"),
        ("_x/../b", "_x/b/"),
        ("./b", "b/"),
        ("..", ""),
        ("a" * 501, ""),
        ("_exchanger/.states/", "_exchanger/main/"),
        ("_exchanger/.states/newest", "_exchanger/main/"),
    ],
)
def test_a_folder_that_tables_would_miss_is_refused(prefix, guess):
    """Documents and tables of our state lie in one folder of that name, or nothing does."""
    text = CONNECTION.replace("{bucket: acme}", f'{{bucket: acme, state_prefix: "{prefix}"}}')
    found = problems(text)
    assert ["connections.main.s3.state_prefix"] == list(found)
    assert guess == found["connections.main.s3.state_prefix"][1]


def test_a_folder_that_tables_find_is_taken():
    """What S3 and tables spell alike stays as it is written."""
    prefix = "_x/A-b_c.d=e+f@g!h$i&j'(k),l;m:n~o*/"
    text = CONNECTION.replace("{bucket: acme}", f'{{bucket: acme, state_prefix: "{prefix}"}}')
    assert prefix == read(text).connections["main"].s3.state_prefix
