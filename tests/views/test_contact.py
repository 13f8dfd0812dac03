"""The door as people without an account find it."""

import re

import pytest
from sqlalchemy import func, select

from app.extensions import db
from app.mail_settings import read_server
from app.models import Contact, Mail, Ticket
from tests import factories, site
from tests.pages import Pages

WORDS = {
    "name": "Cora",
    "subject": "Prices",
    "category": "billing",
    "body": "How much <b>?\nThanks",
}


@pytest.fixture(scope="module")
def porch(tmp_path_factory):
    """An application that sends mail."""
    server = read_server("smtp://127.0.0.1:2525")
    return site.build(tmp_path_factory.mktemp("porch"), mail_server=server)


@pytest.fixture
def visitor(porch, monkeypatch):
    monkeypatch.setattr("app.domain.strangers.MOST_FROM_PLACE", 50)
    return Pages(porch)


def write(visitor, status=303, **values):
    visitor.get("/contact")
    return visitor.post("/contact", status, **(WORDS | values))


def newest(porch, email):
    with site.rows(porch):
        query = select(Mail).where(Mail.to_email == email).order_by(Mail.created_at.desc())
        found = db.session.scalars(query).first()
        return found and (
            found.letter,
            re.sub(r"^https?://[^/]+", "", found.values.get("link", "")),
        )


def count(porch, kind):
    with site.rows(porch):
        return db.session.scalar(select(func.count()).select_from(kind))


def test_from_the_form_to_the_ticket(porch, visitor):
    assert "Look into your mailbox" in write(visitor, email="cora@example.org").text
    assert count(porch, Ticket) == 0
    letter, link = newest(porch, "cora@example.org")
    assert letter == "contact_confirm"
    page = visitor.get(link)
    assert "How much <b>?" in page.text
    assert visitor.response.headers["Cache-Control"] == "no-store"
    assert count(porch, Ticket) == 0
    assert "number T-1001" in visitor.post(link, 200).text
    visitor.get("/login")
    visitor.post(link, 410)
    visitor.get(link, 410)
    assert (count(porch, Ticket), count(porch, Contact)) == (1, 1)


def test_the_answer_is_the_same_whoever_the_address_belongs_to(porch, visitor):
    with site.rows(porch):
        known = factories.user("Kim").email
    pages = [
        write(visitor, email=known).text,
        write(visitor, email="new.one@example.org").text,
        write(visitor, email="robot@example.org", website="https://spam.example").text,
    ]
    assert len(set(pages)) == 1
    assert newest(porch, known)[0] == "contact_account"
    assert newest(porch, "new.one@example.org")[0] == "contact_confirm"
    assert newest(porch, "robot@example.org") is None


def test_what_was_typed_is_there_again_after_a_mistake(visitor):
    page = write(visitor, 422, email="nobody")
    assert "no e-mail address" in page.text
    assert "Thanks" in page.all("textarea")[0].text
    assert [it.get("value") for it in page.all("input") if it.get("name") == "name"] == ["Cora"]
    write(visitor, 422, email="a@example.org", category="moon")
    write(visitor, 422, email="a@example.org", body="")


def test_asking_too_often_is_told_to_wait(tmp_path, monkeypatch):
    porch = site.build(tmp_path / "own", mail_server=read_server("smtp://127.0.0.1:2525"))
    monkeypatch.setattr("app.domain.strangers.MOST_FROM_PLACE", 1)
    write(Pages(porch), email="first@example.org")
    page = write(Pages(porch), 429, email="often@example.org")
    assert "in an hour" in page.text
    assert newest(porch, "often@example.org") is None


def test_who_is_signed_in_is_led_to_their_own_form(porch, visitor):
    with site.rows(porch):
        person = factories.user("Sam")
        email, home = person.email, person.memberships[0].workspace_id
    visitor.become(email)
    visitor.get("/contact", 303)
    assert visitor.response.location == f"/w/{home}/tickets/new"


def test_without_mail_the_door_says_what_it_needs(house):
    pages = Pages(house)
    page = pages.get("/contact")
    assert "This door needs mail" in page.text
    assert not page.all("textarea")
    pages.get("/login")
    pages.post("/contact", 409, **WORDS, email="a@example.org")


def test_the_sign_in_page_shows_the_way(visitor):
    visitor.get("/login")
    assert visitor.links("Contact") == ["/contact"]
    assert visitor.links("Status") == ["/status"]
