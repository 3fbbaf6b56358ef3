"""A person without an external id who has several names is one: no row of a sum is lost."""

from __future__ import annotations

import pytest
from support.jobs import import_job
from support.sandbox_calls import post, track

SUM = {"from": "visits", "merge": "sum", "type": "integer"}
MATCH = [
    {"external_id": "id"},
    {"email": "mail"},
    {"alias": {"name": "number", "label": "crm"}},
    {"phone": "tel"},
]
SEVEN, EIGHT = ({"alias_label": "crm", "alias_name": name} for name in "78")
TEL = "+491701234567"
NAMES = {
    "id": ("id", "ada"),
    "mail": ("mail", "Ada@example.com"),
    "number": ("number", "7"),
    "new": ("mail", "eve@example.com"),
    "tel": ("tel", TEL),
    "eight": ("number", "8"),
}
"""What names somebody: the column, and what stands in it."""
ORDERS = [("mail", "number"), ("number", "mail")]


@pytest.fixture
def crm(exchange):
    """Two jobs of one sum, each of which takes both names; Ada has both, and five visits."""
    exchange.connection["braze"]["grace"] = "0s"
    ada = {"user_alias": SEVEN, "email": "ada@example.com", "visits": 5}
    track(exchange.braze, ada | {"_update_existing_only": False})
    exchange.configure(
        crm=import_job(match=MATCH, fields={"visits": SUM}),
        shop=import_job(match=MATCH, fields={"visits": SUM}, source={"prefix": "shop/"}),
    )
    return exchange


def drop(crm, key, *rows):
    """Drop a file of visits: pairs of what names somebody, and how many."""
    header = ("id", "mail", "number", "tel", "visits")
    cells = [dict([NAMES[by], ("visits", str(count))]) for by, count in rows]
    lines = [header, *([one.get(name, "") for name in header] for one in cells)]
    crm.drop(key, "".join(",".join(line) + "\n" for line in lines))


def visits(crm, **named):
    """Read what the one profile has that is called so."""
    [found] = [one for one in crm.braze.profiles() if named.items() <= one.items()]
    return found.get("custom_attributes", {}).get("visits")


def test_rows_of_one_file_fold_together_by_either_name(crm):
    """Both names are looked up, and mean one profile: it gets one object, by its alias."""
    drop(crm, "inbox/1.csv", ("mail", 1), ("number", 2))
    report = crm.ask("run", "crm")
    assert (2, 1) == (report["rows_applied"], report["profiles_named"])
    assert 8 == visits(crm, email="ada@example.com")
    assert [5, 8] == [
        one["visits"] for body in crm.braze.bodies("/users/track") for one in body["attributes"]
    ]


@pytest.mark.long(20)
@pytest.mark.parametrize(
    ("first", "then"), [ORDERS[0], pytest.param(*ORDERS[1], marks=pytest.mark.nightly)]
)
def test_runs_of_several_jobs_build_on_each_other_by_either_name(crm, first, then):
    """Each takes what the one before has sent; whose an address is tells whose the alias is."""
    for number, (job, by) in enumerate([("crm", first), ("shop", then), ("crm", first)]):
        folder = "inbox" if job == "crm" else job
        drop(crm, f"{folder}/{number}.csv", (by, 10**number))
        assert 1 == crm.ask("run", job)["rows_applied"]
    assert 116 == visits(crm, email="ada@example.com")
    assert {"mail": 1, "number": 2}[first] == crm.braze.requests("/users/export/ids")


@pytest.mark.nightly
@pytest.mark.parametrize(("first", "then"), ORDERS)
def test_a_killed_run_and_the_next_by_the_other_name_lose_nothing(crm, first, then):
    """What the killed one has sent may have been taken: it is sent again as it was."""
    crm.braze.faults("/users/track", delay=60, times=1)
    drop(crm, "inbox/1.csv", (first, 1))
    killed = crm.start("run", "crm")
    sent = len(crm.braze.bodies("/users/track"))
    while len(crm.braze.bodies("/users/track")) == sent:
        assert killed.poll() is None
    killed.kill()
    killed.wait()
    drop(crm, "shop/1.csv", (then, 10))
    crm.ask("run", "shop")
    drop(crm, "inbox/2.csv", (first, 100), (then, 1000))
    crm.ask("run", "crm")
    assert 1116 == visits(crm, email="ada@example.com")


@pytest.mark.nightly
@pytest.mark.long(20)
def test_what_a_run_gave_by_one_name_goes_back_beside_what_came_by_the_other(crm):
    """Undo takes its own part alone, a row is explained by either name, and both are forgotten."""
    drop(crm, "inbox/1.csv", ("mail", 1))
    drop(crm, "shop/1.csv", ("number", 10))
    crm.ask("run", "crm")
    crm.ask("run", "shop")
    assert {"profiles": 1, "compared": 1} == {
        name: crm.ask("drift", "crm")[name] for name in ("profiles", "compared")
    }
    crm.ask("undo", "1", "--yes")
    assert 15 == visits(crm, email="ada@example.com")
    told = crm.ask("explain", "crm", "ada@example.com", "--by", "email")
    assert ["15"] == [one["value"] for one in told["held"] if one["field"] == "visits"]
    crm.ask("forget", "ada@example.com", "--by", "email", "--yes")
    for name in (["7", "--by", "alias", "--label", "crm"], ["ada@example.com", "--by", "email"]):
        [left] = crm.ask("forget", *name)["connections"]
        assert {0} == {*left["touched"].values()}


