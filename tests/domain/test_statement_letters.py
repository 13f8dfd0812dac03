"""The sum of a month goes once to each address that had said yes by its end."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text

from app.domain import billing_contacts, budgets, dressing, mail, statement_letters, statements
from app.domain.letters import House
from app.domain.months import Month
from app.domain.terms import Terms
from app.extensions import db
from app.models import BillingContact, IdlePayer, MailState, OutboxMessage, Resource, UsageInterval
from tests import factories
from tests.domain.test_budgets import BASE, NOW, START, Desk, letters
from tests.domain.test_statements import HOUR, machine, used
from tests.domain.test_terms import HALF, agree
from tests.parallel import at_once
from tests.waiting import PATIENCE, until

END = datetime(2026, 12, 1, tzinfo=UTC)
CLOSED = END + timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def desk(app):
    """A workspace with two addresses, and a bot that cost a dollar and five cents in November."""
    desk = Desk()
    for name in ("one", "two"):
        desk.confirmed(f"{name}@example.com")
    desk.spend(70)
    db.session.commit()
    return desk


def asked(now):
    """Whom the timetable has a worker write for."""
    db.session.query(OutboxMessage).delete()
    statement_letters.ask_due(now)
    query = select(OutboxMessage.arguments).where(OutboxMessage.job == statement_letters.JOB)
    return [arguments["place"] for arguments in db.session.scalars(query)]


def send(desk, now=CLOSED):
    statement_letters.send(desk.workspace.id, now, BASE)
    db.session.commit()


def written():
    return [(it.to_email, it.values["month"], it.values["total"]) for it in letters("statement")]


def read(letter):
    errand = mail.begin(letter.id, CLOSED, house=House("plutarc", BASE), sender="a@example.org")
    return errand.letter


def test_it_goes_once_and_only_after_the_month_is_in_the_books(desk):
    early = CLOSED - timedelta(seconds=1)
    assert asked(early) == []
    send(desk, early)
    assert written() == []
    assert asked(CLOSED) == [desk.workspace.id]
    for moment in (CLOSED, CLOSED, CLOSED + DAY):
        send(desk, moment)
    both = [(f"{name}@example.com", "November 2026", "$1.05") for name in ("one", "two")]
    assert sorted(written()) == both
    assert asked(CLOSED + DAY) == []


def test_two_at_once_write_once(app, desk):
    place = desk.workspace.id
    db.session.rollback()

    def act():
        db.session.connection()
        yield
        statement_letters.send(place, CLOSED, BASE)

    assert at_once(app, act, act) == [None, None]
    assert len(letters("statement")) == 2
    assert asked(CLOSED) == []


def test_who_says_yes_or_leaves_later(desk):
    new = desk.confirmed("new@example.com")
    new.verified_at = END
    gone = next(it for it in billing_contacts.of(desk.workspace) if it.email == "two@example.com")
    billing_contacts.leave(gone.id, by=factories.TESTER, now=CLOSED)
    desk.add("asked@example.com")
    db.session.commit()
    send(desk)
    assert [email for email, *_ in written()] == ["one@example.com"]
    left = next(it for it in billing_contacts.of(desk.workspace) if it.email == "one@example.com")
    billing_contacts.remove(desk.workspace, left, by=factories.TESTER, now=CLOSED)
    db.session.flush()
    (letter,) = letters("statement")
    db.session.refresh(letter)
    assert letter.state is MailState.CANCELLED


def test_each_month_is_written_of_in_its_turn_and_none_is_made_up_for(desk):
    used(desk.bot, Resource.ADDRESS, END, END + HOUR)
    send(desk, CLOSED)
    send(desk, CLOSED + 31 * DAY)
    assert {month for _, month, _ in written()} == {"November 2026", "December 2026"}
    used(desk.bot, Resource.ADDRESS, END + 40 * DAY, END + 41 * DAY)
    send(desk, CLOSED + 95 * DAY)
    assert len(written()) == 4, "in February nothing was used, and January is long over"
    send(desk, CLOSED)
    assert len(written()) == 4, "a clock that was set back writes nothing anew"


def test_a_workspace_that_is_gone_or_used_nothing_is_silent(desk):
    db.session.query(UsageInterval).delete()
    send(desk)
    assert (written(), asked(CLOSED)) == ([], [])
    desk.workspace.deleted_at = CLOSED
    assert asked(CLOSED + 31 * DAY) == []
    send(desk, CLOSED + 31 * DAY)


def test_the_letter_says_what_was_saved_and_how_to_end_it(desk):
    db.session.query(UsageInterval).delete()
    agree(desk.workspace, Terms(Decimal(0), IdlePayer.OPERATOR))
    used(desk.bot, Resource.ADDRESS, START, START + 100 * HOUR)
    machine(desk.bot, 1, START, START + 10 * HOUR)
    send(desk)
    letter = read(letters("statement")[0])
    contact = next(it for it in billing_contacts.of(desk.workspace) if it.email == letter.to_email)
    assert letter.subject == f"{desk.workspace.name}: the machines cost $0.15 in November 2026"
    # An hour awake is 0.00838 + 0.00137 + 0.005, an hour of a lone address 0.01 dollars.
    assert "would have cost $1.48: sleeping saved $1.33." in letter.text
    assert "The addresses of sleeping bots, $0.90, are paid by whoever runs" in letter.text
    assert f"{BASE}/w/{desk.workspace.id}/billing/2026-11" in letter.text
    assert f"{BASE}/billing/leave/{contact.id}" in letter.text
    assert ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click") in letter.headers


def test_the_letter_hides_no_loss_and_no_gap(desk):
    db.session.query(UsageInterval).delete()
    used(desk.bot, Resource.ADDRESS, START, START + 10 * HOUR)
    machine(desk.bot, 1, START, START + HOUR, kind="unheard-of")
    send(desk)
    letter = read(letters("statement")[0])
    assert "For a part of the time there is no price" in letter.text
    assert "saved" not in letter.text


def meanwhile(app, act):
    """Run it in a transaction and a thread of its own; returns the thread."""

    def run():
        with app.app_context():
            act()
            db.session.commit()
            db.session.remove()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def waits_for_a_lock():
    """Whether any transaction of this PostgreSQL database waits for another one."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
    with db.engine.connect() as connection:
        return bool(connection.scalar(text(f"{waiting} AND wait_event_type = 'Lock'")))


