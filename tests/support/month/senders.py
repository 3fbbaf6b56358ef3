"""
Four kinds of programs that drop files, each in its own ways, and what their files mean.

What must be in Braze is told row by row, by plain Python, from the rows that were written.
"""

from __future__ import annotations

import io
import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import polars as pl

START = datetime(2030, 9, 1, tzinfo=UTC)
"""A Sunday."""
CUSTOMERS = [f"{number:05}" for number in range(300)]
TIERS = ("basic", "silver", "gold")
TAGS = ("golf", "tea", "jazz", "chess", "yoga")
TOWNS = ("Köln", "Münster", "Genève", "Orléans", "Nîmes", "Málaga")
SHOPS = range(8)


def day_of(day):
    """Return midnight of a day of the month, which begins with 1."""
    return START + timedelta(days=day - 1)


class People:
    """What Braze must have of everybody, as JSON texts."""

    def __init__(self):
        self._people = {}

    def has(self, who, name, value):
        """Let an attribute be a value."""
        self._people.setdefault(who, {})[name] = value

    def get(self, who, name, default):
        """Return an attribute as it is."""
        return self._people.get(who, {}).get(name, default)

    def told(self):
        """Return everybody's attributes, spelled as Braze does."""
        return {
            who: {name: _spelled(value) for name, value in attributes.items()}
            for who, attributes in self._people.items()
        }


def _spelled(value):
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return f'"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"'
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Crm:
    """Exports of a CRM: what changed in an hour, a JSON object for each customer."""

    folder = "inbox/crm/"
    job: ClassVar = {
        "type": "import",
        "description": "Changes of the CRM",
        "source": {"prefix": folder, "order_by": "updated_at"},
        "match": [{"external_id": "customer_id"}],
        "fields": {
            "tier": "set",
            "lifetime_value": {
                "from": "order_total", "merge": "sum", "type": "decimal", "scale": 2
            },
            "orders": {"merge": "sum", "type": "integer"},
            "interests": {"from": "tags", "merge": "add", "items": "string"},
            "last_order_at": {"from": "updated_at", "merge": "highest", "type": "datetime"},
        },
        "guards": {"max_data_points": 1000},
        "expect": {"every": "26h"},
    }  # fmt: skip

    def __init__(self, people, seed=1):
        self._people = people
        self._random = random.Random(seed)
        self._newest = {}

    def rows(self, began, count):
        """Draw changes, one a second."""
        drawn = []
        for nth in range(count):
            cents = self._random.randrange(100, 99_900)
            row = {
                "customer_id": self._random.choice(CUSTOMERS),
                "order_total": cents / 100,
                "orders": self._random.randint(1, 3),
                "tags": self._random.sample(TAGS, 2),
                "updated_at": (began + timedelta(seconds=nth)).isoformat(),
            }
            if nth % 2:
                row["tier"] = self._random.choice(TIERS)
            drawn.append(row)
        return drawn

    @staticmethod
    def body(rows):
        """Write them as a file."""
        return "".join(f"{json.dumps(row)}\n" for row in rows)

    def took(self, rows):
        """Let rows count."""
        people = self._people
        for row in rows:
            who, at = row["customer_id"], datetime.fromisoformat(row["updated_at"])
            total = people.get(who, "lifetime_value", Decimal(0))
            people.has(who, "lifetime_value", total + Decimal(str(row["order_total"])))
            people.has(who, "orders", people.get(who, "orders", 0) + row["orders"])
            tags = people.get(who, "interests", [])
            people.has(who, "interests", [*tags, *(tag for tag in row["tags"] if tag not in tags)])
            people.has(who, "last_order_at", max(at, people.get(who, "last_order_at", at)))
            if "tier" in row and at >= self._newest.get(who, at):
                self._newest[who] = at
                people.has(who, "tier", row["tier"])


class Sheet:
    """What somebody saves from a spreadsheet on working days, in the ways of Western Europe."""

    folder = "inbox/kunden/"
    columns = ("Kunden-Nr", "Ort", "Punkte", "Kunde seit")
    job: ClassVar = {
        "type": "import",
        "description": "The list of the shop manager",
        "source": {
            "prefix": folder,
            "csv": {"encoding": "windows-1252", "decimal": ",", "dates": "%d/%m/%Y"},
            "schema": {"missing": "quarantine", "new": "note", "retyped": "reject_rows"},
        },
        "match": [{"external_id": "Kunden-Nr"}],
        "fields": {
            "city": {"from": "Ort"},
            "bonus": {"from": "Punkte", "type": "decimal", "scale": 1},
            "member_since": {"from": "Kunde seit", "type": "date"},
        },
        "expect": {"every": "6d"},
    }

    def __init__(self, people, seed=2):
        self._people = people
        self._random = random.Random(seed)

    def rows(self):
        """Draw 25 customers."""
        drawn = self._random.sample(CUSTOMERS, 25)
        return [
            {
                "who": who,
                "city": self._random.choice(TOWNS),
                "bonus": Decimal(self._random.randrange(10_000)) / 10,
                "since": START - timedelta(days=self._random.randrange(40, 4_000)),
            }
            for who in drawn
        ]

    def body(self, rows, columns=columns, more="", encoding="windows-1252"):
        """Write them as a file: a hint, a comma in numbers, days first, and rows left behind."""
        lines = ["sep=;", ";".join(columns) + more]
        for row in rows:
            bonus = str(row["bonus"]).replace(".", ",")
            cells = (row["who"], row["city"], bonus, f"{row['since']:%d/%m/%Y}")
            lines.append(";".join(cells) + (";x" if more else ""))
        blank = ";" * (len(columns) - 1 + bool(more))
        return "\r\n".join([*lines, blank, blank, blank, ""]).encode(encoding)

    def took(self, rows):
        """Let rows count."""
        for row in rows:
            self._people.has(row["who"], "city", row["city"])
            self._people.has(row["who"], "bonus", row["bonus"])
            self._people.has(row["who"], "member_since", row["since"])


