"""What may go together in one field: strategy, type and options."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.braze.attributes import (
    CONTROLS,
    EXPORTED,
    IDENTIFIERS,
    NOT_EXPORTED,
    REFUSED,
    STANDARD,
)
from exchanger.braze.limits import LONGEST_TEXT
from exchanger.config.findings import Finding, Where, closest
from exchanger.config.models import (
    NEEDS_HELD,
    NESTED,
    Cell,
    ExportField,
    FieldConfig,
    FieldType,
    ImportJob,
    RemainingFields,
    StrategyName,
)
from exchanger.config.names import name_fault

NUMBERS: frozenset[FieldType] = frozenset({"integer", "float", "decimal"})
TIMES: frozenset[FieldType] = frozenset({"date", "datetime"})
LIST_STRATEGIES: frozenset[StrategyName] = frozenset({"add", "remove"})

_ALLOWED: dict[StrategyName, tuple[frozenset[FieldType], str]] = {
    "sum": (NUMBERS, "an integer, float or decimal"),
    "highest": (NUMBERS | TIMES, "a number, date or datetime"),
    "lowest": (NUMBERS | TIMES, "a number, date or datetime"),
    "add": (frozenset({"list"}), "a list"),
    "remove": (frozenset({"list"}), "a list"),
    "deep": (frozenset({"json"}), "json"),
    "rows": (frozenset({"json"}), "json"),
}
_BESIDE_VALUE = frozenset({"value", "merge", "type", "scale", "on_drift"})
_LIST_OPTIONS = ("split", "items", "ordered", "max_items")


def check_import_fields(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what is wrong in the fields of an import job."""
    items = job.object == "catalog_items"
    for name, field in job.fields.items():
        place: Where = (*where, "fields", name)
        if not items:  # Of an item, names have rules of their own.
            yield from _check_name(name, place)
        yield from _check_strategy(field, place)
        yield from _check_options(field, place)
        yield from _check_value(field, place)
        if not items:
            yield from _check_held(name, field, job, place)
        yield from _check_drift(field, place)
        yield from _check_nested(name, field, place)
        if field.on_drift != "overwrite" and name in NOT_EXPORTED:
            message = f"Braze does not export {name}, so nobody can see it change there"
            yield Finding((*place, "on_drift"), message)
    for i, block in enumerate(job.remaining_fields):
        place = (*where, "remaining_fields", i)
        yield from _check_strategy(block, place)
        yield from _check_drift(block, place)
        # A prefix is never all of a name, so it may look like a pattern.
        if fault := name_fault(f"{block.prefix}_"):
            yield Finding((*place, "prefix"), f"a name {fault}")
        if block.merge == "rows":
            message = "rows needs a key, which may be another one in each column; name the columns"
            yield Finding((*place, "merge"), f"{message} under 'fields'")
        if block.merge == "remove" and job.assumes_empty:
            yield _empty_baseline(place)


def check_export_field(field: ExportField, where: Where) -> Iterator[Finding]:
    """Find what is wrong in one column of an export."""
    yield from _check_scale(field.type, field.scale, where)
    path = field.from_
    root, _, inner = path.partition(".")
    if root not in EXPORTED:
        guess = closest(root, EXPORTED) or f"custom_attributes.{path}"
        yield Finding(where, f"Braze exports nothing called '{root}'", guess)
    elif inner and EXPORTED[root] != "json":
        yield Finding(where, f"'{root}' holds nothing that '{path}' could name", root)
    elif "" in path.split("."):
        guess = ".".join(filter(None, path.split(".")))
        yield Finding(where, f"'{path}' has no word before, between or after its dots", guess)


def _check_name(name: str, where: Where) -> Iterator[Finding]:
    if not name:
        yield Finding(where, "an attribute needs a name")
    if fault := name_fault(name):
        yield Finding(where, f"the name of an attribute {fault}")
    if name in IDENTIFIERS:
        yield Finding(
            where, "this names a profile and cannot be set as a field; name its column in match"
        )
    if name in CONTROLS | REFUSED:
        yield Finding(where, "Braze does not take this as an attribute")


def _check_strategy(field: FieldConfig | RemainingFields, where: Where) -> Iterator[Finding]:
    if field.type is not None and field.merge in _ALLOWED:
        types, words = _ALLOWED[field.merge]
        if field.type not in types:
            message = f"{field.merge} needs {words}; this is declared as {field.type}"
            yield Finding((*where, "type"), message, beside=("merge",))
    yield from _check_scale(field.type, field.scale, where)


def _check_scale(kind: FieldType | None, scale: int | None, where: Where) -> Iterator[Finding]:
    if kind == "decimal" and scale is None:
        message = "a decimal needs its number of decimal places"
        yield Finding(where, message, "scale: 2", missed=("scale",))
    if kind != "decimal" and scale is not None:
        message = "only a decimal has a scale"
        yield Finding((*where, "scale"), message, "type: decimal", beside=("type",))


