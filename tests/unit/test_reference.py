"""The pages about commands and configuration tell what the code has."""

import re
import sys
from pathlib import Path

import pytest

from exchanger.config.loading.document import read_document
from exchanger.config.loading.load import read_config

ROOT = Path(__file__).resolve().parents[2]
IMPORT = {"type": "import", "source": {"prefix": "in"}, "match": {"external_id": "id"}}
EXPORT = {"type": "export", "segment": "A", "target": {"prefix": "out"}}
CONNECTION = {
    "braze": {"endpoint": "iad-01", "api_key": "${K}"},
    "s3": {"bucket": "acme", "state_prefix": "state/"},
}


@pytest.fixture
def pages(monkeypatch):
    """What scripts/reference is made of; other tests may have a module of that name."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import pages

    yield pages
    for name in [name for name in sys.modules if name.partition(".")[0] == "pages"]:
        del sys.modules[name]


def test_both_pages_are_what_the_code_tells(pages):
    """Whoever changes a verb, an option or a key writes the pages anew."""
    for page, text in pages.written().items():
        assert page.read_text(encoding="utf-8") == text, f"{page.name}: run scripts/reference"
        assert text.count(pages.MARK) == 1


def test_every_option_has_words(pages):
    """No argument and no option of a verb lacks what it means."""
    told = pages.commands.told()
    assert [] == re.findall(r"^\| `(?:\\\||[^|])*` \|  \|.*", told, re.MULTILINE)
    assert told.count("| `--config PATH` | ") > 10


def _read(pair, of_export):
    """Read a configuration in which a part is written so."""
    job = dict(EXPORT if of_export else IMPORT)
    connection = {part: dict(content) for part, content in CONNECTION.items()}
    [(key, value)] = read_document(pair).content.items()
    if key == "braze":
        connection["braze"] |= value
    elif key in ("match", "remaining_fields", "source"):
        job[key] = value
    else:
        job["fields"] = {key: value}
    if "fields" not in job and "remaining_fields" not in job:
        job["fields"] = {"a": {"from": "a"}}
    content = {"connections": {"main": connection}, "jobs": {"crm": job}}
    return read_config(repr(content), {"K": "k"})


def test_short_spellings_stand_for_what_is_said(pages):
    """Each short spelling of the page means the same as the long one beside it."""
    spellings = pages.configuration.SHORT
    for short, full in spellings:
        of_export = (short, full) == spellings[-1]
        assert _read(short, of_export) == _read(full, of_export), short
