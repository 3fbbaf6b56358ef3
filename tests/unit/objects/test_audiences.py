"""Who comes and who goes becomes values: of an attribute, and of an entry of a list."""

from __future__ import annotations

import json
import pickle

import polars as pl
import pytest
from support.config_texts import ENVIRON, ONE

from exchanger.config.loading.load import read_config
from exchanger.config.models import (
    Audience,
    AudienceEvents,
    AudienceTarget,
    FieldConfig,
    ImportJob,
)
from exchanger.objects.audiences import Crossings, members
from exchanger.profiles.frames.columns import FILE, MEMBER, PROFILE, ROW, said
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.merging.reconcile import merge
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.typed_rows import cast_rows

ACTION = 'action: {from: op, add: [add, "+"], remove: [remove, 0]}'


def shaped(targets, *ops):
    text = (
        "jobs: {vip: {type: import, object: audience, source: {prefix: in/},"
        f" match: {{external_id: id}}, {ACTION}, audience: {{as: {targets}}}}}}}"
    )
    job = read_config(ONE + text, ENVIRON).jobs["vip"]
    frame = pl.DataFrame({"id": [*map(str, range(len(ops)))], "op": ops}, {"id": pl.String,
                         "op": pl.String}).with_row_index(ROW, 1)  # fmt: skip
    raw = RawColumns(frame, textual=True, key="a.csv")
    rules = settle_rules(job, raw, {}).rules
    given = cast_rows(raw, rules, job, 0)
    return members(given.frame, {rule.name: rule for rule in rules}, job)


def test_members_have_a_value_and_leavers_another():
    """Words are compared without case and white space; null is cleared."""
    made = shaped("[{attribute: is_vip}, {attribute: tier, value: {member: gold, leaver: null}}]",
                  "ADD", " + ", "remove", "0")  # fmt: skip
    assert [True, True, False, False] == made.frame["is_vip"].to_list()
    assert ["gold", "gold", None, None] == made.frame["tier"].to_list()
    assert made.frame[said("tier")].all()
    kinds = {rule.name: (rule.type, rule.merge, rule.column) for rule in made.rules}
    assert {"is_vip": ("boolean", "set", "op"), "tier": ("string", "clear", "op")} == kinds


@pytest.mark.parametrize(
    ("op", "reason"),
    [("addd", "no_such_action"), ("00", "no_such_action"), ("", "no_action"), (None, "no_action")],
)
def test_a_word_that_means_nothing_rejects_its_row(op, reason):
    """Also none at all: nobody is taken for somebody who left."""
    made = shaped("{attribute: is_vip}", "add", op, "remove")
    assert [1, 3] == made.frame[ROW].to_list()
    assert [(2, "action", reason)] == made.rejected.select(ROW, "field", "reason").rows()
    assert "column op" in made.rejected["message"][0]


@pytest.mark.parametrize(
    ("held", "ops", "wanted"),
    [
        ('["a"]', ["add"], '["a","v\\"ip"]'),
        ("null", ["add"], '["v\\"ip"]'),
        ('["v\\"ip","a"]', ["add"], None),
        ('["a","v\\"ip"]', ["remove"], '["a"]'),
        ('["v\\"ip"]', ["remove"], "null"),
        ('["a"]', ["remove"], None),
        ("null", ["remove"], None),
        ('"v\\"ip"', ["remove"], "null"),
        ('["a"]', ["add", "remove"], None),
        ('["a","v\\"ip"]', ["remove", "add"], None),
        ('["a"]', ["remove", "add"], '["a","v\\"ip"]'),
    ],
)
def test_an_entry_comes_and_goes_and_all_others_stay(held, ops, wanted):
    """The last row about somebody decides; a list that is empty then is cleared."""
    made = shaped("{list: audiences, entry: 'v\"ip'}", *ops)
    same = made.frame.with_columns(pl.lit("ada").alias(PROFILE))
    known = pl.DataFrame({PROFILE: ["ada"], "@exists": [True], "audiences": [held]})
    folded = fold(same.sort(FILE, ROW), made.rules)
    changed = merge(folded, known, made.rules)
    found = changed.wanted["wanted:audiences"].to_list()
    assert ([] if wanted is None else [wanted]) == found
    assert changed.rejected.is_empty()


