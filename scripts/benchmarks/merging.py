"""``merge``: every strategy, against a plain polars join that copies the held values."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import polars as pl

from benchmarks import printing, rows
from benchmarks.measuring import child
from exchanger.config.models import FieldConfig, FieldType, StrategyName
from exchanger.profiles.frames.columns import EXISTS, FILE, PROFILE, ROW, wanted
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.merging.reconcile import merge

FIELDS = 4
STRATEGIES: dict[StrategyName, FieldType] = {
    "set": "string",
    "clear": "string",
    "set_if_empty": "string",
    "sum": "decimal",
    "highest": "integer",
    "lowest": "integer",
    "add": "list",
    "remove": "list",
}
"""What is measured, and on fields of which type."""


def rules_of(strategy: StrategyName) -> list[Rule]:
    """Make the rules of four fields of one strategy."""
    kind = STRATEGIES[strategy]
    scale = 2 if kind == "decimal" else None
    config = FieldConfig(merge=strategy, type=kind, scale=scale)
    return [Rule(f"a{n}", f"a{n}", kind, config) for n in range(FIELDS)]


def given_rows(count: int, strategy: StrategyName) -> pl.DataFrame:
    """Make the rows of a file, cast: every profile once, every field with a value."""
    frame = rows.profiles(count, 5 * FIELDS)
    return frame.select(
        pl.col("id").alias(PROFILE),
        pl.lit(0, pl.UInt32).alias(FILE),
        pl.int_range(pl.len(), dtype=pl.UInt32).alias(ROW),
        *(_typed(n, STRATEGIES[strategy]).alias(f"a{n}") for n in range(FIELDS)),
        *(pl.lit(value=True).alias(f"@said:a{n}") for n in range(FIELDS) if strategy == "clear"),
    )


def _typed(number: int, kind: FieldType) -> pl.Expr:
    text, integer = pl.col(f"f{5 * number:02}"), pl.col(f"f{5 * number + 1:02}")
    if kind == "string":
        return text
    if kind == "list":
        return (
            pl.format('"{}"', text)
            .str.split(" ")
            .list.eval(pl.format('"{}"', pl.element().str.strip_chars('"')))
        )
    return integer


def held_rows(given: pl.DataFrame, rules: list[Rule]) -> pl.DataFrame:
    """Make what is held: of nine profiles in ten what is given, of the others something else."""
    setting = [
        Rule(rule.name, rule.column, rule.type, rule.config.model_copy(update={"merge": "set"}))
        for rule in rules
    ]
    nothing = pl.DataFrame(schema={PROFILE: pl.String, EXISTS: pl.Boolean})
    known = merge(fold(given, setting), nothing, setting).wanted
    names = [rule.name for rule in rules]
    same = known.select(
        PROFILE, pl.lit(value=True).alias(EXISTS), *(pl.col(wanted(n)).alias(n) for n in names)
    )
    other = pl.int_range(pl.len()) % 10 == 0
    shuffled = same.with_columns(
        pl.when(other).then(pl.col(n).reverse()).otherwise(pl.col(n)).alias(n) for n in names
    )
    return shuffled.sample(fraction=1, shuffle=True, seed=rows.SEED)


def copied(folded: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Join both sides, and no more: the least that any merge can do."""
    return folded.join(held, on=PROFILE, how="left", maintain_order="left")


def _timed(action: Callable[[], object], repeats: int = 3) -> tuple[float, float]:
    best = (float("inf"), float("inf"))
    for _ in range(repeats):
        began, cpu = time.perf_counter(), time.process_time()
        action()
        best = min(best, (time.perf_counter() - began, time.process_time() - cpu))
    return best


def measure(count: int, strategy: StrategyName) -> dict[str, float]:
    """Measure one strategy; seconds and CPU seconds of the merge and of the join."""
    rules = rules_of(strategy)
    given = given_rows(count, strategy)
    held = held_rows(given, rules)
    folded = fold(given, rules)
    join = _timed(lambda: copied(folded, held))
    ours = _timed(lambda: merge(folded, held, rules))
    return {"seconds": ours[0], "cpu": ours[1], "join": join[0], "join_cpu": join[1]}


def report(count: int) -> None:
    """Measure and print; each strategy in a process of its own, so that its peak is its own."""
    lines = []
    for strategy, kind in STRATEGIES.items():
        cost = child(["-m", "benchmarks.merging", str(count), strategy])
        took = cost.said
        lines.append(
            [
                f"{strategy}, {kind}",
                printing.count(count / took["seconds"]),
                printing.times(took["seconds"] / took["join"]),
                printing.micros(took["cpu"] / count / FIELDS),
                printing.mebibytes(cost.memory),
            ]
        )
    columns = ["merge", "profiles/s", "times a plain join", "CPU per cell", "peak memory"]
    printing.table(f"merge, {count:,} profiles of {FIELDS} fields, a tenth differs", columns, lines)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), sys.argv[2])))  # type: ignore[arg-type]
