import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import oracle

from exchanger.config.models import FieldConfig
from exchanger.jobs.intake.event_order import without_unaccepted
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.event_order import overtaken, silenced
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.planning.part import PartInput, PlanOptions, plan_part
from exchanger.state.inputs.high_water_marks import folded

PROFILES = ("ada", "bob")
SPECS = {
    "tier": oracle.Field("set", "string"),
    "rank": oracle.Field("set", "integer"),
    "home": oracle.Field("clear", "string"),
    "source": oracle.Field("set_if_empty", "string"),
    "visits": oracle.Field("sum", "integer"),
    "tags": oracle.Field("add", "list"),
    "muted": oracle.Field("remove", "list"),
    "best": oracle.Field("highest", "integer"),
}
DTYPES = {"string": pl.String, "integer": pl.Int64, "list": pl.List(pl.String)}
NOTHING_BACK = pl.DataFrame(schema={"@profile": pl.String, "@file": pl.UInt32})
START = {"home": "Bern", "visits": 5, "tags": ["x"], "muted": ["a", "b", "c"]}
RULES = [
    Rule(name, name, spec.type, FieldConfig(merge=spec.strategy)) for name, spec in SPECS.items()
]
VALUES = {
    "string": st.sampled_from(["a", "b", "c"]),
    "integer": st.integers(0, 5),
    "list": st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2),
}
SETTINGS = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
orders = st.none() | st.integers(-3, 3)


@st.composite
def rows(draw):
    """Draw a row: whom it names, its order, and what it says."""
    cells = {
        name: draw(
            st.just(oracle.SILENT)
            | VALUES[spec.type]
            | (st.none() if spec.strategy == "clear" else st.just(oracle.SILENT))
        )
        for name, spec in SPECS.items()
    }
    return draw(st.sampled_from(PROFILES)), draw(orders), cells


runs = st.lists(st.lists(rows(), min_size=1, max_size=4), min_size=1, max_size=4)


def given_frame(run):
    columns = {
        "@profile": pl.Series([who for who, _, _ in run], dtype=pl.String),
        "@file": pl.Series([0] * len(run), dtype=pl.UInt32),
        "@row": pl.Series(range(1, len(run) + 1), dtype=pl.UInt32),
        "@order": pl.Series([order for _, order, _ in run], dtype=pl.Int64),
        "@said:home": pl.Series([cells["home"] is not oracle.SILENT for _, _, cells in run]),
    }
    for name, spec in SPECS.items():
        cells = [None if (cell := row[2][name]) is oracle.SILENT else cell for row in run]
        if spec.type == "list":
            cells = [cell and [oracle.spell(member) for member in cell] for cell in cells]
        columns[name] = pl.Series(cells, dtype=DTYPES[spec.type])
    return pl.DataFrame(columns)


class Job:
    """What is held and how far the order has come, run after run, by the code that decides."""

    def __init__(self):
        columns = {"@profile": pl.Series(PROFILES), "@exists": pl.Series([True] * len(PROFILES))}
        texts = {name: oracle.spell_field(START.get(name)) for name in SPECS}
        self.held = pl.DataFrame(columns).with_columns(pl.lit(t).alias(n) for n, t in texts.items())
        self.applied = pl.DataFrame(schema={"@profile": pl.String, "@order": pl.Int64})
        self.superseded = 0

    def run(self, run, refused=(), *, tidy=False):
        frame = given_frame(run)
        left = silenced(frame, overtaken(frame, self.applied, RULES))
        self.superseded += left.gone.height
        folded_rows = fold(left.rows, RULES)
        part = PartInput(
            left.rows, NOTHING_BACK, folded_rows, self.held, self.held, applied=self.applied
        )
        plan = plan_part(part, PlanOptions(RULES, assume_empty=False, create_missing=True))
        answered = plan.outbox.with_columns(
            pl.when(pl.col("@profile").is_in(refused))
            .then(pl.lit("refused"))
            .otherwise(pl.lit("ok"))
            .alias("outcome")
        )
        moved = without_unaccepted(plan.event_order, answered)
        self.applied = pl.concat([self.applied, moved], how="diagonal")
        if tidy:
            self.applied = tidied(self.applied)
        accepted = answered.filter(pl.col("outcome") == "ok")
        changes = accepted.select(
            "@profile", pl.col("^wanted:.*$").name.map(lambda name: name.removeprefix("wanted:"))
        )
        self.held = self.held.update(changes, on="@profile")


def tidied(applied):
    """Fold orders as their table does."""
    names = {f"order:{name}": f"for:{name}" for name in SPECS if f"order:{name}" in applied.columns}
    table = applied.rename({"@profile": "profile", "@order": "integer", **names})
    rows = folded(table.with_columns(pl.lit(0).alias("slice")))
    back = {column: name for name, column in names.items()}
    return rows.drop("slice").rename({"profile": "@profile", "integer": "@order", **back})


def one_by_one(all_runs, refusals):
    """Do in plain Python what the job does."""
    held = {(who, name): START.get(name) for who in PROFILES for name in SPECS}
    reached = dict.fromkeys(held)
    for run, refused in zip(all_runs, refusals, strict=True):
        for pair, value in held.items():
            mine = [(order, cells[pair[1]]) for who, order, cells in run if who == pair[0]]
            givens, further = oracle.in_order(SPECS[pair[1]], mine, reached[pair])
            result = oracle.apply(SPECS[pair[1]], value, givens)
            if result.state == "changed" and pair[0] in refused:
                continue
            reached[pair] = further
            if result.state == "changed":
                held[pair] = oracle.read(result.text)
    return held


@SETTINGS
@given(
    st.lists(
        st.tuples(
            runs.map(lambda each: each[0]), st.sets(st.sampled_from(PROFILES)), st.booleans()
        ),
        min_size=1,
        max_size=5,
    )
)
def test_runs_equal_the_oracle_whatever_comes_late_or_is_refused(story):
    """
    Run after run, each field is what plain Python makes of it row by row.

    That holds for what Braze refuses in between, and however often the table of orders is folded.
    """
    job = Job()
    for run, refused, tidy in story:
        job.run(run, list(refused), tidy=tidy)
    expected = one_by_one([run for run, _, _ in story], [refused for _, refused, _ in story])
    actual = {(row["@profile"], name): row[name] for row in job.held.to_dicts() for name in SPECS}
    assert {pair: oracle.spell_field(value) for pair, value in expected.items()} == actual


@SETTINGS
@given(runs)
def test_late_files_end_where_one_sorted_run_ends(all_runs):
    """
    It does not matter which file came first: all end where one run over all rows ends.

    Of an equal order, the row that came later counts; a value that is set only where there is none
    stays the one that came first.
    """
    apart, together = Job(), Job()
    for run in all_runs:
        apart.run(run)
    together.run([row for run in all_runs for row in run])
    for name, spec in SPECS.items():
        if spec.strategy != "set_if_empty":
            one, other = apart.held[name].to_list(), together.held[name].to_list()
            assert list(map(unordered, one)) == list(map(unordered, other)), name


def test_a_row_that_changes_nothing_takes_the_order_further():
    """What Braze had already counts as applied, so what is older than that comes too late."""
    job, silent = Job(), dict.fromkeys(SPECS, oracle.SILENT)
    for order, tier in ((1, "a"), (5, "a"), (3, "b")):
        job.run([("ada", order, silent | {"tier": tier})])
    assert ('"a"', 1) == (job.held["tier"][0], job.superseded)


def unordered(text):
    """Members of a list are added in the order of their arrival."""
    value = oracle.read(text)
    return sorted(value) if isinstance(value, list) else value
