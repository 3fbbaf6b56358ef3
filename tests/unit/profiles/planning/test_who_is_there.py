"""Of whom something is held once Braze has accepted an object, and whose rows are put aside."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.people.ambiguous import ambiguous_keys
from exchanger.profiles.planning.part import PartInput, PlanOptions, plan_part

RULES = [Rule("x", "x", "integer", FieldConfig(from_="x"))]
KEYS = {
    "external_id": "a",
    "braze_id": "braze_id\x1f5f",
    "alias": "alias\x1fcrm\x1f7",
    "email": "email\x1fa@example.com",
    "phone": "phone\x1f+491701234567",
}


def part(keys, *, seen=(), ambiguous=None):
    given = pl.DataFrame(
        {"@profile": keys, "@file": [0] * len(keys), "@row": range(1, len(keys) + 1),
         "x": range(len(keys))},
        schema={"@profile": pl.String, "@file": pl.UInt32, "@row": pl.UInt32, "x": pl.Int64},
    )  # fmt: skip
    held = pl.DataFrame(
        {"@profile": [*seen], "@exists": [True] * len(seen), "x": [None] * len(seen)},
        schema={"@profile": pl.String, "@exists": pl.Boolean, "x": pl.String},
    )
    nothing = given.select("@profile", "@file").clear()
    folded, barred = fold(given, RULES), None
    if ambiguous is not None:
        barred = ambiguous_keys(folded, pl.Series("@profile", ambiguous, pl.String))
    return PartInput(given, nothing, folded, held, held, barred=barred)


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("create_missing", [True, False])
@pytest.mark.parametrize("most_recent", [True, False])
@pytest.mark.parametrize("seen", [True, False])
def test_what_braze_may_skip_or_choose_is_not_held(kind, create_missing, most_recent, seen):
    """An unknown ``braze_id`` is skipped; of several with one address nobody knows which it was."""
    key = KEYS[kind]
    terms = PlanOptions(RULES, False, create_missing, most_recent=most_recent)
    plan = plan_part(part([key], seen=[key] if seen else []), terms)
    created = create_missing and kind != "braze_id"
    chosen = most_recent and kind in ("email", "phone")
    assert [(created or seen) and not chosen] == plan.outbox["@sure"].to_list()


def test_rows_of_an_address_that_several_have_are_put_aside_each_with_its_reason():
    """Nothing of them is sent; everybody else is."""
    email, phone = KEYS["email"], KEYS["phone"]
    plan = plan_part(
        part([email, phone, "a", email], ambiguous=[phone, email]), PlanOptions(RULES, False, True)
    )
    assert ["a"] == plan.outbox["@profile"].to_list()
    told = plan.rejected.select("@row", "field", "value", "reason").rows()
    assert [
        (1, "email", "a@example.com", "ambiguous_email"),
        (2, "phone", "+491701234567", "ambiguous_phone"),
        (4, "email", "a@example.com", "ambiguous_email"),
    ] == sorted(told)
    assert '{"email":"a@example.com","x":"0"}' == plan.rejected["record"][0]
    assert (3, 1) == (plan.tally.rows_rejected, plan.tally.profiles_named)
