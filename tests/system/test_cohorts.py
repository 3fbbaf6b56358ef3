"""Audiences that become a cohort of a partner, against a Braze that has given it a key."""

from __future__ import annotations

import pytest
from support.jobs import import_job
from support.sandbox_calls import post, track

PARTNER, KEY, SECRET = "acme", "partner-key-Qx71", "import-key-Rz82"
COHORTS, USERS = f"/partners/{PARTNER}/cohorts", f"/partners/{PARTNER}/cohorts/users"
COHORT = {
    "id": "vip",
    "name": "VIP customers",
    "partner": PARTNER,
    "client_secret": "${COHORT_SECRET}",
    "partner_key": "${COHORT_KEY}",
}
VIP = import_job(
    object="audience",
    source={"prefix": "audiences/vip/", "order_by": "at"},
    action={"from": "op", "add": ["add", "+"], "remove": ["remove"]},
    audience={"as": {"cohort": COHORT}},
)


@pytest.fixture
def vip(exchange, monkeypatch):
    """A job of a cohort of a partner who has a key; four people are in Braze."""
    monkeypatch.setenv("COHORT_KEY", KEY)
    monkeypatch.setenv("COHORT_SECRET", SECRET)
    exchange.braze.change(partners={PARTNER: KEY}, client_secrets={SECRET: PARTNER})
    exchange.connection["braze"]["grace"] = "0s"
    exchange.braze.seed([{"external_id": who} for who in ("ada", "bob", "cy", "dan")])
    exchange.configure(vip=VIP)
    return exchange


def members(exchange):
    return exchange.braze.cohort(PARTNER, "vip")


def changes(exchange, key="user_ids"):
    """Read who was given and taken out, request by request."""
    return [
        [(one.get("should_remove", False), one.get(key)) for one in body["cohort_changes"]]
        for body in exchange.braze.bodies(USERS)
    ]


def crm(number):
    return {"alias_label": "crm", "alias_name": number}


def of_alias(exchange, number):
    """Return what Braze calls whoever has an alias and no external id."""
    known = exchange.braze.profiles()
    return next(one["braze_id"] for one in known if crm(number) in one.get("user_aliases", ()))


def rows(report, *kinds):
    return tuple(report[f"rows_{kind}"] for kind in kinds)


def test_who_comes_is_given_to_the_cohort_and_who_goes_is_taken_out(vip):
    """The last word about somebody counts, and nobody is given what was given before."""
    vip.drop(
        "audiences/vip/1.csv",
        "id,op,at\nada,add,1\nbob,+,1\ncy,remove,2\ncy,add,1\nnobody,add,1\neve,perhaps,1\n",
    )
    plan = vip.ask("plan", "vip")
    assert (3, 1) == rows(plan["report"], "applied", "skipped")
    assert not vip.braze.bodies(USERS) + vip.braze.bodies(COHORTS)
    report = vip.ask("run", "vip", code=4)
    assert (6, 3, 1, 1, 1, 0) == rows(
        report, "read", "applied", "skipped", "superseded", "rejected", "unchanged"
    )
    assert {"ada", "bob"} == members(vip)
    assert [[(False, ["ada", "bob"]), (True, ["cy"])]] == changes(vip)
    [made] = vip.braze.bodies(COHORTS)
    assert ("vip", "VIP customers") == (made["cohort_id"], made["name"])
    assert 0 == report["data_points"] == vip.braze.meter

    vip.drop("audiences/vip/2.csv", "id,op,at\nada,add,2\nbob,remove,2\ncy,remove,3\ndan,+,2\n")
    report = vip.ask("run", "vip")
    assert (2, 2) == rows(report, "applied", "unchanged")
    assert {"ada", "dan"} == members(vip)
    [field] = vip.ask("explain", "vip", "bob")["held"]
    assert ("@cohort:acme/vip", "false", "run") == (field["field"], field["value"], field["by"])
    assert [(False, ["dan"]), (True, ["bob"])] == changes(vip)[1]

    vip.drop("audiences/vip/late.csv", "id,op,at\nada,remove,1\nbob,add,3\n")
    vip.ask("run", "vip")
    assert {"ada", "bob", "dan"} == members(vip)


