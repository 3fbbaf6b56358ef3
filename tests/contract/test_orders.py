"""How far jobs have come in their order, and first deliveries: what the bucket keeps of them."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from exchanger.errors import StateDamaged
from exchanger.outside.delta.table import Table
from exchanger.state.inputs.high_water_marks import HighWaterMarks, JobHighWaterMarks
from exchanger.state.names import StateNames
from exchanger.state.runs.first_deliveries import FirstDeliveries, Sample

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
TIME = pl.Datetime("us", "UTC")


def orders(*rows, dtype=pl.Int64):
    """Make a frame of orders from (profile, order, fields)."""
    names = sorted({name for _, _, fields in rows for name in fields.split()})
    return pl.DataFrame(
        [
            {"@profile": who, "@order": order}
            | {f"order:{name}": True if name in fields.split() else None for name in names}
            for who, order, fields in rows
        ],
        schema={"@profile": pl.String, "@order": dtype}
        | {f"order:{name}": pl.Boolean for name in names},
    )


def reached(table, who, dtype=pl.Int64, fields=("tier", "Home")):
    """Tell how far each field of a profile has come."""
    rows = table.of(pl.Series([who]), fields, dtype())
    flags = [name for name in fields if f"order:{name}" in rows.columns]
    return {
        name: rows.filter(f"order:{name}")["@order"].max()
        for name in flags
        if rows[f"order:{name}"].any()
    }


def always():
    """Let everything go on."""


def test_folding_keeps_the_highest_order_of_each_field(tmp_path):
    """What is read stays when the table is folded, and few rows remain."""
    place = Table(str(tmp_path), {})
    table = JobHighWaterMarks(place, rows_at_once=2)
    table.record(orders(("a", 5, "tier Home"), ("b", 1, "tier")), seq=1)
    table.record(orders(("a", 7, "tier"), ("b", 1, "tier")), seq=2)
    table.record(orders(("a", 6, "tier")), seq=4)
    assert ({"tier": 7, "Home": 5}, {"tier": 1}) == (reached(table, "a"), reached(table, "b"))
    assert table.fold(always)
    assert ({"tier": 7, "Home": 5}, {"tier": 1}) == (reached(table, "a"), reached(table, "b"))
    assert 3 == place.size().rows
    assert {} == reached(table, "never")


def test_a_run_is_recorded_once(tmp_path):
    """Settling a run again adds nothing, also after folding."""
    table = JobHighWaterMarks(Table(str(tmp_path), {}))
    table.record(orders(("a", 5, "tier")), seq=3)
    table.record(orders(("a", 9, "tier")), seq=3)
    assert table.fold(always)
    table.record(orders(("a", 9, "tier")), seq=3)
    assert {"tier": 5} == reached(table, "a")


def test_numbers_compare_with_each_other_and_with_nothing_else(tmp_path):
    """A column that widens from integers goes on; one that becomes something else begins anew."""
    table = JobHighWaterMarks(Table(str(tmp_path), {}))
    large = 2**60 + 1
    table.record(orders(("a", large, "tier")), seq=1)
    assert {"tier": large} == reached(table, "a"), "exact while there are only integers"
    table.record(orders(("b", 2.5, "tier"), dtype=pl.Float64), seq=2)
    table.record(orders(("b", 2, "tier"), ("c", 3, "tier")), seq=3)
    table.record(orders(("c", NOON, "tier"), dtype=TIME), seq=4)
    for _ in range(2):
        assert {"tier": 2.5} == reached(table, "b", pl.Float64)
        assert {"tier": 3.0} == reached(table, "c", pl.Float64)
        assert {"tier": NOON} == reached(table, "c", lambda: TIME)
        assert {} == reached(table, "a", pl.String)
        assert table.fold(always)


def test_another_column_begins_anew(bucket):
    """HighWaterMarks of one column say nothing of another, nor of another job."""
    by = HighWaterMarks(bucket, StateNames("_exchanger/main/")).by
    by("CRM ü%", "At").record(orders(("a", 5, "tier")), seq=1)
    assert {"tier": 5} == reached(by("CRM ü%", "At"), "a")
    assert {} == reached(by("CRM ü%", "at"), "a")
    assert {} == reached(by("shop", "At"), "a")


def test_a_first_delivery_is_noted_once(bucket):
    """An attribute is new to one run only; a sample waits for its job until it is closed."""
    names = StateNames("_exchanger/main/")
    deliveries = FirstDeliveries(bucket, names)
    sample = Sample("crm", 3, (("a", "tier", '"gold"'),))
    assert ["tier", "home"] == deliveries.unknown(["tier", "home"])
    deliveries.add(sample, ["tier"])
    deliveries.add(sample, ["tier"])
    assert ["home"] == deliveries.unknown(["tier", "home"])
    assert ([sample], []) == (deliveries.waiting("crm"), deliveries.waiting("shop"))
    deliveries.close("shop", [3])
    deliveries.close("crm", [2])
    assert [sample] == deliveries.waiting("crm")
    deliveries.close("crm", [3])
    assert ([], ["home"]) == (deliveries.waiting("crm"), deliveries.unknown(["tier", "home"]))

    bucket.write(names.first_deliveries, b'{"fields": 1}')
    with pytest.raises(StateDamaged):
        deliveries.waiting("crm")
