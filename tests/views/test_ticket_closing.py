"""What its owner sees of a ticket that the timer warned about and closed, and how it comes back."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.domain.support import silence, tickets
from app.domain.support.events import Voice
from app.domain.support.said import Said, Wanted
from app.extensions import db
from app.models import AuthorKind, MailState, Membership, Ticket, User
from tests import factories
from tests.domain.support.scene import letters

DAY = timedelta(days=1)


@pytest.fixture
def silent(house, pages):
    """A person who was answered eight days ago, warned, and said nothing."""
    now = datetime.now(UTC)
    with house.app_context():
        person = factories.user("Sila")
        person.email_verified_at = now
        mine = select(Membership).where(Membership.user_id == person.id)
        home = db.session.scalars(mine).one().workspace
        voice = Voice(AuthorKind.USER, factories.TESTER, person.id)
        wanted, then = Wanted("Silent"), now - 8 * DAY
        ticket = tickets.open_ticket(home, person, wanted, Said("?"), voice=voice, now=then)
        desk = Voice(AuthorKind.OPERATOR, factories.TESTER)
        tickets.post(ticket, Said("Try this."), voice=desk, now=then)
        assert silence.look(ticket.id, now - 2 * DAY) == "warned"
        letter = letters(ticket)[-1]
        letter.state, letter.sent_at = MailState.SENT, now - 2 * DAY
        found = ticket.id, home.id, person.email
        db.session.commit()
        db.session.remove()
    pages.become(found[2])
    return SimpleNamespace(id=found[0], page=f"/w/{found[1]}/tickets/{found[0]}", email=found[2])


def lapse(house, silent):
    with house.app_context():
        assert silence.look(silent.id, datetime.now(UTC)) == "closed"
        db.session.commit()
        db.session.remove()


def test_a_warned_ticket_says_when_it_closes_and_one_press_keeps_it(house, pages, silent):
    page = pages.get(silent.page)
    assert "The timer warned that it will close" in page.text
    assert "It closes by itself" in page.text
    assert page.by_class("notice-warn")[0].all("time")
    page = pages.post(f"{silent.page}/need-help")
    assert "It closes by itself" not in page.text
    with house.app_context():
        assert silence.look(silent.id, datetime.now(UTC)) == ""
        db.session.remove()


def test_a_closed_one_says_who_why_and_when_and_one_press_reopens_it(house, pages, silent):
    lapse(house, silent)
    page = pages.get(silent.page)
    assert "The timer closed it. You did not answer since" in page.text
    (event,) = [it for it in page.by_class("happened") if "closed it" in it.text]
    assert event.all("time")
    page = pages.post(f"{silent.page}/reopen")
    assert "You reopened it." in page.text
    with house.app_context():
        assert db.session.get(Ticket, silent.id).closed_at is None
        db.session.remove()


def test_the_inbox_leads_to_it(house, pages, silent):
    lapse(house, silent)
    page = pages.get("/account/inbox")
    assert "closes soon" in page.text
    assert "was closed: Silent" in page.text
    with house.app_context():
        assert db.session.scalars(select(User).where(User.email == silent.email)).one()
        db.session.remove()
