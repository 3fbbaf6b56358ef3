"""Files that are no CSV though their names say so: pages, documents and messages of errors."""

from __future__ import annotations

import re
from pathlib import Path

from exchanger.errors import FileRejected

_JSON = re.compile(r'\s*(?:\[\s*)?\{\s*"(?:[^"\\]|\\.)*"\s*:')
"""How JSON begins, and no header."""
_NO_JSON = (
    "The file begins like JSON, and its name, or 'format' of the job's source, says CSV. Drop it "
    "under a name that ends with .ndjson, one object on each line, or correct the format."
)
_OTHERS = {
    rb"<!doctype html|<html|<head|<body|<table|<meta": "The file is a web page (HTML), as portals "
    "and old systems save it for Excel, or in place of what was to be downloaded. Open it in Excel,"
    " save it as .xlsx or as CSV (UTF-8), and drop that.",
    rb"<\?xml": "The file is XML: a workbook that was saved so, or the error that a download ended "
    "with. If it is a table, save it as .xlsx or as CSV (UTF-8), and drop that.",
    rb"%pdf-": "The file is a PDF document. Drop the table that it was made of.",
    rb"\{\\rtf": "The file is a document of a word processor (RTF). Save it as plain text.",
    rb"-----begin pgp message": "The file is encrypted with PGP. Decrypt it, and drop it again.",
    rb"version https://git-lfs": "The file is a pointer of Git LFS and not what it stands for. Run "
    "git lfs pull, and drop it again.",
}
"""How the content begins, in lower case, and what is told of it."""
_HEAD = 512


def refuse_others(path: Path, key: str) -> None:
    """
    Refuse a file that is no table of text, by how it begins.

    Raises:
        FileRejected: ``not_csv``.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for begins, message in _OTHERS.items():
        if re.match(begins, head):
            raise FileRejected(key, "not_csv", message)


def refuse_json(header: str, key: str) -> None:
    """
    Refuse a file whose header is JSON.

    Raises:
        FileRejected: ``not_csv``.
    """
    if _JSON.match(header):
        raise FileRejected(key, "not_csv", _NO_JSON)
