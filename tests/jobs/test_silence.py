"""The timer as the ticker runs it, and a warning as the mail worker sends it: the real chain."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app import current
from app.domain import mail
from app.domain.errors import Refused
from app.domain.support import tidings
from app.extensions import db
from app.gateways.mail import Delivery, Fate
from app.jobs import queues, timetable
from app.jobs.ticker import Ticker
from app.models import Mail, MailState, Ticket, TicketState
from tests.domain.support.scene import DAY, DAY_5, HOUR, Scene, letters, told

BEGUN = datetime.now(UTC)


@pytest.fixture
def ticker(app, redis_url):
    return Ticker(queues.connect(redis_url), "one")


def ticket_of(scene):
    found = scene.waiting(BEGUN).id
    db.session.commit()
    return found


def take(ticket, at):
    """What the mail worker does with the warning, the server saying yes."""
    (letter,) = letters(ticket)
    errand = mail.begin(letter.id, at, house=current.house(), sender="desk@plutarc.example")
    db.session.commit()
    assert mail.finish(errand, Delivery(Fate.SENT), at)
    db.session.commit()


def test_the_ticker_warns_and_closes(app, ticker):
    name = ticket_of(Scene())
    for _ in range(2):
        ticker.tick(BEGUN + DAY_5)
    ticket = db.session.get(Ticket, name)
    assert told(ticket).count("ticket.warn") == 1
    take(ticket, BEGUN + DAY_5 + HOUR)
    letter = db.session.scalars(select(Mail).where(Mail.letter == "ticket_warning")).one()
    assert letter.state is MailState.SENT
    ticker.tick(BEGUN + 7 * DAY - HOUR)
    assert ticket.state is TicketState.WAITING_USER
    ticker.tick(BEGUN + 7 * DAY)
    db.session.refresh(ticket)
    assert (ticket.state, told(ticket)[-1]) == (TicketState.CLOSED, "ticket.close")


def test_one_ticket_that_fails_keeps_no_other_one_waiting(app, ticker, monkeypatch, caplog):
    first, second = ticket_of(Scene()), ticket_of(Scene())
    warned = tidings.warned

    def refuse(ticket, now):
        if ticket.id == first:
            raise Refused("Not this one.")
        warned(ticket, now)

    monkeypatch.setattr(tidings, "warned", refuse)
    ticker.tick(BEGUN + DAY_5)
    found = {it: db.session.get(Ticket, it).warned_at for it in (first, second)}
    assert (found[first], found[second]) == (None, BEGUN + DAY_5)
    assert "a sweep failed" in caplog.text
    monkeypatch.setattr(tidings, "warned", warned)
    ticker.tick(BEGUN + DAY_5 + timedelta(minutes=1))
    db.session.expire_all()
    assert db.session.get(Ticket, first).warned_at is not None


def test_whatever_fails_stops_neither_the_sweep_nor_the_ticker(app, ticker, monkeypatch, caplog):
    name = ticket_of(Scene())

    def broken(*_args):
        raise KeyError("an odd row")

    monkeypatch.setattr(timetable, "LOST", (broken,))
    monkeypatch.setattr(timetable, "ONE_BY_ONE", (broken,))
    monkeypatch.setattr(timetable, "EACH", ((broken, broken), *timetable.EACH))
    ticker.tick(BEGUN + DAY_5)
    assert db.session.get(Ticket, name).warned_at == BEGUN + DAY_5
    assert caplog.text.count("a sweep failed") == 3


def test_what_piled_up_does_not_keep_bots_waiting(app, monkeypatch):
    seen = []
    monkeypatch.setattr(timetable, "ONE_BY_ONE", (lambda now: seen.append(now) or True,))
    timetable.sweep(BEGUN)
    assert len(seen) == timetable.MOST_AT_ONCE