def identify(crm, external_id):
    """Give Ada an external id, as somebody else would."""
    told = {"aliases_to_identify": [{"external_id": external_id, "user_alias": SEVEN}]}
    assert 201 == post(crm.braze, "/users/identify", told)[0]


@pytest.mark.nightly
@pytest.mark.long(20)
def test_who_gets_an_external_id_from_others_goes_on_to_be_one(crm):
    """What comes by the names that are known finds the same profile, which has the id by then."""
    drop(crm, "inbox/1.csv", ("mail", 1), ("number", 2))
    crm.ask("run", "crm")
    identify(crm, "ada")
    drop(crm, "inbox/2.csv", ("mail", 10), ("number", 20))
    crm.ask("run", "crm")
    assert 38 == visits(crm, external_id="ada")


def give_alias(crm, address):
    """Give an alias to who has an address alone, as others do: by a merge."""
    track(crm.braze, {"user_alias": EIGHT, "_update_existing_only": False})
    kept = {"email": address, "prioritization": ["unidentified", "most_recently_updated"]}
    merged = {"identifier_to_merge": {"user_alias": EIGHT}, "identifier_to_keep": kept}
    assert 202 == post(crm.braze, "/users/merge", {"merge_updates": [merged]})[0]


def give_number(crm, address):
    """Give a phone number to who has an address alone."""
    track(crm.braze, {"email": address, "phone": TEL})


@pytest.mark.nightly
@pytest.mark.long(20)
@pytest.mark.parametrize(("give", "by"), [(give_alias, "eight"), pytest.param(give_number, "tel")])
def test_who_gets_another_name_from_others_is_looked_up_by_both(crm, give, by):
    """
    An address that was nobody's is that of whom a run created, until somebody else's call.

    What the look-up of the new name shows is not what is held of the address, so both are looked up
    and mean one person from then on.
    """
    drop(crm, "inbox/1.csv", ("new", 1))
    crm.ask("run", "crm")
    give(crm, "eve@example.com")
    for number, name in enumerate((by, "new", by), 1):
        drop(crm, f"shop/{number}.csv", (name, 10**number))
        crm.ask("run", "shop")
    assert 1111 == visits(crm, email="eve@example.com")
    looked = crm.braze.requests("/users/export/ids")
    drop(crm, "shop/4.csv", ("new", 10000), (by, 100000))
    assert 1 == crm.ask("run", "shop")["profiles_named"]
    assert 111111 == visits(crm, email="eve@example.com")
    assert looked == crm.braze.requests("/users/export/ids")


def test_rows_by_an_address_and_by_a_number_fold_together(crm):
    """Where a person has neither an id nor an alias, the address stands for them."""
    track(crm.braze, {"email": "eve@example.com", "visits": 5})
    give_number(crm, "eve@example.com")
    drop(crm, "inbox/1.csv", ("tel", 1), ("new", 2))
    report = crm.ask("run", "crm")
    assert (2, 1) == (report["rows_applied"], report["profiles_named"])
    assert 8 == visits(crm, email="eve@example.com")


@pytest.mark.nightly
@pytest.mark.long(20)
def test_one_export_shows_the_names_of_people_as_look_ups_do(crm):
    """An alias stands for its person at once; of an address and a number look-ups decide."""
    crm.braze.add_segment("Everybody")
    completion = {"poll": "1s", "quiet": "1s", "confirm": False}
    baseline = {"segment": "Everybody", "complete": True, "completion": completion}
    crm.configure(crm=import_job(match=MATCH, fields={"visits": SUM}, baseline=baseline))
    track(crm.braze, {"email": "eve@example.com", "visits": 5})
    give_number(crm, "eve@example.com")
    drop(crm, "inbox/1.csv", ("mail", 1), ("number", 10), ("new", 100), ("tel", 1000))
    assert 2 == crm.ask("run", "crm")["profiles_named"]
    assert 16 == visits(crm, email="ada@example.com")
    assert 1105 == visits(crm, email="eve@example.com")
    assert 2 == crm.braze.requests("/users/export/ids")

    crm.ask("rebuild", "crm")
    drop(crm, "inbox/2.csv", ("mail", 20), ("tel", 2000))
    crm.ask("run", "crm")
    drop(crm, "inbox/3.csv", ("number", 40), ("new", 4000))
    crm.ask("run", "crm")
    assert 76 == visits(crm, email="ada@example.com")
    assert 7105 == visits(crm, email="eve@example.com")


@pytest.mark.parametrize("before", [(), pytest.param(("plan",), marks=pytest.mark.nightly)])
def test_an_address_that_was_just_given_to_somebody_names_them(exchange, before):
    """
    Braze does not show it yet: nobody is taken for a stranger whose sum begins at nothing.

    What a plan sees before that is not kept, whatever it was asked to keep.
    """
    exchange.connection["braze"]["grace"] = "5s"
    exchange.braze.seed([{"external_id": "ada", "visits": 5}])
    mails = import_job(match={"email": "mail"}, fields={"visits": SUM}, source={"prefix": "mails/"})
    exchange.configure(crm=import_job(fields={"email": {"from": "mail"}}), mails=mails)
    exchange.drop("inbox/1.csv", "id,mail\nada,Ada@example.com\n")
    exchange.drop("mails/1.csv", "mail,visits\nada@example.com,1\n")
    exchange.braze.change(apply_delay=5.0)
    exchange.ask("run", "crm")

    for verb in before:
        exchange.ask(verb, "mails", "--record")
    exchange.ask("run", "mails")

    exchange.braze.advance(60)
    assert 6 == visits(exchange, external_id="ada")
