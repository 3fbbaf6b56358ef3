"""What the columns of custom attributes are called that no column names."""

import pytest

from exchanger.app.messages.notes.words import in_words
from exchanger.profiles.exported.names import name_remaining

C = "custom_attributes."


@pytest.mark.parametrize(
    ("named", "prefix", "users", "columns"),
    [
        ([], "", {"plan": 1}, {"plan": "plan"}),
        ([], "x_", {"plan": 1}, {"plan": "x_plan"}),
        (["plan"], "", {"plan": 9}, {"plan": f"{C}plan"}),
        (["plan"], "", {"Plan": 9}, {"Plan": f"{C}Plan"}),
        (["Plan"], "", {"plan": 9}, {"plan": f"{C}plan"}),
        (["plan"], "x_", {"Plan": 9}, {"Plan": "x_Plan"}),
        (["x_plan"], "x_", {"PLAN": 9}, {"PLAN": f"{C}x_PLAN"}),
        ([], "", {"Plan": 1, "plan": 5}, {"plan": "plan", "Plan": f"{C}Plan"}),
        ([], "", {"Plan": 5, "plan": 1}, {"plan": f"{C}plan", "Plan": "Plan"}),
        ([], "", {"plan": 2, "PLAN": 2, "Plan": 2},
         {"PLAN": "PLAN", "Plan": f"{C}Plan", "plan": f"{C}{C}plan"}),
        ([], "x_", {"Ä": 2, "ä": 1}, {"Ä": "x_Ä", "ä": f"{C}x_ä"}),
        ([], "", {"Plan": 1, "plan": 3, f"{C}PLAN": 2},
         {"plan": "plan", f"{C}PLAN": f"{C}PLAN", "Plan": f"{C}{C}Plan"}),
        ([], "", {"plan": 1, "plan ": 1, "Plänä": 1}, {n: n for n in ("plan", "plan ", "Plänä")}),
    ],
)  # fmt: skip
def test_no_two_columns_differ_in_case_alone(named, prefix, users, columns):
    """Whom the job names, then what most users have, keeps its name; the order of users is none."""
    for order in (users, dict(reversed(users.items()))):
        assert columns == name_remaining(named, prefix, order)[0]


@pytest.mark.parametrize(
    ("named", "prefix", "said"),
    [
        (["plan"], "", "'plan' is column 'custom_attributes.plan', as its own name was taken"),
        (["x_PLAN"], "x_", "as its own name differs from column 'x_PLAN' in case alone"),
    ],
)  # fmt: skip
def test_another_name_is_told_with_the_reason(named, prefix, said):
    """The sentence has the attribute, its column, and the column that has the name."""
    (renamed,) = name_remaining(named, prefix, {"plan": 1, "tier": 1})[1]
    assert said in in_words(renamed.note(prefix))
