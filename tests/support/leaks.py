"""
Searches everything that was written for texts, in every spelling: what the law of secrets needs.

Shares nothing with the program's own redaction, so that neither hides a gap of the other.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

import polars as pl

FORMS = ("plain", "quoted", "base64")


@dataclass(frozen=True)
class Place:
    """Something that was written: a kind such as ``parquet``, a name, and the bytes."""

    kind: str
    name: str
    content: bytes


def spellings(text: str) -> dict[bytes, str]:
    """Spell a text in every way that is searched for: the bytes to find, and the name of it."""
    raw = text.encode()
    plain = {raw, json.dumps(text)[1:-1].encode(), repr(text)[1:-1].encode()}
    quoted = {quote(text, safe="").encode(), quote(text).encode(), quote_plus(text).encode()}
    quoted |= {one.lower() for one in quoted} - {raw}
    found = dict.fromkeys(plain, "plain") | dict.fromkeys(quoted - plain, "quoted")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            # Only the characters that no neighbouring byte has a part in.
            begin = -(-offset * 8 // 6)
            end = (offset + len(raw)) * 8 // 6
            inner = encode(b"\0" * offset + raw)[begin:end]
            found[inner] = f"base64+{offset}"
    return found


def search(places: list[Place], text: str) -> set[tuple[str, str, str]]:
    """Tell where a text stands: kind of place, its name, and the spelling found there."""
    wanted = spellings(text)
    return {
        (place.kind, place.name, form)
        for place in places
        for spelt, form in wanted.items()
        if spelt in place.content
    }


def opened(name: str, content: bytes, kind: str = "object") -> list[Place]:
    """Open what was written, as far down as it goes: gzip, zip and Parquet within each other."""
    places = [Place(kind, name, content)]
    if content.startswith(b"\x1f\x8b"):
        places += opened(f"{name}!gunzipped", gzip.decompress(content), "gzip")
    elif content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                places += opened(f"{name}!{member}", archive.read(member), "zip")
    elif content.startswith(b"BZh"):
        places += opened(f"{name}!unpacked", bz2.decompress(content), "bzip2")
    elif content.startswith(b"PAR1"):
        table = pl.read_parquet(io.BytesIO(content))
        rows = "\n".join(str(value) for row in table.iter_rows() for value in row)
        places.append(Place("parquet", f"{name}!rows", rows.encode()))
    return places
