"""The examples for people of other systems, run against the sandbox with a small file."""

from __future__ import annotations

import csv
import io

import pytest
from support.coming_from import COHORT_KEYS, rows
from support.sandbox_calls import post, track

import exchanger as package
from exchanger.errors import ExchangerError

CELLS = {
    "id": "{0}", "old_id": "old-{0}", "email": "{0}@example.com", "phone": "+4930123450{1}",
    "crm_number": "crm-{0}", "row": "row-{0}", "at": "2026-09-0{1}T08:00:00Z", "tier": "gold",
    "tags": "a;b", "total": "12.50", "src": "web", "price": "9.5", "qty": "2", "sku": "sku-{1}",
    "title": "Mug", "event": "Opened", "currency": "EUR", "plan": "pro", "optin": "yes",
    "address": '{{"city": "Kiel"}}', "items": '[{{"id": "i{1}", "n": 1}}]', "op": "add",
    "first_name": "Ada", "last_name": "L", "country": "DE", "gender": "F", "points": "5",
    "order_id": "order-{1}", "pref_mail": "no", "kind": "products", "label": "crm",
}  # fmt: skip
"""A cell of each column; {0} is the person, {1} their number."""
EXAMPLES = {
    row.example: row
    for row in rows()
    if row.example and not row.is_command and not {"connections", "notifications"} & set(row.keys)
}
"""One row for each example: several systems have the same."""


def a_file(name: str) -> str:
    """A file of two people whom nobody else's example names."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CELLS)
    for number in (1, 2):
        writer.writerow([cell.format(f"{name}-{number}", number) for cell in CELLS.values()])
    return out.getvalue()


def settle(exchange, job: dict, name: str) -> None:
    """Let those be in Braze whom a call needs there."""
    for who in (f"{name}-1", f"{name}-2"):
        if job.get("object") in ("merges", "aliases"):
            track(exchange.braze, {"external_id": who}, {"external_id": f"old-{who}"})
        elif job.get("object") == "identify" and "email" in job["match"]:
            track(exchange.braze, {"email": f"{who}@example.com"})
        elif job.get("object") == "identify":
            alias = {"alias_name": f"crm-{who}", "alias_label": "crm"}
            track(exchange.braze, {"user_alias": alias, "_update_existing_only": False})


@pytest.mark.nightly
def test_every_example_runs(exchange):
    """Each takes its file, and nothing of it is rejected or refused."""
    group = exchange.braze.add_subscription_group("News")
    exchange.braze.add_segment("VIP customers")
    fields = [{"name": "id", "type": "string"}, {"name": "title", "type": "string"}]
    fields += [{"name": "price", "type": "number"}]
    post(exchange.braze, "/catalogs", {"catalogs": [{"name": "products", "fields": fields}]})
    exchange.braze.seed([{"external_id": "somebody"}])
    exchange.braze.change(
        partners={"acme": COHORT_KEYS["PARTNER_KEY"]},
        client_secrets={COHORT_KEYS["DATA_IMPORT_KEY"]: "acme"},
    )
    jobs, examples = {}, {}
    for number, row in enumerate(EXAMPLES.values()):
        name = f"j{number}"
        job = row.configured(name, group=group)["jobs"][name]
        if job["type"] == "import":
            job["source"]["prefix"] = f"inbox/{name}/"
            exchange.drop(f"inbox/{name}/a.csv", a_file(name))
        else:
            job["target"]["prefix"] = f"exports/{name}/"
        settle(exchange, job, name)
        jobs[name], examples[name] = job, row
    exchange.configure(**jobs)
    environment = exchange.environment | COHORT_KEYS
    library = package.Exchanger.from_config(exchange.config, environment=environment)
    wrong = {}
    for name, row in examples.items():
        try:
            report = library.run(name)
        except ExchangerError as error:
            wrong[row.system, row.there] = str(error)
            continue
        if report.state != "succeeded":
            wrong[row.system, row.there] = (report.state, report.facts, report.files)
    assert not wrong, "\n".join(map(str, wrong.items()))
