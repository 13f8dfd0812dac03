import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from app.cli.base import NewFile
from app.domain import audit_chain
from app.extensions import db
from app.gateways import signing
from app.jobs import effect
from app.models import AuditCheckpoint, AuditEvent, AuditHead
from tests import factories
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.fixture
def desk(engine_url, build):
    house = build(engine_url)
    workspace = factories.organisation()
    for name in ("Ada", "Zoë"):
        factories.joined(workspace, name=name)
    factories.bot(workspace)
    db.session.commit()
    house.desk = workspace.id
    return house


def events(chain):
    query = select(AuditEvent).where(AuditEvent.chain == chain)
    found = list(db.session.scalars(query.order_by(AuditEvent.seq)))
    db.session.rollback()
    return found


def test_a_log_goes_out_whole_and_says_so(desk, tmp_path):
    before = events(desk.desk)
    count, head = len(before), before[-1].hash
    file = tmp_path / "log.jsonl"
    done = desk.run("audit", "export", desk.desk, str(file))
    assert done.exit_code == 0, done.output
    assert f"{count}:{head}" in done.stdout
    opening, *lines = map(json.loads, file.read_text().splitlines())
    assert (opening["count"], opening["head"], opening["chain"]) == (count, head, desk.desk)
    assert [line["seq"] for line in lines] == list(range(1, count + 1))
    assert oct(file.stat().st_mode)[-3:] == "600"
    *_, last = events(desk.desk)
    assert (last.action, last.seq, last.actor_kind) == ("audit.export", count + 1, "command_line")
    assert {change["field"]: change["after"] for change in last.changes} == {
        "events": count,
        "filter": "all events",
        "format": "jsonl",
        "head": head,
    }
    assert audit_chain.first_break(events(desk.desk)) is None
    verified = desk.run("audit", "verify", str(file), "--anchor", f"{count}:{head}")
    assert verified.exit_code == 0, verified.output
    assert f"events 1 to {count}" in verified.stdout


def test_nothing_is_overwritten_and_a_stranger_is_no_workspace(desk, tmp_path):
    count = len(events(desk.desk))
    file = tmp_path / "log.jsonl"
    file.write_text("precious")
    taken = desk.run("audit", "export", desk.desk, str(file))
    assert (taken.exit_code, file.read_text()) == (1, "precious")
    assert "name another file" in taken.stderr
    nobody = desk.run("audit", "export", "ws_nobody", str(tmp_path / "other"))
    assert nobody.exit_code == 1
    assert "There is no workspace ws_nobody" in nobody.stderr
    nowhere = desk.run("audit", "export", desk.desk, "/proc/log.jsonl")
    assert nowhere.exit_code == 1
    assert "Cannot write to /proc" in nowhere.stderr
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
    assert not (tmp_path / "other").exists()
    assert len(events(desk.desk)) == count


def verify(file, *options, **environ):
    command = [sys.executable, "-m", "app.cli", "verify", str(file), *options]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_the_file_alone_is_enough(house, tmp_path):
    """In a process without any setting, so without any database."""
    workspace = factories.organisation()
    db.session.commit()
    file = tmp_path / "log.jsonl"
    assert house.run("audit", "export", workspace.id, str(file)).exit_code == 0
    sound = verify(file)
    assert (sound.returncode, sound.stderr) == (0, "")
    assert sound.stdout.startswith(f"ok: {workspace.id}, events 1 to ")


@pytest.fixture
def signed(house, tmp_path):
    """A log with a checkpoint that the worker's own step made, and the file that holds it."""
    private, public = signing.generate()
    workspace = factories.organisation()
    db.session.commit()
    found = house.app.extensions["plutarc"]
    house.app.extensions["plutarc"] = replace(
        found, signing_key=private, signing_public_keys=(public,)
    )
    assert effect.sign(workspace.id)
    factories.joined(workspace)
    db.session.commit()
    house.desk, house.signed_by = workspace.id, public
    house.kept = house.app.extensions["plutarc"].var_dir / "files" / "audit"
    return house


def export(house, path):
    assert house.run("audit", "export", house.desk, str(path)).exit_code == 0
    return path


def test_a_file_carries_its_checkpoints_and_a_key_tells_who_signed_them(signed, tmp_path):
    file = export(signed, tmp_path / "log.jsonl")
    sound = verify(file, "--key", signed.signed_by)
    assert (sound.returncode, sound.stderr) == (0, "")
    assert "last checkpoint: event 1 at 20" in sound.stdout
    assert "signed with the given key" in sound.stdout
    stranger = verify(file, "--key", signing.generate()[1])
    assert stranger.returncode == 1
    assert "re-chained: the checkpoint of event 1 was not signed with this key" in stranger.stderr


