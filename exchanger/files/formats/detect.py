"""Which format and compression a file has: by its name, and by its first bytes."""

from __future__ import annotations

import codecs
import re
import zlib
from typing import Literal

from exchanger.errors import FileRejected
from exchanger.files.raw.compression import Compression
from exchanger.files.raw.snappy import may_be_snappy

Kind = Literal["parquet", "csv", "ndjson"]
Wanted = Literal["auto", "parquet", "csv", "ndjson"]

HEAD = 4_096
"""Bytes from a file's beginning that telling its format needs."""
PARQUET_MAGIC = b"PAR1"
BOM = b"\xef\xbb\xbf"

_JSON_OBJECT = re.compile(rb"(?:\xef\xbb\xbf|\s)*(?:\[\s*)?\{")
"""How JSON begins, a list of objects too: what reads it says that it cannot be one."""
_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_COMPRESSED_NAMES: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}
_PACKINGS = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x04\x22\x4d\x18": "lz4",
    b"\xff\x06\0\0sNaPpY": "snappy",
    b"\x78\x01": "zlib",
    b"\x78\x5e": "zlib",
    b"\x78\x9c": "zlib",
    b"\x78\xda": "zlib",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x1f\x9d": "compress (.Z)",
}
"""How what is packed otherwise begins."""
_TAR_AT = 257
_SNAPPY = ".snappy"
_WIDE_TEXT = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")
"""What no text of one byte a sign has; the end of text of DOS, and escape, may stand in some."""
_EITHER = (
    "The name says that the file is packed as snappy, and so short a content may be that or plain "
    "text. If it is not packed, drop it under a name without .snappy; if it is, unpack it, or pack "
    "it with gzip or zstd."
)
_NAMES: dict[str, Kind] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
}


def detect_compression(key: str, head: bytes) -> Compression:
    """
    Return how a file is compressed.

    The content decides. The name alone (``.gz``, ``.zst``) counts when the content is no text
    either, so that a damaged file is called damaged and not misread; text that was already
    unpacked on its way is read as it is.

    Args:
        key: The file's key or name.
        head: Its first ``HEAD`` bytes.

    Raises:
        FileRejected: ``packed``: as something that is not read; ``zip``: a ZIP archive; or
            ``old_workbook``: Excel's, of before 2007, or with a password.
    """
    for magic, compression in _MAGIC.items():
        if head.startswith(magic):
            return compression
    if head.startswith(b"PK\x03\x04"):
        message = (
            "This is a ZIP archive, and none that Excel writes as .xlsx. Drop the files that are in"
            " it; save a workbook as .xlsx or as CSV (UTF-8)."
        )
        raise FileRejected(key, "zip", message)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        message = (
            "This is a workbook of an old Excel (.xls), or one with a password. Save it without a"
            " password as .xlsx, or as CSV (UTF-8)."
        )
        raise FileRejected(key, "old_workbook", message)
    packing = _other_packing(key, head)
    if packing:
        message = (
            f"The file is packed as {packing}, which is not read. Pack it with gzip or zstd, or "
            "drop it as it is."
        )
        raise FileRejected(key, "packed", message)
    packed = next((c for end, c in _COMPRESSED_NAMES.items() if key.lower().endswith(end)), None)
    if packed and not head.startswith(PARQUET_MAGIC) and not _looks_like_text(head):
        return packed
    return "none"


def _other_packing(key: str, head: bytes) -> str:
    """
    Name how a file is packed that is not read; empty if it is not.

    Raises:
        FileRejected: ``packed``: its name says so, and its content may be text as well.
    """
    named = key.lower().endswith(_SNAPPY)
    snappy = may_be_snappy(head, whole=len(head) < HEAD)
    if _is_text(head):
        if named and snappy and not _CONTROLS.search(head):
            raise FileRejected(key, "packed", _EITHER)
        return "snappy" if named and snappy else ""
    if head[_TAR_AT:].startswith(b"ustar"):
        return "tar"
    found = next((name for magic, name in _PACKINGS.items() if head.startswith(magic)), "")
    if found == "zlib" and not _inflates(head):
        found = ""
    if found or head.startswith(PARQUET_MAGIC) or _looks_like_text(head):
        return found
    return "snappy" if named or (snappy and len(head) < HEAD) else ""


def _inflates(head: bytes) -> bool:
    """Return whether bytes are the beginning of what zlib packs, and no text that begins alike."""
    try:
        zlib.decompressobj().decompress(head)
    except zlib.error:
        return False
    return True


def without_packing(key: str) -> str:
    """Return a name without what tells one packing."""
    end = next((end for end in _COMPRESSED_NAMES if key.lower().endswith(end)), "")
    return key[: len(key) - len(end)]


def detect_kind(key: str, head: bytes, wanted: Wanted) -> Kind:
    """
    Return which format the uncompressed content has.

    Args:
        key: The file's key or name; ``.gz`` and ``.zst`` at its end are passed over.
        head: The first ``HEAD`` bytes of the uncompressed content.
        wanted: The configured format, which is believed unless it is ``auto``.
    """
    if wanted != "auto":
        return wanted
    if head.startswith(PARQUET_MAGIC):
        return "parquet"
    name = key.lower()
    for end in _COMPRESSED_NAMES:
        name = name.removesuffix(end)
    for end, kind in _NAMES.items():
        if name.endswith(end):
            return kind
    return "ndjson" if _JSON_OBJECT.match(head) else "csv"


def _looks_like_text(head: bytes) -> bool:
    """Return whether bytes are text in some encoding, which what is packed never looks like."""
    return _is_text(head) or head.startswith(_WIDE_TEXT) or not _CONTROLS.search(head)


def _is_text(head: bytes) -> bool:
    """Return whether bytes can be the beginning of UTF-8 text; a cut last character is fine."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return 0 not in head and error.reason == "unexpected end of data"
    return 0 not in head
