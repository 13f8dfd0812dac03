"""The book of mail that came in: read, filtered, decided on by operators; originals for owners."""

import secrets
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app import current
from app.domain.inbound import intake, parse, store
from app.domain.inbound.case import Desk
from app.domain.inbound.store import Arrival
from app.domain.support import reply_tokens, tickets
from app.domain.support.events import Voice
from app.domain.support.said import Said, Wanted
from app.extensions import db
from app.gateways.files import DirectoryFiles
from app.models import (
    AuditEvent,
    AuthorKind,
    InboundMail,
    MailDecision,
    ReplyToken,
    Ticket,
    TicketMessage,
    TokenPurpose,
    User,
    Verification,
    Workspace,
)
from tests import factories, site
from tests.domain.inbound.post import DOMAIN, KEY, OURS, mail
from tests.pages import Pages
from tests.views.conftest import as_person

DESK = Desk(DOMAIN, KEY, OURS, "desk@plutarc.test")


@pytest.fixture
def operator_email(house):
    with site.rows(house):
        person = factories.user("Opal")
        person.operator = True
        return person.email


@pytest.fixture
def operator(house, operator_email):
    pages = Pages(house)
    pages.become(operator_email)
    return pages


@pytest.fixture
def office(house, desk, people, tmp_path):
    """A ticket of the trader's, and a function that delivers mail to its reply address."""
    now = datetime.now(UTC)
    with site.rows(house):
        trader = db.session.get_one(User, people["trader"][0])
        voice = Voice(AuthorKind.USER, factories.TESTER, trader.id)
        workspace = db.session.get_one(Workspace, desk.id)
        ticket = tickets.open_ticket(
            workspace, trader, Wanted("A question"), Said("Why?"), voice=voice, now=now
        )
        number = ticket.id

    def deliver(
        sender, body="Here I am.", *, holder=people["trader"][0], purpose=TokenPurpose.PUBLIC, **how
    ):
        with site.rows(house):
            ticket = db.session.get_one(Ticket, number)
            person = db.session.get_one(User, holder)
            token = reply_tokens.issue(ticket, person, purpose, now, KEY)
            to = reply_tokens.address(token, DOMAIN)
            raw = mail(sender, body, To=to, **how)
            lock, event = current.mail_locker(), secrets.token_hex(8)
            store.keep(Arrival("raw", event, "x@y.test", to, raw), locker=lock, now=now)
            row = db.session.scalars(select(InboundMail).where(InboundMail.event_id == event)).one()
            waiting = intake.begin(row.id, lock, now)
            letter = parse.take_apart(waiting.raw)
            intake.finish(waiting, letter, desk=DESK, storage=DirectoryFiles(tmp_path), now=now)
            return row.id

    deliver.ticket, deliver.home = number, f"{desk.home}/tickets/{number}"
    deliver.trader = people["trader"][1]
    return deliver


def last_message(house, ticket):
    with site.rows(house):
        query = select(TicketMessage).where(TicketMessage.ticket_id == ticket)
        row = db.session.scalars(query.order_by(TicketMessage.seq.desc()).limit(1)).one()
        db.session.expunge(row)
        return row


def events(house, action):
    with site.rows(house):
        found = db.session.scalars(select(AuditEvent).where(AuditEvent.action == action)).all()
        return [(it.actor_label, it.on_behalf_of, it.target_id) for it in found]


def test_mail_is_listed_with_its_decision_and_filtered(operator, office):
    held = office("who@example.org", Subject="A stranger's")
    taken = office(office.trader, Subject="The owner's")
    page = operator.get("/operator/mail/in")
    assert "The owner's" in page.text
    page = operator.get("/operator/mail/in?decision=quarantined")
    assert f"/operator/mail/in/{held}" in operator.links("who@example.org")
    assert "The owner's" not in page.text
    page = operator.get(f"/operator/mail/in/{taken}")
    assert "dmarc=pass" in page.text
    operator.get("/operator/mail/in?decision=nonsense&page=x")
    operator.get("/operator/mail/in/inm_unknown", 404)


def test_markup_in_a_mail_is_text_and_tokens_are_left_out(operator, office):
    number = office("who@example.org", "<script>alert(1)</script>", Subject="<b>bold</b>")
    for address in (f"/operator/mail/in/{number}", f"/operator/mail/in/{number}/source"):
        page = operator.get(address)
        assert "<script>alert(1)</script>" in page.text
        assert not [it for it in page.all("script") if "alert" in it.text]
        body = operator.response.get_data(as_text=True)
        assert "reply+…@" in body
        assert DOMAIN in body


def test_held_mail_is_put_in_as_its_owner_s_unverified(operator, office, house, operator_email):
    number = office("who@example.org", "It is me, from my phone.")
    operator.get(f"/operator/mail/in/{number}")
    operator.post(f"/operator/mail/in/{number}/append")
    said = last_message(house, office.ticket)
    assert (said.body, said.verification) == (
        "It is me, from my phone.",
        Verification.UNVERIFIED,
    )
    assert said.inbound_id == number
    assert (operator_email, office.trader, office.ticket) in events(house, "ticket.reply")
    operator.post(f"/operator/mail/in/{number}/append", 409)
    assert last_message(house, office.ticket).seq == said.seq


