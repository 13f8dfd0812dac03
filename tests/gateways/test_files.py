import os
import threading

import pytest

from app.gateways import files
from tests.waiting import PATIENCE


@pytest.fixture
def storage(tmp_path):
    return files.at((tmp_path / "kept here").as_uri())


def test_what_is_written_is_read_whole_and_by_its_owner_alone(storage, tmp_path):
    assert storage.read("audit/ws_a.jsonl") is None
    storage.write("audit/ws_a.jsonl", b"one")
    storage.write("audit/ws_a.jsonl", b"two")
    assert storage.read("audit/ws_a.jsonl") == b"two"
    (path,) = (tmp_path / "kept here" / "audit").iterdir()
    assert oct(path.stat().st_mode)[-3:] == "600"


def test_what_is_appended_leaves_what_is_there(storage):
    storage.append("a/b", b"one\n")
    storage.append("a/b", b"two\n")
    assert storage.read("a/b") == b"one\ntwo\n"


def test_lines_appended_at_once_do_not_mix(storage):
    lines = [f"{number}".encode() * 40 + b"\n" for number in range(8)]
    threads = [threading.Thread(target=storage.append, args=("log", line)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(storage.read("log").splitlines(keepends=True)) == sorted(lines)


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../out", "a/../../out", "a//b", ".hidden", "a\x00b", "a b", "a/"]
)
def test_no_name_leads_elsewhere(storage, name):
    for act in (
        storage.read,
        lambda it: storage.write(it, b""),
        lambda it: storage.append(it, b""),
        storage.delete,
        lambda it: list(storage.listed(it)),
    ):
        with pytest.raises(ValueError, match="is no name of a file"):
            act(name)


def test_a_write_that_fails_leaves_what_was_there(storage, tmp_path, monkeypatch):
    storage.write("file", b"whole")

    def broken(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="full"):
        storage.write("file", b"half")
    assert storage.read("file") == b"whole"
    assert [item.name for item in (tmp_path / "kept here").iterdir()] == ["file"]


@pytest.mark.parametrize("url", ["", "s3://bucket", "file://host/path", "file:relative"])
def test_a_storage_that_is_not_known_is_refused(url):
    with pytest.raises(ValueError, match=r"use file:///"):
        files.at(url)


def test_what_lies_in_a_folder_is_listed_with_its_moment_and_can_be_taken_away(storage, tmp_path):
    assert list(storage.listed("attachments")) == []
    storage.write("attachments/a", b"1")
    storage.write("attachments/b", b"2")
    storage.write("attachments/deeper/c", b"3")
    storage.write("elsewhere/d", b"4")
    (tmp_path / "kept here" / "attachments" / ".draft-x").write_bytes(b"half")
    moment = 1_700_000_000
    os.utime(tmp_path / "kept here" / "attachments" / "a", (moment, moment))
    found = dict(storage.listed("attachments"))
    assert set(found) == {"attachments/a", "attachments/b"}
    assert found["attachments/a"].isoformat() == "2023-11-14T22:13:20+00:00"
    storage.delete("attachments/a")
    storage.delete("attachments/a")
    assert storage.read("attachments/a") is None
    assert storage.read("attachments/b") == b"2"
