"""
The merge table in plain Python: one profile, one field, one row after the other.

There is no frame library in here. It says what must come out, slowly and plainly.
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

SILENT = object()
"""What a row gives that does not speak of the field."""
UNKNOWN = object()
"""A held value that was never observed."""
NEEDING = {"sum", "add", "remove", "set_if_empty", "highest", "lowest"}
TIMES = {
    "2026-09-15": "2026-09-15T00:00:00.000Z",
    "09/15/2026": "2026-09-15T00:00:00.000Z",
    "2026-09-15 00:00:00": "2026-09-15T00:00:00.000Z",
    "2026-09-15T02:00:00+02:00": "2026-09-15T00:00:00.000Z",
}
"""Texts of the tests that Braze reads as times. All others stay text."""


@dataclass
class Field:
    """What the oracle must know of a field."""

    strategy: str
    type: str
    scale: int = 0
    max_items: int = 500
    ordered: bool = False


@dataclass
class Result:
    """``state`` is unchanged, changed, lookup or a reason to reject; ``text`` is canonical."""

    state: str
    text: str | None = None
    dropped: int = 0


class Misfit(Exception):
    """The held value cannot be used by the strategy."""


def spell(value) -> str:
    """Write a value as Braze would give it back."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list):
        return "[" + ",".join(spell(member) for member in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{spell(k)}:{spell(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, int | float | Decimal):
        return spell_number(Decimal(str(value)))
    plain = {"\n": "\\u000a", "\t": "\\u0009", '"': '\\"', "\\": "\\\\"}
    return '"' + "".join(plain.get(char, char) for char in as_text(value)) + '"'


def spell_number(value) -> str:
    """Write a number without exponent and trailing zeros."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def as_text(value) -> str:
    """Times and dates as Braze writes them; text as it is."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}Z"
    return f"{value.isoformat()}T00:00:00.000Z" if isinstance(value, date) else value


def spell_field(value) -> str:
    """Write the value of a field: text that is a time is read as one, but not inside of lists."""
    return spell(TIMES.get(value, value) if isinstance(value, str) else value)


def once(members) -> list:
    """Each member once, the first."""
    kept = {spell(member): member for member in reversed(members)}
    return [kept[text] for text in dict.fromkeys(spell(member) for member in members)]


def as_number(held, scale):
    """Read a held number, exact at *scale*."""
    try:
        number = Decimal(held) if isinstance(held, str) else held
    except ArithmeticError:
        raise Misfit from None
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        raise Misfit
    number = Decimal(number)
    if scale is not None and number != round(number, scale):
        raise Misfit
    return number


def as_instant(held):
    """Read a held time."""
    if not isinstance(held, str):
        raise Misfit
    try:
        return datetime.fromisoformat(TIMES.get(held, held))
    except ValueError:
        raise Misfit from None


def as_list(held):
    """Read a held list; a scalar is a list of one."""
    if isinstance(held, dict):
        raise Misfit
    if isinstance(held, list):
        return once(held)
    return [TIMES.get(held, held) if isinstance(held, str) else held]


def usable(spec, held):
    """The held value as the strategy works with it."""
    if held is None:
        return None
    if spec.strategy in ("add", "remove"):
        return as_list(held)
    if spec.strategy in ("sum", "highest", "lowest"):
        if spec.type in ("date", "datetime"):
            return as_instant(held)
        scale = {"integer": 0, "decimal": spec.scale, "float": None}[spec.type]
        return as_number(held, scale)
    return held


def comparable(value):
    """Dates and times on one line; numbers as they are."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def step(spec, value, given):
    """Apply one row that speaks."""
    strategy = spec.strategy
    if spec.type == "list" and given is not None:
        given = once(given)
    if strategy in ("set", "clear"):
        return given
    if strategy == "set_if_empty":
        return given if value is None else value
    if strategy == "sum":
        return (value or 0) + given
    if strategy == "add":
        return once((value or []) + given)
    if strategy == "remove":
        gone = {spell(member) for member in given}
        return [member for member in (value or []) if spell(member) not in gone]
    better = value is None or (
        comparable(given) > comparable(value)
        if strategy == "highest"
        else comparable(given) < comparable(value)
    )
    return given if better else value


def newest_of(spec, givens) -> list:
    """What of the given members there is room for."""
    return once([member for given in givens for member in given])[-spec.max_items :]


def limited(spec, before, after, givens):
    """Keep what fits into a list: the last given members, then the newest held ones."""
    if spec.type != "list" or spec.strategy == "remove" or not isinstance(after, list):
        return after
    if spec.strategy != "add":
        return after[-spec.max_items :]
    newest = newest_of(spec, givens)
    kept = once((before or []) + newest)
    given_texts = {spell(member) for member in newest}
    for member in list(kept):
        if len(kept) <= spec.max_items:
            break
        if spell(member) not in given_texts:
            # By its text: for Python, True is 1.
            kept = [other for other in kept if spell(other) != spell(member)]
    return kept


def older(order, reached) -> bool:
    """Whether a row's order is below what was applied before; no order is below all others."""
    return reached is not None and (order is None or order < reached)


def in_order(spec, rows, reached) -> tuple[list, int | None]:
    """
    Tell what rows of one run still give to a field, and how far they take its order.

    Args:
        spec: The field.
        rows: Order and given value of each row, as they follow each other in the run.
        reached: The highest order that was applied before; None if there is none.
    """
    undoing = spec.strategy in ("set", "clear", "remove", "set_if_empty")
    rows = sorted(rows, key=lambda row: (row[0] is not None, row[0] or 0))
    fresh = [row for row in rows if not (undoing and older(row[0], reached))]
    said = [order for order, given in fresh if given is not SILENT and order is not None]
    if spec.strategy in ("set", "clear"):
        reached = max([*said, *([] if reached is None else [reached])], default=None)
    return [given for _, given in fresh], reached


def given_of(spec, value, *, usable):
    """
    Tell what a row gives to a field: a value that is left out, as it is not usable, says nothing.

    Args:
        spec: The field.
        value: What its cell says; None if it is empty.
        usable: Whether it can be used.
    """
    if not usable:
        return SILENT
    return SILENT if value is None and spec.strategy != "clear" else value


def apply(spec, held, givens) -> Result:
    """
    Apply the rows of one profile to one field, one after the other.

    Args:
        spec: The field.
        held: UNKNOWN, None for empty, or a value with numbers as int or Decimal.
        givens: In order; SILENT where the row does not speak, None (only under clear) for empty.
    """
    said = [given for given in givens if given is not SILENT]
    if not said:
        return Result("unchanged")
    if held is UNKNOWN and spec.strategy in NEEDING:
        return Result("lookup")
    try:
        start = None if held is UNKNOWN else usable(spec, held)
    except Misfit:
        return Result("held_type")
    if spec.strategy == "set_if_empty" and start is not None:
        # What Braze has stays as it is, even a list for which there would be no room today.
        return Result("unchanged")
    value = start
    for given in said:
        value = step(spec, value, given)
    if spec.strategy == "sum" and spec.type == "float":
        value = Decimal(repr(float(start or 0) + float(sum(said))))
    reason = too_big(spec, said, value)
    return Result(reason) if reason else compared(spec, held, start, value, said)


def compared(spec, held, start, value, said) -> Result:
    """Tell a change from none; the limit of a list applies to changes alone."""
    held = once(held) if isinstance(held, list) else held
    final = limited(spec, start, value, said)
    text = spell_field(None if final == [] else final)
    if held is not UNKNOWN:
        base, result = held, final
        if spec.strategy in ("add", "remove"):
            base, result = start, value
        if spec.strategy == "add":
            result = once((start or []) + newest_of(spec, said))
        nothing_new = same(spec, base, result)
        if nothing_new or text == spell_field(held):
            return Result("unchanged")
    dropped = len(value) - len(final) if isinstance(value, list) and final else 0
    return Result("changed", text, dropped)


def same(spec, one, other) -> bool:
    """Whether Braze would see no difference."""
    if (
        spec.type == "list"
        and isinstance(one, list)
        and isinstance(other, list)
        and not spec.ordered
    ):
        return {spell(member) for member in one} == {spell(member) for member in other}
    if spec.strategy == "sum":
        return False  # Told by the text: a number in quotes becomes a number.
    return spell_field(one) == spell_field(other)


def too_big(spec, said, value):
    """Name the limit that a sum breaks."""
    if spec.strategy != "sum" or spec.type == "float":
        return None
    shift = 10**spec.scale if spec.type == "decimal" else 1
    for total in (sum(said), value):
        if not -(2**63) <= int(total * shift) < 2**63:
            return "overflow"
    digits = spell(Decimal(value)).replace("-", "").replace(".", "").strip("0")
    return "too_many_digits" if spec.type == "decimal" and len(digits) > 15 else None


def read(text):
    """Read a canonical text."""
    return json.loads(text, parse_float=Decimal)
