"""Events and purchases from files: each row counts once in Braze, or is told why not."""

from __future__ import annotations

import pytest
from support.jobs import import_job
from support.sandbox_calls import track

SIGNUPS = import_job(
    object="events",
    source={"prefix": "inbox/signups/"},
    event={
        "name": "Signed up",
        "time": "at",
        "properties": {"plan": "plan", "amount": {"from": "total", "type": "decimal", "scale": 2}},
    },
    row_id="row",
)
HEADER = "row,id,at,plan,total\n"
ROWS = "1,ada,2026-09-01T08:00:00Z,pro,12.50\n2,bob,2026-09-01T09:00:00Z,,\n"


def counts(exchange, name="Signed up", kind="custom_events"):
    """How often Braze has counted an event, or a purchase of a product, by profile."""
    return {
        who: one["count"]
        for who, user in exchange.braze.users().items()
        for one in user.get(kind, [])
        if one["name"] == name
    }


def objects(exchange, array="events"):
    """All objects that Braze was sent, in order."""
    return [one for body in exchange.braze.bodies("/users/track") for one in body.get(array, [])]


def test_each_row_becomes_one_event(exchange):
    """An event has its name, time and properties; an empty cell is no property."""
    exchange.configure(signups=SIGNUPS)
    exchange.drop("inbox/signups/a.csv", HEADER + ROWS)

    report = exchange.ask("run", "signups")

    assert (2, 2, 0) == (report["rows_read"], report["rows_applied"], report["rows_repeated"])
    assert 2 == report["data_points"]
    assert {"ada": 1, "bob": 1} == counts(exchange)
    assert {
        "external_id": "ada",
        "name": "Signed up",
        "time": "2026-09-01T08:00:00.000Z",
        "properties": {"plan": "pro", "amount": 12.5},
    } == objects(exchange)[0]
    assert "properties" not in objects(exchange)[1]


def test_a_row_that_was_sent_is_repeated_in_whatever_file_it_comes(exchange):
    """Exactly once for each row id: in another file, in other bytes, twice in one file."""
    exchange.configure(signups=SIGNUPS)
    exchange.drop("inbox/signups/a.csv", HEADER + ROWS)
    exchange.ask("run", "signups")
    exchange.drop(
        "inbox/signups/b.csv",
        HEADER + "3,cyd,2026-09-02,pro,1\n2,bob,2026-09-01T09:00:00Z,other,\n3,cyd,2026-09-02,,\n",
    )
    exchange.drop("inbox/signups/a.csv", HEADER + ROWS + "4,ada,2026-09-03,,\n")

    report = exchange.ask("run", "signups")

    assert (6, 2, 4) == tuple(report[f"rows_{kind}"] for kind in ("read", "applied", "repeated"))
    assert {"ada": 2, "bob": 1, "cyd": 1} == counts(exchange)
    assert 0 == exchange.ask("backfill", "signups", "--full")["rows_applied"]


def test_rows_that_braze_would_take_otherwise_are_rejected(exchange):
    """No name, no time, a time in the future, no id of the row: each says what to do."""
    exchange.configure(signups=SIGNUPS | {"event": SIGNUPS["event"] | {"name": {"from": "what"}}})
    exchange.drop(
        "inbox/signups/a.csv",
        "row,id,at,plan,total,what\n1,ada,2026-09-01,,,Opened\n2,ada,,,,Opened\n"
        "3,ada,2126-09-01,,,Opened\n4,ada,2026-09-01,,,\n,ada,2026-09-01,,,Opened\n"
        "6,ada,2026-09-01,,,$odd\n7,ada,2026-09-01,,,ecommerce.order_placed\n",
    )

    report = exchange.ask("run", "signups", code=4)

    assert (7, 1, 6) == tuple(report[f"rows_{kind}"] for kind in ("read", "applied", "rejected"))
    assert {
        2: "no_time",
        3: "future_time",
        4: "no_event_name",
        5: "no_row_id",
        6: "bad_event_name",
        7: "order_event",
    } == dict(exchange.rejected(report))


