"""Why a value is what it is, and what was sent: which runs, files and rows made it so."""

from __future__ import annotations

import pytest
from support.jobs import PLACED
from support.sandbox_calls import post

from exchanger import Exchanger
from exchanger.jobs.explaining import sent_objects
from exchanger.state.store import open_state
from exchanger.state.swept import Marks

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


SIGNUPS = {
    "type": "import",
    "object": "events",
    "source": {"prefix": "signups/"},
    "match": [{"external_id": "id"}],
    "event": {"name": {"from": "what"}, "time": "at"},
}
EVENTS = "id,what,at\n"


def sent(told):
    names = ("run", "kind", "outcome", "file", "row")
    return [tuple(one[name] for name in names) for one in told["sent"]]


def test_the_events_of_a_person_are_told_with_their_files_and_rows(exchange):
    """Also those that Braze refused; of whom nothing was sent it is told that, and exits with 2."""
    exchange.configure(signups=SIGNUPS)
    exchange.drop("signups/1.csv", EVENTS + "bob,Left,2026-09-01\nada,Came,2026-09-01\n")
    exchange.ask("run", "signups")
    refusal = {"type": "no good", "input_array": "events", "index": 0}
    exchange.braze.faults(TRACK, status=400, body={"message": "no", "errors": [refusal]})
    exchange.drop("signups/2.csv", EVENTS + "ada,Left,2026-09-02\n")
    exchange.ask("run", "signups", code=4)

    told = exchange.ask("explain", "signups", "ada")
    assert [
        (1, "events", "accepted", "signups/1.csv", 2),
        (2, "events", "refused", "signups/2.csv", 1),
    ] == sent(told)
    assert "no good" in told["sent"][1]["reason"]
    assert '"name":"Came"' in told["sent"][0]["object"]

    lines = exchange.call("explain", "signups", "ada").stdout.splitlines()
    assert ["ada:", "  sent:"] == lines[:2]
    assert lines[2].startswith("    run 1 of signups, 2")
    assert lines[2].endswith('UTC: signups/1.csv, row 2: event "Came" at 2026-09-01T00:00:00.000Z')
    assert "Braze refused it: " in lines[3]
    assert [2] == [one["run"] for one in exchange.ask("explain", "signups", "ada", "Left")["sent"]]
    nobody = exchange.call("explain", "signups", "eve")
    assert (2, True) == (nobody.returncode, "no run of signups sent anything" in nobody.stdout)


def importing(name, prefix, **more):
    source = {"prefix": prefix} | more.pop("source", {})
    return {"type": "import", "object": name, "source": source} | more


BY_ID = [{"external_id": "id"}]
LINES = "order,id,at,sku,n,p\n"
ORDERS = importing(
    "orders",
    "orders/",
    match=BY_ID,
    order=PLACED
    | {
        "total": {"sum": "p"},
        "product": {"id": "sku", "name": "sku", "variant": "sku", "quantity": "n", "price": "p"},
    },
)
BOUGHT = {"product": "sku", "price": "p", "currency": "USD", "quantity": "n", "time": "at"}
PURCHASES = importing("purchases", "bought/", match=BY_ID, purchase=BOUGHT, create_missing=False)


def told_lines(exchange, *words):
    """What is told of things sent, without when that was."""
    lines = exchange.call("explain", *words).stdout.splitlines()
    told = [line for line in lines if line.startswith("    run ")]
    return [f"{line.split(', ')[0]}: {line.split(' UTC: ', 1)[1]}".strip() for line in told]


@pytest.mark.nightly
def test_orders_and_purchases_are_told_with_what_became_of_them(exchange):
    """An order with all its rows; what nobody knows of, and what only counts for some."""
    exchange.connection["braze"]["give_up"] = "1s"
    exchange.configure(orders=ORDERS, bought=PURCHASES)
    exchange.drop("orders/1.csv", LINES + "7,ada,2026-09-01,pen,1,2\n7,ada,2026-09-01,ink,1,3\n")
    exchange.ask("run", "orders")
    exchange.drop("bought/1.csv", LINES + "1,ada,2026-09-01,pen,2,2\n")
    exchange.ask("run", "bought")
    exchange.braze.faults(TRACK, status=500, times=1)
    exchange.drop("bought/2.csv", LINES + "1,ada,2026-09-02,ink,1,2\n")
    exchange.ask("run", "bought", code=4)

    [order] = told_lines(exchange, "orders", "ada")
    assert order.startswith("run 1 of orders: orders/1.csv, row 1 and 1 more: event ")
    assert order.endswith('"ecommerce.order_placed" of order 7 at 2026-09-01T00:00:00.000Z')
    pen, ink = told_lines(exchange, "bought", "ada")
    assert pen.startswith('run 2 of bought: bought/1.csv, row 1: purchase of 2 x "pen" at 2026-09')
    assert pen.endswith("it counts only if Braze has the profile")
    assert ink.endswith("it was sent, and nobody knows whether Braze took it")
    assert [ink] == told_lines(exchange, "bought", "ada", "ink")


