"""The examples of docs/coming-from.md: of each row the text, and what stands in a configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

PAGE = Path(__file__).parents[2] / "docs" / "coming-from.md"
BASE = {
    "type": "import",
    "source": {"prefix": "inbox/crm/"},
    "match": {"external_id": "id"},
    "fields": {"tier": "set"},
}
BRAZE = {"endpoint": "iad-01", "api_key": "${BRAZE_API_KEY}"}
COHORT_KEYS = {"PARTNER_KEY": "partner-key", "DATA_IMPORT_KEY": "import-key"}
"""Of the partner of the examples, whom Braze gave a key."""
STORE = {"bucket": "exchange", "region": "us-east-1"}


@dataclass(frozen=True)
class Row:
    """A row of the page: the system, what it has, what is said here, and the example."""

    system: str
    there: str
    here: str
    example: str

    @property
    def is_command(self) -> bool:
        """Whether it is a line to type."""
        return self.example.startswith("exchanger ")

    @property
    def keys(self) -> dict:
        """The keys of a configuration that it is."""
        return {} if self.is_command or not self.example else read(self.example)

    def configured(self, name: str, **group) -> dict:
        """The whole configuration, with the job of that name."""
        keys = self.keys
        main = keys.pop("connections", {}).get("main", {})
        told = {name: keys.pop(name) for name in ("notifications",) if name in keys}
        job = keys if keys.get("type") == "export" else _import(keys)
        if group:
            job = YAML(typ="safe").load(_text(job).replace("GROUP_ID", group["group"]))
        connection = {"braze": BRAZE | main.get("braze", {}), "s3": STORE | main.get("s3", {})}
        rest = {key: value for key, value in main.items() if key not in connection}
        return {"connections": {"main": connection | rest}, "jobs": {name: job}} | told


def rows() -> list[Row]:
    """List all rows of the page, in order."""
    found, system = [], ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            system = line.removeprefix("## ")
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| ") and not line.startswith(("| ---", "| in ")):
            example = re.fullmatch(r"`(.*)`", cells[2]) if len(cells) == 3 else None
            told = cells[2] if len(cells) == 3 and cells[2].strip("| ") else ""
            assert not told or example, f"not an example: {line}"
            found.append(Row(system, cells[0], cells[1], example[1] if example else ""))
    return found


def read(example: str) -> dict:
    """Read keys that stand in one line."""
    return YAML(typ="safe").load("{" + example + "}")


def _import(keys: dict) -> dict:
    base = dict(BASE)
    if "object" in keys or "remaining_fields" in keys:
        del base["fields"]
    job = base | keys
    if job["match"] == []:
        del job["match"]
    return job


def _text(content: dict) -> str:
    from io import StringIO

    out = StringIO()
    YAML(typ="safe").dump(content, out)
    return out.getvalue()
