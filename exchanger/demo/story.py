"""
The story that ``exchanger demo`` tells: both directions, on real data, and every number checked.

Whatever is shown was done by the code of the other verbs; what must come out of it is computed
beforehand, straight from the data set.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.app.messages.notes.words import worded
from exchanger.app.messages.plans import describe_plan
from exchanger.app.messages.reports import describe_report
from exchanger.braze.endpoints import TRACK
from exchanger.demo.changes import HEADINGS, changes
from exchanger.demo.households import Drop, Households

if TYPE_CHECKING:
    from exchanger.demo.narrator import Narrator
    from exchanger.demo.place import DemoPlace

_SEGMENT = "Big spenders"
_BIG = Decimal(2500)


class Stopped(Exception):
    """The person wants out, or a run failed, so that what follows would make no sense."""


class DemoStory:
    """The chapters, in order; each leaves Braze and the bucket as the next one expects them."""

    def __init__(self, place: DemoPlace, data: Households, telling: Narrator) -> None:
        self._place = place
        self._data = data
        self._telling = telling
        self._expected = data.expected()
        self._attributes = tuple(next(iter(self._expected.values())))
        self._began = time.monotonic()

    def tell(self) -> None:
        """
        Run all of it.

        Raises:
            Stopped: The person wants out, or a run failed.
        """
        self._scene()
        self._exports()
        before = self._place.texts(self._attributes)
        self._answers_and_coupons()
        self._purchases()
        middle = self._place.texts(self._attributes)
        self._late_purchases()
        # Only late files tell of earlier purchases, so the lowest value has its story there.
        held = {
            household: middle[household]
            | texts
            | {"season_start": middle[household]["season_start"]}
            for household, texts in before.items()
        }
        self._telling.chapter("One household for each merge strategy")
        after = self._place.texts(self._attributes)
        self._telling.table(HEADINGS, changes(self._data, held, after))
        self._again()
        self._bad_files()
        self._totals()
        self._end()

    def _scene(self) -> None:
        place, data = self._place, self._data
        self._telling.chapter("A Braze workspace and a bucket")
        seeded = place.braze.seed(data.profiles())
        place.braze.add_segment(_SEGMENT, [{"attribute": "lifetime_value", "greater": float(_BIG)}])
        self._telling.say(
            f"A local Braze and a local S3 run on this machine. Braze knows {seeded:,} real"
            " households: no e-mail addresses, but what each of them bought in the first"
            f" {data.first_week - 1} weeks of a year, in which stores, and in which campaigns it"
            " is."
        )
        self._telling.say(
            f"The last {data.weeks} weeks, what households answered about themselves, and the"
            " coupons they used will come as files. All that exchanger needs to know stands in one"
            f" configuration file: {place.config_path}"
        )
        job = place.config_path.read_text(encoding="utf-8").partition("jobs:\n")[2]
        self._telling.lines(job.split("\n\n")[0].splitlines())

    def _exports(self) -> None:
        self._telling.chapter("Out of Braze: a segment becomes a dataset")
        self._telling.say(
            f"The segment '{_SEGMENT}' goes into the bucket: as Parquet for the warehouse, and as"
            " CSV for a spreadsheet. Readers look for the manifest, so nobody reads half an export."
        )
        big = {
            household: before["value"]
            for household, before in self._data.history.items()
            if before["value"] > _BIG
        }
        for name in ("big_spenders", "big_spenders_for_excel"):
            rows = self._exported(self._run(name))
            found = {row["household"]: row["lifetime_value"] for row in rows}
            self._telling.check(
                f"the {len(big):,} households that spent more than {_BIG:,}, to the cent",
                big,
                {household: Decimal(str(value)) for household, value in found.items()},
            )

    def _exported(self, report: dict[str, Any]) -> list[dict[str, Any]]:
        """Read an export back as its readers do: by its manifest."""
        rows = []
        parts = self._place.read_json(report["manifest"])["parts"] if "manifest" in report else []
        for part in parts:
            body, _ = self._place.bucket.read(part["key"])
            as_csv = part["key"].endswith(".csv")
            rows += (_read_csv(body) if as_csv else pl.read_parquet(body)).to_dicts()
        return rows

    def _answers_and_coupons(self) -> None:
        self._telling.chapter("Into Braze: answers and coupons")
        self._telling.say(
            "Somebody drops two files into the bucket: a Parquet file with what"
            f" {len(self._data.answers)} households answered, and a CSV file with the coupons used."
        )
        self._place.drop(self._data.demographics_file())
        report = self._run("demographics")
        self._telling.check("every answer is read", len(self._data.answers), report["rows_read"])
        self._place.drop(self._data.redemptions_file())
        report = self._run("redemptions")
        self._telling.check(
            "every coupon is read", self._data.redemptions.height, report["rows_read"]
        )
        self._telling.say(
            "'New' means new to exchanger, which from now on remembers what these households have."
        )

    def _purchases(self) -> None:
        data, place = self._data, self._place
        weeks = data.weeks_on_time
        self._telling.chapter("Into Braze: purchases, and their price before they are sent")
        self._telling.say(
            f"The files of the weeks from {weeks[0]} to {weeks[-1]} arrive, as Parquet and CSV in"
            " turn. A plan shows what a run would send and what it costs in data points."
            if len(weeks) > 1
            else f"The file of week {weeks[0]} arrives. A plan shows what a run would send and what"
            " it costs in data points."
        )
        for week in weeks:
            place.drop(data.weekly_file(week))
        planned = place.plan("purchases")
        content = {
            "report": worded(planned.report.to_dict(), of=""),
            "fields": [asdict(field) for field in planned.fields],
            "lookups": planned.lookups,
        }
        self._telling.command("plan purchases", describe_plan(content))
        metered = place.braze.meter
        report = self._run("purchases")
        spent = place.braze.meter - metered
        points = planned.report.data_points
        self._telling.check(
            f"{points:,} data points were planned, and reported", points, report["data_points"]
        )
        self._telling.check(f"{points:,} data points were metered by Braze", points, spent)

    def _late_purchases(self) -> None:
        weeks = self._data.late_weeks
        self._telling.say(
            f"Files come late, too: those of weeks {weeks[0]} to {weeks[-1]} arrive only now."
            if len(weeks) > 1
            else f"Files come late, too: that of week {weeks[0]} arrives only now."
        )
        for week in weeks:
            self._place.drop(self._data.weekly_file(week))
        report = self._run("purchases")
        self._telling.check("every late file is applied", len(weeks), len(report["files"]))

    def _again(self) -> None:
        data, place = self._data, self._place
        self._telling.chapter("Nothing counts twice, and nothing is paid twice")
        self._telling.say("The same job again:")
        self._unchanged("purchases", "running again sends nothing", state="nothing_to_do")
        self._telling.say("The same answers again, all of them, as CSV and under another name:")
        place.drop(data.demographics_file("answers-again", as_csv=True))
        self._unchanged(
            "demographics", "what Braze has already is not sent again", state="succeeded"
        )
        week = data.weeks_on_time[0]
        self._telling.say(f"The purchases of week {week} again, in another folder:")
        place.drop(data.weekly_file(week, "inbox/purchases/copies/"))
        self._unchanged(
            "purchases", "a copy adds nothing to any sum until a person says so", state="held_back"
        )

    def _bad_files(self) -> None:
        self._telling.chapter("Bad files")
        self._telling.say(
            "A file with a quote that is never closed, and one with a word where a price should be."
            " Neither stops the other; what is not taken goes into quarantine with the reason."
        )
        columns = "household_id,store_id,quantity,sales_value,transaction_timestamp\n"
        row = "900,330,1,free,2018-01-05T10:00:00\n"
        for name, text in (("quote", columns + '900,"330'), ("word", columns + row)):
            self._place.drop(Drop(f"inbox/purchases/{name}.csv", text.encode()))
        report = self._unchanged("purchases", "nothing of them reached Braze", state="partial")
        if "quarantine" not in report:
            self._telling.check("there is a quarantine file", True, False)
            return
        rows = _read_csv(self._place.bucket.read(report["quarantine"])[0])
        self._telling.say("What the quarantine file says:")
        self._telling.lines(
            f"{row['file']}: {row['message']}" for row in rows.iter_rows(named=True)
        )
        reasons = sorted(rows["reason"].to_list())
        self._telling.check("both are named", ["not_a_number", "open_quote"], reasons)

    def _totals(self) -> None:
        expected = self._expected
        self._telling.chapter("Everything against the data set")
        found = self._place.texts(self._attributes)
        self._telling.check(f"{len(expected):,} households", set(expected), set(found))
        for name in self._attributes:
            wrong = [
                household
                for household, texts in expected.items()
                if found.get(household, {}).get(name) != texts[name]
            ]
            self._telling.check(f"{name} of every household, to the letter", [], wrong[:5])

    def _end(self) -> None:
        took = time.monotonic() - self._began
        failures = self._telling.failures
        if failures:
            self._telling.say(
                f"{len(failures)} of {self._telling.checks} checks failed in {took:.0f} s."
                " Please report this with all of the above."
            )
            return
        self._telling.say(f"All {self._telling.checks} checks hold, in {took:.0f} s.")

    def _run(self, name: str, state: str = "succeeded") -> dict[str, Any]:
        outcome = self._place.run(name)
        report = outcome.report
        if self._place.stopping.is_set():
            raise Stopped
        self._telling.command(f"run {name}", describe_report(report, outcome.bucket))
        if report["state"] != state:
            self._telling.check(f"how {name} ends", state, report["state"])
        if report["state"] == "failed":
            raise Stopped
        return report

    def _unchanged(self, name: str, what: str, state: str) -> dict[str, Any]:
        """Run a job that must send nothing."""
        sent = self._place.braze.requests(TRACK)
        report = self._run(name, state)
        found = self._place.braze.requests(TRACK) - sent
        self._telling.check(f"0 updates sent: {what}", 0, found)
        return report


def _read_csv(body: bytes) -> pl.DataFrame:
    return pl.read_csv(body, infer_schema=False)