@pytest.mark.nightly
def test_calls_about_a_person_are_told_whatever_job_is_asked(exchange):
    """By each name that they ever had; what the call made unknown is explained by it."""
    old_and_new = {"keep": {"external_id": "new"}, "drop": {"external_id": "old"}}
    exchange.configure(
        crm=JOB,
        renames=importing("renames", "renames/", rename={"from": "old", "to": "new"}),
        merges=importing("merges", "merges/", merge=old_and_new),
        gone=importing(
            "deletions", "gone/", match=BY_ID, confirm_deletes=True, guards={"max_deletes": 9}
        ),
    )
    exchange.drop("inbox/1.csv", HEADER + "a,gold,,1,\nz,,,2,\n")
    exchange.ask("run", "crm")
    exchange.drop("renames/1.csv", "old,new\na,ada\n")
    exchange.ask("run", "renames")
    exchange.drop("merges/1.csv", "old,new\nz,ada\n")
    exchange.ask("run", "merges")
    exchange.drop("gone/1.csv", "id\nada\n")

    calls = [
        "run 2 of renames: renames/1.csv, row 1: a is called ada from here on",
        "run 3 of merges: merges/1.csv, row 1: z was merged into ada",
    ]
    assert calls == told_lines(exchange, "crm", "ada")[-2:]
    assert calls == told_lines(exchange, "crm", "a", "tier")[-2:]
    assert calls[1:] == told_lines(exchange, "crm", "z")[-1:]
    exchange.ask("explain", "crm", "ada", "no_such_field", code=2)
    exchange.ask("run", "gone")
    gone = "run 4 of gone: gone/1.csv, row 1: ada was deleted"
    assert [gone] == told_lines(exchange, "gone", "ada")[-1:]

    open_state(exchange.bucket, "_exchanger/main/").swept.save(Marks(outbox=4))
    facts = exchange.ask("explain", "crm", "z")["facts"]
    assert ("calls_not_kept", 4) in [(fact["code"], fact["run"]) for fact in facts]


@pytest.mark.nightly
def test_what_a_snapshot_does_with_who_left_is_told_as_that(exchange):
    """Nobody has a row in a file that lacks them, whether they lose a field or get an event."""

    def job(prefix, removal):
        source = {"prefix": prefix, "mode": "snapshot", "on_removed": removal}
        fields = {"tier": JOB["fields"]["tier"]}
        return JOB | {"source": source, "fields": fields, "guards": {"max_leavers_percent": 99}}

    exchange.configure(crm=job("inbox/", "clear_fields"), club=job("club/", {"event": "Left"}))
    for name, prefix in (("crm", "inbox/"), ("club", "club/")):
        exchange.drop(f"{prefix}1.csv", "id,tier,mail\na,gold,\nb,gold,\n")
        exchange.ask("run", name)
        exchange.drop(f"{prefix}2.csv", "id,tier,mail\na,gold,\n")
        exchange.ask("run", name)
    cleared = told_lines(exchange, "crm", "b", "tier")[1]
    assert 'run 3 of crm: clear, not in inbox/2.csv, given empty: "gold" -> empty' == cleared
    [*_, event] = told_lines(exchange, "club", "b")
    assert event.startswith('run 6 of club: not in club/2.csv: event "Left" at 2')


@pytest.mark.nightly
def test_who_came_into_an_audience_of_events_is_told_by_its_job(exchange):
    """With the event, or that none was sent; other jobs name where it is told."""
    exchange.configure(
        crm=JOB,
        vip=importing(
            "audience",
            "vip/",
            match=BY_ID,
            action={"from": "op", "add": ["add"], "remove": ["remove"]},
            audience={"as": {"events": {"entered": "VIP entered"}}},
        ),
    )
    exchange.drop("vip/1.csv", "id,op\na,add\n")
    exchange.ask("run", "vip")
    exchange.drop("vip/2.csv", "id,op\nb,add\na,remove\n")
    exchange.ask("run", "vip")
    came, went = told_lines(exchange, "vip", "a")
    assert came.startswith('run 1 of vip: vip/1.csv, row 1: event "VIP entered" at 2')
    assert (
        "run 2 of vip: vip/2.csv, row 2: out of the audience from here on, without an event" == went
    )
    assert "explain of the job of this audience" in exchange.call("explain", "crm", "a").stdout


