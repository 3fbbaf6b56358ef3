"""Files and answers damaged in every way: refused in our words, never a crash or a hang."""

from __future__ import annotations

import gzip
import io
import json
import random
import resource
import signal
import struct
import zipfile
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from exchanger.config.models import Source
from exchanger.errors import FileRejected
from exchanger.files.formats.read import read_table
from exchanger.files.scratch.arrow import pa
from exchanger.files.segment_archives import Limits, read_batches
from exchanger.outside.braze import answers
from exchanger.profiles.exported.held_rows import held_form

IN_CI, AT_NIGHT = 300, 10_000
SECONDS = 20.0
"""No input of a few kilobytes takes as long."""
MEGABYTE = 1 << 20
MOST_MEMORY = 400 * MEGABYTE
GIGABYTE = 1 << 30
SOURCE = Source(prefix="inbox/")
LIMITS = Limits()
NOW = datetime(2026, 9, 15, tzinfo=UTC)
EXTREMES = (b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", struct.pack("<I", 1 << 30))
TOKENS = (
    b'"',
    b",",
    b"\n",
    b"\r",
    b"{",
    b"[" * 500,
    b"\\",
    b"\0",
    b"\xff\xfe",
    b"1e999",
    b"9" * 400,
)
SIZES = pytest.mark.parametrize("count", [IN_CI, pytest.param(AT_NIGHT, marks=pytest.mark.nightly)])


@contextmanager
def bounded():
    """Fail if what is inside hangs, or takes more memory than a bounded amount."""

    def hung(*_):
        raise TimeoutError(f"still busy after {SECONDS} s")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    assert taken < MOST_MEMORY, f"{taken // MEGABYTE} MB"


def damage(content, chance, others):
    """Change some bytes: flipped, cut, repeated, made extreme, or spliced from another input."""
    for _ in range(chance.randint(1, 4)):
        if not content:
            return content
        at = chance.randrange(len(content))
        span = chance.randrange(1, 1 + min(64, len(content)))
        deed = chance.randrange(7)
        if deed == 0:
            content = content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
        elif deed == 1:
            content = content[:at] + content[at + span :]
        elif deed == 2:
            content = content[:at] + content[at : at + span] * chance.randint(2, 9) + content[at:]
        elif deed == 3:
            content = content[:at] + chance.choice(EXTREMES) + content[at + 4 :]
        elif deed == 4:
            content = content[:at] + chance.choice(TOKENS) + content[at:]
        elif deed == 5:
            other = chance.choice(others)
            content = content[:at] + other[chance.randrange(len(other)) :]
        else:
            content = content[:at]
    return content


def frame():
    return pl.DataFrame(
        {
            "id": [f"u{n}" for n in range(50)],
            "n": range(50),
            "x": [n / 7 for n in range(50)],
            "price": [Decimal(n) / 100 for n in range(50)],
            "day": [date(2026, 1, 1 + n % 28) for n in range(50)],
            "at": [datetime(2026, 1, 1, n % 24, tzinfo=UTC) for n in range(50)],
            "tags": [["a", "b"] if n % 3 else [] for n in range(50)],
            "more": [{"k": n, "t": str(n)} for n in range(50)],
            "kind": pl.Series([str(n % 3) for n in range(50)], dtype=pl.Categorical),
        }
    )


def parquet(**options):
    body = io.BytesIO()
    frame().write_parquet(body, **options)
    return body.getvalue()


def zipped(content):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.txt", content)
        archive.writestr("2.txt", content)
    return body.getvalue()


def zstd(content):
    return pa.Codec("zstd").compress(content, asbytes=True)


CSV = frame().select("id", "n", "x", "price", "day").write_csv().encode()
NDJSON = frame().select("id", "n", "x", "tags", "more").write_ndjson().encode()
FILES = {
    "a.parquet": parquet(),
    "b.parquet": parquet(compression="uncompressed", row_group_size=10, statistics=False),
    "a.csv": CSV,
    "a.ndjson": NDJSON,
    "a.csv.gz": gzip.compress(CSV),
    "a.ndjson.gz": gzip.compress(NDJSON),
    "a.csv.zst": zstd(CSV),
    "a.parquet.gz": gzip.compress(parquet()),
}
ARCHIVES = {"a.zip": zipped(NDJSON), "a.gz": gzip.compress(NDJSON), "b.zip": zipped(b"\n" * 99)}
PACKERS = {".gz": gzip.compress, ".zst": zstd}


def damaged_file(name, chance):
    """Damage a file as it is; or its content, packed well."""
    packer = next((pack for end, pack in PACKERS.items() if name.endswith(end)), None)
    if packer and chance.random() < 0.5:
        inner = {"csv": CSV, "ndjson": NDJSON, "parquet": FILES["a.parquet"]}[name.split(".")[1]]
        return packer(damage(inner, chance, list(FILES.values())))
    return damage(FILES[name], chance, list(FILES.values()))


@SIZES
def test_a_damaged_file_is_read_or_refused(tmp_path, count):
    """Every damaged Parquet, CSV, NDJSON, gzip or zstd file gives rows or a reason in words."""
    path = tmp_path / "file"
    reasons = []
    for seed in range(count):
        chance = random.Random(seed)
        name = chance.choice(list(FILES))
        path.write_bytes(damaged_file(name, chance))
        try:
            with bounded():
                table = read_table(path, name, SOURCE)
        except FileRejected as error:
            reasons.append((error.reason, error.message))
        except BaseException as error:  # noqa: BLE001 - a panic of native code is no Exception
            pytest.fail(f"seed {seed}, {name}: {type(error).__name__}: {error}")
        else:
            assert table.rows == table.frame.height + table.bad_rows.height
        assert [path] == list(tmp_path.iterdir())
    assert 0 < len(reasons) < count
    assert all(reason and message for reason, message in reasons)


@SIZES
def test_a_damaged_archive_is_read_or_refused(tmp_path, count):
    """Every damaged export archive gives lines or a reason in words."""
    path = tmp_path / "archive"
    refused = 0
    for seed in range(count):
        chance = random.Random(seed)
        name = chance.choice(list(ARCHIVES))
        path.write_bytes(damage(ARCHIVES[name], chance, list(ARCHIVES.values())))
        try:
            with bounded():
                for batch in read_batches(path, name, LIMITS):
                    assert all(isinstance(line, bytes) and line.strip() for line in batch)
        except FileRejected:
            refused += 1
        except BaseException as error:  # noqa: BLE001 - as above
            pytest.fail(f"seed {seed}, {name}: {type(error).__name__}: {error}")
    assert 0 < refused < count


@pytest.fixture(scope="module")
def bombs(tmp_path_factory):
    """Files of a megabyte that hold a gigabyte of nothing."""
    folder = tmp_path_factory.mktemp("bombs")
    nothing = b"\0" * MEGABYTE
    (folder / "bomb.gz").write_bytes(gzip.compress(nothing) * (GIGABYTE // MEGABYTE))
    archive = zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED)
    with archive, archive.open("bomb.txt", "w", force_zip64=True) as file:
        for _ in range(GIGABYTE // MEGABYTE):
            file.write(nothing)
    honest = (folder / "bomb.zip").read_bytes()
    sizes = struct.pack("<Q", GIGABYTE), struct.pack("<I", GIGABYTE)
    lying = honest
    for size in sizes:
        lying = lying.replace(size, size.replace(size[:4], struct.pack("<I", 1000)))
    assert lying != honest
    (folder / "lying.zip").write_bytes(lying)
    return folder


def test_a_bomb_is_refused(bombs):
    """A gigabyte in a megabyte is refused by what it declares or, if it lies, by what comes out."""
    with bounded():
        for name, reasons in {
            "bomb.zip": {"archive_too_large"},
            "bomb.gz": {"archive_too_large"},
            "lying.zip": {"archive_too_large", "damaged_archive"},
        }.items():
            with pytest.raises(FileRejected) as refused:
                for _ in read_batches(bombs / name, name, LIMITS):
                    pass
            assert refused.value.reason in reasons, name
        for key in ("bomb.csv.gz", "bomb.ndjson.gz", "bomb.parquet.gz"):
            with pytest.raises(FileRejected) as refused:
                read_table(bombs / "bomb.gz", key, SOURCE)
            assert "bomb" == refused.value.reason


USERS = [
    {"external_id": "a", "email": "a@example.com", "custom_attributes": {"n": 1.50, "t": ["x"]}},
    {"external_id": "b", "custom_attributes": {"n": 10**30, "when": "2026-09-15T00:00:00Z"}},
]
SAID = {
    "track": {
        "message": "success",
        "attributes_processed": 2,
        "errors": [{"type": "bad", "input_array": "attributes", "index": 1}, "odd"],
    },
    "export": {"message": "success", "object_prefix": "abc", "url": "https://example.com/a.zip"},
    "ids": {"message": "success", "users": USERS, "invalid_user_ids": ["c"]},
    "segments": {"message": "success", "segments": [{"id": "1", "name": "All", "tags": ["t"]}]},
}
ODD = (None, True, 0, -1, 1.5, 10**400, "", "\ud800", "x" * 3000, [], {}, [[]], {"a": None}, [None])
HEADERS = ("Retry-After", "X-RateLimit-Reset", "X-RateLimit-Remaining", "X-Ratelimit-Retry-After")
TOLD = ("", "0", "-1", "nan", "inf", "1e300", "soon", "1790000000", "Wed, 21 Oct 2026 07:28:00 GMT")
READERS = {
    "track": lambda answer: answers.read_track(answer, "attributes"),
    "export": answers.read_export,
    "ids": lambda answer: answers.read_ids(answer, ["a", "b", "c"]),
    "segments": answers.read_segments,
}


def twisted(value, chance):
    """Put something odd in the place of some part of a JSON value."""
    if chance.random() < 0.15:
        return chance.choice(ODD)
    if isinstance(value, dict):
        return {name: twisted(part, chance) for name, part in value.items()}
    if isinstance(value, list):
        return [twisted(part, chance) for part in value] * chance.choice((1, 1, 1, 2))
    return value


def damaged_answer(kind, chance):
    body = json.dumps(twisted(SAID[kind], chance)).encode()
    if chance.random() < 0.4:
        body = damage(body, chance, [json.dumps(said).encode() for said in SAID.values()])
    headers = {name: chance.choice(TOLD) for name in HEADERS if chance.random() < 0.5}
    status = chance.choice((200, 201, 400, 429, 500))
    return answers.Answer(status, headers, body, uncertain=chance.random() < 0.5)


@SIZES
def test_a_damaged_answer_is_read_or_tried_again(count):
    """Whatever Braze answers becomes a result that is what it seems, or a fault to try again."""
    faults = 0
    for seed in range(count):
        chance = random.Random(seed)
        kind = chance.choice(list(SAID))
        answer = damaged_answer(kind, chance)
        try:
            with bounded():
                assert isinstance(answers.message_of(answer), str)
                waits = answers.told_to_wait(answer.headers, NOW)
                assert waits is None or 0 <= waits < float("inf")
                left = answers.remaining(answer.headers)
                assert left is None or 0 <= left < float("inf")
                assert answers.is_told_to_all(answer.headers) in (True, False)
                demand_sound(kind, READERS[kind](answer))
        except answers.Fault:
            faults += 1
        except BaseException as error:  # noqa: BLE001 - as above
            pytest.fail(f"seed {seed}, {kind}: {type(error).__name__}: {error}\n{answer}")
    assert 0 < faults < count


def demand_sound(kind, result):
    """Demand that a result is made of what its type says, and can be used further."""
    if kind == "track" and result is not None:
        assert all(isinstance(at, int) and at >= 0 for at in result.refused)
        assert all(isinstance(text, str) for text in (*result.refused.values(), *result.warnings))
        [text.encode() for text in (*result.refused.values(), *result.warnings)]
    if kind == "export":
        assert isinstance(result.object_prefix, str)
        assert isinstance(result.url, str | None)
    if kind == "ids":
        assert all(isinstance(user.get("external_id"), str | None) for user in result.users)
        found = [user for user in result.users if user.get("external_id") in ("a", "b")]
        unique = {user["external_id"]: user for user in found}
        held = held_form(unique, ["c"], ["email", "n", "t"])
        assert len(unique) + 1 == held.height
    if kind == "segments":
        assert all(isinstance(part, str) for one in result for part in (one.id, one.name))
