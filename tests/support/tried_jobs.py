"""Jobs of which a row is tried before their files come: one that sums, and one of events."""

from support.jobs import import_job

CRM = import_job(
    source={"prefix": "inbox/crm/"},
    fields={"tier": "set", "spend": {"merge": "sum", "type": "integer"}},
)
CRM_FILE = "id,tier,spend\na,silver,5\na,gold,7\nb,iron,9\n"
SIGNUPS = import_job(
    object="events",
    source={"prefix": "inbox/signups/"},
    event={"name": "Signed up", "time": "at"},
)
