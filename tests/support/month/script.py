"""What goes wrong in the month, and on which day; the first is a Sunday."""

from __future__ import annotations

from datetime import timedelta

from support.month.senders import START, Crm, day_of
from support.month.story import Month

DAMAGED = 4
COPIED, COPIED_BESIDE = 6, 16
RENAMED = (9, 10)
NEW_COLUMN, RETYPED, WITHOUT_ROWS = 12, 13, 20
RESTARTED = 14
FLOODED, DECIDED = 15, 17
SILENT = 18
REWRITTEN = 21
CRASHED, RERUN = 24, 25
BROKEN_OFF = 26

FLOOD = 480
"""Files of the day on which the CRM exports everything."""

TOLD = [
    (DAMAGED, "crm was done in part"),
    (5, "crm is fine again (partial)"),
    (COPIED, "crm waits for a decision"),
    (COPIED, "crm is fine again (held back)"),
    (RENAMED[0], "kunden was done in part"),
    (11, "kunden is fine again (partial)"),
    (RETYPED, "kunden was done in part"),
    (16, "kunden is fine again (partial)"),
    (FLOODED, "crm waits for a decision"),
    (COPIED_BESIDE, "crm waits for a decision"),
    (DECIDED, "crm is fine again (held back)"),
    (19, "crm is overdue"),  # The flood was taken at noon on the day before.
    (SILENT, "shops is overdue"),
    (19, "crm is fine again (overdue)"),
    (19, "shops is fine again (overdue)"),
    (WITHOUT_ROWS, "kunden came without rows"),
    (23, "kunden is fine again (partial)"),
    (REWRITTEN, "visits waits for a decision"),
    (REWRITTEN, "visits is fine again (held back)"),
    (CRASHED, "visits is overdue"),
    (RERUN, "visits is fine again (overdue)"),
]
"""What people are to hear of it, and nothing else."""


class Script:
    """
    Plays days.

    Args:
        month: Who drops, waits and decides.
    """

    def __init__(self, month: Month) -> None:
        self._month = month
        self._flood = []
        self._crashed = self._written = (), ()

    def play(self, day):
        """Play a day: drops at night, runs at six and when files have settled, people at noon."""
        month = self._month
        month.day = day
        month.at(5, 40)
        self._crm()
        self._sheet()
        self._spark()
        uploads = month.shops_begin() if day != SILENT else {}
        month.at(5, 57)
        if day == BROKEN_OFF:
            del uploads[3]
        month.shops_end(uploads)
        month.at(6)
        month.at(6, 20)
        month.at(12)
        self._decide()
        month.hear()
        if day == RESTARTED:
            assert 0 == month.stop()
            month.at(13)
            month.start()

    def _crm(self):
        month, day = self._month, self._month.day
        if day == SILENT:
            return
        files = month.crm_hours()
        first, rows = next(iter(files.items()))
        if day == DAMAGED:
            damaged = ({**row, "order_total": "n/a"} for row in month.crm.rows(START, 2))
            month.drop(first, Crm.body([*rows, *damaged]))
            month.crm.took(files.pop(first))
        month.drop_crm(files)
        if day in (COPIED, COPIED_BESIDE):
            month.drop(first.replace(".", "_copy.", 1), Crm.body(rows))
        if day == FLOODED:
            began = day_of(day) - timedelta(days=2)
            flood = {
                f"{Crm.folder}full/{nth:03}.ndjson": month.crm.rows(
                    began + timedelta(minutes=nth), 3
                )
                for nth in range(FLOOD)
            }
            month.drop_crm(flood)
            self._flood = [*flood.values(), *files.values()]
            return
        for rows in files.values():
            month.crm.took(rows)

    def _sheet(self):
        month, day = self._month, self._month.day
        if day_of(day).weekday() > 4:
            return
        rows = month.sheet.rows()
        if day in RENAMED:
            columns = ("Kunden-Nr", "Ort", "Bonuspunkte", "Kunde seit")
            month.drop_sheet(month.sheet.body(rows, columns=columns))
            return
        if day == WITHOUT_ROWS:
            month.drop_sheet(month.sheet.body([]))
            return
        if day == RETYPED:
            written = month.sheet.body([{**rows[0], "bonus": "viele"}, *rows[1:]])
            month.drop_sheet(written)
            month.sheet.took(rows[1:])
            return
        ways = {"more": ";Filiale"} if day == NEW_COLUMN else {}
        # A colleague saves it as UTF-8 now and then.
        encoding = "windows-1252" if day % 5 else "utf-8-sig"
        month.drop_sheet(month.sheet.body(rows, encoding=encoding, **ways))
        month.sheet.took(rows)

    def _spark(self):
        month, day = self._month, self._month.day
        parts = month.spark.rows(day)
        if day == CRASHED:
            self._crashed = month.drop_spark(day, parts, complete=False), parts
            return
        if day == RERUN:
            keys, lost = self._crashed
            month.delete(keys)
            month.drop_spark(CRASHED, lost)
            month.spark.took(lost)
        if day == REWRITTEN:
            keys, same = self._written
            month.delete(keys)
            month.drop_spark(day - 1, same)
        self._written = month.drop_spark(day, parts), parts
        month.spark.took(parts)

    def _decide(self):
        """Do what the alerts of the day ask for."""
        month, day = self._month, self._month.day
        if day == COPIED:
            [copy] = month.waiting("crm")
            month.decide("discard", copy)
        if day == DECIDED:
            flood, copy = month.waiting("crm")
            month.decide("discard", copy)
            month.decide("approve", flood)
            for rows in self._flood:
                month.crm.took(rows)
        if day == REWRITTEN:
            [copies] = month.waiting("visits")
            month.decide("discard", copies)