def test_nobody_speaks_for_the_desk_by_held_mail(operator, office, house, operator_email):
    with site.rows(house):
        query = select(User.id).where(User.email == operator_email)
        holder = db.session.scalars(query).one()
    for purpose in TokenPurpose:
        number = office("who@example.org", holder=holder, purpose=purpose)
        page = operator.get(f"/operator/mail/in/{number}")
        assert "Answer in the ticket yourself" in page.text
        operator.post(f"/operator/mail/in/{number}/append", 409)
    assert last_message(house, office.ticket).seq == 1


def test_held_mail_is_refused_once(operator, office, house):
    number = office("who@example.org")
    operator.get(f"/operator/mail/in/{number}")
    operator.post(f"/operator/mail/in/{number}/refuse")
    operator.post(f"/operator/mail/in/{number}/refuse", 409)
    assert [it[2] for it in events(house, "mail_in.refuse")].count(number) == 1
    with site.rows(house):
        assert db.session.get_one(InboundMail, number).decision is MailDecision.REFUSED


def test_an_address_that_strangers_know_is_changed(operator, office, house):
    number = office("who@example.org")
    operator.get(f"/operator/mail/in/{number}")
    operator.post(f"/operator/mail/in/{number}/rotate")
    with site.rows(house):
        token = db.session.get_one(InboundMail, number).verdicts["token"]
        assert db.session.get_one(ReplyToken, token).revoked_at is not None
    assert [it[2] for it in events(house, "mail_in.rotate")].count(number) == 1


def test_an_owner_reads_the_whole_of_their_own_mail(trader, office, house):
    office(office.trader, "Thanks.\n\nOn Monday the desk wrote:\n> Because.")
    said = last_message(house, office.ticket)
    page = trader.get(office.home)
    address = f"{office.home}/messages/{said.id}/original"
    assert address in [it.get("href") for it in page.all("a")]
    page = trader.get(address)
    assert "> Because." in page.by_id("original").text


def test_what_an_operator_mailed_stays_with_operators(office, house, operator_email, pages, desk):
    with site.rows(house):
        query = select(User.id).where(User.email == operator_email)
        holder = db.session.scalars(query).one()
    number = office(operator_email, "Try again.\n\n> internal words", holder=holder)
    said = last_message(house, office.ticket)
    assert (said.author, said.inbound_id) == (AuthorKind.OPERATOR, number)
    as_person(pages, desk, "trader").get(f"{office.home}/messages/{said.id}/original", 404)
    pages.get(f"/operator/mail/in/{number}", 404)
    pages.become(operator_email)
    assert "internal words" in pages.get(f"/operator/mail/in/{number}").text


def test_the_layout_of_a_mail_is_a_page_of_no_site_without_anything_that_runs(
    trader, office, house
):
    text = '<p onclick="x()" hx-get="/x" class="a">Hello <b>desk</b><script>x</script></p>'
    office(office.trader, text, Content_Type="text/html")
    said = last_message(house, office.ticket)
    answer = trader.client.get(f"{office.home}/messages/{said.id}/original/layout")
    assert answer.headers["Content-Security-Policy"].endswith("sandbox")
    assert "<b>desk</b>" in answer.text
    assert not [it for it in ("onclick", "hx-get", "class", "script") if it in answer.text]


def test_an_original_is_nobody_else_s_nor_of_what_was_taken_out(pages, desk, office, house):
    office(office.trader)
    viewer = as_person(pages, desk, "viewer")
    said = last_message(house, office.ticket)
    viewer.get(f"{office.home}/messages/{said.id}/original", 404)
    viewer.get(f"{office.home}/messages/msg_unknown/original", 404)
    with site.rows(house):
        db.session.get_one(TicketMessage, said.id).redacted_at = datetime.now(UTC)
    as_person(pages, desk, "trader").get(f"{office.home}/messages/{said.id}/original", 404)


def test_after_thirty_days_only_the_decision_is_left(operator, office, house):
    number = office("who@example.org")
    with site.rows(house):
        db.session.get_one(InboundMail, number).raw = None
    assert "Its text is gone" in operator.get(f"/operator/mail/in/{number}").text
    operator.get(f"/operator/mail/in/{number}/source", 404)
    operator.post(f"/operator/mail/in/{number}/append", 409)


def test_to_everybody_else_there_is_no_book(trader, office):
    number = office("who@example.org")
    for address in ("", f"/{number}", f"/{number}/source"):
        trader.get(f"/operator/mail/in{address}", 404)
    for verb in ("append", "refuse", "rotate"):
        trader.post(f"/operator/mail/in/{number}/{verb}", 404)