@pytest.fixture
def by_alias(vip):
    """The same job, of rows that have an alias where they have no external_id."""
    match = [{"external_id": "id"}, {"alias": {"name": "crm", "label": "crm"}}]
    vip.configure(vip=VIP | {"match": match})
    given = {"user_aliases": [crm("1") | {"external_id": "ada"}]}
    assert 201 == post(vip.braze, "/users/alias/new", given)[0]
    track(vip.braze, {"user_alias": crm("7"), "_update_existing_only": False})
    return vip


@pytest.mark.nightly
def test_people_are_given_by_their_aliases(by_alias):
    """By that alone who has no external_id; of one person the last row counts, however named."""
    vip = by_alias
    vip.drop(
        "audiences/vip/1.csv",
        "id,crm,op,at\n,1,add,1\nada,,remove,2\n,7,add,1\n,9,add,1\nbob,7,add,1\n",
    )
    report = vip.ask("run", "vip")
    assert (5, 3, 1, 1) == rows(report, "read", "applied", "skipped", "superseded")
    seven = of_alias(vip, "7")
    assert {"bob", seven} == members(vip)
    assert [[(False, ["bob"]), (True, ["ada"])]] == changes(vip)
    assert [[(False, [crm("7")]), (True, None)]] == changes(vip, "aliases")
    asked = vip.braze.bodies("/users/export/ids")
    aliases = [[one["alias_name"] for one in body.get("user_aliases", ())] for body in asked]
    assert [["1", "7", "9"], ["9"], []] == aliases, "who is left out is asked for once more"
    assert ["bob"] == asked[-1]["external_ids"]

    given = {"user_aliases": [crm("9") | {"external_id": "dan"}]}
    assert 201 == post(vip.braze, "/users/alias/new", given)[0]
    vip.drop("audiences/vip/2.csv", "id,crm,op,at\n,7,add,2\n,9,add,2\n,1,add,3\n")
    assert (2, 1) == rows(vip.ask("run", "vip"), "applied", "unchanged")
    assert {"ada", "bob", "dan", seven} == members(vip)
    assert [(False, ["dan", "ada"])] == changes(vip)[1]

    vip.drop("audiences/vip/3.csv", "id,crm,op,at\n,7,remove,3\ndan,,remove,3\n")
    assert (2,) == rows(vip.ask("run", "vip"), "applied")
    assert {"ada", "bob"} == members(vip)


@pytest.fixture
def both(vip):
    """A job of the cohort, an attribute and an entry of a list."""
    beside = [{"attribute": "is_vip"}, {"list": "audiences", "entry": "vip"}]
    vip.configure(vip=VIP | {"audience": {"as": [*beside, {"cohort": COHORT}]}})
    return vip


def vips(exchange):
    """Read who has the attribute, and who the entry."""
    users = {who: user.get("custom_attributes", {}) for who, user in exchange.braze.users().items()}
    entered = {who for who, has in users.items() if "vip" in (has.get("audiences") or ())}
    return {who for who, has in users.items() if has.get("is_vip") is True}, entered


def test_one_job_is_a_cohort_and_attributes(both):
    """Each gets what it lacks alone, and a row counts once; nobody is created for either."""
    vip = both
    track(vip.braze, {"external_id": "ada", "audiences": ["new"]})
    track(vip.braze, {"external_id": "bob", "audiences": ["vip"], "is_vip": True})
    vip.drop("audiences/vip/1.csv", "id,op,at\nada,add,1\nbob,add,1\ncy,remove,1\neve,add,1\n")
    plan = vip.ask("plan", "vip")["report"]
    assert (3, 1) == rows(plan, "applied", "skipped")
    before = vip.braze.meter
    report = vip.ask("run", "vip")
    assert (4, 3, 1, 0) == rows(report, "read", "applied", "skipped", "unchanged")
    assert 3 == sum(report[f"profiles_{kind}"] for kind in ("new", "updated"))
    assert ({"ada", "bob"},) * 3 == (*vips(vip), members(vip))
    assert '["new","vip"]' == vip.attribute("ada", "audiences").replace(" ", "")
    assert {"ada", "bob", "cy", "dan"} == {*vip.braze.users()}
    assert plan["data_points"] == report["data_points"] == vip.braze.meter - before

    vip.drop("audiences/vip/2.csv", "id,op,at\nada,add,2\nbob,remove,2\n")
    report = vip.ask("run", "vip")
    assert (1, 1) == rows(report, "applied", "unchanged")
    assert ({"ada"},) * 3 == (*vips(vip), members(vip))
    assert 3 == report["fields_changed"]


