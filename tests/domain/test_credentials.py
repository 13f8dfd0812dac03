from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain import accounts, credentials, mailboxes, mailed_links, passwords
from app.domain.audit import Actor
from app.domain.errors import Conflict, Invalid, TooMany
from app.extensions import db
from app.models import AuditEvent, LinkPurpose, Mail, MailedLink
from tests import factories
from tests.factories import NOW, PASSWORD

BY = Actor("user", "alice@example.com", "usr_alice", ip="192.0.2.9")
NEW = "nine loud lanterns"


class Post:
    """Keeps the tokens that links were made of."""

    def __init__(self):
        self.tokens = []

    def __call__(self, token):
        self.tokens.append(token)
        return f"https://plutarc.example/x/{token}"


@pytest.fixture
def person(app):
    made = factories.user()
    db.session.commit()
    return made


@pytest.fixture
def post():
    return Post()


def signed_in(person, now=NOW):
    accounts.open_session(person, ip="192.0.2.9", user_agent="Chrome/1 Linux", by=BY, now=now)
    return accounts.live_sessions(person, now)[0]


def fits(person, password, now=NOW):
    attempt = passwords.begin(email=person.email, by=BY, now=now)
    return passwords.finish(passwords.verify(attempt, password), by=BY, now=now) is not None


def letters(name):
    return db.session.scalars(select(Mail).where(Mail.letter == name).order_by(Mail.id)).all()


def ask(person, post, now=NOW, email=None):
    credentials.ask_for_reset(email or person.email, link_to=post, by=BY, now=now)
    return post.tokens[-1] if post.tokens else None


def test_a_changed_password_ends_all_other_sessions_and_is_told(person):
    here, there = signed_in(person), signed_in(person, NOW + timedelta(seconds=1))
    done = credentials.hashed(NEW, credentials.about(person))
    credentials.change(person, done, keep=here, by=BY, now=NOW)
    db.session.commit()
    assert fits(person, NEW)
    assert not fits(person, PASSWORD)
    assert here.revoked_at is None
    assert there.revoked_at is not None
    assert "password was changed" in letters("account_changed")[0].values["title"]
    with pytest.raises(Invalid):
        credentials.hashed("alice harbour", [*credentials.about(person), "Harbour"])


def test_a_reset_link_works_once_and_ends_every_session(person, post):
    here = signed_in(person)
    token = ask(person, post)
    assert post.tokens == [token]
    assert letters("password_reset")[0].values["link"].endswith(token)
    credentials.reset(token, accounts.HASHER.hash(NEW), by=BY, now=NOW)
    db.session.commit()
    assert fits(person, NEW)
    assert here.revoked_at is not None
    assert accounts.live_sessions(person, NOW) == []
    with pytest.raises(Conflict, match="is too old"):
        credentials.reset(token, accounts.HASHER.hash("other words here"), by=BY, now=NOW)
    kept = db.session.scalars(select(MailedLink.token_hash)).all()
    assert token not in kept


def test_a_reset_link_ends_after_an_hour_a_sign_in_or_a_newer_one(person, post):
    token = ask(person, post)
    late = NOW + timedelta(hours=1)
    assert mailed_links.find(token, LinkPurpose.RESET, now=late - timedelta(seconds=1))
    assert mailed_links.find(token, LinkPurpose.RESET, now=late) is None
    signed_in(person)
    assert mailed_links.find(token, LinkPurpose.RESET, now=NOW) is None
    older, newer = ask(person, post), ask(person, post)
    assert mailed_links.find(older, LinkPurpose.RESET, now=NOW) is None
    assert mailed_links.find(newer, LinkPurpose.RESET, now=NOW)
    assert mailed_links.find(newer, LinkPurpose.VERIFY, now=NOW) is None
    done = accounts.HASHER.hash(NEW)
    credentials.change(person, done, keep=signed_in(person), by=BY, now=NOW)
    assert mailed_links.find(newer, LinkPurpose.RESET, now=NOW) is None


def test_five_letters_a_day_and_the_answer_never_differs(person, post):
    for number in range(7):
        ask(person, post, NOW + timedelta(minutes=number))
    assert len(letters("password_reset")) == 5
    ask(person, post, email="nobody@example.com")
    ask(person, post, email="no address at all")
    assert len(letters("password_reset")) == 5
    events = select(func.count()).where(AuditEvent.action == credentials.ASK)
    assert db.session.scalar(events) == 9
    labels = db.session.scalars(
        select(AuditEvent.target_id).where(AuditEvent.action == credentials.ASK)
    )
    assert not any("nobody" in str(label) for label in labels)
    ask(person, post, NOW + timedelta(days=1, minutes=5))
    assert len(letters("password_reset")) == 6


def test_one_address_of_the_net_cannot_ask_without_end(app, post):
    for number in range(20):
        ask(None, post, email=f"nobody{number}@example.com")
    with pytest.raises(TooMany):
        ask(None, post, email="nobody@example.com")


def test_an_address_is_confirmed_by_whoever_reads_its_mail(person, post):
    person.email_verified_at = None
    mailboxes.ask_to_verify(person, link_to=post, by=BY, now=NOW)
    mailboxes.verify(post.tokens[0], by=BY, now=NOW)
    assert person.verified
    with pytest.raises(Conflict):
        mailboxes.verify(post.tokens[0], by=BY, now=NOW)
    for _ in range(4):
        mailboxes.ask_to_verify(person, link_to=post, by=BY, now=NOW)
    with pytest.raises(TooMany):
        mailboxes.ask_to_verify(person, link_to=post, by=BY, now=NOW)


