"""Drawn cases of merging: rules, rows and held values, and what the oracle makes of them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.merging.reconcile import merge, needs_lookup
from support import oracle

SAME_EVERY_TIME = settings(
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # An example is large; shrinking one takes minutes.
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


SCALE = 2


MAX_ITEMS = 3


PROFILES = ("ada", "bob", "cyd")


NUMBERS = ("integer", "float", "decimal")


TYPES = {
    # Lists are named more often: they can differ in more ways.
    "set": ("string", *NUMBERS, "boolean", "date", "datetime", *["list"] * 5, "json"),
    "set_if_empty": ("string", *NUMBERS, "boolean", "date", "datetime", "list", "json"),
    "clear": ("string", *NUMBERS, "boolean", "date", "datetime", "list", "json"),
    "sum": NUMBERS,
    "add": ("list",),
    "remove": ("list",),
    "highest": (*NUMBERS, "date", "datetime"),
    "lowest": (*NUMBERS, "date", "datetime"),
}


DTYPES = {
    "string": pl.String,
    "integer": pl.Int64,
    "float": pl.Float64,
    "decimal": pl.Int64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "datetime": pl.Datetime("ms", "UTC"),
    "list": pl.List(pl.String),
    "json": pl.String,
}


WORDS = ["a", "A", 'q"\\', "é\n", "12", "null", "?", "[x]", "2026-02-30", *oracle.TIMES]


LARGE = [2**63 - 1, -(2**63)]


texts = st.sampled_from(WORDS)


days = st.dates(date(1970, 1, 1), date(2999, 12, 31)) | st.just(date(2026, 9, 15))


moments = st.datetimes(datetime(1970, 1, 1), datetime(2999, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
) | st.just(datetime(2026, 9, 15, tzinfo=UTC))


members = st.sampled_from(["a", "b", "c", "d", 1, 2, True, '[",]', "1"])


lists = st.lists(members, min_size=1, max_size=MAX_ITEMS + 2) | st.lists(
    members, min_size=2, max_size=MAX_ITEMS, unique_by=oracle.spell
)


# Multiples of a quarter add up exactly, so the oracle need not know how floats round.
quarters = st.integers(-4000, 4000).map(lambda number: Decimal(number) / 4)


integers = st.integers(-3, 3) | st.sampled_from(LARGE)


cents = (st.integers(-500, 500) | st.sampled_from([*LARGE, 10**15 - 1])).map(
    lambda number: Decimal(number).scaleb(-SCALE)
)


objects = st.sampled_from([{"k": 1}, {"é": "2026-09-15", "k": [1, "x"]}, {"k": {"k": "}"}}])


VALUES = {
    "string": texts,
    "integer": integers,
    "float": quarters,
    "decimal": cents,
    "boolean": st.booleans(),
    "date": days,
    "datetime": moments,
    "list": lists,
    "json": objects | lists,
}


FOREIGN = st.sampled_from(
    [True, "tail", "12.5", Decimal("12.345"), {"k": 1}, [{"k": [1]}, "a"], "2026-09-15", 7, 10**20]
)


def as_given(kind, value):
    """Turn a plain value into what a given frame holds."""
    if value is None or value is oracle.SILENT:
        return None
    if kind == "decimal":
        return int(value.scaleb(SCALE))
    if kind == "float":
        return float(value)
    if kind == "list":
        return [oracle.spell(member) for member in value]
    return oracle.spell(value) if kind == "json" else value


def as_held(value):
    """Turn a plain value into a cell of the held frame."""
    if value is oracle.UNKNOWN:
        return None
    return oracle.spell_field(oracle.once(value) if isinstance(value, list) else value)


@st.composite
def cases(draw, specs=None):
    """A field for every strategy, unless they are given, rows of profiles, and what is held."""
    specs = specs or {
        name: oracle.Field(
            name, draw(st.sampled_from(types)), SCALE, MAX_ITEMS, ordered=draw(st.booleans())
        )
        for name, types in TYPES.items()
    }
    who = draw(st.lists(st.sampled_from(PROFILES), min_size=1, max_size=7))
    rows = []
    for profile in who:
        silent = st.just(oracle.SILENT)
        cells = {
            name: draw(silent | VALUES[spec.type] | (st.none() if name == "clear" else silent))
            for name, spec in specs.items()
        }
        rows.append((profile, draw(st.integers(0, 2)), cells))
    rows.sort(key=lambda row: row[1])
    held = {}
    for profile in PROFILES:
        for name, spec in specs.items():
            known = st.none() | VALUES[spec.type].map(plain) | FOREIGN
            said = [v for v in givens_of(rows, profile, name) if v not in (oracle.SILENT, None)]
            if said and draw(st.integers(0, 3)) == 0:
                held[profile, name] = turned(plain(said[-1]))
            else:
                held[profile, name] = draw(st.just(oracle.UNKNOWN) | known)
    answers = {
        (profile, name): draw(st.none() | VALUES[spec.type].map(plain))
        for profile in PROFILES
        for name, spec in specs.items()
    }
    return specs, rows, held, answers


def plain(value):
    """What a JSON reader gives back for a value."""
    return oracle.read(oracle.spell(value))


def turned(value):
    """The same members in another order."""
    return value[::-1] if isinstance(value, list) else value


def rules_of(specs):
    return [
        Rule(
            name,
            name,
            spec.type,
            FieldConfig(
                merge=spec.strategy,
                scale=spec.scale,
                ordered=spec.ordered,
                max_items=spec.max_items,
            ),
        )
        for name, spec in specs.items()
    ]


def given_frame(specs, rows):
    columns = {
        "@profile": pl.Series([row[0] for row in rows], dtype=pl.String),
        "@file": pl.Series([row[1] for row in rows], dtype=pl.UInt32),
        "@row": pl.Series(range(1, len(rows) + 1), dtype=pl.UInt32),
    }
    for name, spec in specs.items():
        cells = [as_given(spec.type, row[2][name]) for row in rows]
        columns[name] = pl.Series(cells, dtype=DTYPES[spec.type])
    columns["@said:clear"] = pl.Series([row[2]["clear"] is not oracle.SILENT for row in rows])
    return pl.DataFrame(columns)


def held_frame(specs, held):
    columns = {
        "@profile": pl.Series(PROFILES),
        "@exists": pl.Series([None] * len(PROFILES), dtype=pl.Boolean),
    }
    for name in specs:
        cells = [as_held(held[profile, name]) for profile in PROFILES]
        # What became uncertain is as good as unknown.
        cells[-1] = cells[-1] or "?"
        columns[name] = pl.Series(cells, dtype=pl.String)
    return pl.DataFrame(columns)


def givens_of(rows, profile, name):
    return [row[2][name] for row in rows if row[0] == profile]


def condition(spec, held, givens, result):
    """Name the cell of the merge table that a field is in."""
    if all(value is oracle.SILENT for value in givens):
        return "silent"
    if held is oracle.UNKNOWN:
        return "unknown"
    if held is None:
        return "empty"
    spoken = [value for value in [*givens, held] if value not in (oracle.SILENT, None)]
    if any(isinstance(value, list) and len(value) > MAX_ITEMS for value in spoken):
        return "over limit"
    numbers = [v for v in spoken if isinstance(v, int | Decimal) and not isinstance(v, bool)]
    if spec.type in NUMBERS and any(abs(number) >= 10**13 - 1 for number in numbers):
        return "over limit"
    foreign = type(held) is not type(plain(next(v for v in givens if v is not oracle.SILENT)))
    return "conflicting" if foreign or result.state == "held_type" else "known"


def check(case, met):
    specs, rows, held, answers = case
    rules = rules_of(specs)
    folded = fold(given_frame(specs, rows), rules)
    named = [profile for profile in PROFILES if any(row[0] == profile for row in rows)]
    pairs = [(profile, name) for profile in named for name in specs]
    first = {
        pair: oracle.apply(specs[pair[1]], held[pair], givens_of(rows, *pair)) for pair in pairs
    }
    for pair in pairs:
        cell = condition(specs[pair[1]], held[pair], givens_of(rows, *pair), first[pair])
        event(f"{pair[1]} met {cell}")
        met[pair[1], cell] += 1
    asked = {pair for pair in pairs if first[pair].state == "lookup"}
    assert asked == set(needs_lookup(folded, held_frame(specs, held), rules).iter_rows())
    known = held | {pair: answers[pair] for pair in asked}
    expected = {
        pair: oracle.apply(specs[pair[1]], known[pair], givens_of(rows, *pair)) for pair in pairs
    }
    merged = merge(folded, held_frame(specs, known), rules)
    bad = {pair[0] for pair in pairs if expected[pair].state not in ("changed", "unchanged")}
    assert bad == set(merged.rejected["@profile"])
    for profile, name, reason in merged.rejected.select("@profile", "field", "reason").iter_rows():
        assert expected[profile, name].state == reason
    wanted = {row["@profile"]: row for row in merged.wanted.to_dicts()}
    for profile, name in pairs:
        if profile in bad:
            assert profile not in wanted
            continue
        outcome = expected[profile, name]
        assert outcome.text == wanted.get(profile, {}).get(f"wanted:{name}"), (profile, name)
        if outcome.state == "changed":
            was = wanted[profile][f"before:{name}"]
            assert as_held(known[profile, name]) == was
    changed = [result for (who, _), result in expected.items() if who not in bad]
    assert sum(result.state == "changed" for result in changed) == merged.counts.fields_changed
    assert sum(result.dropped for result in changed) == merged.counts.members_dropped
    assert len(named) == merged.counts.profiles_named


def advance(held, merged):
    """Apply what a merge wants to the held frame, as Braze would."""
    wanted = merged.wanted.select(
        "@profile", *(c for c in merged.wanted.columns if c.startswith("wanted:"))
    ).rename(lambda column: column.removeprefix("wanted:"))
    return held.update(wanted, on="@profile")


def small(rows):
    """Leave out the rows whose numbers could overflow on the way and not in the end."""
    return [
        row
        for row in rows
        if not any(
            isinstance(value, int | Decimal) and abs(value) > 10**9 for value in row[2].values()
        )
    ]


def plain_or_empty(value):
    """Keep held numbers small, so that sums stay in bounds."""
    is_number = isinstance(value, int | Decimal)
    return None if is_number and abs(value) > 10**9 else value


def comparable_text(text, spec):
    """Sets that Braze holds in another order are the same to it."""
    value = oracle.read(text)
    if spec.type == "list" and spec.strategy in ("set", "clear") and not spec.ordered:
        return sorted(map(oracle.spell, value or []))
    return text


CELLS = {
    (strategy, cell)
    for strategy in TYPES
    for cell in ("unknown", "empty", "conflicting", "over limit", "known", "silent")
}