@pytest.mark.nightly
def test_of_a_row_the_part_that_braze_refused_is_given_again(both):
    """The other part stays as it is, is not sent again, and the run is told as done in part."""
    vip = both
    vip.braze.faults(USERS, status=400, body={"message": "not today"}, times=3)
    vip.drop("audiences/vip/1.csv", "id,op,at\nada,add,1\ncy,remove,1\n")
    report = vip.ask("run", "vip", code=4)
    assert "partial" == report["state"]
    assert (2, 2) == rows(report, "read", "applied")
    assert (({"ada"},) * 2, set()) == (vips(vip), members(vip))
    tracked = vip.braze.requests("/users/track")
    report = vip.ask("retry", str(report["seq"]))
    assert (2, 0) == rows(report, "applied", "refused")
    assert (({"ada"},) * 2, {"ada"}) == (vips(vip), members(vip))
    assert tracked == vip.braze.requests("/users/track")


@pytest.mark.nightly
def test_a_row_is_given_again_once_if_braze_refused_all_of_it(both):
    """Both parts of each, planned by what is held then, and in the order of the column."""
    vip = both
    for path in (USERS, "/users/track"):
        vip.braze.faults(path, status=400, body={"message": "not today"}, times=3)
    vip.drop("audiences/vip/1.csv", "id,op,at\nada,add,2\nbob,add,2\n")
    refused = vip.ask("run", "vip", code=4)
    assert (2, 0) == rows(refused, "refused", "applied")
    vip.drop("audiences/vip/late.csv", "id,op,at\nada,remove,1\nbob,remove,3\n")
    vip.ask("run", "vip")
    vip.ask("retry", str(refused["seq"]))
    assert ({"ada"},) * 3 == (*vips(vip), members(vip))


@pytest.mark.nightly
def test_a_killed_run_of_both_is_ended_by_the_next(both):
    """Wherever it was: at the attributes, or at the cohort."""
    vip = both
    for number, path in enumerate(("/users/track", USERS)):
        vip.braze.faults(path, delay=60, times=1)
        vip.drop(
            f"audiences/vip/{number}.csv", f"id,op,at\nada,add,{number}1\nbob,remove,{number}1\n"
        )
        sent = len(vip.braze.bodies(path))
        killed = vip.start("run", "vip")
        while len(vip.braze.bodies(path)) == sent:
            assert killed.poll() is None
        killed.kill()
        killed.communicate()
        vip.drop(
            f"audiences/vip/{number}b.csv", f"id,op,at\nada,remove,{number}2\nbob,add,{number}2\n"
        )
        vip.ask("run", "vip")
        assert ({"bob"},) * 3 == (*vips(vip), members(vip))


@pytest.mark.nightly
def test_who_is_missing_in_a_snapshot_leaves_both(both):
    """In a run of its own, which is not about whom Braze never had."""
    vip = both
    job = {key: value for key, value in vip.jobs["vip"].items() if key != "action"}
    job |= {"source": {"prefix": "audiences/vip/", "mode": "snapshot"}}
    vip.configure(vip=job | {"guards": {"max_leavers_percent": 80}})
    vip.drop("audiences/vip/1.csv", "id\nada\nbob\neve\n")
    assert (2, 1) == rows(vip.ask("run", "vip"), "applied", "skipped")
    assert ({"ada", "bob"},) * 3 == (*vips(vip), members(vip))
    vip.drop("audiences/vip/2.csv", "id\nada\n")
    assert 1 == vip.ask("plan", "vip")["report"]["leavers"]
    vip.ask("run", "vip")
    assert ({"ada"},) * 3 == (*vips(vip), members(vip))
    assert "is_vip" in str(vip.braze.users()["bob"])


