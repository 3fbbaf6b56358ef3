"""What a job will do, in plain words, field by field."""

from __future__ import annotations

from exchanger.braze.attributes import CONSENT, NOT_EXPORTED
from exchanger.config.describing.after import describe_answers
from exchanger.config.describing.arrival import describe_arrival
from exchanger.config.describing.audiences import describe_audience
from exchanger.config.describing.consent import describe_consent
from exchanger.config.describing.guards import describe_delivery, describe_guards
from exchanger.config.describing.items import describe_items
from exchanger.config.describing.lifecycle import describe_call
from exchanger.config.describing.match import describe_match, describe_missing
from exchanger.config.describing.notifications import describe_told
from exchanger.config.durations import show_duration
from exchanger.config.models import (
    METADATA,
    NEEDS_HELD,
    PROPERTY,
    SUM,
    Baseline,
    Config,
    ExportJob,
    FieldConfig,
    ImportJob,
    Job,
    OnInvalid,
    Priority,
    RemainingFields,
    Schedule,
)

_DOES = {
    "set": "takes {given}; empty leaves what Braze has",
    "add": "adds the members of {given} that Braze's list lacks",
    "sum": "adds {given} to what Braze has",
    "set_if_empty": "takes {given} only where Braze has nothing",
    "clear": "takes {given}; empty clears it in Braze",
    "remove": "removes the members of {given} from Braze's list",
    "highest": "keeps the higher of {given} and what Braze has",
    "lowest": "keeps the lower of {given} and what Braze has",
    "deep": "merges the keys of {given} into Braze's object; others stay",
    "rows": "updates and adds objects of Braze's array by {given}",
}

_INVALID: dict[OnInvalid, str] = {
    "quarantine": "puts a row into quarantine of which a value cannot be used",
    "drop_value": "leaves out values that cannot be used, lists them, and applies the rest of rows",
    "stop": "stops before it sends anything if a value cannot be used",
}
_PRECEDENCE: dict[Priority, list[str]] = {
    "urgent": ["goes ahead of other waiting jobs"],
    "normal": [],
    "low": ["lets other waiting jobs go first"],
}


def describe_job(config: Config, name: str) -> list[str]:
    """Describe what a job does: when, from where to where, and one line for each of its fields."""
    job = config.jobs[name]
    connection = config.connections[config.connection_of(name)]
    bucket = f"s3://{connection.s3.bucket}/"
    when = _when(config.schedule_of(name)) if job.enabled else "never by itself, as it is disabled"
    does = _export(job, bucket) if isinstance(job, ExportJob) else _import(job, bucket)
    if isinstance(job, ImportJob):
        does = [*does, *describe_guards(job.watched_by, connection.budget)]
        does = [*does, *describe_answers(job, bucket)]
        does += describe_delivery(job.delivery)
    if config.engine is not None and isinstance(job, ImportJob):
        does = [*does, f"plans large runs on the Dask cluster at {config.engine.dask}"]
    told = describe_told(config, name)
    return [f"runs {when}", *_expected(job), *_PRECEDENCE[job.priority], *does, *told]


def _expected(job: Job) -> list[str]:
    if job.expect is None:
        return []
    missed = "publishes nothing" if isinstance(job, ExportJob) else "takes no file"
    return [f"is overdue if it {missed} for {show_duration(job.expect.every)}"]


def _when(schedule: Schedule | None) -> str:
    if schedule is None:
        return "when you start it"
    if schedule.every is not None:
        return f"every {show_duration(schedule.every)}"
    return f"at '{schedule.cron}' ({schedule.timezone} time)"


def _import(job: ImportJob, bucket: str) -> list[str]:
    source = job.source
    kind = "" if source.format == "auto" else f" as {source.format}"
    lines = [f"reads {bucket}{source.prefix}{source.pattern}{kind}"]
    lines += describe_arrival(job)
    if job.on_invalid is not None:
        lines.append(_INVALID[job.on_invalid])
    if job.calls_people:
        return [*lines, *describe_call(job)]
    lines += describe_items(job) if job.object == "catalog_items" else describe_match(job)
    if source.placeholders == "allow":
        lines.append("takes texts such as null, #N/A and 4.9E+12 for identifiers")
    lines += describe_missing(job)
    if source.order_by:
        one = "item" if job.object == "catalog_items" else "profile"
        lines.append(
            f"applies the rows of one {one} in the order of {source.order_by}, also between files"
        )
    if job.subscription is not None or job.state is not None:
        return lines + describe_consent(job)
    if job.audience is not None:
        return lines + describe_audience(job)
    if job.object != "attributes":
        return lines + _rows(job)
    lines += [
        f"{name}: {_field(field, job)}{_consent(name, job)}" for name, field in job.fields.items()
    ]
    lines += [_remaining(block, job) for block in job.remaining_fields]
    return lines


_WHEN_UNKNOWN = {
    "hold": "lists what Braze may have taken when its answer was lost; retry gives it again",
    "resend": (
        "sends again what Braze may have taken when its answer was lost, so it may count twice"
    ),
    "ask": (
        "asks Braze whether it has taken what it lost the answer of; lists what that does not tell,"
        " and retry gives it again"
    ),
}


