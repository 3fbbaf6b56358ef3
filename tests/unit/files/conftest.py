"""Ways of reading files."""

import pytest

from exchanger.files.formats.csv import read as csv_text


@pytest.fixture(params=["quick", "exact"])
def csv_reader(request, monkeypatch):
    """One of the two readers of CSV, which must agree: the quick one, or the exact one alone."""
    if request.param == "exact":
        monkeypatch.setattr(csv_text, "_read_quickly", lambda *_: False)
