"""The door: nobody's words go out or in before the mailbox they name has proved itself."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app import tenancy
from app.domain import estate, workspaces
from app.domain.errors import Conflict, Invalid, Refused, TooMany
from app.domain.letters import House, render
from app.domain.support import contact_door, front_desk
from app.domain.support.contact_door import Letter
from app.extensions import db
from app.models import (
    AuthorKind,
    Contact,
    ContactRequest,
    Mail,
    Notice,
    Role,
    Ticket,
    TicketCategory,
    Workspace,
    WorkspaceKind,
)
from tests import factories
from tests.factories import NOW, TESTER

LATER = NOW + timedelta(minutes=5)
WORDS = "qzx7"
ASKED = Letter(
    name=f"Cora {WORDS}",
    email="Cora@Example.org",
    subject=f"A question {WORDS}",
    category=TicketCategory.BILLING,
    body=f"What does it cost?\nhttps://{WORDS}.example",
)


def place(number=1):
    return replace(TESTER, ip=f"192.0.2.{number}", kind="anonymous", label="anonymous", id=None)


def ask(letter=ASKED, number=1, now=NOW, **values):
    contact_door.ask(
        replace(letter, **values),
        link_to=lambda token: f"https://plutarc.test/contact/{token}",
        sign_in="https://plutarc.test/login",
        by=place(number),
        now=now,
    )


def letters(name="contact_confirm"):
    query = select(Mail).where(Mail.letter == name).order_by(Mail.created_at)
    return db.session.scalars(query).all()


def token():
    return letters()[-1].values["link"].rpartition("/")[2]


def confirm(link=None, now=LATER):
    return contact_door.confirm(link or token(), by=place(), now=now)


def count(kind):
    with tenancy.everywhere("a test looks at what was written"):
        return db.session.scalar(select(func.count()).select_from(kind))


@pytest.fixture
def olga(app):
    made = factories.user("Olga")
    made.operator = True
    db.session.commit()
    return made


@pytest.fixture(autouse=True)
def nobody(app, olga):
    """As on the public pages: nobody is known and no workspace is open."""
    tenancy.close()
    yield
    tenancy.forget()


def test_nothing_reaches_the_desk_before_the_link_is_pressed(olga):
    ask()
    assert count(Ticket) == count(Contact) == count(Notice) == 0
    assert contact_door.find(token(), LATER).subject == ASKED.subject
    assert count(Ticket) == 0, "looking sends nothing"


def test_the_link_makes_it_a_ticket_once(olga):
    ask()
    link = token()
    ticket = confirm(link)
    with pytest.raises(Conflict):
        confirm(link)
    with tenancy.everywhere("a test looks at what was written"):
        assert (ticket.subject, ticket.category, ticket.ref) == (
            ASKED.subject,
            TicketCategory.BILLING,
            "T-1001",
        )
        contact = db.session.get_one(Contact, ticket.contact_id)
        assert (contact.email_key, ticket.opened_by) == ("cora@example.org", None)
        (message,) = ticket.messages
        assert (message.author, message.body) == (AuthorKind.CONTACT, ASKED.body)
        told = db.session.scalars(select(Notice)).all()
    assert [it.user_id for it in told] == [olga.id]
    assert count(Ticket) == 1


def test_the_same_person_stays_one_contact():
    for minute in range(2):
        ask(now=NOW + timedelta(minutes=minute))
        confirm(now=LATER)
    assert (count(Ticket), count(Contact)) == (2, 1)
    with tenancy.everywhere("a test looks at what was written"):
        kinds = db.session.scalars(
            select(Workspace.kind).where(Workspace.slug == front_desk.SLUG)
        ).all()
    assert kinds == [WorkspaceKind.FRONT_DESK]


def test_no_word_of_a_stranger_is_mailed_to_the_address_they_name():
    ask()
    house = House("plutarc", "https://plutarc.test")
    (letter,) = letters()
    said = render(letter.letter, letter.values, name=letter.to_name, house=house)
    assert WORDS not in f"{said.subject}{said.text}{said.html}{letter.to_name}"


def test_an_address_with_an_account_is_told_to_sign_in_and_nothing_is_kept():
    with tenancy.everywhere("a test makes a person"):
        known = factories.user("Cora").email
    ask(email=known)
    assert count(ContactRequest) == 0
    (letter,) = letters("contact_account")
    assert letter.to_email == known
    assert letters() == []


@pytest.mark.parametrize("known", [False, True])
def test_letters_are_braked_whoever_the_address_belongs_to(known):
    email = ASKED.email
    if known:
        with tenancy.everywhere("a test makes a person"):
            email = factories.user("Cora").email
    for number in range(5):
        ask(email=email, number=number)
    assert len(letters("contact_account" if known else "contact_confirm")) == 3


def test_five_an_hour_from_one_place():
    for number in range(5):
        ask(email=f"c{number}@example.org")
    with pytest.raises(TooMany):
        ask(email="one.more@example.org")
    assert count(ContactRequest) == 5


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 81),
        ("email", "nobody"),
        ("subject", " "),
        ("subject", "x" * 161),
        ("body", " "),
        ("body", "x" * 20_001),
    ],
)
def test_what_does_not_do_is_refused_beside_its_field(field, value):
    with pytest.raises(Invalid) as refusal:
        ask(**{field: value})
    assert refusal.value.field == field
    assert count(Mail) == count(ContactRequest) == 0


def test_a_link_is_good_for_a_day_and_then_everything_is_gone():
    ask()
    late = NOW + timedelta(hours=24, seconds=1)
    assert contact_door.find(token(), late) is None
    with pytest.raises(Conflict):
        confirm(now=late)
    with tenancy.everywhere("as the timetable does"):
        contact_door.forget(NOW + timedelta(hours=23))
        assert count(ContactRequest) == 1
        contact_door.forget(late)
    assert count(ContactRequest) == 0


def test_what_became_a_ticket_is_kept_for_thirty_days():
    ask()
    confirm()
    with tenancy.everywhere("as the timetable does"):
        contact_door.forget(NOW + timedelta(days=29))
        assert count(ContactRequest) == 1
        contact_door.forget(NOW + timedelta(days=31))
    assert (count(ContactRequest), count(Ticket)) == (0, 1)


def test_the_front_desk_is_in_no_list_and_nobody_comes_in():
    with tenancy.everywhere("a test looks as an operator"):
        desk = front_desk.workspace(by=TESTER, now=NOW)
        assert front_desk.workspace(by=TESTER, now=NOW) is desk
        assert desk not in estate.listing()
        assert estate.listing(wanted="front") == []
        assert estate.find(desk.id) is None
        with pytest.raises(Refused):
            workspaces.add_member(desk, factories.user(), Role.VIEWER, by=TESTER, now=NOW)
        with pytest.raises(Conflict):
            workspaces.suspend(desk, reason="why not", by=TESTER, now=NOW)
        with pytest.raises(Invalid):
            workspaces.create_organisation(
                "Mine", factories.user(), by=TESTER, now=NOW, slug=front_desk.SLUG
            )
