"""A month of a watched folder: each decision that a person has to take is told, and nothing else."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from support.month.senders import START, Crm, Sheet, day_of
from support.month.stepped_daemon import story_environment
from support.month.story import Month
from support.receiver import Receiver
from support.stepped.story_time import StoryTime
from support.warm_start import WarmServer

from exchanger import Exchanger

FLOOD = 480
"""Files that the CRM drops on the day on which it exports everything."""

DAMAGED, COPIED, RENAMED, NEW, RETYPED, RESTARTED, FLOODED = 4, 6, (9, 10), 12, 13, 14, 15
COPIED_BESIDE, DECIDED, SILENT, WITHOUT_ROWS, RERUN, CRASHED, BROKEN_OFF = (
    16,
    17,
    18,
    20,
    21,
    24,
    26,
)

TOLD = [
    (4, "crm was done in part"),
    (5, "crm is fine again (partial)"),
    (6, "crm waits for a decision"),
    (6, "crm is fine again (held back)"),
    (9, "kunden was done in part"),
    (11, "kunden is fine again (partial)"),
    (13, "kunden was done in part"),
    (16, "kunden is fine again (partial)"),
    (15, "crm waits for a decision"),
    (16, "crm waits for a decision"),
    (17, "crm is fine again (held back)"),
    (18, "crm is overdue"),
    (18, "shops is overdue"),
    (19, "crm is fine again (overdue)"),
    (19, "shops is fine again (overdue)"),
    (20, "kunden came without rows"),
    (23, "kunden is fine again (partial)"),
    (21, "visits waits for a decision"),
    (21, "visits is fine again (held back)"),
    (24, "visits is overdue"),
    (25, "visits is fine again (overdue)"),
]
"""What people hear, and on which day."""


@pytest.fixture
def month(exchange, tmp_path, monkeypatch):
    """A connection in a time of its own, with people who are told."""
    story = StoryTime(tmp_path / "story-time")
    story.step_to(START)
    receiver = Receiver()
    monkeypatch.setenv("ALERT_URL", receiver.url())
    for name, value in story_environment(story).items():
        monkeypatch.setenv(name, value)
    exchange.warm = WarmServer()
    told = Month(exchange, receiver, story)
    told.configure()
    with story.here():
        yield told
        told.stop()
    exchange.warm.close()
    receiver.close()


def crm_drops(month):
    """Drop what the CRM exports on a day, with what goes wrong then."""
    if month.day == SILENT:
        return
    files = month.crm_hours()
    if month.day == DAMAGED:
        key, rows = next(iter(files.items()))
        broken = [*rows, *({**row, "order_total": "n/a"} for row in month.crm.rows(START, 2))]
        month.drop(key, Crm.body(broken))
        month.crm.took(files.pop(key, rows))
        for each in files.values():
            month.crm.took(each)
        month.drop_crm(files)
        return
    month.drop_crm(files)
    if month.day == DAMAGED + 1:
        month.crm.took(month.corrected(lambda row: {**row, "order_total": 12.5}))
    if month.day in (COPIED, COPIED_BESIDE):
        first = next(iter(files.values()))
        month.drop(f"{Crm.folder}{day_of(month.day):%Y-%m-%d}/delta-00 (1).ndjson", Crm.body(first))
    if month.day == FLOODED:
        began = day_of(month.day) - timedelta(days=2)
        flood = {
            f"{Crm.folder}full/{number:03}.ndjson": month.crm.rows(
                began + timedelta(minutes=number), 3
            )
            for number in range(FLOOD)
        }
        month.drop_crm(flood)
        month.owed = [*flood.values(), *files.values()]
        return
    for rows in files.values():
        month.crm.took(rows)


def sheet_drops(month):
    """Drop what is saved from the spreadsheet on a working day."""
    if day_of(month.day).weekday() >= 5:
        return
    rows = month.sheet.rows()
    renamed = ("Kunden-Nr", "Ort", "Bonuspunkte", "Kunde seit")
    if month.day in RENAMED:
        month.drop_sheet(month.sheet.body(rows, columns=renamed))
        return
    if month.day == WITHOUT_ROWS:
        month.drop_sheet(month.sheet.body([]))
        return
    if month.day == RETYPED:
        said = month.sheet.body(rows[:1]).replace(b"," + b"0", b",0")
        wrong = month.sheet.body(rows).split(b"\r\n")
        cells = wrong[2].split(b";")
        wrong[2] = b";".join([cells[0], cells[1], b"viele", cells[3]])
        assert said
        month.drop_sheet(b"\r\n".join(wrong))
        month.sheet.took(rows[1:])
        return
    ways = {"more": ";Filiale"} if month.day == NEW else {}
    if month.day % 5 == 0:
        ways["encoding"] = "utf-8-sig"
    month.drop_sheet(month.sheet.body(rows, **ways))
    month.sheet.took(rows)


def spark_drops(month):
    """Drop what the job on the lake writes."""
    parts = month.spark.rows(month.day)
    if month.day == CRASHED:
        month.crashed = month.drop_spark(month.day, parts, complete=False)
        month.rerun = parts
        return
    if month.day == CRASHED + 1:
        month.delete(month.crashed)
        month.drop_spark(month.day - 1, month.rerun)
        month.spark.took(month.rerun)
    if month.day == RERUN:
        month.delete(month.written)
        month.drop_spark(month.day - 1, month.wrote)
    month.wrote, month.written = parts, month.drop_spark(month.day, parts)
    month.spark.took(parts)


def person_decides(month):
    """Do what the alerts of the day ask for."""
    if month.day == COPIED:
        [run] = month.waiting("crm")
        month.decide("discard", run)
    if month.day == DECIDED:
        flood, copy = month.waiting("crm")
        month.decide("discard", copy)
        month.decide("approve", flood)
        for rows in month.owed:
            month.crm.took(rows)
    if month.day == RERUN:
        [run] = month.waiting("visits")
        month.decide("discard", run)


def a_day(month):
    """Play a day: drops at night, the runs at six, people at noon."""
    month.at(5, 40)
    crm_drops(month)
    sheet_drops(month)
    spark_drops(month)
    uploads = month.shops_begin() if month.day != SILENT else {}
    month.at(5, 57)
    if month.day == BROKEN_OFF:
        uploads.pop(3)
    month.shops_end(uploads)
    month.at(6)
    month.at(6, 20)
    month.at(12)
    person_decides(month)
    if month.day == RESTARTED:
        assert 0 == month.stop()
        month.at(13)
        month.start()
    month.at(18)


@pytest.mark.nightly
@pytest.mark.long(400)
def test_a_month_of_four_senders(month, exchange):
    """
    Two thousand files, of which some are damaged, doubled, empty, missing or far too many.

    Whatever takes a person is told on that day, once, and that it is over; nothing else is. What
    Braze has in the end is what the rows say, and of every file is known what became of it.
    """
    import os, time

    days = eval(os.environ.get("DAYS", "range(1, 31)"))
    month.at(0)
    month.start()
    for month.day in days:
        t = time.monotonic()
        a_day(month)
        print(month.day, round(time.monotonic() - t, 1), month.heard, flush=True)
        month.all = [*getattr(month, "all", []), *month.heard]
        month.heard.clear()
    assert 0 == month.stop()
    for e in month.logged:
        if e["level"] not in ("debug", "info"):
            print(e)
    have = {
        who: {name: exchange.attribute(who, name) for name in told}
        for who, told in month.people.told().items()
    }
    told = month.people.told()
    print(
        "SUMS",
        sum(have[w] != told[w] for w in told),
        [(w, have[w], told[w]) for w in told if have[w] != told[w]][:3],
    )
    print("TOLD missing", sorted((Counter(TOLD) - Counter(month.all)).items()))
    print("TOLD more", sorted((Counter(month.all) - Counter(TOLD)).items()))
    print(len(month.keys), month.keys.total())
    api = Exchanger.from_config(exchange.config)
    fates = {}
    t = time.monotonic()
    for key in month.keys:
        fate = api.file(key)
        fates.setdefault(
            tuple(sorted(job.stand for job in fate.jobs))
            + tuple(v["outcome"] for v in fate.versions[:2]),
            [],
        ).append(key)
    print("FATES", time.monotonic() - t, {k: (len(v), v[:2]) for k, v in fates.items()})
    print(
        exchange.ask("status")["needs"], exchange.ask("alerts"), exchange.ask("jobs", "--waiting")
    )
    assert 0