class Spark:
    """A job that writes a folder for each day, of many parts, of which some are empty."""

    folder = "lake/visits/"
    parts = 20
    job: ClassVar = {
        "type": "import",
        "description": "Visits from the lake",
        "source": {"prefix": folder, "complete_when": {"marker": "_SUCCESS"}},
        "match": [{"external_id": "customer_id"}],
        "fields": {
            "visits": {"merge": "sum"},
            "seconds": {"merge": "sum"},
            "seen_at": {"merge": "highest"},
        },
        "guards": {"empty_file": "hold"},
        "expect": {"every": "26h"},
    }

    def __init__(self, people, seed=3):
        self._people = people
        self._random = random.Random(seed)

    def rows(self, day):
        """Draw the visits of a day, a list for each part."""
        return [
            [
                {
                    "customer_id": self._random.choice(CUSTOMERS),
                    "visits": self._random.randint(1, 9),
                    "seconds": self._random.randrange(5_000),
                    "seen_at": day_of(day) - timedelta(seconds=self._random.randrange(86_400)),
                }
                for _ in range(self._random.randint(1, 5) if part % 7 != 3 else 0)
            ]
            for part in range(self.parts)
        ]

    def files(self, day, parts):
        """Write them: the key of each part, and its content."""
        nonce = f"{self._random.getrandbits(64):016x}"
        folder = f"{self.folder}dt={day_of(day):%Y-%m-%d}/"
        schema = {
            "customer_id": pl.String,
            "visits": pl.Int32,
            "seconds": pl.Int64,
            "seen_at": pl.Datetime("us", "UTC"),
        }
        files = {}
        for number, rows in enumerate(parts):
            body = io.BytesIO()
            pl.DataFrame(rows, schema=schema).write_parquet(body, compression="snappy")
            files[f"{folder}part-{number:05}-{nonce}.c000.snappy.parquet"] = body.getvalue()
        return files

    def marks(self, day):
        """Name the objects that say that a day is complete, and that there is a folder."""
        folder = f"{self.folder}dt={day_of(day):%Y-%m-%d}"
        return f"{folder}/_SUCCESS", f"{folder}_$folder$"

    def took(self, parts):
        """Let rows count."""
        people = self._people
        for row in (row for rows in parts for row in rows):
            who = row["customer_id"]
            for name in ("visits", "seconds"):
                people.has(who, name, people.get(who, name, 0) + row[name])
            seen = people.get(who, "seen_at", row["seen_at"])
            people.has(who, "seen_at", max(seen, row["seen_at"]))


class Shops:
    """Tills that upload by SFTP: always the same names, which grow while they are written."""

    folder = "inbox/shops/"
    job: ClassVar = {
        "type": "import",
        "description": "Balances of the tills",
        "source": {"prefix": folder, "complete_when": {"settled": "10m"}},
        "match": [{"external_id": "customer_id"}],
        "fields": {"balance": {"merge": "set"}, "till": {"merge": "set"}},
        "expect": {"every": "26h"},
    }

    def __init__(self, people, seed=4):
        self._people = people
        self._random = random.Random(seed)

    def key(self, shop):
        """Return the name of a shop's file."""
        return f"{self.folder}shop-{shop:02}.csv"

    def rows(self, shop):
        """Draw the balances of a dozen customers of a shop."""
        mine = CUSTOMERS[shop :: len(SHOPS)]
        return [
            (who, self._random.randrange(-500, 5_000), f"T{shop}{self._random.randint(1, 4)}")
            for who in self._random.sample(mine, 12)
        ]

    @staticmethod
    def body(rows):
        """Write them as a file."""
        lines = [f"{who},{balance},{till}" for who, balance, till in rows]
        return "\n".join(["customer_id,balance,till", *lines, ""])

    def took(self, rows):
        """Let rows count."""
        for who, balance, till in rows:
            self._people.has(who, "balance", balance)
            self._people.has(who, "till", till)