@pytest.mark.parametrize("letter", ["statement", "budget_alert"])
def test_whoever_leaves_while_a_letter_is_written_gets_none(app, desk, letter):
    desk.budget("1")
    db.session.commit()
    leaver = next(it.id for it in billing_contacts.of(desk.workspace) if "two@" in it.email)
    db.session.rollback()
    if letter == "statement":
        statement_letters.send(desk.workspace.id, CLOSED, BASE)
    else:
        desk.look()
    thread = meanwhile(app, lambda: billing_contacts.leave(leaver, by=factories.TESTER, now=CLOSED))
    if db.engine.dialect.name == "postgresql":
        until("it waits or is through", lambda: waits_for_a_lock() or not thread.is_alive())
    db.session.commit()
    thread.join(PATIENCE)
    db.session.rollback()
    states = {it.to_email: it.state for it in letters(letter) if "@example.com" in it.to_email}
    assert states.pop("two@example.com") is MailState.CANCELLED
    assert states.pop("one@example.com") is MailState.QUEUED


def test_who_leaves_as_a_bound_is_seen_to_be_reached_waits_in_no_circle(app, desk, monkeypatch):
    desk.budget("1")
    agree(desk.workspace, replace(HALF, max_spend=Decimal(1)))
    db.session.commit()
    place, looks, record = desk.workspace.id, [], billing_contacts._record
    leaver = next(it.id for it in billing_contacts.of(desk.workspace) if "one@" in it.email)
    db.session.rollback()

    def record_while_one_looks(*event):
        thread = meanwhile(app, lambda: budgets.look(place, NOW, BASE))
        looks.append(thread)
        if db.engine.dialect.name == "postgresql":
            until("it waits or is through", lambda: waits_for_a_lock() or not thread.is_alive())
        record(*event)

    monkeypatch.setattr(billing_contacts, "_record", record_while_one_looks)
    billing_contacts.leave(leaver, by=factories.TESTER, now=NOW)
    db.session.commit()
    (look,) = looks
    look.join(PATIENCE)
    db.session.rollback()
    assert len(letters("spend_stopped")) == 1
    told = {it.to_email for it in letters("budget_alert")}
    assert "two@example.com" in told
    assert "one@example.com" not in told


def test_a_letter_to_an_address_that_left_is_void_when_its_turn_comes(desk):
    send(desk)
    gone, stays = letters("statement")
    db.session.query(BillingContact).filter_by(id=gone.recipient_id).delete()
    db.session.commit()
    house, sender = House("plutarc", BASE), "a@example.org"
    assert mail.begin(gone.id, CLOSED, house=house, sender=sender) is None
    assert (gone.state, gone.error) == (MailState.CANCELLED, dressing.LEFT)
    assert mail.begin(stays.id, CLOSED, house=house, sender=sender)


def test_less_than_a_cent_is_no_loss_and_is_spelt_as_on_the_page(desk):
    db.session.query(UsageInterval).delete()
    awake = timedelta(seconds=108_008)  # its three lines are rounded up together by a millionth
    used(desk.bot, Resource.ADDRESS, START, START + awake)
    machine(desk.bot, 1, START, START + awake)
    told = statements.of_workspace(desk.workspace, Month(2026, 11), CLOSED)
    assert (told.saved, told.felt, told.bots[0].felt) == (-1, 0, 0)
    send(desk)
    text = read(letters("statement")[0]).text
    assert "cost $0.66 in November 2026" in text
    assert "more than it saved" not in text
    shown = [statements.spelt(it) for it in (None, 0, 1, -1, 9_999, 10_000, -1_234_567_890)]
    assert shown == ["no price", "$0.00", "< $0.01", "> −$0.01", "< $0.01", "$0.01", "−$1,234.57"]
    assert [statements.felt(it) for it in (None, 9_999, 10_000, -10_000)] == [
        None,
        0,
        10_000,
        -10_000,
    ]


def test_a_sum_below_a_cent_says_so(desk):
    db.session.query(UsageInterval).delete()
    used(desk.bot, Resource.ADDRESS, START, START + timedelta(minutes=1))
    send(desk)
    letter = read(letters("statement")[0])
    assert letter.subject == f"{desk.workspace.name}: the machines cost < $0.01 in November 2026"
    assert "<strong>&lt; $0.01</strong>" in letter.html


def test_who_pays_nothing_is_not_written_to_and_what_has_no_price_is_no_nothing(desk):
    agree(desk.workspace, Terms(Decimal(0), IdlePayer.OPERATOR))
    send(desk)
    assert written() == [], "the operator pays for the address, and no machine ran"
    db.session.query(UsageInterval).delete()
    db.session.query(BillingContact).update({"told_month": ""})
    used(desk.bot, Resource.ADDRESS, START, START + HOUR)
    db.session.query(UsageInterval).update({"region": "moon-1"})
    send(desk)
    assert "For a part of the time there is no price" in read(letters("statement")[0]).text
