"""What objects say of files that are complete."""

from __future__ import annotations

import pytest

from exchanger.config.models import CompleteWhen
from exchanger.files.signs import (
    Entry,
    ManifestFault,
    empty_parts,
    folders_around,
    is_sign,
    key_of,
    read_manifest,
)

MARKER = CompleteWhen(marker="_SUCCESS")
SUFFIX = CompleteWhen(suffix=".done")
MANIFEST = CompleteWhen(manifest="*.manifest.json")
SETTLED = CompleteWhen.model_validate({"settled": "30s"})


@pytest.mark.parametrize(
    ("rule", "key", "sign"),
    [
        (MARKER, "in/_SUCCESS", True),
        (MARKER, "in/day/_SUCCESS", True),
        (MARKER, "in/a_SUCCESS", False),
        (MARKER, "in/_success", False),
        (MARKER, "out/_SUCCESS", False),
        (SUFFIX, "in/a.csv.done", True),
        (SUFFIX, "in/.done", False),
        (SUFFIX, "in/a.csv", False),
        (MANIFEST, "in/a.manifest.json", True),
        (MANIFEST, "in/day/a.manifest.json", True),
        (MANIFEST, "in/a.json", False),
        (CompleteWhen(manifest="lists/*.txt"), "in/lists/a.txt", True),
        (CompleteWhen(manifest="lists/*.txt"), "in/day/lists/a.txt", False),
        (SETTLED, "in/_SUCCESS", False),
        (None, "in/_SUCCESS", False),
    ],
)
def test_what_is_a_sign(rule, key, sign):
    """Names count in each folder; a pattern with a slash is one of the path below the prefix."""
    assert sign == is_sign(key, "in/", rule)


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        (MARKER, {"in/1/b", "in/3/b"}),
        (MANIFEST, {"in/1/b", "in/3/b"}),
        (SUFFIX, set()),
        (SETTLED, set()),
        (None, set()),
    ],
)
def test_what_is_an_empty_part_of_a_delivery_with_rows(rule, parts):
    """Of files that are complete together; a folder in which all are empty is no such delivery."""
    files = [("in/1/a", 3), ("in/1/b", 0), ("in/2/a", 0), ("in/2/b", 0), ("in/c", 0)]
    files += [("in/3/a", None), ("in/3/b", 0)]
    assert parts == empty_parts(files, rule)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('{"files": ["a.csv", "day/b.csv"]}', ["a.csv", "day/b.csv"]),
        ('["a.csv"]', ["a.csv"]),
        ("a.csv\r\n\r\n# of today\n b.csv \n", ["a.csv", "b.csv"]),
        ("\ufeffa.csv\n", ["a.csv"]),
        ('{"entries": [{"url": "s3://b/in/a.csv", "mandatory": true}]}', ["s3://b/in/a.csv"]),
        (
            '{"entries": [{"url": "s3://b/a", "mandatory": false}, {"url": "s3://b/c"}]}',
            ["s3://b/a", "s3://b/c"],
        ),
    ],
)
def test_a_manifest_names_files(body, names):
    """As a list, a line each, or as Redshift writes it, where files may be missing."""
    assert names == [entry.name for entry in read_manifest(body.encode())]


def test_redshift_tells_bytes():
    """UNLOAD with MANIFEST VERBOSE says how long each file is."""
    body = b'{"entries": [{"url": "s3://b/a", "meta": {"content_length": 12}}]}'
    assert [Entry("s3://b/a", 12)] == read_manifest(body)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "names no file"),
        (b"\n \n", "names no file"),
        (b'{"files": []}', "names no file"),
        (b'{"files": "a.csv"}', "neither"),
        (b'{"files": [1]}', "neither"),
        (b'{"entries": [{"key": "a"}]}', "url"),
        (b'{"entries": [{"url": "s3://b/"}]}', "names no object"),
        (b'{"files": ["a.csv"', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_what_is_no_manifest_says_why(body, why):
    """Files that it was to name wait, and the reason is told."""
    with pytest.raises(ManifestFault, match=why):
        read_manifest(body)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("a.csv", "in/day/a.csv"),
        ("./a.csv", "in/day/a.csv"),
        ("sub/a.csv", "in/day/sub/a.csv"),
        ("in/day/a.csv", "in/day/a.csv"),
        ("/in/day/a.csv", "in/day/a.csv"),
        ("in/both.csv", "in/day/in/both.csv"),
        ("s3://bucket/in/a.csv", "in/a.csv"),
        ("s3a://bucket/in/a.csv", "in/a.csv"),
        ("s3://other/in/a.csv", None),
    ],
)
def test_which_object_a_name_means(name, key):
    """Relative to the manifest's folder, unless it is a whole key or an address."""
    assert key == key_of(name, "in/day/", "in/", "bucket", {"in/day/in/both.csv"})


def test_the_folders_around_a_file():
    """Those within the prefix, the nearest first."""
    assert ["in/a/b/", "in/a/", "in/"] == [*folders_around("in/a/b/c.csv", "in/")]
    assert ["in/"] == [*folders_around("in/c.csv", "in/")]
    assert ["a/", ""] == [*folders_around("a/c.csv", "")]
