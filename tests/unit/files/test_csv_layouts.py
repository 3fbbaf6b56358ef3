"""How CSV is written: encodings and delimiters that are told from a file, as decision tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchanger.config.models import Source
from exchanger.errors import FileRejected
from exchanger.files.formats.read import RawTable, read_table


def read(folder: Path, content: bytes, kept: dict[str, str] | None = None, **csv: str) -> RawTable:
    path = folder / "download"
    path.write_bytes(content)
    return read_table(path, "a.csv", Source(prefix="in/", csv=csv), kept=kept)


GERMAN = "id,name\n1,Jürgen Groß\n2,Café “Ädele” • 5 €\n"
EDITORS = "id,note\n1,it\u2019s “fine”\n"
POLISH = "id,name\n1,Łukasz Żółkiewski\n2,Wałęsa\n"
CZECH = "id,name\n" + "".join(f"{i},Jiří Dvořák z Plzně\n" for i in range(20))
RUSSIAN = "id,name\n1,Иван\n"
LONG = "id,name\n" + "".join(f"{i},Hélène Lefèvre\n" for i in range(40))
WESTERN = [
    "Müller", "Zoë", "José Málaga", "Søren", "François", "Núñez Peña", "Århus", "MÜLLER", "João",
    "Hélène Lefèvre", "Brontë", "naïve café", "Königsallee", "Þóra", "Göteborg",
    "Zoé™", "«été»", "„Zoé“ sagt", "L\u2019HAŸ-les-Roses", "été \u2013 \u2039hiver\u203a",
]  # fmt: skip
ENCODINGS = [
    # what the text is, as what it was written, what earlier files had -> what it is read as
    (GERMAN, "utf-8", None, "utf-8"),
    (GERMAN, "utf-8-sig", None, "utf-8"),
    (GERMAN, "utf-16", None, "utf-16"),
    (GERMAN, "utf-16-le", None, "utf-16-le"),
    (GERMAN, "utf-16-be", None, "utf-16-be"),
    (GERMAN, "utf-32", None, "utf-32"),
    (GERMAN, "windows-1252", None, "windows-1252"),
    (GERMAN, "windows-1252", "windows-1252", "windows-1252"),
    (GERMAN, "windows-1252", "utf-16", "windows-1252"),
    (GERMAN, "utf-8", "windows-1252", "utf-8"),
    (EDITORS, "windows-1252", None, "windows-1252"),
    (LONG, "windows-1252", None, "windows-1252"),
    ("id,n\n1,MÜLLER\n2,Århus\n3,créée\n4,Þóra Sæþórsdóttir\n", "cp1252", None, "windows-1252"),
    ("id,n\n1,5 m³\n2,½ l\n3,20 °C\n4,£5 §7 «x»\n", "cp1252", None, "windows-1252"),
    *((f"id,n\n1,{name}\n", "cp1252", None, "windows-1252") for name in WESTERN),
    ("id,name\n1,Ada\n", "utf-8", None, None),
    ("id,name\n1,Ada\n", "utf-8", "windows-1252", None),
]


@pytest.mark.parametrize(("text", "written", "kept", "encoding"), ENCODINGS)
def test_the_encoding_is_told_from_the_file(tmp_path, text, written, kept, encoding):
    """Text comes back as it was, and what proved its encoding is shown, to be kept."""
    table = read(tmp_path, text.encode(written), {"encoding": kept} if kept else None)
    rows = [tuple(line.split(",")) for line in text.splitlines()[1:]]
    assert rows == table.frame.drop("@row").rows()
    assert encoding == table.layout.get("encoding")
    told = encoding is not None and (encoding, kept) != ("utf-8", None)
    assert (encoding if told else "") == (table.read_as.encoding if table.read_as else "")


REFUSED = [
    # bytes, what earlier files had -> why it is not read
    (POLISH.encode("cp1250"), None, "unknown_encoding"),
    (CZECH.encode("cp1250"), None, "unknown_encoding"),
    ("id,n\n1,Dvořák\n".encode("cp1250"), None, "unknown_encoding"),
    ("id,n\n1,Erdős Pál\n".encode("cp1250"), None, "unknown_encoding"),
    (RUSSIAN.encode("cp1251"), None, "unknown_encoding"),
    ("id,n\n1,Γιώργος\n".encode("cp1253"), None, "unknown_encoding"),
    ("id,n\n1,Hélène Müller\n".encode("mac-roman"), None, "unknown_encoding"),
    ("id,n\n1,Hélène\n".encode("cp850"), None, "unknown_encoding"),
    *((f"id,n\n1,{name}\n".encode("mac-roman"), None, "unknown_encoding")
      for name in ("Café Noël", "José", "Zürich", "João", "Benoît", "Côte", "Håkan")),
    *((f"id,n\n1,{name}\n".encode("cp850"), None, "unknown_encoding")
      for name in ("Zoé", "Chloé Dupré", "Jörg", "Côte", "naïve", "Bjørn")),
    ("id,n\n1,5 €\n".encode("iso8859-15"), None, "unknown_encoding"),
    ("id,n\n1,山田太郎\n".encode("shift_jis"), None, "unknown_encoding"),
    (
        "id,n\n1,İstanbul Şişli Doğan \u0131\u015f\u0131k\n".encode("cp1254"),
        None,
        "unknown_encoding",
    ),
    # Damaged, or cut short within a sign.
    ("id,n\n1,Jürgen\n2,Groß\n".encode() + b"3,\xff\n", None, "invalid_utf8"),
    ("id,n\n1,é".encode()[:-1], None, "invalid_utf8"),
    ("id,n\n1,€".encode()[:-1], None, "invalid_utf8"),
    # Never guessed differently: the files before were UTF-8.
    (GERMAN.encode("cp1252"), "utf-8", "invalid_utf8"),
    (GERMAN.encode("utf-16")[:-1], None, "invalid_text"),
    ("id,n\n1,a\0b\n".encode("utf-16"), None, "nul_bytes"),
    (b"id,n\n1,a\0b\n", None, "nul_bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "kept", "reason"), REFUSED)
def test_text_of_which_the_encoding_is_in_doubt_is_refused(tmp_path, content, kept, reason):
    """A wrong encoding would send wrong names, so nothing is read that may be another."""
    with pytest.raises(FileRejected) as caught:
        read(tmp_path, content, {"encoding": kept} if kept else None)
    assert reason == caught.value.reason
    assert "UTF-8" in caught.value.message or "NUL" in caught.value.message


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"id,n\n1,Ada\n", "utf-16"),
        (GERMAN.encode("utf-16-le"), "utf-16"),
        (b"id,n\n1,+2AA-\n", "utf-7"),
    ],
)
def test_text_that_is_not_of_the_encoding_of_the_job_costs_its_own_file(
    tmp_path, content, encoding
):
    """It is rejected as one file, whatever the decoder calls what is wrong."""
    with pytest.raises(FileRejected) as caught:
        read(tmp_path, content, encoding=encoding)
    assert "invalid_text" == caught.value.reason


@pytest.mark.parametrize(
    ("source", "row", "said"),
    [
        ({}, 2, "Row 2 cannot"),
        ({"skip_rows": 1}, 1, "Row 1 cannot"),
        ({"skip_rows": 2}, None, "The header cannot"),
        ({"header": ["a", "b"]}, 3, "Row 3 cannot"),
        ({"header": ["a", "b"], "skip_rows": 1}, 2, "Row 2 cannot"),
    ],
)
def test_a_byte_that_no_text_has_is_told_by_the_row_as_people_count(tmp_path, source, row, said):
    """Rows above the header do not count, and without one the first row is a row."""
    path = tmp_path / "download"
    path.write_bytes("id,n\n1,Jürgen\n".encode() + b"3,\xff\n4,x\n")
    with pytest.raises(FileRejected) as caught:
        read_table(path, "a.csv", Source(prefix="in/", **source))
    assert row == (caught.value.row or None)
    assert caught.value.message.startswith(said)


@pytest.mark.parametrize("encoding", ["windows-1250", "cp1250", "iso8859-2"])
def test_the_job_may_name_any_encoding(tmp_path, encoding):
    """What the job says is believed, and neither told nor kept."""
    table = read(tmp_path, POLISH.encode(encoding), encoding=encoding)
    assert ["Łukasz Żółkiewski", "Wałęsa"] == table.frame["name"].to_list()
    assert ({"delimiter": ","}, None) == (table.layout, table.read_as)


def test_text_of_two_bytes_is_converted_in_pieces(tmp_path, monkeypatch):
    """A sign that is cut by the end of a piece is whole."""
    monkeypatch.setattr("exchanger.files.raw.encodings._CHUNK", 3)
    table = read(tmp_path, GERMAN.encode("utf-16"))
    assert ["Jürgen Groß", "Café “Ädele” • 5 €"] == table.frame["name"].to_list()


DELIMITED = [
    # text, what separated earlier files -> what separates the cells, how many columns
    ("id,n\n1,2\n", None, ",", 2),
    ("id;n\n1;2\n", None, ";", 2),
    ("id\tn\n1\t2\n", None, "\t", 2),
    ("id|n\n1|2\n", None, "|", 2),
    ("id\n1\n", None, None, 1),
    ('"a;b"\n1\n', None, None, 1),
    ("id;name\n1;Lovelace, Ada\n2;Hopper, Grace\n", None, ";", 2),
    ("id;price\n1;1,50\n2;2,75\n", None, ";", 2),
    ("id,tags\n1,a|b|c\n2,d;e;f\n", None, ",", 2),
    ('id;payload\n1;"{""a"": 1, ""b"": 2}"\n', None, ";", 2),
    # The header alone leaves a choice.
    ("id;name, first;town\n1;Ada, A.;Cork\n2;Eva;Rome\n", None, ";", 3),
    ("id,a|b,c\n1,x,y\n2,z|v,w\n", None, ",", 3),
    ("id\tname, first\n1\tAda\n2\tEva, M.\n", None, "\t", 2),
    # What earlier files had counts more.
    ("id,a|b,c\n1|2\n", "|", "|", 2),
    ("id;n\n1;2\n", ",", ";", 2),
    ("id\n1\n", ";", None, 1),
]


@pytest.mark.parametrize(("text", "kept", "delimiter", "columns"), DELIMITED)
def test_the_delimiter_is_told_from_the_file(tmp_path, text, kept, delimiter, columns):
    """It is shown, to be kept, and told where it is no comma, or another than before."""
    table = read(tmp_path, text.encode(), {"delimiter": kept} if kept else None)
    assert delimiter == table.layout.get("delimiter")
    assert columns == table.empty.width - 1
    told = table.read_as
    assert (told is not None) == (delimiter not in (None, ","))
    other = told is not None and kept not in (None, delimiter)
    assert (kept if other else "") == (told.earlier_delimiter if told else "")
