"""The operator's console: letters read, filtered, sent again."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.domain import mail
from app.domain.letters import House
from app.extensions import db
from app.gateways.mail import Delivery, Fate
from app.models import AuditEvent, Mail, MailState, OutboxMessage
from tests import factories, site
from tests.pages import Pages

LINK = "https://plutarc.test/join/secret-token"


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


def letter(house, fate=None, detail="", subject_of="bo@example.org"):
    """A letter with a link in it, after one try with this outcome."""
    now = datetime.now(UTC) - timedelta(seconds=5)
    with site.rows(house):
        made = mail.post("mail_check", to=subject_of, name="Bo", now=now, console=LINK, link=LINK)
        db.session.flush()
        if fate:
            here = House("plutarc", "https://plutarc.test")
            errand = mail.begin(made.id, now, house=here, sender="plutarc@plutarc.test")
            mail.finish(errand, Delivery(fate, detail), now)
        return made.id


def found(house, number):
    with site.rows(house):
        row = db.session.get(Mail, number)
        return row.state, row.attempts, row.error


def test_without_a_mail_server_it_says_what_to_set(operator):
    for address in ("/operator", "/operator/mail"):
        page = operator.get(address)
        assert "SMTP_URL" in page.text
        assert "MAIL_FROM" in page.text


def test_letters_are_listed_newest_first_and_by_state(operator, house):
    failed = letter(house, Fate.FAILED, "550 no such person", "one@example.org")
    letter(house, Fate.UNSENT, "none", "two@example.org")
    listed = operator.get("/operator/mail").by_id("letters").text
    assert 0 < listed.index("two@example.org") < listed.index("one@example.org")
    page = operator.get("/operator/mail?state=failed")
    rows = page.by_id("letters").all("tbody")[0].all("tr")
    assert all("failed" in row.text for row in rows)
    assert "550 no such person" in page.by_id("letters").text
    assert f"/operator/mail/{failed}" in operator.links("Mail check")
    operator.get("/operator/mail?state=nonsense&page=x")


def test_an_unsent_letter_shows_its_link_to_be_passed_on(operator, house):
    number = letter(house, Fate.UNSENT, "No mail server is set (SMTP_URL).")
    page = operator.get(f"/operator/mail/{number}")
    assert LINK in page.text
    assert "no mail server is set" in page.text
    assert page.all("h1")[0].text == "Letters from plutarc arrive"


def test_send_again_queues_it_once_with_one_event(operator, house, operator_email):
    number = letter(house, Fate.FAILED, "550 no such person")
    operator.get(f"/operator/mail/{number}")
    page = operator.post(f"/operator/mail/{number}/again")
    assert "queued" in page.text
    assert found(house, number) == (MailState.QUEUED, 0, "")
    operator.post(f"/operator/mail/{number}/again", 409)
    with site.rows(house):
        events = db.session.scalars(select(AuditEvent).where(AuditEvent.target_id == number))
        done = [it.actor_label for it in events if it.action == "mail.send_again"]
        assert done == [operator_email]
        asked = db.session.scalars(select(OutboxMessage).where(OutboxMessage.job == "send_mail"))
        assert sum(message.arguments == {"mail_id": number} for message in asked) == 2


@pytest.mark.parametrize("fate", [None, Fate.SENT, Fate.RETRY])
def test_what_is_sent_or_waits_is_not_sent_again(operator, house, fate):
    number = letter(house, fate, "451 later")
    page = operator.get(f"/operator/mail/{number}")
    assert not [form for form in page.all("form") if "again" in form.get("action")]
    operator.post(f"/operator/mail/{number}/again", 409)


def test_a_letter_that_cannot_be_written_says_why(operator, house):
    with site.rows(house):
        number = mail.post("no_such_letter", to="bo@example.org", now=factories.NOW).id
    assert "no_such_letter" in operator.get(f"/operator/mail/{number}").text


def test_a_letter_to_oneself(operator, house, operator_email):
    operator.get("/operator/mail")
    page = operator.post("/operator/mail/check")
    assert operator_email in page.text
    assert "/operator/mail" in page.text


def test_to_everybody_else_there_is_no_console(owner, house):
    number = letter(house, Fate.UNSENT)
    for address in ("/operator", "/operator/mail", f"/operator/mail/{number}"):
        owner.get(address, 404)
    owner.post(f"/operator/mail/{number}/again", 404)
    owner.post("/operator/mail/check", 404)
    assert not owner.links("Operator")
    assert found(house, number)[0] is MailState.UNSENT


def test_the_menu_leads_operators_there(operator):
    operator.get("/help")
    assert set(operator.links("Operator")) == {"/operator"}


def test_no_such_letter(operator):
    operator.get("/operator/mail/mail_unknown", 404)
