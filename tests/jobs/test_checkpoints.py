"""Checkpoints by the worker's own step: followed, signed, stored, told to owners, never twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app import current
from app.domain import audit, audit_chain, audit_check, checkpoints
from app.extensions import db
from app.gateways import signing
from app.jobs import effect, queues
from app.models import (
    AuditCheckpoint,
    AuditEvent,
    AuditHead,
    Mail,
    Notice,
    NoticeKind,
    OutboxMessage,
    User,
)
from tests import factories
from tests.factories import NOW, TESTER


@pytest.fixture
def keys_of_signing():
    return signing.generate()


@pytest.fixture
def worker(app, tmp_path, keys_of_signing):
    """The application as a worker that holds the signing key and a storage."""
    private, public = keys_of_signing
    found = app.extensions["plutarc"]
    app.extensions["plutarc"] = replace(
        found,
        signing_key=private,
        signing_public_keys=(public,),
        storage_url=(tmp_path / "files").as_uri(),
    )
    return app


@pytest.fixture
def desk(worker):
    workspace = factories.organisation()
    for owner in db.session.scalars(select(User)):
        owner.email_verified_at = NOW
    db.session.commit()
    return workspace.id


def move(chain, times=1):
    for _ in range(times):
        audit.record("bot.stop", by=TESTER, now=datetime.now(UTC), workspace_id=chain)
    db.session.commit()


def of(chain):
    found = checkpoints.of_chain(chain)
    db.session.rollback()
    return found


def stored(chain):
    return checkpoints.stored(current.storage(), chain)


def test_a_chain_is_followed_signed_and_stored_once_for_each_move(desk, keys_of_signing):
    assert effect.sign(desk)
    assert not effect.sign(desk)
    move(desk, 3)
    assert effect.sign(desk)
    kept = of(desk)
    assert len(kept) == 2
    assert kept == stored(desk)
    assert all(item.signed_by([keys_of_signing[1]]) for item in kept)
    head = db.session.get(AuditHead, desk)
    assert (kept[-1].seq, kept[-1].hash) == (head.seq, head.hash)


def test_what_the_storage_lost_is_put_there_again(desk):
    """As after a kill between the commit and the file."""
    effect.sign(desk)
    current.storage().write(checkpoints.file_of(desk), b"")
    assert stored(desk) == []
    assert effect.sign(desk)
    assert stored(desk) == of(desk)


def test_without_a_key_nothing_is_signed(desk, worker):
    worker.extensions["plutarc"] = replace(worker.extensions["plutarc"], signing_key="")
    assert not effect.sign(desk)
    assert of(desk) == []


def test_a_broken_chain_is_not_signed_and_its_owners_are_alarmed_once(desk):
    effect.sign(desk)
    move(desk, 3)
    broken = update(AuditEvent).where(AuditEvent.chain == desk, AuditEvent.seq == 3)
    db.session.execute(broken.values(actor_label="somebody else"))
    db.session.commit()
    effect.sign(desk)
    effect.sign(desk)
    assert len(of(desk)) == 1
    (alarm,) = db.session.scalars(select(Notice).where(Notice.kind == NoticeKind.ALARM)).all()
    assert alarm.body.startswith("Event 3 is edited")
    assert alarm.path == f"/w/{desk}/audit/verify"


def test_owners_get_one_letter_a_week(desk):
    def letters():
        query = select(Mail).where(Mail.letter == checkpoints.LETTER)
        found = list(db.session.scalars(query))
        db.session.rollback()
        return found

    effect.sign(desk)
    move(desk)
    effect.sign(desk)
    assert len(letters()) == 1
    (letter,) = letters()
    assert letter.values["line"] == of(desk)[0].line().strip()
    ago = datetime.now(UTC) - timedelta(days=8)
    db.session.execute(update(Mail).values(created_at=ago))
    db.session.commit()
    move(desk)
    effect.sign(desk)
    assert len(letters()) == 2


def test_the_letter_can_be_written(desk):
    from app.domain import letters

    effect.sign(desk)
    letter = db.session.scalars(select(Mail).where(Mail.letter == checkpoints.LETTER)).one()
    house = letters.House("plutarc", "http://127.0.0.1")
    made = letters.render(letter.letter, letter.values, name="Alice", house=house)
    assert of(desk)[0].hash in made.text
    assert made.subject == "Where the audit log of Harbour Desk stands"


def test_every_chain_that_moved_is_due_once_a_day(desk):
    now = datetime.now(UTC)

    def due(at):
        checkpoints.ask_due(at)
        asked = [
            row.arguments["chain"]
            for row in db.session.scalars(select(OutboxMessage))
            if row.job == checkpoints.JOB
        ]
        db.session.rollback()
        return asked

    assert desk in due(now)
    effect.sign(desk)
    assert desk not in due(now)
    move(desk)
    assert desk not in due(now), "it was signed today"
    assert desk in due(now + timedelta(hours=25))


def test_the_job_that_is_asked_for_is_one_that_exists():
    assert queues.JOBS[checkpoints.JOB] == "app.jobs.checkpoints.sign_checkpoint"
    assert checkpoints.QUEUE in {name.value for name in queues.QueueName}


def rechain(chain, seq, **changes):
    """Rewrite an event and every hash after it, as who owns the database and the code could."""
    rows = db.session.scalars(
        select(AuditEvent).where(AuditEvent.chain == chain).order_by(AuditEvent.seq)
    ).all()
    previous = audit_chain.GENESIS
    for row in rows:
        if row.seq == seq:
            for name, value in changes.items():
                setattr(row, name, value)
        row.previous_hash = previous
        said = audit_chain.plain(row)
        row.payload_hash = said["payload_hash"] = audit_chain.payload_hash(said)
        row.hash = previous = audit_chain.link_hash(chain, said)
    db.session.get(AuditHead, chain).hash = previous
    db.session.commit()


def verdict(chain, keys=(), **options):
    found = audit_check.verify(chain, keys, **options)
    db.session.rollback()
    return found


def test_a_chain_written_anew_contradicts_what_was_signed(desk, keys_of_signing):
    move(desk, 5)
    effect.sign(desk)
    move(desk, 2)
    sound = verdict(desk, keys_of_signing[1:])
    assert (sound.sound, sound.signed.seq, sound.sound_up_to) == (True, 6, 8)
    rechain(desk, 3, actor_label="somebody else")
    assert (
        audit_chain.first_break(
            db.session.scalars(
                select(AuditEvent).where(AuditEvent.chain == desk).order_by(AuditEvent.seq)
            )
        )
        is None
    ), "in itself it is sound"
    found = verdict(desk, keys_of_signing[1:])
    assert (found.problem.kind, found.problem.seq, found.sound_up_to) == ("re-chained", 6, 5)
    assert not audit_check.at_a_glance(desk, keys_of_signing[1:])


def test_a_checkpoint_rewritten_too_is_not_signed_and_the_stored_one_contradicts(
    desk, keys_of_signing
):
    move(desk, 2)
    effect.sign(desk)
    kept = stored(desk)
    rechain(desk, 2, actor_label="somebody else")
    head = db.session.get(AuditHead, desk)
    db.session.execute(update(AuditCheckpoint).values(hash=head.hash))
    db.session.commit()
    assert verdict(desk, keys_of_signing[1:]).problem.kind == "re-chained"
    db.session.execute(db.delete(AuditCheckpoint))
    db.session.commit()
    assert verdict(desk, keys_of_signing[1:]).sound, "nothing is left to compare with"
    assert verdict(desk, keys_of_signing[1:], noted=kept).problem.kind == "re-chained"


@pytest.mark.parametrize("gone", [2, 7])
def test_events_that_are_gone_are_missing(desk, gone):
    move(desk, 6)
    db.session.execute(
        db.delete(AuditEvent).where(AuditEvent.chain == desk, AuditEvent.seq == gone)
    )
    db.session.commit()
    found = verdict(desk)
    assert (found.problem.kind, found.problem.seq) == ("missing", gone)


def test_a_long_chain_is_followed_from_its_last_checkpoint_unless_all_is_wanted(
    desk, keys_of_signing, monkeypatch
):
    move(desk, 5)
    effect.sign(desk)
    move(desk, 2)
    monkeypatch.setattr(audit_check, "QUICK", 3)
    quick = verdict(desk, keys_of_signing[1:], whole=False)
    assert (quick.sound, quick.first, quick.whole) == (True, 7, False)
    assert verdict(desk, keys_of_signing[1:]).whole