@pytest.mark.nightly
def test_a_field_of_an_item_is_asked_for_by_its_name_in_the_catalog(exchange):
    """What is unknown of it is looked up by nobody; that it was deleted is told as that."""
    fields = [{"name": name, "type": "string"} for name in ("id", "title")]
    post(exchange.braze, "/catalogs", {"catalogs": [{"name": "products", "fields": fields}]})
    shop = importing("catalog_items", "shop/", catalog="products", id="sku")
    gone = importing("catalog_items", "gone/", catalog="products", id="sku", mode="delete")
    exchange.configure(
        shop=shop | {"fields": {"title": "set"}}, gone=gone | {"confirm_deletes": True}
    )
    exchange.drop("shop/1.csv", "sku,title\na,Mug\n")
    exchange.ask("run", "shop")
    exchange.drop("gone/1.csv", "sku\na\n")
    exchange.ask("run", "gone")
    assert [1, 2] == [
        one["run"] for one in exchange.ask("explain", "shop", "a", "title")["changes"]
    ]
    lines = exchange.call("explain", "gone", "a").stdout.splitlines()
    assert "  deleted: the item as a whole, with all its fields" == lines[1]
    assert [2] == [one["run"] for one in exchange.ask("explain", "gone", "a", "deleted")["changes"]]


@pytest.mark.nightly
def test_what_a_job_in_shadow_would_have_sent_is_told_as_that(exchange):
    """Nobody dropped it: neither a value nor an event."""
    shadow = {"delivery": {"shadow": True, "compare_after": "1s"}}
    exchange.configure(crm=JOB | shadow, signups=SIGNUPS | shadow)
    exchange.drop("inbox/1.csv", HEADER + "a,gold,,,\n")
    exchange.ask("run", "crm")
    exchange.drop("signups/1.csv", EVENTS + "a,Came,2026-09-01\n")
    exchange.ask("run", "signups")
    for words in (("crm", "a", "tier"), ("signups", "a")):
        [*_, line] = told_lines(exchange, *words)
        assert line.endswith(": it was not sent, as its job is in shadow")


@pytest.mark.nightly
def test_what_is_not_looked_at_is_said(exchange, monkeypatch):
    """Runs before the newest, and those whose plans are gone; never that nothing was sent."""
    exchange.configure(signups=SIGNUPS)
    for day in range(1, 4):
        exchange.drop(f"signups/{day}.csv", EVENTS + f"ada,Came,2026-09-0{day}\n")
        exchange.ask("run", "signups")
    gone = exchange.bucket.list("_exchanger/main/outbox/000000002")
    exchange.bucket.delete([item.key for item in gone])
    told = exchange.ask("explain", "signups", "ada")
    assert [1, 3] == [one["run"] for one in told["sent"]]
    assert [("sent_gone", 2)] == [(fact["code"], fact["run"]) for fact in told["facts"]]
    assert [1] == [
        one["run"] for one in exchange.ask("explain", "signups", "ada", "--before", "2")["sent"]
    ]

    with monkeypatch.context() as few:
        few.setattr(sent_objects, "MOST_RUNS", 1)
        ours = Exchanger.from_config(exchange.config, environment=exchange.environment)
        found = ours.explain("signups", "ada")
    assert [3] == [one.run for one in found.sent]
    [note] = found.notes
    assert note.startswith("What signups sent in run 2 and before it was not looked at")

    open_state(exchange.bucket, "_exchanger/main/").swept.save(Marks(outbox=3))
    told = exchange.ask("explain", "signups", "ada", code=2)
    assert [("sent_not_kept", 3)] == [(fact["code"], fact["run"]) for fact in told["facts"]]


@pytest.mark.nightly
def test_a_run_that_has_not_ended_is_named(exchange):
    """What it changes is not known yet, so it is not said that nothing was changed and no more."""
    exchange.configure(crm=JOB)
    exchange.braze.faults(TRACK, status=401, times=1)
    exchange.drop("inbox/1.csv", HEADER + "a,gold,,,\n")
    exchange.call("run", "crm")
    told = exchange.ask("explain", "crm", "a", code=2)
    assert [("run_not_ended", 1)] == [(fact["code"], fact["run"]) for fact in told["facts"]]
    exchange.ask("run", "crm")
    assert [] == exchange.ask("explain", "crm", "a")["facts"]
