"""Archives of segment exports."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from exchanger.errors import FileRejected
from exchanger.files.segment_archives import Limits, read_batches

LINES = [b'{"n":%d}' % n for n in range(10)]


def zipped(*members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, member in enumerate(members):
            archive.writestr(f"{index}.json", member)
    return buffer.getvalue()


def read(tmp_path, body: bytes, limits: Limits | None = None):
    path = tmp_path / "archive"
    path.write_bytes(body)
    return list(read_batches(path, "key", limits or Limits()))


@pytest.mark.parametrize(
    "body",
    [
        zipped(b"\n".join(LINES)),
        zipped(b"\n".join(LINES[:4]) + b"\n", b"", b"\n".join(LINES[4:])),
        gzip.compress(b"\n".join(LINES) + b"\n\n"),
        gzip.compress(b"\n".join(LINES[:5]) + b"\n") + gzip.compress(b"\n".join(LINES[5:])),
    ],
    ids=["zip", "zip of several", "gzip", "gzip of several"],
)
def test_lines_of_all_members_in_order(tmp_path, body):
    """ZIP and gzip give their lines, in order, whatever the number of members."""
    assert [LINES] == read(tmp_path, body)


def test_batches_are_bounded_by_lines_and_bytes(tmp_path):
    """No batch has more lines than allowed, nor much more bytes."""
    body = zipped(b"\n".join(LINES))
    assert [4, 4, 2] == [len(batch) for batch in read(tmp_path, body, Limits(lines=4))]
    assert [2] * 5 == [len(batch) for batch in read(tmp_path, body, Limits(size=14))]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_an_archive"),
        (b'{"n":1}\n', "not_an_archive"),
        (gzip.compress(b"\n".join(LINES * 100))[:-20], "damaged_archive"),
        (gzip.compress(b"x")[:-4] + b"1234", "damaged_archive"),
        (zipped(b"x" * 100)[:60], "not_an_archive"),
        (zipped(b"\0" * 50_000_000), "archive_too_large"),
        (gzip.compress(b"\0" * 50_000_000), "archive_too_large"),
    ],
    ids=["empty", "plain", "cut gzip", "bad checksum", "cut zip", "zip bomb", "gzip bomb"],
)
def test_what_cannot_be_read_is_named(tmp_path, body, reason):
    """Damage and bombs are refused with a reason, and no line is made up."""
    with pytest.raises(FileRejected) as caught:
        read(tmp_path, body)
    assert (reason, "key") == (caught.value.reason, caught.value.key)


def test_a_flipped_byte_in_a_zip_is_noticed(tmp_path):
    """The checksum of a member is verified."""
    body = bytearray(zipped(bytes(range(256)) * 4))
    body[60] ^= 0xFF
    with pytest.raises(FileRejected):
        read(tmp_path, bytes(body))