def test_a_log_written_anew_is_told_by_a_checkpoint_that_was_kept(signed, tmp_path):
    (kept,) = signed.kept.iterdir()
    rewrite(signed.desk, 1, actor_label="somebody else")
    file = export(signed, tmp_path / "log.jsonl")
    lines = file.read_text().splitlines(keepends=True)
    header = json.loads(lines[0]) | {"checkpoints": []}
    file.write_text("".join([json.dumps(header, separators=(",", ":")) + "\n", *lines[1:]]))
    assert verify(file).returncode == 0, "by itself it is a sound log"
    told = verify(file, "--checkpoints", str(kept), "--key", signed.signed_by)
    assert told.returncode == 1
    assert told.stderr.startswith("Error: re-chained after event 0: event 1 is not the one")


def rewrite(chain, seq, **changes):
    """As who owns the database and the code could: every hash after it is computed anew."""
    previous = audit_chain.GENESIS
    for row in db.session.scalars(
        select(AuditEvent).where(AuditEvent.chain == chain).order_by(AuditEvent.seq)
    ):
        for name, value in changes.items() if row.seq == seq else ():
            setattr(row, name, value)
        row.previous_hash = previous
        said = audit_chain.plain(row)
        row.payload_hash = said["payload_hash"] = audit_chain.payload_hash(said)
        row.hash = previous = audit_chain.link_hash(chain, said)
    db.session.get(AuditHead, chain).hash = previous
    db.session.commit()


def test_the_log_is_checked_where_it_lies(signed):
    sound = signed.run("audit", "check", signed.desk)
    assert (sound.exit_code, sound.stderr) == (0, "")
    assert f"ok: {signed.desk}, 2 events, last checkpoint event 1 at 20" in sound.stdout
    rewrite(signed.desk, 1, actor_label="somebody else")
    db.session.execute(delete(AuditCheckpoint))
    db.session.commit()
    told = signed.run("audit", "check", signed.desk)
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.startswith("Error: re-chained at event 1")


def doctor(house):
    lines = house.run("doctor").stdout.splitlines()
    (line,) = [line for line in lines if line.split()[1] == "audit"]
    return line


def test_doctor_sees_a_database_that_was_restored_and_one_that_forked(signed):
    assert "1 of 3 logs fit their last stored checkpoint" in doctor(signed)
    assert effect.sign(signed.desk)
    assert doctor(signed).startswith("ok")
    rewrite(signed.desk, 2, reason="after the restore")
    assert "has another event 2 than was signed: it forked" in doctor(signed)
    db.session.execute(delete(AuditEvent).where(AuditEvent.seq == 2))
    db.session.commit()
    told = doctor(signed)
    assert told.startswith("fail")
    assert "ends before event 2, which was signed: an older backup?" in told
    assert "stop plutarc" in told


@pytest.mark.parametrize(
    ("falsify", "kind"),
    [
        (
            lambda lines: [*lines[:2], lines[2].replace('"seq":2', '"seq":2,"x":1'), *lines[3:]],
            "edited",
        ),
        (lambda lines: lines[:2] + lines[3:], "missing"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "reordered"),
    ],
)
def test_a_false_file_is_told_in_one_line(house, tmp_path, falsify, kind):
    workspace = factories.organisation()
    for name in ("Ada", "Zoë"):
        factories.joined(workspace, name=name)
    db.session.commit()
    file = tmp_path / "log.jsonl"
    house.run("audit", "export", workspace.id, str(file))
    file.write_text("".join(falsify(file.read_text().splitlines(keepends=True))))
    told = house.run("audit", "verify", str(file))
    assert told.exit_code == 1
    assert told.stderr.startswith(f"Error: {kind} after event ")
    assert len(told.stderr.strip().splitlines()) == 1


def test_what_is_no_log_is_refused(house, tmp_path):
    file = tmp_path / "image"
    file.write_bytes(b"\xff\x00\xfe" * 50)
    refused = house.run("audit", "verify", str(file))
    assert refused.exit_code == 1
    assert "is no audit log" in refused.stderr
    assert house.run("audit", "verify", str(tmp_path / "absent")).exit_code == 2
    assert (
        "as `audit export` printed it"
        in house.run("audit", "verify", str(file), "--anchor", "7").stderr
    )


def test_a_new_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "out"
    with pytest.raises(ZeroDivisionError), NewFile(path) as draft:
        draft.write_text(str(1 / 0))
    assert list(tmp_path.iterdir()) == []
    with NewFile(path) as draft:
        draft.write_text("whole")
    assert [item.name for item in tmp_path.iterdir()] == ["out"]
    assert path.read_text() == "whole"