def check_cell(cell: Cell, where: Where) -> Iterator[Finding]:
    """Find what is wrong in one value of an object."""
    field = FieldConfig.model_validate(cell.model_dump(by_alias=True, exclude_unset=True))
    yield from _check_scale(cell.type, cell.scale, where)
    yield from _check_options(field, where)
    yield from _check_value(field, where)


def _check_options(field: FieldConfig, where: Where) -> Iterator[Finding]:
    given = field.model_fields_set
    is_list = field.type == "list" or field.merge in LIST_STRATEGIES
    if not is_list:
        for option in _LIST_OPTIONS:
            if option in given:
                message = "only a list has this option"
                yield Finding((*where, option), message, "type: list", beside=("type", "merge"))
    if field.ordered and field.merge in LIST_STRATEGIES:
        message = f"{field.merge} looks at single members, so their order decides nothing"
        yield Finding((*where, "ordered"), message)
    if field.split == "":
        yield Finding((*where, "split"), "name the text between two members", '"|"')
    if "too_long" in given and (field.type not in ("string", None) or is_list):
        yield Finding((*where, "too_long"), "only text can be too long", "type: string")
    if "nan" in given and field.type not in {*NUMBERS, None}:
        yield Finding((*where, "nan"), "only a number can be NaN", "type: float")
    yield from _check_spellings(field, where)


def _check_spellings(field: FieldConfig, where: Where) -> Iterator[Finding]:
    """Find formats and words that nothing would be read by."""
    kind = field.items if field.type == "list" else field.type
    if field.format is not None and kind not in TIMES:
        message = "only a date or datetime has a format"
        yield Finding((*where, "format"), message, "type: date", beside=("type", "items"))
    for key, words in (("true", field.true_), ("false", field.false_)):
        if words and kind != "boolean":
            message = "only a boolean has words for true and false"
            yield Finding((*where, key), message, "type: boolean", beside=("type", "items"))
    both = {word.strip().lower() for word in field.true_} & {
        word.strip().lower() for word in field.false_
    }
    if both:
        yield Finding((*where, "false"), f"'{min(both)}' means true already", beside=("true",))


def _check_drift(field: FieldConfig | RemainingFields, where: Where) -> Iterator[Finding]:
    if field.on_drift == "keep" and field.merge in NEEDS_HELD:
        message = (
            f"{field.merge} builds on what Braze has, whoever set it, so there is nothing to keep;"
            " leave this out, or write quarantine"
        )
        yield Finding((*where, "on_drift"), message, beside=("merge",))


def _check_nested(name: str, field: FieldConfig, where: Where) -> Iterator[Finding]:
    if field.merge in NESTED and name in STANDARD:
        message = f"Braze merges its custom attributes alone, and {name} is one of its own"
        yield Finding((*where, "merge"), message)
    if field.merge == "rows" and not field.key:
        message = "rows needs the key by which the objects of the array are told apart"
        yield Finding(where, message, "key: sku", missed=("key",))
    for option in ("key", "complete"):
        if option in field.model_fields_set and field.merge != "rows":
            message = "only an array that is merged by rows has this option"
            yield Finding((*where, option), message, "merge: rows", beside=("merge",))


def _check_value(field: FieldConfig, where: Where) -> Iterator[Finding]:
    if "value" not in field.model_fields_set:
        return
    for option in sorted(field.model_fields_set - _BESIDE_VALUE):
        key = option.rstrip("_")
        yield Finding((*where, key), f"a field with a static value has no '{key}'")
    if field.value is None or (isinstance(field.value, str) and not field.value.strip()):
        yield Finding((*where, "value"), "a static value must not be empty")
    if isinstance(field.value, str) and len(field.value) > LONGEST_TEXT:
        message = f"Braze takes text of at most {LONGEST_TEXT} characters"
        yield Finding((*where, "value"), message)
    if isinstance(field.value, float) and not abs(field.value) < float("inf"):
        yield Finding((*where, "value"), "this is no number that Braze can hold")
    if field.merge not in ("set", "set_if_empty"):
        message = f"{field.merge} makes no sense with a static value; write set or set_if_empty"
        yield Finding((*where, "merge"), message)


def _check_held(name: str, field: FieldConfig, job: ImportJob, where: Where) -> Iterator[Finding]:
    if field.merge in NEEDS_HELD and name in NOT_EXPORTED:
        yield Finding(
            where,
            f"{field.merge} needs to know what Braze has, and Braze does not export {name};"
            " write set or clear",
        )
    if field.merge == "remove" and job.assumes_empty:
        yield _empty_baseline(where)


def _empty_baseline(where: Where) -> Finding:
    return Finding(
        (*where, "merge"),
        "remove finds nothing where the baseline is assume_empty; leave out one of the two",
    )
