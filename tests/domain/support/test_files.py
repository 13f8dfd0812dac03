"""Files beside messages: what is taken, what they are, and what is swept."""

import os
from datetime import timedelta

import pytest

from app.domain.errors import Invalid
from app.domain.support import files, notes
from app.extensions import db
from app.gateways.files import DirectoryFiles
from tests import factories, tickets
from tests.factories import NOW

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


@pytest.fixture
def storage(tmp_path):
    return DirectoryFiles(tmp_path / "kept")


def stored(storage):
    return {name for name, _ in storage.listed(files.FOLDER)}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0 and so on", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"PK\x03\x04\x14\x00", "application/zip"),
        (b"MZ\x90\x00", "application/x-msdownload"),
        (b"\x7fELF\x02", "application/x-executable"),
        (b"  <!DOCTYPE html><p>", "text/html"),
        (b"<svg onload=alert(1)>", "text/html"),
        (b"2026-11-28 order refused\n", "text/plain"),
        ("Ärger \u4e2d".encode(), "text/plain"),
        (b"a" * 4095 + "ä".encode(), "text/plain"),
        (b"text\x00text", "application/octet-stream"),
        (b"\xc3\x28 no UTF-8", "application/octet-stream"),
        (b"", "text/plain"),
    ],
)
def test_a_file_is_what_its_own_bytes_say(storage, content, kind):
    kept = files.store(storage, "picture.png", "image/png", content)
    assert kept.sniffed_type == kind
    assert files.read(storage, kept) == content


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\tom\\log.txt", "log.txt"),
        ("a\r\nSet-Cookie: x=1.txt", "a Set-Cookie: x=1.txt"),
        ("log\u202etxt.exe", "log txt.exe"),
        ("..", "file"),
        ("", "file"),
        (".bashrc", "bashrc"),
        ("  two   blanks .txt", "two blanks .txt"),
        ("A\u0308rger.png", "\u00c4rger.png"),
        ("x" * 300 + ".json", "x" * 115 + ".json"),
        ("x" * 300, "x" * 120),
    ],
)
def test_a_name_is_shown_and_leads_nowhere(storage, sent, shown):
    kept = files.store(storage, sent, "text/plain", b"x")
    assert kept.name == shown
    assert kept.storage_key in stored(storage)
    assert kept.storage_key.removeprefix("attachments/").isascii()


def test_two_files_of_one_name_lie_apart(storage):
    first, second = (files.store(storage, "a", "text/plain", it) for it in (b"1", b"2"))
    assert first.storage_key != second.storage_key
    assert (files.read(storage, first), files.read(storage, second)) == (b"1", b"2")


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        ("text/plain; charset=utf-8", "text/plain"),
        ("text/html\r\nX-Evil: 1", "application/octet-stream"),
        ("", "application/octet-stream"),
        ("a/" + "b" * 300, "a/" + "b" * 118),
    ],
)
def test_a_declared_type_is_a_type(storage, declared, kept):
    assert files.store(storage, "a", declared, b"x").declared_type == kept


@pytest.mark.parametrize(
    ("sizes", "fits"),
    [
        ([files.LARGEST], True),
        ([files.LARGEST + 1], False),
        ([files.LARGEST, files.TOGETHER - files.LARGEST], True),
        ([files.LARGEST, files.TOGETHER - files.LARGEST + 1], False),
        ([1] * 10, True),
        ([1] * 11, False),
    ],
)
def test_how_much_goes_with_one_message(sizes, fits):
    if fits:
        files.check(sizes)
        return
    with pytest.raises(Invalid) as refused:
        files.check(sizes)
    assert refused.value.field == "files"


def test_what_is_too_large_is_not_stored(storage):
    with pytest.raises(Invalid, match="25 MB"):
        files.store(storage, "a", "text/plain", b"x" * (files.LARGEST + 1))
    assert not stored(storage)


def aged(storage, kept, age):
    moment = (NOW - age).timestamp()
    os.utime(storage.root / kept.storage_key, (moment, moment))


def test_what_no_message_and_no_note_names_is_swept_after_a_day(app, storage):
    old = timedelta(days=1, minutes=1)
    said, noted, lost, young = (
        files.store(storage, name, "text/plain", b"x") for name in ("said", "noted", "lost", "new")
    )
    person = factories.user()
    ticket = tickets.opened(factories.organisation(person), person, files=(said,))
    notes.add(ticket, "look", voice=tickets.desk_voice(), now=NOW, files=(noted,))
    db.session.commit()
    for kept in (said, noted, lost):
        aged(storage, kept, old)
    aged(storage, young, timedelta(hours=23))
    storage.write("audit/kept.jsonl", b"")
    assert files.sweep(storage, NOW) == 1
    assert stored(storage) == {said.storage_key, noted.storage_key, young.storage_key}
    assert storage.read("audit/kept.jsonl") == b""
    assert files.sweep(storage, NOW) == 0


def test_a_round_of_sweeping_has_an_end(app, storage, monkeypatch):
    monkeypatch.setattr(files, "SWEPT_AT_ONCE", 4)
    monkeypatch.setattr(files, "AT_ONCE", 2)
    for _ in range(7):
        aged(storage, files.store(storage, "a", "", b"x"), timedelta(days=2))
    assert files.sweep(storage, NOW) == 4
    assert files.sweep(storage, NOW) == 3
