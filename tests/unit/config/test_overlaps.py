"""Jobs and connections that would get into each other's way."""

import pytest
from support.config_texts import ONE, SOURCE, TWO
from support.config_texts import messages as problems

SAME = "source: {prefix: in/}"
BELOW = "source: {prefix: in/a}"
ELSEWHERE = "source: {prefix: inn}"


def two_imports(first, second):
    return (
        ONE
        + f"""jobs:
  one: {{type: import, match: [{{external_id: id}}], {first}}}
  two: {{type: import, match: [{{external_id: id}}], {second}}}
"""
    )


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (f"{SAME}, fields: {{a: set}}", f"{SAME}, fields: {{a: set}}", "a"),
        (f"{BELOW}, fields: {{a: set}}", f"{SAME}, fields: {{a: set}}", "a"),
        (f"{SAME}, fields: {{a: set}}", f"{BELOW}, fields: {{b: set}}", ""),
        (f"{SAME}, fields: {{a: set}}", f"{ELSEWHERE}, fields: {{a: set}}", ""),
        (f"{SAME}, fields: {{a: set}}", f"{SAME}, remaining_fields: {{merge: set}}", "a"),
        (f"{SAME}, remaining_fields: {{merge: set}}", f"{SAME}, fields: {{a: set}}", "a"),
        (f"{SAME}, fields: {{a: set}}", f"{SAME}, remaining_fields: {{exclude: a}}", ""),
        (f"{SAME}, fields: {{a: set}}", f'{SAME}, remaining_fields: {{columns: "b*"}}', ""),
        (f"{SAME}, fields: {{a: set}}", f"{SAME}, remaining_fields: {{prefix: crm_}}", ""),
        (f"{SAME}, fields: {{crm_a: set}}", f"{SAME}, remaining_fields: {{prefix: crm_}}", "crm_a"),
        (f"{SAME}, fields: {{email: set}}", f"{SAME}, remaining_fields: {{}}", ""),
        (
            f"{SAME}, fields: {{email: set}}",
            f"{SAME}, remaining_fields: {{standard: true}}",
            "email",
        ),
        (f"{SAME}, remaining_fields: {{}}", f"{SAME}, remaining_fields: {{}}", "remaining fields"),
        (
            f"{SAME}, remaining_fields: {{prefix: a_}}",
            f"{SAME}, remaining_fields: {{prefix: b_}}",
            "",
        ),
        (
            f"{SAME}, remaining_fields: {{prefix: a_}}",
            f"{SAME}, remaining_fields: {{prefix: a_b}}",
            "remaining fields",
        ),
    ],
)
def test_two_imports_of_one_folder_write_different_fields(first, second, clash):
    """Jobs that read the same files are refused as soon as one attribute has two owners."""
    found = problems(two_imports(first, second))
    assert bool(clash) == ("jobs.two.source.prefix" in found)
    assert clash in found.get("jobs.two.source.prefix", "")


def test_two_exports_do_not_share_a_folder():
    """An export removes the litter of its folder, so the folder is its own."""
    text = (
        ONE
        + """jobs:
  one: {type: export, segment: A, fields: {a: email}, target: {prefix: out/}}
  two: {type: export, segment: A, fields: {a: email}, target: {prefix: out/b}}
"""
    )
    assert list(problems(text)) == ["jobs.two.target.prefix"]


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("out/", "export 'two' writes to out/vip/"),
        ("out/vip/new/", "export 'two' writes to out/vip/"),
        ("segment-export/", "where Braze puts its segment exports"),
        ("in/", ""),
    ],
)
@pytest.mark.parametrize("first", ["one", "two"])
def test_an_import_does_not_read_what_an_export_writes(prefix, said, first):
    """Braze would be sent what it said before, as a change."""
    jobs = {
        "one": f"{{type: import, source: {{prefix: {prefix}}}, match: [{{external_id: id}}],"
        " fields: {a: set}}",
        "two": "{type: export, segment: A, fields: {a: email}, target: {prefix: out/vip/}}",
    }
    order = sorted(jobs, reverse=first == "two")
    found = problems(ONE + "jobs:\n" + "".join(f"  {name}: {jobs[name]}\n" for name in order))
    assert said in found.get("jobs.one.source.prefix", "")
    assert bool(said) == bool(found)


def test_imports_of_two_connections_may_share_everything():
    """Overlap is about one workspace and one bucket."""
    text = (
        TWO
        + f"""jobs:
  one: {{type: import, connection: eu, {SOURCE}, fields: {{a: set}}}}
  two: {{type: import, connection: us, {SOURCE}, fields: {{a: set}}}}
"""
    )
    assert problems(text) == {}