@pytest.mark.nightly
def test_a_snapshot_of_aliases_takes_out_who_is_missing(by_alias):
    """Also whom another identifier names by then, who stays."""
    vip = by_alias
    job = {key: value for key, value in vip.jobs["vip"].items() if key != "action"}
    job |= {"source": {"prefix": "audiences/vip/", "mode": "snapshot"}}
    vip.configure(vip=job | {"guards": {"max_leavers_percent": 80}})
    vip.drop("audiences/vip/1.csv", "id,crm\n,1\n,7\nbob,\n")
    assert (3,) == rows(vip.ask("run", "vip"), "applied")
    vip.drop("audiences/vip/2.csv", "id,crm\nada,\n")
    assert 2 == vip.ask("plan", "vip")["report"]["leavers"]
    vip.ask("run", "vip")
    assert {"ada"} == members(vip)


@pytest.mark.nightly
def test_who_is_created_later_is_given_with_the_next_file_that_names_them(vip):
    """Braze takes no notice of people whom it does not have; nobody is lost by that."""
    snapshot = {key: value for key, value in VIP.items() if key != "action"}
    snapshot |= {"source": {"prefix": "audiences/vip/", "mode": "snapshot"}}
    vip.configure(vip=snapshot | {"guards": {"max_leavers_percent": 60}})
    vip.drop("audiences/vip/1.csv", "id\nada\nbob\neve\n")
    report = vip.ask("run", "vip")
    assert (2, 1) == rows(report, "applied", "skipped")
    vip.braze.seed([{"external_id": "eve"}])
    vip.drop("audiences/vip/2.csv", "id\neve\nbob\n")
    plan = vip.ask("plan", "vip")["report"]
    assert (1, 0) == (plan["leavers"], plan["data_points"])
    report = vip.ask("run", "vip")
    assert (2, 1) == rows(report, "applied", "unchanged")
    assert {"eve", "bob"} == members(vip)
    assert [[(False, ["ada", "bob"])], [(False, ["eve"])], [(True, ["ada"])]] == changes(vip)


def test_a_cohort_is_changed_by_one_request_at_a_time(vip):
    """One that is locked is waited for, and 1,000 people go into each request."""
    people = [f"p{number:04}" for number in range(2_050)]
    vip.braze.seed([{"external_id": who} for who in people])
    vip.braze.faults(USERS, status=423, times=1)
    vip.drop("audiences/vip/1.csv", "id,op,at\n" + "".join(f"{who},add,1\n" for who in people))
    plan = vip.ask("plan", "vip")
    assert 3 == plan["sending"]["requests"]
    report = vip.ask("run", "vip")
    assert 2_050 == report["rows_applied"]
    assert {*people} == members(vip)
    [first, again, *others] = changes(vip)
    assert first == again, "the locked one comes first, before any other"
    assert [1_000, 1_000, 50] == [len(ids) for [(_, ids)] in (again, *others)]


@pytest.mark.nightly
def test_what_may_have_been_taken_is_given_again(vip):
    """To come or to leave twice changes nothing more, so a lost answer leaves nothing in doubt."""
    vip.braze.faults(USERS, drop="after", times=1)
    vip.drop("audiences/vip/1.csv", "id,op,at\nada,add,1\nbob,remove,1\n")
    report = vip.ask("run", "vip")
    assert (2, 0, 0) == rows(report, "applied", "in_doubt", "refused")
    assert 2 == len(changes(vip))
    assert {"ada"} == members(vip)


