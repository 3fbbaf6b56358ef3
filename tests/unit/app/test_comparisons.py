"""What was held beside what Braze has, in words."""

from __future__ import annotations

from exchanger.app.messages.comparisons import describe_drift, describe_rebuild


def field(name, equal, changed, new=0, **more):
    examples = [("p1", '"gold"', "null")] if changed else []
    counts = {"field": name, "equal": equal, "changed": changed, "new": new}
    return counts | {"examples": examples} | more


def test_drift_in_words():
    """Each field that changed is named with what becomes of it; so is who was left out, and why."""
    content = {
        "job": "crm",
        "compared": 1200,
        "changed": 3,
        "gone": 1,
        "pending": 0,
        "fresh": 2,
        "absent": 0,
        "ambiguous": 4,
        "unclear": 6,
        "fields": [
            field("tier", 1196, 3, on_drift="keep"),
            field("city", 1199, 0, on_drift="overwrite"),
        ],
        "notes": ["slow"],
    }
    assert [
        "crm: 1,200 profiles compared, 3 changed by others",
        "  1 gone from Braze",
        "  2 left out, as they were sent just now",
        "  4 left out, as several profiles have their address or number",
        "  6 left out, as the export does not tell whose their address or number is",
        "  tier: 3 of 1,199 changed; left as it is in Braze",
        '    p1: "gold" -> empty',
        "  note: slow",
    ] == describe_drift(content)
    quiet = describe_drift(content | {"fields": content["fields"][1:]})
    assert "  Braze has what it should have." in quiet


def test_a_rebuild_in_words():
    """Each field that the export spoke of has its counts; so have profiles that stayed as held."""
    content = {
        "job": "crm",
        "segment": "All",
        "profiles": 1,
        "fresh": 0,
        "absent": 0,
        "unseen": 4,
        "ambiguous": 1,
        "unclear": 2,
        "fields": [field("tier", 7, 1, 2), field("city", 8, 0), field("other", 0, 0)],
        "notes": [],
    }
    assert [
        "crm: 1 profile learnt from 'All'",
        "  4 are not in it, and stay as they are held",
        "  1 have an address or number of several profiles, and are looked up when next named",
        "  2 stay as they are held, as it does not tell whose their address or number is",
        "  tier: 7 equal, 1 changed, 2 newly known",
        '    p1: "gold" -> empty',
        "  city: 8 equal, 0 changed",
    ] == describe_rebuild(content)
