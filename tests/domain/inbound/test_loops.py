"""Machines that answer machines."""

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Mail, MailDecision, Notice
from tests.domain.inbound.post import DOMAIN, mail

APPENDED, AUTOMATIC = MailDecision.APPENDED, MailDecision.AUTOMATIC
LOOP, HELD = MailDecision.LOOP, MailDecision.QUARANTINED


def letters():
    return len(db.session.scalars(select(Mail.id)).all())


class Responder:
    """Somebody's machine that answers every letter to it at once, labelled or not."""

    def __init__(self, world, person, to, *, labels=()):
        self.world, self.person, self.to, self.labels = world, person, to, labels
        self.seen = set()

    def turn(self):
        """Answer what is new; what was decided on each answer."""
        mine = select(Mail).where(Mail.recipient_id == self.person.id, Mail.ticket_id.is_not(None))
        new = [it.id for it in db.session.scalars(mine) if it.id not in self.seen]
        self.seen.update(new)
        return [
            self.world.arrive(
                mail(self.person.email, "I am on holiday.", headers=self.labels), self.to
            ).decision
            for _ in new
        ]


@pytest.mark.parametrize("labels", [(), [("Auto-Submitted", "auto-replied")]])
def test_two_responders_wired_to_each_other_stop_after_two_messages(world, labels):
    owner = Responder(world, world.owner, world.to, labels=labels)
    desk = Responder(world, world.operator, world.desk_to, labels=labels)
    world.answer()
    turns = 0
    while owner.turn() + desk.turn():
        turns += 1
        assert turns < 10
    by_hand = [it for it in world.messages()[2:] if not it.automatic]
    assert len(by_hand) <= (0 if labels else 2)


def test_our_own_letters_wired_to_our_own_door_stop_at_once(world):
    """As two desks of one installation, or a mailbox that forwards everything back."""
    world.answer()
    before = world.counts(), letters()
    for letter in db.session.scalars(select(Mail).where(Mail.ticket_id.is_not(None))).all():
        letter.message_id = f"<t.{letter.id}@plutarc.test>"
        db.session.commit()
        raw = mail("desk@plutarc.test", "Because.", message_id=letter.message_id)
        assert world.arrive(raw, world.to).decision is LOOP
    assert (world.counts(), letters()) == before


def test_two_desks_of_different_houses_exchange_nothing(world):
    """A letter of another plutarc says that a machine wrote it, and comes from its own address."""
    world.answer()
    before = letters()
    theirs = [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")]
    row = world.arrive(mail("desk@other.test", headers=theirs), world.to)
    assert (row.decision, row.message_id) == (AUTOMATIC, None)
    assert letters() == before


@pytest.mark.parametrize("how", ["sender", "message_id", "reply address"])
def test_what_is_ours_is_dropped_and_told_once_an_hour(world, how):
    letter = db.session.scalars(select(Mail).limit(1)).first()
    letter.message_id = "<t.ours@plutarc.test>"
    db.session.commit()
    sender = {"sender": "desk@plutarc.test", "reply address": world.to}.get(how, world.owner.email)
    number = "<t.ours@plutarc.test>" if how == "message_id" else None
    for minute in range(5):
        raw = mail(sender, f"Round {minute}", message_id=number)
        assert world.arrive(raw).decision is LOOP
    assert _told(world) == 1
    world.arrive(mail(sender, "Later", message_id=number), later=4000)
    assert _told(world) == 2
    assert len(world.messages()) == 1


def _told(world):
    mine = Notice.user_id == world.operator.id, Notice.key.startswith("mail loop")
    return len(db.session.scalars(select(Notice.id).where(*mine)).all())


def test_one_ticket_takes_ten_mails_in_ten_minutes(world):
    decisions = [
        world.arrive(mail(world.owner.email, f"Word {n}"), later=30).decision for n in range(12)
    ]
    assert decisions == [APPENDED] * 10 + [HELD] * 2
    assert world.arrive(mail(world.owner.email, "Calmer"), later=700).decision is APPENDED


def test_one_ticket_shows_thirty_automatic_mails(world):
    label = [("Auto-Submitted", "auto-replied")]
    for number in range(33):
        world.arrive(mail(world.owner.email, f"Away {number}", headers=label), later=3600)
    assert sum(it.automatic for it in world.messages()) == 30


def test_one_sender_is_braked_across_tickets(world):
    tickets = [world.open() for _ in range(4)]
    found = []
    for ticket in tickets:
        to = world.address(world.operator, ticket=ticket)
        found += [
            world.arrive(mail(world.operator.email, f"{ticket.id} {n}"), to, later=10).decision
            for n in range(9)
        ]
    assert found.count(APPENDED) == 30


def test_the_same_words_again_the_next_day_are_a_person_s(world):
    assert world.arrive(mail(world.owner.email, "Any news?")).decision is APPENDED
    assert world.arrive(mail(world.owner.email, "Any news?")).decision is AUTOMATIC
    assert world.arrive(mail(world.owner.email, "Any news?"), later=90_000).decision is APPENDED


def test_a_domain_that_only_looks_like_ours_is_not(world):
    stranger = mail(f"desk@{DOMAIN}.evil.test")
    assert world.arrive(stranger).decision is HELD