def test_a_new_address_is_taken_only_through_its_own_mailbox_and_can_be_taken_back(person, post):
    old, undo = person.email, Post()
    here = signed_in(person)
    reset = ask(person, Post(), NOW)
    mailboxes.ask_to_change(person, "New.Me@Example.com", link_to=post, by=BY, now=NOW)
    assert person.email == old
    assert letters("email_change")[0].to_email == "New.Me@Example.com"
    mailboxes.confirm_change(post.tokens[0], undo_to=undo, by=BY, now=NOW)
    assert (person.email, person.email_key) == ("New.Me@Example.com", "new.me@example.com")
    assert mailed_links.find(reset or "", LinkPurpose.RESET, now=NOW) is None
    told = letters("account_changed")[-1]
    assert told.to_email == old
    assert told.values["link"].endswith(undo.tokens[0])
    week = NOW + timedelta(days=7)
    assert mailed_links.find(undo.tokens[0], LinkPurpose.UNDO_EMAIL, now=week) is None
    back = Post()
    mailboxes.undo_change(undo.tokens[0], reset_to=back, by=BY, now=week - timedelta(seconds=1))
    db.session.commit()
    assert person.email == old
    assert here.revoked_at is not None
    assert letters("password_reset")[-1].to_email == old


def test_who_took_the_account_over_cannot_undo_the_undoing(person, post):
    """They change the address twice: their own link would bring back one that is theirs."""
    old, undo = person.email, Post()
    for hours, address in enumerate(("first.thief@example.com", "second.thief@example.com")):
        now = NOW + timedelta(hours=hours)
        mailboxes.ask_to_change(person, address, link_to=post, by=BY, now=now)
        mailboxes.confirm_change(post.tokens[-1], undo_to=undo, by=BY, now=now)
    mine, thiefs = undo.tokens
    later = NOW + timedelta(hours=3)
    mailboxes.undo_change(mine, reset_to=Post(), by=BY, now=later)
    assert mailed_links.find(thiefs, LinkPurpose.UNDO_EMAIL, now=later) is None
    with pytest.raises(Conflict):
        mailboxes.undo_change(thiefs, reset_to=Post(), by=BY, now=later)
    assert person.email == old


def test_an_undoing_by_the_thief_leaves_the_older_link_good(person, post):
    old, undo = person.email, Post()
    for hours, address in enumerate(("first.thief@example.com", "second.thief@example.com")):
        now = NOW + timedelta(hours=hours)
        mailboxes.ask_to_change(person, address, link_to=post, by=BY, now=now)
        mailboxes.confirm_change(post.tokens[-1], undo_to=undo, by=BY, now=now)
    later = NOW + timedelta(hours=3)
    for token in reversed(undo.tokens):
        mailboxes.undo_change(token, reset_to=Post(), by=BY, now=later)
    assert person.email == old


def test_after_an_undoing_the_old_password_opens_nothing(person, post):
    undo, back = Post(), Post()
    mailboxes.ask_to_change(person, "thief@example.com", link_to=post, by=BY, now=NOW)
    mailboxes.confirm_change(post.tokens[0], undo_to=undo, by=BY, now=NOW)
    mailboxes.undo_change(undo.tokens[0], reset_to=back, by=BY, now=NOW)
    assert not fits(person, PASSWORD)
    credentials.reset(back.tokens[0], accounts.HASHER.hash(NEW), by=BY, now=NOW)
    assert fits(person, NEW)


@pytest.mark.parametrize("way", ["changed", "reset"])
def test_a_new_password_ends_a_change_of_address_that_waits(person, post, way):
    """Who had the account for a moment asked for it, and would take the account with it."""
    mailboxes.ask_to_change(person, "thief@example.com", link_to=post, by=BY, now=NOW)
    done = accounts.HASHER.hash(NEW)
    if way == "changed":
        credentials.change(person, done, keep=signed_in(person), by=BY, now=NOW)
    else:
        credentials.reset(ask(person, Post()), done, by=BY, now=NOW)
    with pytest.raises(Conflict):
        mailboxes.confirm_change(post.tokens[0], undo_to=Post(), by=BY, now=NOW)


def test_an_address_that_somebody_has_is_not_given_away_nor_told_of(person, post):
    other = factories.user("Bob")
    mailboxes.ask_to_change(person, other.email.upper(), link_to=post, by=BY, now=NOW)
    assert letters("email_change") == []
    mailboxes.ask_to_change(person, "free@example.com", link_to=post, by=BY, now=NOW)
    other.email, other.email_key = "free@example.com", "free@example.com"
    db.session.flush()
    with pytest.raises(Conflict, match="another account"):
        mailboxes.confirm_change(post.tokens[-1], undo_to=post, by=BY, now=NOW)
    with pytest.raises(Invalid):
        mailboxes.ask_to_change(person, person.email.upper(), link_to=post, by=BY, now=NOW)


def test_of_two_who_use_a_link_one_does(person, post):
    token = ask(person, post)
    first = mailed_links.find(token, LinkPurpose.RESET, now=NOW)
    assert mailed_links.spend(token, LinkPurpose.RESET, now=NOW) is first
    with pytest.raises(Conflict):
        mailed_links.spend(token, LinkPurpose.RESET, now=NOW)


def test_a_suspended_person_s_links_are_no_good(person, post):
    token = ask(person, post)
    person.suspended_at = NOW
    assert mailed_links.find(token, LinkPurpose.RESET, now=NOW) is None
    assert ask(person, Post()) is None