def _rows(job: ImportJob) -> list[str]:
    """Describe what rows become, where that is no change of attributes."""
    lines = _named(job)
    lines.append(_WHEN_UNKNOWN[job.on_unknown])
    for name, cell in job.cells.items():
        given = repr(cell.value) if cell.value is not None else f"column {cell.from_}"
        fixed = name.startswith((PROPERTY, METADATA)) and cell.value is None
        if name.endswith(SUM):
            given += ", added up over the lines"
        lines.append(f"{name}: {given}{_kind(cell.type, cell.scale) if fixed else ''}")
    for block in job.remaining_cells:
        but = f" but {', '.join(block.exclude)}" if block.exclude else ""
        lines.append(f"{block.prefix}COLUMN: every other column {block.columns}{but}")
    return lines


def _named(job: ImportJob) -> list[str]:
    """Describe what is sent once."""
    if job.order is not None:
        column = job.order.id
        made = f"makes one ecommerce event of all rows with the same {column}"
        once = f"sends each once, by its event and its id in column {column}"
        return [
            f"{made}, which counts once more when it is sent",
            f"{once}; late lines are rejected",
        ]
    once = (
        f"sends each row once, by its name in column {job.row_id}, in whatever file it comes"
        if job.row_id
        else "sends each file once; a copy or a new version of one waits for you, as no column "
        "names its rows (row_id)"
    )
    made = f"makes one of Braze's {job.object} of each row, which counts once more when it is sent"
    return [made, once]


def _field(field: FieldConfig, job: ImportJob) -> str:
    if field.from_ is None:
        given = f"always {field.value!r}" if isinstance(field.value, str) else str(field.value)
        where = " where Braze has nothing" if field.merge == "set_if_empty" else ""
        return f"is {given}{where}" + _drifted(field)
    given = field.from_ + _kind(field.type, field.scale) + _nothing(field.nulls)
    if field.split is not None:
        given += f" split at {field.split!r}"
    does = _DOES[field.merge]
    if field.type in ("date", "datetime"):
        does = does.replace("higher", "later").replace("lower", "earlier")
    return does.format(given=given) + _told_apart(field) + _looked_up(field, job) + _drifted(field)


def _told_apart(field: FieldConfig) -> str:
    if field.merge != "rows":
        return ""
    return f", told apart by {field.key}" + (", and removes all others" if field.complete else "")


def _remaining(block: RemainingFields, job: ImportJob) -> str:
    columns = "every other column" if block.columns == "*" else f"other columns {block.columns}"
    but = [*block.exclude, *([] if block.standard else ["Braze's standard attributes"])]
    if but:
        columns += f" but {', '.join(but)}"
    named = f", named {block.prefix}COLUMN" if block.prefix else ""
    given = "its value" + _kind(block.type, block.scale) + _nothing(block.nulls)
    return f"{columns}{named}: {_DOES[block.merge].format(given=given)}" + (
        _looked_up(block, job) + _drifted(block)
    )


def _kind(kind: str | None, scale: int | None) -> str:
    if kind is None:
        return ""
    return f" (decimal, {scale} places)" if kind == "decimal" else f" ({kind})"


def _nothing(nulls: tuple[str, ...]) -> str:
    """List which texts mean that there is nothing."""
    return f" (without {' and '.join(repr(text) for text in nulls)})" if nulls else ""


def _drifted(field: FieldConfig | RemainingFields) -> str:
    return {
        "overwrite": "",
        "keep": "; left alone where somebody else was seen to change it in Braze",
        "quarantine": "; goes to quarantine where somebody else was seen to change it in Braze",
    }[field.on_drift]


def _consent(name: str, job: ImportJob) -> str:
    """Describe what becomes of people who are unsubscribed."""
    if name not in CONSENT or job.may_resubscribe:
        return ""
    if name in NOT_EXPORTED:
        return "; only unsubscribes, as may_resubscribe is false"
    return "; leaves out who is unsubscribed, looked up where a state is new"


def _looked_up(field: FieldConfig | RemainingFields, job: ImportJob) -> str:
    if field.merge not in NEEDS_HELD:
        return ""
    if job.assumes_empty:
        return "; profiles never seen before are taken as empty"
    old = "" if job.max_age is None else f" or older than {show_duration(job.max_age)}"
    if isinstance(job.baseline, Baseline) and job.baseline.segment is not None:
        return f"; learnt from the segment '{job.baseline.segment}' first where unknown{old}"
    return f"; looked up first where unknown{old}"


def _export(job: ExportJob, bucket: str) -> list[str]:
    lines = [f"exports the segment '{job.segment}'"]
    lines.append(f"writes {job.target.format} to {bucket}{job.target.prefix}")
    for name, field in job.fields.items():
        lines.append(f"{name}: {field.from_}{_kind(field.type, field.scale)}")
    if job.remaining_fields is not None:
        prefix = job.remaining_fields.prefix
        named = f", named {prefix}NAME" if prefix else ""
        lines.append(f"every other custom attribute: its value, typed by what it holds{named}")
    if job.target.keep is not None:
        lines.append(f"keeps the newest {job.target.keep} of its datasets and removes older ones")
    if job.raw == "remove":
        lines.append("removes Braze's own files of the export once it is published")
    if job.empty == "allow":
        lines.append("takes an export without a file for an empty segment: a dataset without rows")
    else:
        lines.append("fails if Braze's export brings no file, even if the segment is empty")
    lines.append(f"gives up waiting after {show_duration(job.completion.timeout)}")
    return lines
