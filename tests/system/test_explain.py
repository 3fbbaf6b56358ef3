"""Why a value is what it is: the command line tells which runs, files and rows made it."""

from __future__ import annotations

import pytest

TRACK = "/users/track"
JOB = {
    "type": "import",
    "source": {"prefix": "inbox/"},
    "match": [{"external_id": "id"}, {"email": "mail"}],
    "fields": {
        "tier": {"from": "tier", "type": "string"},
        "tags": {"from": "tag", "merge": "add"},
        "spent": {"from": "spent", "merge": "sum", "type": "integer"},
    },
}
HEADER = "id,tier,tag,spent,mail\n"


def short(changes):
    return [
        tuple(change[key] for key in ("run", "field", "given", "before", "wanted", "outcome"))
        for change in changes
    ]


def test_the_runs_that_made_a_value_are_told_in_order(exchange):
    """With what each file gave, what Braze refused, what did not come through, and what is held."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,silver,x,1,\nb,gold,,1,\n")
    exchange.ask("run", "crm")
    exchange.drop("inbox/2.csv", HEADER + "a,,,2,\n")
    exchange.drop("inbox/3.csv", HEADER + "a,gold,y,3,\nb,,,,\n")
    exchange.ask("run", "crm")
    refusal = {"type": "no good", "input_array": "attributes", "index": 0}
    exchange.braze.faults(TRACK, status=400, body={"message": "no", "errors": [refusal]})
    exchange.drop("inbox/4.csv", HEADER + "a,blue,,,\n")
    exchange.ask("run", "crm", code=4)
    exchange.drop("inbox/5.csv", HEADER + "a,,,5.5,\n,,,1,A@b.example\n")
    exchange.ask("run", "crm", code=4)

    told = exchange.ask("explain", "crm", "a")
    assert [
        (1, "spent", ["1"], "null", "1", "accepted"),
        (2, "spent", ["2", "3"], "1", "6", "accepted"),
        (1, "tags", ['["x"]'], "null", '["x"]', "accepted"),
        (2, "tags", ['["y"]'], '["x"]', '["x","y"]', "accepted"),
        (1, "tier", ['"silver"'], "null", '"silver"', "accepted"),
        (2, "tier", ['"gold"'], '"silver"', '"gold"', "accepted"),
        (3, "tier", ['"blue"'], '"gold"', '"blue"', "refused"),
    ] == short(told["changes"])
    held = {one["field"]: (one["value"], one["by"], one["run"]) for one in told["held"]}
    assert ('"gold"', "run", 2) == held["tier"]
    assert [(4, "inbox/5.csv", 1)] == [
        (row["run"], row["file"], row["row"]) for row in told["put_aside"]
    ]

    lines = exchange.call("explain", "crm", "a", "tier").stdout.splitlines()
    assert lines[0] == "a:"
    assert lines[1].startswith('  tier: "gold" now, as run 2 delivered it 2')
    assert ': set, inbox/1.csv, row 1, given "silver": empty -> "silver"' in lines[2]
    assert lines[4].endswith('"gold" -> "blue": Braze refused it')
    assert len(lines) == 5
    aside = exchange.call("explain", "crm", "a", "spent").stdout.splitlines()[-2:]
    assert ["did not come through", "run 4"] == [line.strip().split(":")[0] for line in aside]

    by_mail = exchange.ask("explain", "crm", "a@B.example", "--by", "email")
    assert [(4, "spent")] == [(one["run"], one["field"]) for one in by_mail["changes"]]
    assert "email a@b.example" == by_mail["profile"]
    exchange.ask("explain", "crm", "nobody", code=2)


@pytest.mark.nightly
def test_what_a_look_up_showed_is_told_as_such(exchange):
    """The value that somebody else set counts, and the run before it is still told."""
    exchange.connection["braze"]["grace"] = "0s"
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,silver,,1,\n")
    exchange.ask("run", "crm")
    exchange.braze.seed([{"external_id": "a", "tier": "platinum"}])
    exchange.call("drift", "crm", "--full")
    told = exchange.ask("explain", "crm", "a", "tier")
    [held] = told["held"]
    assert ('"platinum"', "look", None) == (held["value"], held["by"], held["run"])
    assert [1] == [change["run"] for change in told["changes"]]


@pytest.mark.nightly
def test_what_is_known_is_told_where_the_changes_of_a_run_are_gone(exchange):
    """The run is named whose plan a rule of the bucket removed; the others are told in full."""
    exchange.configure(crm=JOB)
    for name, tier in enumerate(("silver", "gold", "blue"), start=1):
        exchange.drop(f"inbox/{name}.csv", HEADER + f"a,{tier},,,\n")
        exchange.ask("run", "crm")
    gone = exchange.bucket.list("_exchanger/main/outbox/000000002")
    exchange.bucket.delete([item.key for item in gone])

    told = exchange.ask("explain", "crm", "a", "tier")

    assert [(1, '"silver"'), (3, '"blue"')] == [
        (change["run"], change["wanted"]) for change in told["changes"]
    ]
    assert [("changes_not_kept", 2)] == [(fact["code"], fact["run"]) for fact in told["facts"]]
    assert "What run 2 changed is not kept any more" in exchange.call("explain", "crm", "a").stdout
