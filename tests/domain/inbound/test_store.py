"""Mail is kept once, locked, until it is decided on, and forgotten after thirty days."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain.inbound import intake, store
from app.domain.inbound.store import Arrival
from app.extensions import db
from app.gateways.locker import Locker
from app.models import InboundMail, Mail, MailDecision, OutboxMessage, TicketEvent
from tests.domain.inbound.post import KEY, mail


def rows(kind, *where):
    return db.session.scalar(select(func.count()).select_from(kind).where(*where))


def test_a_mail_lies_locked_and_opens_for_its_own_row_alone(world):
    world.keep(mail(world.owner.email, "a secret remark"))
    found = db.session.scalars(select(InboundMail)).one()
    assert b"secret remark" not in found.raw
    assert b"secret remark" in store.raw(found, world.locker)
    assert store.raw(found, Locker(("another key",))) is None
    world.keep(mail(world.owner.email, "another"))
    other = db.session.scalars(select(InboundMail).where(InboundMail.id != found.id)).one()
    other.raw = found.raw
    assert store.raw(other, world.locker) is None


def test_what_no_database_takes_is_left_out_of_what_a_provider_tells(world):
    told = [("x-spam-tests", "SPF_PASS\x00,\ud800DKIM_VALID_AU")]
    assert world.keep(mail(world.owner.email), provider="postmark", event="a\x00b", told=told)
    found = db.session.scalars(select(InboundMail)).one()
    assert found.event_id == "ab"
    assert found.verdicts["told"] == [["x-spam-tests", "SPF_PASS,DKIM_VALID_AU"]]


@pytest.mark.parametrize("same", ["event", "content"])
def test_a_hundred_deliveries_at_once_are_one_mail(app, world, same):
    sent = mail(world.owner.email)
    locker, to, now = world.locker, world.to, world.now
    before = (len(world.messages()), rows(TicketEvent), rows(Mail))

    def deliver(number):
        content = sent + (str(number).encode() if same == "event" else b"")
        event = "one" if same == "event" else str(number)
        with app.app_context():
            new = store.keep(Arrival("raw", event, "", to, content), locker=locker, now=now)
            db.session.commit()
            db.session.remove()
        return new

    db.session.rollback()  # its own transaction would keep the others out
    with ThreadPoolExecutor(12) as pool:
        kept = list(pool.map(deliver, range(100)))
    assert kept.count(True) == 1
    number = db.session.scalars(select(InboundMail.id)).one()
    assert rows(OutboxMessage, OutboxMessage.job == store.JOB) == 1

    def work(_):
        with app.app_context():
            done = world.decide(number)
            db.session.remove()
        return done

    mine = db.session.get_one(InboundMail, number)
    mine.envelope_from = world.owner.email
    db.session.commit()
    with ThreadPoolExecutor(8) as pool:
        decisions = list(pool.map(work, range(16)))
    assert [it for it in decisions if it] == [MailDecision.APPENDED]
    after = (len(world.messages()), rows(TicketEvent), rows(Mail))
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1)
    assert after[2] - before[2] == 2  # a letter to each operator


def test_the_same_content_to_two_addresses_is_two_mails(world):
    sent = mail(world.owner.email)
    assert world.keep(sent, world.to)
    assert world.keep(sent, world.desk_to)
    assert not world.keep(sent, world.to.upper())


def test_after_thirty_days_what_it_said_is_gone_and_what_became_of_it_is_not(world):
    row = world.arrive(mail(world.owner.email))
    store.forget(world.now + timedelta(days=29))
    db.session.refresh(row)
    assert row.raw is not None
    store.forget(world.now + timedelta(days=31))
    db.session.refresh(row)
    assert (row.raw, row.decision) == (None, MailDecision.APPENDED)


def test_what_the_queue_forgot_is_asked_for_again(world):
    world.keep(mail(world.owner.email))
    assert store.sweep(world.now) == 0
    assert store.sweep(world.now + timedelta(minutes=3)) == 1
    assert rows(OutboxMessage, OutboxMessage.job == store.JOB) == 2
    world.decide(db.session.scalars(select(InboundMail.id)).one())
    assert store.sweep(world.now + timedelta(minutes=9)) == 0


def test_a_mail_that_ends_its_worker_again_and_again_is_put_aside(world):
    world.keep(mail(world.owner.email))
    number = db.session.scalars(select(InboundMail.id)).one()
    for _ in range(intake.MOST_TRIES):
        assert intake.begin(number, world.locker, world.now)
        db.session.commit()
        assert intake.begin(number, world.locker, world.now) is None  # it is being tried
        world.now += intake.TRY_LASTS
    assert intake.begin(number, world.locker, world.now) is None
    assert db.session.get_one(InboundMail, number).decision is MailDecision.ERROR
    assert len(world.messages()) == 1


def test_under_another_key_it_is_put_aside_with_the_reason(world):
    world.keep(mail(world.owner.email))
    number = db.session.scalars(select(InboundMail.id)).one()
    world.locker = Locker((KEY + " changed",))
    assert world.decide(number) is None
    assert "INBOUND_MAIL_KEY" in db.session.get_one(InboundMail, number).reason
