"""Each share of a budget is told once; addresses are told only once they have said yes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import billing_contacts, budgets, mail
from app.domain.errors import Conflict, Invalid, Refused, TooMany
from app.domain.letters import House
from app.extensions import db
from app.models import (
    AuditEvent,
    BillingContact,
    Mail,
    MailState,
    Notice,
    OutboxMessage,
    Resource,
    Role,
    UsageInterval,
)
from tests import factories
from tests.domain.test_statements import HOUR, used
from tests.domain.test_terms import HALF, agree

BASE = "https://desk.example.org"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
START = datetime(2026, 11, 1, tzinfo=UTC)
LATER = timedelta(hours=1)


class Desk:
    """A workspace that pays for idle addresses, so that an hour is 1.5 cents."""

    def __init__(self):
        self.owner = factories.user("Olga")
        self.workspace = factories.organisation(self.owner, now=NOW)
        self.bot = factories.bot(self.workspace, now=NOW)
        agree(self.workspace, HALF)
        self.links = []

    def spend(self, hours):
        db.session.query(UsageInterval).delete()
        used(self.bot, Resource.ADDRESS, START, START + hours * HOUR)

    def budget(self, amount):
        verb = {"author": self.owner, "by": factories.TESTER, "now": NOW}
        return budgets.set_amount(self.workspace, amount and Decimal(amount), **verb)

    def look(self, now=NOW):
        budgets.look(self.workspace.id, now, BASE)
        db.session.flush()

    def add(self, email="bills@example.com", by=factories.TESTER):
        verb = {"author": self.owner, "by": by, "now": NOW, "link_to": self._link}
        contact = billing_contacts.add(self.workspace, email, " Anna  Bills ", **verb)
        db.session.flush()
        return contact

    def _link(self, token):
        self.links.append(token)
        return f"{BASE}/billing/contact/{token}"

    def confirmed(self, email="bills@example.com"):
        contact = self.add(email)
        billing_contacts.confirm(self.links[-1], by=factories.TESTER, now=NOW)
        return contact


@pytest.fixture
def desk(app):
    return Desk()


def letters(letter="budget_alert"):
    return list(db.session.scalars(select(Mail).where(Mail.letter == letter).order_by(Mail.id)))


def shares(desk):
    return [alert.percent for alert in budgets.alerts(desk.workspace, months_of(NOW))]


def months_of(moment):
    return budgets.months.of(moment)


def events(desk):
    query = select(AuditEvent.action).where(
        AuditEvent.chain == desk.workspace.id, AuditEvent.action.startswith("billing.")
    )
    return list(db.session.scalars(query.order_by(AuditEvent.seq)))[1:]


def test_each_share_is_told_once_a_month(desk):
    factories.joined(desk.workspace, Role.ADMIN)
    factories.joined(desk.workspace, Role.MANAGER)
    assert desk.budget("3.00")
    for hours, known in ((99, []), (100, [50]), (159, [50]), (160, [50, 80]), (250, [50, 80, 100])):
        desk.spend(hours)
        desk.look()
        desk.look()
        assert shares(desk) == known
    assert len(letters()) == 3 * 2  # the owner and the admin; a manager sees no costs
    keys = select(Notice.title).where(Notice.user_id == desk.owner.id)
    told = [title for title in db.session.scalars(keys) if "budget" in title]
    assert len(told) == 3
    assert [it.percent for it in budgets.history(desk.workspace)] == [100, 80, 50]
    december = datetime(2026, 12, 20, tzinfo=UTC)
    desk.look(december)
    assert budgets.alerts(desk.workspace, months_of(december)) == []
    assert events(desk) == ["billing.budget"]


def test_who_jumps_over_shares_reads_one_letter(desk):
    desk.budget("1")
    desk.spend(70)
    desk.look()
    assert shares(desk) == [50, 80, 100]
    (letter,) = letters()
    assert (letter.values["share"], letter.values["spent"]) == (100, "$1.05")
    errand = mail.begin(letter.id, NOW, house=House("plutarc", BASE), sender="a@example.org")
    assert "100 % of the budget for November 2026" in errand.letter.subject
    assert f"{BASE}/w/{desk.workspace.id}/billing/2026-11" in errand.letter.text


def test_a_higher_budget_is_told_of_anew(desk):
    desk.budget("1")
    desk.spend(70)
    desk.look()
    assert desk.budget("2")
    assert shares(desk) == [50]
    desk.spend(134)
    desk.look()
    assert shares(desk) == [50, 80, 100]
    assert len(letters()) == 2
    for amount in ("3", "2"):
        assert desk.budget(amount)
        desk.look()
    assert shares(desk) == [50, 80, 100]
    assert sorted(it.values["amount"] for it in letters()) == ["$1.00", "$2.00"]
    assert desk.budget(None)
    assert not desk.budget(None)
    desk.look()


def test_the_last_hour_of_a_month_is_looked_at_in_the_next(desk):
    desk.budget("9")
    end = months_of(NOW).end
    desk.spend(720)
    desk.look(end + timedelta(minutes=1))
    assert shares(desk) == [50, 80, 100]
    (letter,) = letters()
    assert letter.values["month"] == "November 2026"
    assert letter.values["page"].endswith("/billing/2026-11")


def test_a_new_budget_says_nothing_of_the_month_before_it(desk):
    desk.spend(720)
    later = months_of(NOW).end + timedelta(minutes=1)
    verb = {"author": desk.owner, "by": factories.TESTER, "now": later}
    budgets.set_amount(desk.workspace, Decimal(9), **verb)
    desk.look(later)
    assert letters() == []


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "10000001"])
def test_what_is_no_budget(desk, amount):
    with pytest.raises(Invalid):
        desk.budget(Decimal(amount))


def test_workspaces_with_a_budget_or_a_bound_are_looked_at(desk):
    def asked():
        query = select(OutboxMessage.arguments).where(OutboxMessage.job == budgets.JOB)
        found = list(db.session.scalars(query))
        db.session.query(OutboxMessage).delete()
        return [arguments["place"] for arguments in found]

    budgets.ask_due(NOW)
    assert asked() == []
    agree(desk.workspace, replace(HALF, max_spend=Decimal(1)))
    budgets.ask_due(NOW)
    assert asked() == [desk.workspace.id]
    desk.spend(100)
    desk.look()
    assert len(letters("spend_stopped")) == 1
    budgets.ask_due(NOW)
    assert asked() == []
    desk.budget("5")
    assert asked() == [desk.workspace.id]
    desk.workspace.deleted_at = NOW
    budgets.ask_due(NOW)
    assert asked() == []
    desk.look()


def test_an_address_gets_nothing_but_a_question_before_it_said_yes(desk):
    contact = desk.add()
    assert contact.name == "Anna Bills"
    desk.budget("1")
    desk.spend(40)
    desk.look()
    assert [letter.to_email for letter in letters()] == [desk.owner.email]
    assert billing_contacts.waiting(desk.links[0], NOW) == ("bills@example.com", "Harbour Desk")
    assert billing_contacts.waiting(desk.links[0], NOW + billing_contacts.LINK_LASTS) is None
    billing_contacts.confirm(desk.links[0], by=factories.TESTER, now=NOW)
    with pytest.raises(Conflict):
        billing_contacts.confirm(desk.links[0], by=factories.TESTER, now=NOW)
    desk.spend(70)
    desk.look()
    (letter,) = (it for it in letters() if it.to_email == "bills@example.com")
    errand = mail.begin(letter.id, NOW, house=House("plutarc", BASE), sender="a@example.org")
    leave = f"{BASE}/billing/leave/{contact.id}"
    assert f"Hello Anna Bills,\n\nthe machines of {desk.workspace.name}" in errand.letter.text
    assert leave in errand.letter.text
    assert "/w/" not in errand.letter.text
    assert ("List-Unsubscribe", f"<{leave}>") in errand.letter.headers
    assert events(desk) == [
        "billing.contact_add",
        "billing.budget",
        "billing.contact_confirm",
    ]


def test_a_second_question_ends_the_first_link(desk):
    contact = desk.add()
    billing_contacts.ask_again(
        desk.workspace, contact, link_to=desk._link, by=factories.TESTER, now=NOW
    )
    assert billing_contacts.waiting(desk.links[0], NOW) is None
    billing_contacts.confirm(desk.links[1], by=factories.TESTER, now=NOW)
    db.session.refresh(contact)
    with pytest.raises(Conflict):
        billing_contacts.ask_again(
            desk.workspace, contact, link_to=desk._link, by=factories.TESTER, now=NOW
        )


def test_who_was_asked_too_often_keeps_the_link_in_the_mailbox(desk):
    contact = desk.add()
    verb = {"link_to": desk._link, "by": factories.TESTER}
    for _ in range(2):
        billing_contacts.ask_again(desk.workspace, contact, now=NOW, **verb)
    with pytest.raises(Conflict, match="several times lately"):
        billing_contacts.ask_again(desk.workspace, contact, now=NOW + LATER, **verb)
    assert len(letters("billing_confirm")) == len(desk.links) == 3
    assert contact.asked_at == NOW
    assert billing_contacts.waiting(desk.links[-1], NOW)
    billing_contacts.remove(desk.workspace, contact, by=factories.TESTER, now=NOW)
    with pytest.raises(Invalid, match="several times lately"):
        desk.add()
    assert billing_contacts.of(desk.workspace) == []


def test_with_the_workspace_go_its_waiting_letters(desk):
    desk.add()
    (letter,) = letters("billing_confirm")
    errand = mail.begin(letter.id, NOW, house=House("plutarc", BASE), sender="a@example.org")
    assert "Anna" not in errand.letter.text
    desk.confirmed("two@example.com")
    (question,) = (it for it in letters("billing_confirm") if it.to_email == "two@example.com")
    assert billing_contacts.forget_all(desk.workspace)
    db.session.refresh(question)
    assert question.state is MailState.CANCELLED


def test_whoever_leaves_is_told_no_more(desk):
    contact = desk.confirmed()
    desk.budget("1")
    desk.spend(40)
    desk.look()
    assert billing_contacts.leaver(contact.id) == ("bills@example.com", "Harbour Desk")
    billing_contacts.leave(contact.id, by=factories.TESTER, now=NOW)
    waiting = {letter.to_email: letter.state for letter in letters()}
    assert waiting["bills@example.com"] is MailState.CANCELLED
    assert waiting[desk.owner.email] is MailState.QUEUED
    assert billing_contacts.of(desk.workspace) == []
    with pytest.raises(Conflict):
        billing_contacts.leave(contact.id, by=factories.TESTER, now=NOW)
    assert letters("billing_removed") == []


def test_who_is_taken_off_is_told_if_they_ever_agreed(desk):
    asked, agreed = desk.add("one@example.com"), desk.confirmed("two@example.com")
    for contact in (asked, agreed):
        billing_contacts.remove(desk.workspace, contact, by=factories.TESTER, now=NOW)
    assert [letter.to_email for letter in letters("billing_removed")] == ["two@example.com"]
    (question,) = (it for it in letters("billing_confirm") if it.to_email == "one@example.com")
    assert question.state is MailState.CANCELLED


def test_what_is_no_address(desk):
    desk.add()
    for email, error in (("Bills@Example.com", Invalid), ("nobody", Invalid)):
        with pytest.raises(error):
            desk.add(email)
    there = replace(factories.TESTER, ip="192.0.2.1")
    for number in range(5):
        desk.add(f"n{number}@example.com", by=there)
    with pytest.raises(TooMany):
        desk.add("n5@example.com", by=there)
    db.session.query(BillingContact).delete()
    for number in range(billing_contacts.MOST):
        desk.add(f"n{number}@example.com")
    with pytest.raises(Refused):
        desk.add("more@example.com")