def test_what_may_have_been_taken_is_held_until_a_person_decides(exchange):
    """An answer that is lost: in doubt, listed, sent by retry alone, and then counted once."""
    exchange.connection["braze"]["give_up"] = "1s"
    exchange.configure(signups=SIGNUPS)
    exchange.braze.faults("/users/track", status=500, times=1)
    exchange.drop("inbox/signups/a.csv", HEADER + ROWS)

    report = exchange.ask("run", "signups", code=4)

    assert (0, 2) == (report["rows_applied"], report["rows_in_doubt"])
    assert {} == counts(exchange)
    assert [(1, "in_doubt"), (2, "in_doubt")] == exchange.rejected(report)
    exchange.drop("inbox/signups/b.csv", HEADER + ROWS)
    assert 2 == exchange.ask("run", "signups")["rows_repeated"], "a person decides"

    again = exchange.ask("retry", str(report["seq"]))

    assert 2 == again["rows_applied"]
    assert {"ada": 1, "bob": 1} == counts(exchange)
    assert 0 == exchange.ask("retry", str(report["seq"]))["rows_applied"]


@pytest.mark.nightly
def test_an_outage_puts_few_rows_in_doubt(exchange):
    """Once answers are lost in a row the run stops, and the next one sends what is left."""
    exchange.connection["lease"] = "2m"  # An answer may take a third of it.
    exchange.connection["braze"]["batch_size"] = 1
    exchange.configure(signups=SIGNUPS)
    exchange.braze.faults("/users/track", status=500, times=100_000)
    many = range(1, 601)
    rows = "".join(f"{n},p{n},2026-09-01T08:00:00Z,pro,\n" for n in many)
    exchange.drop("inbox/signups/a.csv", HEADER + rows)

    exchange.ask("run", "signups", code=7)

    tried = exchange.braze.requests("/users/track")
    assert tried < len(many)
    exchange.braze.clear_faults()
    report = exchange.ask("run", "signups", code=4)
    assert (tried, len(many) - tried) == (report["rows_in_doubt"], report["rows_applied"])
    assert len(many) - tried == sum(counts(exchange).values())


@pytest.mark.nightly
def test_what_a_dropped_run_may_have_sent_is_listed_as_well(exchange):
    """A run that is discarded while nobody knows: its rows are in doubt, and given by retry."""
    exchange.configure(signups=SIGNUPS)
    exchange.braze.faults("/users/track", delay=60, times=1)
    exchange.drop("inbox/signups/a.csv", HEADER + ROWS)
    process = exchange.start("run", "signups")
    while not exchange.braze.requests("/users/track"):
        assert process.poll() is None
    process.kill()
    process.wait()
    exchange.braze.clear_faults()

    dropped = exchange.ask("discard", "1", "--wait", "1m")

    assert ("discarded", 2) == (dropped["state"], dropped["rows_in_doubt"])
    assert [(1, "in_doubt"), (2, "in_doubt")] == exchange.rejected(dropped)
    assert 2 == exchange.ask("retry", "1")["rows_applied"]


@pytest.mark.nightly
def test_objects_are_given_again_as_what_they_were(exchange):
    """A job that makes something else of its rows by now, or names them no longer."""
    exchange.connection["braze"]["give_up"] = "1s"
    exchange.configure(signups=SIGNUPS)
    exchange.braze.faults("/users/track", status=500, times=1)
    exchange.drop("inbox/signups/a.csv", HEADER + ROWS)
    exchange.ask("run", "signups", code=4)
    kept = ("type", "source", "match")
    attributes = {key: SIGNUPS[key] for key in kept} | {"fields": {"plan": "set"}}
    exchange.configure(signups=attributes)
    refused = exchange.call("retry", "1")
    assert refused.returncode
    assert "its rows became events" in refused.stderr
    exchange.configure(signups={key: value for key, value in SIGNUPS.items() if key != "row_id"})
    assert 2 == exchange.ask("retry", "1")["rows_applied"]
    assert {"ada": 1, "bob": 1} == counts(exchange)


