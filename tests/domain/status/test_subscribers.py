"""Subscribing: asked twice, the same to everybody, braked, and over with one press."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app import tenancy
from app.domain import strangers
from app.domain.errors import Conflict, Invalid, TooMany
from app.domain.status import subscribers
from app.extensions import db
from app.models import AuditEvent, Mail, StatusSubscriber
from tests.factories import NOW, TESTER

LATER = NOW + timedelta(minutes=5)


def place(number=1):
    return replace(TESTER, ip=f"192.0.2.{number}", kind="anonymous", label="anonymous", id=None)


def ask(email="bo@example.org", by=None, now=NOW):
    subscribers.ask(email, link_to=lambda token: f"/x/{token}", by=by or place(), now=now)


def letters():
    query = select(Mail).where(Mail.letter == "status_confirm").order_by(Mail.created_at)
    return db.session.scalars(query).all()


def token():
    return letters()[-1].values["link"].rpartition("/")[2]


@pytest.fixture(autouse=True)
def nobody(app):
    """As on the public pages: nobody is known and no workspace is open."""
    tenancy.close()
    yield
    tenancy.forget()


def person():
    with tenancy.everywhere("a test looks at what was written"):
        return db.session.scalars(select(StatusSubscriber)).one_or_none()


def test_nothing_is_subscribed_before_the_mailbox_says_so():
    ask(" Bo@Example.org ")
    assert person().confirmed_at is None
    link = token()
    assert subscribers.waiting(link, LATER).email == "Bo@Example.org"
    subscribers.confirm(link, LATER)
    db.session.expire_all()
    assert person().confirmed_at == LATER
    with pytest.raises(Conflict):
        subscribers.confirm(link, LATER)


def test_a_link_is_good_for_three_days_and_until_the_next():
    ask()
    first = token()
    assert subscribers.waiting(first, NOW + timedelta(days=3, seconds=1)) is None
    ask(now=LATER)
    assert subscribers.waiting(first, LATER) is None
    with pytest.raises(Conflict):
        subscribers.confirm("guessed", LATER)


def test_who_is_on_the_list_gets_no_more_letters_and_nothing_changes():
    ask()
    subscribers.confirm(token(), NOW)
    ask(now=LATER)
    assert len(letters()) == 1
    assert person().confirmed_at == NOW


def test_leaving_is_one_press_and_coming_back_is_asked_again():
    ask()
    subscribers.confirm(token(), NOW)
    for _ in range(2):
        subscribers.leave(person().id, LATER)
    db.session.expire_all()
    assert person().ended_at == LATER
    ask(now=LATER)
    db.session.expire_all()
    assert person().ended_at == LATER, "asking alone brings nobody back"
    subscribers.confirm(token(), LATER)
    db.session.expire_all()
    assert person().ended_at is None


@pytest.mark.parametrize("guess", ["", ".", "sub_x", "ü", "sub_" + "a" * 26, "x" * 5_000])
def test_a_token_of_nobody_ends_nothing(guess):
    ask()
    subscribers.confirm(token(), NOW)
    with pytest.raises(Conflict):
        subscribers.leave(guess, LATER)
    assert person().ended_at is None


def test_three_letters_a_day_to_one_address_and_the_answer_stays_the_same():
    for number in range(5):
        ask(by=place(number))
    assert len(letters()) == 3
    ask(by=place(9), now=NOW + timedelta(days=1, seconds=1))
    assert len(letters()) == 4


def test_five_an_hour_from_one_place():
    for number in range(5):
        ask(f"bo{number}@example.org")
    with pytest.raises(TooMany) as refusal:
        ask("one.more@example.org", now=LATER)
    assert refusal.value.wait == 55 * 60
    ask("one.more@example.org", now=NOW + timedelta(hours=1, seconds=1))


def test_a_flood_from_everywhere_stops(monkeypatch):
    monkeypatch.setattr(strangers, "MOST_IN_ALL", 3)
    for number in range(3):
        ask(f"bo{number}@example.org", by=place(number))
    with pytest.raises(TooMany):
        ask("one.more@example.org", by=place(99))


def test_no_address_stands_in_the_log():
    ask("very.secret@example.org")
    (event,) = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "status.subscribe_ask")
    )
    assert "secret" not in f"{event.target_id}{event.target_label}{event.reason}{event.changes}"


def test_no_address_no_letter():
    with pytest.raises(Invalid):
        ask("not an address")
    assert letters() == []


def test_who_never_confirmed_is_forgotten():
    ask()
    with tenancy.everywhere("as the timetable does"):
        subscribers.forget(NOW + timedelta(days=2))
        assert person() is not None
        subscribers.forget(NOW + timedelta(days=4))
        assert person() is None
        assert subscribers.count() == 0