def test_what_is_no_list_rejects_the_row():
    """An object in Braze is not replaced by a list of one."""
    made = shaped("{list: audiences, entry: vip}", "add")
    known = pl.DataFrame({PROFILE: ["0"], "@exists": [True], "audiences": ['{"a":1}']})
    changed = merge(fold(made.frame, made.rules), known, made.rules)
    assert ["held_type"] == changed.rejected["reason"].to_list()


def test_a_full_list_loses_its_oldest_member():
    """As with add: a list keeps 500 members, and one that found no room is counted."""
    made = shaped("{list: audiences, entry: vip}", "add")
    full = "[" + ",".join(f'"{n}"' for n in range(500)) + "]"
    known = pl.DataFrame({PROFILE: ["0"], "@exists": [True], "audiences": [full]})
    changed = merge(fold(made.frame, made.rules), known, made.rules)
    assert changed.wanted["wanted:audiences"][0].startswith('["1",')
    assert changed.wanted["wanted:audiences"][0].endswith('"499","vip"]')
    assert 1 == changed.counts.members_dropped


@pytest.mark.parametrize(
    ("before", "comes", "name", "sent"),
    [
        (None, True, "Came", True),
        ("null", True, "Came", True),
        ("false", True, "Came", True),
        ("true", True, None, False),
        ("true", False, "Went", True),
        ("false", False, None, False),
        (None, False, None, False),
    ],
)
@pytest.mark.parametrize("quiet", [False, True])
def test_an_event_is_for_who_crosses_the_line(before, comes, name, sent, quiet):
    """Where nothing is to be told yet it goes nowhere, and membership is remembered anyway."""
    events = AudienceEvents(entered="Came", exited="Went")
    told = Crossings(events, '"now"', create_missing=False, quiet=quiet)
    crossings = pickle.loads(pickle.dumps(told))
    field = MEMBER + "Came"
    rule = Rule(field, "op", "boolean", FieldConfig(type="boolean"))
    given = pl.DataFrame(
        {PROFILE: ["ada"], FILE: [0], ROW: [1], field: [comes]},
        {PROFILE: pl.String, FILE: pl.UInt32, ROW: pl.UInt32, field: pl.Boolean},
    )
    held = pl.DataFrame(
        {PROFILE: ["ada"], "@exists": [None], field: [before]},
        {PROFILE: pl.String, "@exists": pl.Boolean, field: pl.String},
    )
    wanted = merge(fold(given, [rule]), held, [rule]).wanted
    made = crossings.objects(crossings.changes(wanted, None))
    if not sent:
        assert made.is_empty()
        return
    assert ("membership" if quiet else "events") == made["@endpoint"][0]
    assert {
        "external_id": "ada", "_update_existing_only": True, "name": name, "time": "now",
    } == json.loads(made["@object"][0])  # fmt: skip
    assert ([comes], [0 if quiet else 1]) == (made[field].to_list(), made["@points"].to_list())


def test_whoever_a_snapshot_names_belongs_to_it():
    """Without an action every row says so."""
    given = pl.DataFrame({PROFILE: ["ada"], FILE: [0], ROW: [1]})
    target = AudienceTarget.model_validate({"list": "audiences", "entry": "vip"})
    job = ImportJob.model_construct(
        action=None, audience=Audience.model_validate({"as": [target, {"attribute": "is_vip"}]})
    )
    made = members(given, {}, job)
    assert ([['"vip"']], [True]) == (
        made.frame["audiences"].to_list(), made.frame["is_vip"].to_list()
    )  # fmt: skip