@pytest.mark.nightly
def test_objects_of_rows_without_a_name_are_given_again_as_often_as_it_takes(exchange):
    """The job names its rows only since then: what is refused once more is still owed."""
    no = {"type": "plan is odd", "input_array": "events", "index": 0}
    exchange.configure(signups={key: value for key, value in SIGNUPS.items() if key != "row_id"})
    exchange.drop("inbox/signups/a.csv", HEADER + ROWS)
    answer = {"status": 400, "body": {"message": "no", "errors": [no]}, "times": 1}
    exchange.braze.faults("/users/track", **answer)
    exchange.ask("run", "signups", code=4)
    exchange.configure(signups=SIGNUPS)
    exchange.braze.faults("/users/track", **answer)
    exchange.ask("retry", "1", code=4)
    assert exchange.ask("retry", "2")["rows_applied"]
    assert {"ada": 1, "bob": 1} == counts(exchange)


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 500, "applied": True}])
def test_resend_would_rather_count_twice_than_not_at_all(exchange, fault):
    """With on_unknown: resend an event that nobody knows of is sent again, and that is told."""
    exchange.configure(signups=SIGNUPS | {"on_unknown": "resend"})
    exchange.braze.faults("/users/track", times=1, **fault)
    exchange.drop("inbox/signups/a.csv", HEADER + ROWS)

    report = exchange.ask("run", "signups")

    assert 2 == report["rows_applied"]
    assert {"ada": 2, "bob": 2} == counts(exchange)
    assert any("sent twice" in note for note in report["notes"])


@pytest.mark.nightly
def test_ask_learns_from_braze_what_it_has_taken(exchange):
    """
    A request that Braze knows of counts, also of a process that was killed; of another nobody
    knows, as with hold. Where Braze does not tell, that is said.
    """
    exchange.braze.change(group_status="on")
    exchange.connection["braze"]["batch_size"] = 1
    exchange.configure(signups=SIGNUPS | {"on_unknown": "ask"})
    exchange.braze.faults("/users/track", drop="after")
    exchange.braze.faults("/users/track", drop="before")
    exchange.drop("inbox/signups/a.csv", HEADER + ROWS)
    report = exchange.ask("run", "signups", code=4)
    assert (1, 1) == (report["rows_applied"], report["rows_in_doubt"])
    assert 1 == len(counts(exchange)) == len(exchange.rejected(report))
    assert 2 == len({body["group_id"] for body in exchange.braze.bodies("/users/track")})

    exchange.braze.faults("/users/track", delay=60, skip=1)
    exchange.drop("inbox/signups/b.csv", HEADER + "3,cyd,2026-09-02,,\n4,dan,2026-09-02,,\n")
    process = exchange.start("run", "signups")
    while not {"cyd", "dan"}.intersection(counts(exchange)):
        assert process.poll() is None
    process.kill()
    process.wait()
    ended = exchange.ask("run", "signups", code=4)
    assert (1, 1) == (ended["rows_applied"], ended["rows_in_doubt"])
    assert {1} == {*counts(exchange).values()}


@pytest.mark.parametrize("setting", ["off", pytest.param("forbidden", marks=pytest.mark.nightly)])
def test_where_braze_does_not_tell_ask_is_hold(exchange, setting):
    """The beta is off, or the key may not ask: what is in doubt is listed, and that is said."""
    exchange.braze.change(group_status=setting)
    exchange.configure(signups=SIGNUPS | {"on_unknown": "ask"})
    exchange.braze.faults("/users/track", drop="after")
    exchange.drop("inbox/signups/a.csv", HEADER + ROWS)
    report = exchange.ask("run", "signups", code=4)
    assert (0, 2) == (report["rows_applied"], report["rows_in_doubt"])
    assert ["doubt_not_told"] == [fact["code"] for fact in report["facts"]][:1]
    assert "group_id" not in exchange.braze.bodies("/users/track")[0]


@pytest.mark.nightly
def test_without_row_ids_a_file_counts_once(exchange):
    """A copy, and a new version of which nobody knows which rows are new, wait for a person."""
    exchange.configure(signups={key: value for key, value in SIGNUPS.items() if key != "row_id"})
    exchange.drop("inbox/signups/a.csv", HEADER + ROWS)
    exchange.ask("run", "signups")
    assert 0 == exchange.ask("backfill", "signups", "--full")["rows_applied"]
    exchange.drop("inbox/signups/copy.csv", HEADER + ROWS)

    copy = exchange.ask("run", "signups", code=5)

    assert {"ada": 1, "bob": 1} == counts(exchange)
    exchange.ask("approve", str(copy["held_back"][0]))
    assert {"ada": 2, "bob": 2} == counts(exchange)
    exchange.drop("inbox/signups/a.csv", HEADER + ROWS + "3,cyd,2026-09-02,,\n")
    version = exchange.ask("run", "signups", code=5)["held_back"][0]
    refused = exchange.call("approve", str(version))
    assert refused.returncode
    assert "row_id" in refused.stderr
    exchange.ask("run", "signups", "--force")
    assert {"ada": 3, "bob": 3, "cyd": 1} == counts(exchange)


