"""Addresses to answer to: who holds them, how long, and what brings them back."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain.support import reply_tokens, return_paths
from app.domain.support.events import Voice
from app.domain.support.said import Said, Wanted
from app.domain.support.tickets import open_ticket
from app.extensions import db
from app.models import AuthorKind, Contact, ReplyToken, TokenPurpose
from tests import factories
from tests.factories import NOW, TESTER

KEY = "k" * 40
HOME = "reply.desk.test"
PUBLIC, INTERNAL = TokenPurpose.PUBLIC, TokenPurpose.INTERNAL


@pytest.fixture
def owner(app):
    return factories.user("Olga")


@pytest.fixture
def ticket(owner):
    voice = Voice(AuthorKind.USER, TESTER, owner.id)
    place = factories.organisation(owner)
    return open_ticket(place, owner, Wanted("Help"), Said("It stopped."), voice=voice, now=NOW)


def test_a_token_names_its_ticket_its_holder_and_its_purpose(ticket, owner):
    token = reply_tokens.issue(ticket, owner, PUBLIC, NOW, KEY)
    found = reply_tokens.find(token, NOW)
    assert (found.ticket_id, found.holder_id, found.purpose) == (ticket.id, owner.id, PUBLIC)
    assert found.contact_id is None
    assert reply_tokens.find(token.upper(), NOW) is found
    assert reply_tokens.find(token[:-1] + "x", NOW) is None


def test_the_row_does_not_give_the_token_away(ticket, owner):
    token = reply_tokens.issue(ticket, owner, PUBLIC, NOW, KEY)
    row = reply_tokens.find(token, NOW)
    assert token not in repr((row.id, row.token_hash, row.ticket_id, row.holder_id))
    assert len(token) == 26


def test_the_same_letter_again_has_the_same_address(ticket, owner):
    first = reply_tokens.issue(ticket, owner, PUBLIC, NOW, KEY)
    assert reply_tokens.issue(ticket, owner, PUBLIC, NOW + timedelta(days=9), KEY) == first
    assert db.session.scalar(select(func.count()).select_from(ReplyToken)) == 1


def test_purposes_and_people_have_tokens_of_their_own(ticket, owner):
    other = factories.user("Otto")
    contact = Contact(
        email="c@x.test", email_key="c@x.test", name="C", verified_at=NOW, created_at=NOW
    )
    db.session.add(contact)
    db.session.flush()
    wanted = [(owner, PUBLIC), (owner, INTERNAL), (other, PUBLIC), (contact, PUBLIC)]
    tokens = [reply_tokens.issue(ticket, who, what, NOW, KEY) for who, what in wanted]
    assert len(set(tokens)) == 4
    assert reply_tokens.find(tokens[1], NOW).purpose is INTERNAL
    assert reply_tokens.find(tokens[3], NOW).contact_id == contact.id


def test_a_token_lives_a_year_and_is_renewed_before(ticket, owner):
    token = reply_tokens.issue(ticket, owner, PUBLIC, NOW, KEY)
    assert reply_tokens.find(token, NOW + reply_tokens.LIFE - timedelta(seconds=1))
    assert reply_tokens.find(token, NOW + reply_tokens.LIFE) is None
    later = reply_tokens.issue(ticket, owner, PUBLIC, NOW + timedelta(days=200), KEY)
    assert later != token
    assert reply_tokens.find(token, NOW + timedelta(days=200))


def test_another_key_makes_other_tokens_and_keeps_the_old_ones(ticket, owner):
    token = reply_tokens.issue(ticket, owner, PUBLIC, NOW, KEY)
    other = reply_tokens.issue(ticket, owner, PUBLIC, NOW, "z" * 40)
    assert other != token
    assert reply_tokens.find(token, NOW)
    assert reply_tokens.issue(ticket, owner, PUBLIC, NOW, "z" * 40) == other


def test_revoked_once_and_replaced(ticket, owner):
    token = reply_tokens.issue(ticket, owner, PUBLIC, NOW, KEY)
    row = reply_tokens.find(token, NOW)
    assert reply_tokens.revoke(row, NOW)
    assert not reply_tokens.revoke(row, NOW + timedelta(hours=1))
    assert row.revoked_at == NOW
    assert reply_tokens.find(token, NOW) is None
    assert reply_tokens.issue(ticket, owner, PUBLIC, NOW, KEY) != token


def test_rotating_ends_what_one_person_holds_on_one_ticket(ticket, owner):
    mine = [reply_tokens.issue(ticket, owner, what, NOW, KEY) for what in TokenPurpose]
    others = reply_tokens.issue(ticket, factories.user("Otto"), PUBLIC, NOW, KEY)
    assert reply_tokens.rotate(ticket, owner, NOW) == 2
    assert [reply_tokens.find(token, NOW) for token in mine] == [None, None]
    assert reply_tokens.find(others, NOW)


def test_an_address_is_read_whatever_a_relay_made_of_its_case(ticket, owner):
    token = reply_tokens.issue(ticket, owner, PUBLIC, NOW, KEY)
    written = reply_tokens.address(token, HOME)
    assert reply_tokens.address_token(written, HOME) == token
    assert reply_tokens.address_token(f" {written.upper()} ", HOME) == token
    wrong = [
        written.replace(HOME, "evil.test"),
        written.replace("reply+", "reply"),
        f"x{written}",
        written.replace("@", "a@"),
        f"reply+@{HOME}",
        "",
        "reply+" + token,
    ]
    assert [reply_tokens.address_token(it, HOME) for it in wrong] == [None] * len(wrong)
    assert reply_tokens.address_token(f"reply+{token}@", "") is None


def test_a_return_path_names_its_letter_and_cannot_be_made_up():
    mail_id = "mail_" + "ab2" * 8 + "cd"
    made = return_paths.make(mail_id, KEY, HOME)
    assert len(made.partition("@")[0]) <= 64
    assert return_paths.read(made, KEY, HOME) == mail_id
    assert return_paths.read(made.upper(), KEY, HOME) == mail_id
    assert return_paths.read(made, "z" * 40, HOME) is None
    assert return_paths.read(made, KEY, "evil.test") is None
    assert return_paths.read(made.replace("ab2", "ab3", 1), KEY, HOME) is None
    assert return_paths.read("bounce+@" + HOME, KEY, HOME) is None
    assert return_paths.read(made, "", HOME) is None
