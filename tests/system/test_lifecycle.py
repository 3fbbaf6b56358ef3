"""People as such: renamed, given further names, merged, identified, deleted."""

from __future__ import annotations

from support.jobs import import_job
from support.sandbox_calls import post

SUM = {"from": "visits", "merge": "sum", "type": "integer"}
CRM = import_job(fields={"visits": SUM}, source={"prefix": "crm/"})


def job(name, **more):
    return {"type": "import", "object": name, "source": {"prefix": f"{name}/"}} | more


def people(exchange):
    """Name everybody that Braze has by external id, with their visits."""
    return {
        one.get("external_id"): one.get("custom_attributes", {}).get("visits")
        for one in exchange.braze.profiles()
    }


def counts(report):
    names = ("read", "applied", "unchanged", "rejected", "refused")
    return tuple(report[f"rows_{name}"] for name in names)


def reasons(exchange, report):
    return {row["profile"]: row["message"] for row in exchange.quarantined(report)}


def test_a_renamed_person_keeps_what_is_held_of_them(exchange):
    """
    Sums go on under the new id without a look-up, and a rename that cannot be is told before.

    What is renamed already is unchanged; with remove_old the old id ends.
    """
    exchange.configure(
        crm=CRM,
        renames=job("renames", rename={"from": "old", "to": "new"}),
        good=job("good", object="renames", rename={"from": "old", "to": "new", "remove_old": True}),
    )
    exchange.drop("crm/1.csv", "id,visits\na,1\nb,2\nc,3\nd,4\n")
    exchange.ask("run", "crm")
    rows = "old,new\na,a2\nb,c\nnobody,x\nd,\nd,d\na,a3\n"
    exchange.drop("renames/1.csv", rows)

    report = exchange.ask("run", "renames", code=4)

    assert (6, 1, 0, 5, 0) == counts(report)
    assert {"a2": 1, "b": 2, "c": 3, "d": 4} == people(exchange)
    told = reasons(exchange, report)
    assert "c belongs to another profile already" in told["b"]
    assert "nobody has the identifier nobody" in told["nobody"]
    assert "an earlier row of the same run says otherwise of a" in told["a"]
    exchange.drop("renames/2.csv", "old,new\na,a2\n")
    assert (1, 0, 1, 0, 0) == counts(exchange.ask("run", "renames"))
    exchange.drop("good/1.csv", "old,new\na,a2\nb,b2\n")
    assert (2, 2, 0, 0, 0) == counts(exchange.ask("run", "good"))
    found = {"external_ids": ["a", "b", "b2"], "fields_to_export": ["external_id"]}
    assert ["a", "b"] == post(exchange.braze, "/users/export/ids", found)[1]["invalid_user_ids"]
    asked = exchange.braze.bodies("/users/export/ids")
    exchange.drop("crm/2.csv", "id,visits\na2,1\nb2,1\n")
    exchange.ask("run", "crm")
    assert {"a2": 2, "b2": 3, "c": 3, "d": 4} == people(exchange)
    since = exchange.braze.bodies("/users/export/ids")[len(asked) :]
    assert not [body for body in since if {"a2", "b2"} & {*body["external_ids"]}]