@pytest.mark.nightly
def test_a_run_that_keys_stop_is_ended_by_the_next_one_of_the_connection(vip):
    """The error names the keys of the cohort, and shows none; any job ends what was left."""
    vip.configure(vip=VIP, crm=import_job(source={"prefix": "crm/"}, fields={"tier": "set"}))
    vip.braze.change(partners={PARTNER: "another"})
    vip.drop("audiences/vip/1.csv", "id,op,at\nada,add,1\n")
    failed = vip.call("run", "vip")
    said = failed.stdout + failed.stderr
    assert 7 == failed.returncode, said
    assert "Invalid Partner API key" in said
    assert "partner_key" in said
    vip.braze.change(partners={PARTNER: KEY}, client_secrets={SECRET: "else"})
    failed = vip.call("run", "vip")
    assert 7 == failed.returncode
    assert "client secret: [redacted]" in failed.stdout + failed.stderr
    assert SECRET not in said + failed.stdout + failed.stderr

    vip.braze.change(client_secrets={SECRET: PARTNER})
    jobs = vip.jobs
    vip.configure(crm=jobs["crm"])
    vip.drop("crm/1.csv", "id,tier\nbob,gold\n")
    failed = vip.call("run", "crm")
    assert 3 == failed.returncode
    assert f"'{PARTNER}/vip'" in failed.stdout + failed.stderr
    vip.configure(**jobs)
    vip.ask("run", "crm")
    assert {"ada"} == members(vip)
    assert '"gold"' == vip.attribute("bob", "tier")


@pytest.mark.nightly
def test_one_row_is_tried_without_a_key_on_the_screen(vip):
    """Both requests are shown as they go out, but for the keys in them."""
    vip.drop("audiences/vip/1.csv", "id,op,at\nada,add,1\nbob,add,1\n")
    tried = vip.ask("send-test", "vip", "--yes")
    assert 2 == len(tried["requests"])
    for one in tried["requests"]:
        assert '"partner_api_key":"[redacted]","client_secret":"[redacted]"' in one["body"]
    assert {"ada"} == members(vip)
    shown = vip.call("send-test", "vip", "--row", "2").stdout
    assert '"cohort_changes":[{"user_ids":["bob"]}]' in shown
    assert "Authorization" not in shown
    assert KEY not in shown + str(tried)


@pytest.mark.nightly
def test_what_braze_refused_is_given_again(vip):
    """Once, by retry; nothing is left to be sent after it."""
    vip.braze.faults(USERS, status=400, body={"message": "not today"}, times=1)
    vip.drop("audiences/vip/1.csv", "id,op,at\nada,add,1\n")
    report = vip.ask("run", "vip", code=4)
    assert (1, 0) == rows(report, "refused", "applied")
    assert (1,) == rows(vip.ask("retry", str(report["seq"])), "applied")
    assert {"ada"} == members(vip)
    assert (0, 1) == rows(vip.ask("backfill", "vip", "--full"), "applied", "unchanged")


@pytest.mark.nightly
def test_a_killed_run_is_ended_by_the_next(vip):
    """What it gave is given once more, and nobody is left out."""
    vip.braze.faults(USERS, delay=60, times=1)
    vip.drop("audiences/vip/1.csv", "id,op,at\nada,add,1\nbob,remove,1\n")
    killed = vip.start("run", "vip")
    while not vip.braze.bodies(USERS):
        assert killed.poll() is None
    killed.kill()
    killed.communicate()
    vip.drop("audiences/vip/2.csv", "id,op,at\nada,remove,2\nbob,add,2\n")
    vip.ask("run", "vip")
    assert {"bob"} == members(vip)


@pytest.mark.nightly
def test_some_partners_cost_data_points(vip):
    """One for each who comes, as planned and as billed; who leaves costs nothing."""
    vip.braze.change(partners={"hightouch": KEY}, client_secrets={SECRET: "hightouch"})
    vip.configure(vip=VIP | {"audience": {"as": {"cohort": COHORT | {"partner": "hightouch"}}}})
    vip.drop("audiences/vip/1.csv", "id,op,at\nada,add,1\nbob,add,1\ncy,remove,1\n")
    assert 2 == vip.ask("plan", "vip")["report"]["data_points"]
    assert 2 == vip.ask("run", "vip")["data_points"] == vip.braze.meter
