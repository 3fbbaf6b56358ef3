"""A month of a folder that four senders drop into, the daemon that watches it, and a person."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from support.month.senders import SHOPS, Crm, People, Sheet, Shops, Spark, day_of
from support.month.stepped_daemon import SteppedDaemon

CHANGES = 4
"""Rows that a usual file of the CRM has."""


class Month:
    """
    What happens, step by step, and what people hear of it.

    Args:
        exchange: The connection.
        receiver: Where alerts arrive.
        story: The time.
    """

    def __init__(self, exchange, receiver, story):
        self.people = People()
        self.crm, self.sheet = Crm(self.people), Sheet(self.people)
        self.spark, self.shops = Spark(self.people), Shops(self.people)
        self.keys = Counter()
        self.deleted = set()
        self.heard = []
        self.logged = []
        self.day = 1
        self._exchange, self._receiver, self._story = exchange, receiver, story
        self._daemon = None

    def configure(self):
        """Write the configuration: everything is due at six, the sheet on working days."""
        exchange = self._exchange
        exchange.connection["budget"] = {"data_points": {"day": 4000, "month": 50_000}}
        exchange.notifications = [{"url": "${ALERT_URL}"}]
        jobs = {"crm": self.crm, "kunden": self.sheet, "visits": self.spark, "shops": self.shops}
        exchange.configure(
            **{
                name: sender.job
                | {"schedule": {"cron": f"0 6 * * {'1-5' if name == 'kunden' else '*'}"}}
                for name, sender in jobs.items()
            }
        )

    # Time.

    def at(self, hour, minute=0):
        """Let it be this time of the day, and the daemon do what is due."""
        moment = day_of(self.day) + timedelta(hours=hour, minutes=minute, milliseconds=500)
        self._story.step_to(moment)
        if self._daemon is not None:
            self._daemon.rest(self._story.step)
        self.hear()

    def hear(self):
        """Note what people were told on this day."""
        self.heard += [(self.day, title) for title in sorted(self._receiver.titles())]

    def start(self):
        """Start a daemon."""
        self._daemon = SteppedDaemon(self._exchange)
        self._daemon.until(lambda events: events and self._daemon.told("daemon.started"))

    def stop(self):
        """Stop it; what it said is kept."""
        daemon, self._daemon = self._daemon, None
        if daemon is None:
            return 0
        code = daemon.stop()
        daemon.process.stdout.close()
        daemon.process.stderr.close()
        assert [] == daemon.plain
        self.logged += daemon.events
        return code

    # Senders.

    def drop(self, key, body, count=True):
        """Drop a file, of which it is counted how many versions came, or what is none."""
        self._exchange.drop(key, body)
        if count:
            self.keys[key] += 1

    def crm_hours(self):
        """Draw what the CRM exports in a day: the rows of each file."""
        files = {}
        for hour in range(24):
            rows = self.crm.rows(day_of(self.day) - timedelta(hours=24 - hour), CHANGES)
            files[f"{Crm.folder}{day_of(self.day):%Y-%m-%d}/delta-{hour:02}.ndjson"] = rows
        return files

    def drop_crm(self, files):
        """Drop files of the CRM."""
        for key, rows in files.items():
            self.drop(key, Crm.body(rows))

    def drop_spark(self, day, parts, complete=True):
        """Drop a day of the lake, with its marks if it is complete; returns its keys."""
        files = self.spark.files(day, parts)
        for key, body in files.items():
            self.drop(key, body)
        success, folder = self.spark.marks(day)
        self.drop(folder, "", count=False)
        if complete:
            self.drop(success, "", count=False)
        return files

    def drop_sheet(self, body):
        """Drop a sheet of today."""
        self.drop(f"{Sheet.folder}Kunden {day_of(self.day):%d.%m.%Y}.csv", body)

    def shops_begin(self):
        """Begin the uploads of the shops: under another name, or in a part that grows."""
        uploads = {shop: self.shops.rows(shop) for shop in SHOPS}
        for shop, rows in uploads.items():
            part = Shops.body(rows)[:150]
            if shop % 2:
                self.drop(f"{self.shops.key(shop)}.filepart", part, count=False)
            else:
                self.drop(self.shops.key(shop), part)
        return uploads

    def shops_end(self, uploads):
        """End the uploads of shops."""
        for shop, rows in uploads.items():
            if shop % 2:
                self._exchange.bucket.delete([f"{self.shops.key(shop)}.filepart"])
            self.drop(self.shops.key(shop), Shops.body(rows))
            self.shops.took(rows)

    def delete(self, keys):
        """Delete files."""
        self._exchange.bucket.delete(list(keys))
        self.deleted |= {*keys}

    # The person.

    def decide(self, verb, run, code=0):
        """Approve or discard a run."""
        return self._exchange.ask(verb, str(run), code=code)

    def waiting(self, job):
        """Number the runs of a job that wait."""
        [entry] = [one for one in self._exchange.ask("status")["jobs"] if one["job"] == job]
        return [run["run"] for run in entry["held_back"]]