@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_purchase_is_an_object_of_its_own(exchange, verb):
    """A purchase has product, price, currency and pieces, which cost a data point each."""
    exchange.configure(
        receipts=import_job(
            object="purchases",
            source={"prefix": "inbox/receipts/"},
            purchase={
                "product": "sku",
                "price": "price",
                "currency": "EUR",
                "quantity": "pieces",
                "time": "at",
                "remaining_properties": {"exclude": "_*"},
            },
            row_id="line",
        )
    )
    exchange.drop(
        "inbox/receipts/a.csv",
        "line,id,sku,price,pieces,at,store,_etl\n1,ada,pen,2.5,3,2026-09-01,7,x\n"
        "2,bob,ink,4,,2026-09-01,,x\n3,bob,ink,4,101,2026-09-01,,x\n",
    )

    if verb == "plan":
        report = exchange.ask("plan", "receipts")["report"]
        assert [] == objects(exchange, "purchases")
    else:
        report = exchange.ask("run", "receipts", code=4)
        assert {"ada": 3} == counts(exchange, "pen", "purchases")
        assert {
            "external_id": "ada",
            "product_id": "pen",
            "currency": "EUR",
            "price": 2.5,
            "quantity": 3,
            "time": "2026-09-01T00:00:00.000Z",
            "properties": {"store": 7},
        } == objects(exchange, "purchases")[0]
    assert (2, 1, 4) == (report["rows_applied"], report["rows_rejected"], report["data_points"])


SHARING = [
    {"external_id": "ada", "email": "ada@example.com"},
    {"external_id": "bob", "email": "both@example.com"},
    {"external_id": "eve", "email": "both@example.com"},
]


def test_an_event_of_an_address_goes_to_who_has_it_or_is_rejected(exchange):
    """An address that several profiles have names nobody; one that nobody has makes a profile."""
    exchange.braze.seed(SHARING)
    exchange.configure(signups=SIGNUPS | {"match": {"email": "id"}})
    rows = ROWS.replace("ada", "ADA@example.com").replace("bob", "both@example.com")
    exchange.drop("inbox/signups/a.csv", HEADER + rows + "3,new@example.com,2026-09-01,,\n")

    planned = exchange.ask("plan", "signups")
    report = exchange.ask("run", "signups", code=4)

    assert ["ambiguous_email"] == [row["reason"] for row in planned["rejected"]]
    assert (3, 2, 1) == tuple(report[f"rows_{name}"] for name in ("read", "applied", "rejected"))
    [row] = exchange.quarantined(report)
    assert ("2", "ambiguous_email", "both@example.com") == (
        row["row"], row["reason"], row["value"],
    )  # fmt: skip
    assert ["ada", None] == [one.get("external_id") for one in objects(exchange)]
    assert "new@example.com" == objects(exchange)[1]["email"]
    exchange.drop("inbox/signups/b.csv", HEADER + "4,new@example.com,2026-09-02,,\n")
    looked = exchange.braze.requests("/users/export/ids")
    assert 1 == exchange.ask("run", "signups")["rows_applied"]
    assert looked == exchange.braze.requests("/users/export/ids")


def test_a_retry_gives_an_event_once_one_profile_has_the_address(exchange):
    """Nothing of the rejected row was taken up, so its row id is still free."""
    exchange.braze.seed(SHARING)
    exchange.configure(signups=SIGNUPS | {"match": {"email": "id"}})
    exchange.drop("inbox/signups/a.csv", HEADER + "7,both@example.com,2026-09-01,,\n")
    number = exchange.ask("run", "signups", code=4)["seq"]
    track(exchange.braze, {"external_id": "eve", "email": "eve@example.com"})

    report = exchange.ask("retry", str(number))

    assert (1, 0) == (report["rows_applied"], report["rows_rejected"])
    assert {"bob": 1} == counts(exchange)
