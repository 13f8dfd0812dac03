"""An alarm rings once for each thing until it is cleared, and operators alone hear it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import fleet_alarms, letters
from app.domain.letters import House
from app.extensions import db
from app.models import AlarmKind, AuditEvent, FleetAlarm, Mail, Notice, NoticeKind, TelegramCall
from tests import factories
from tests.factories import NOW, TESTER

KEY = "address bot_x"
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def operator(app):
    factories.user("Bystander")
    person = factories.user("Olga")
    person.operator = True
    db.session.commit()
    return person


def ring(key=KEY, now=NOW, message="It is gone."):
    alarm = fleet_alarms.raise_alarm(AlarmKind.ADDRESS_LOST, key, message, now, bot_id="bot_x")
    db.session.commit()
    return alarm


def told():
    notices = list(db.session.scalars(select(Notice).where(Notice.kind == NoticeKind.ALARM)))
    posted = list(db.session.scalars(select(Mail).where(Mail.letter == "fleet_alarm")))
    return [it.user_id for it in notices], [it.to_email for it in posted]


def test_it_rings_once_and_a_repeat_moves_when_it_was_seen(operator):
    first = ring()
    again = ring(now=LATER, message="It is still gone.")
    assert again.id == first.id
    assert (again.since, again.seen_at, again.message) == (NOW, LATER, "It is still gone.")
    assert told() == ([operator.id], [operator.email])
    assert fleet_alarms.open_alarms() == [first]


def test_once_cleared_it_rings_anew(operator):
    first = ring()
    assert fleet_alarms.clear_alarm(KEY, LATER)
    assert not fleet_alarms.clear_alarm(KEY, LATER)
    assert fleet_alarms.open_alarms() == []
    assert ring(now=LATER).id != first.id
    assert told() == ([operator.id] * 2, [operator.email] * 2)


def test_many_alarms_fill_no_mailbox(operator):
    for number in range(fleet_alarms.LETTERS_AN_HOUR + 5):
        ring(f"address bot_{number}")
    rung, posted = told()
    assert len(rung) == fleet_alarms.LETTERS_AN_HOUR + 5
    assert len(posted) == fleet_alarms.LETTERS_AN_HOUR
    assert len(list(db.session.scalars(select(TelegramCall)))) == fleet_alarms.LETTERS_AN_HOUR


def test_who_rings_at_the_same_time_keeps_one(operator, monkeypatch):
    first = ring()
    monkeypatch.setattr(fleet_alarms, "_known", lambda *_: False)
    assert ring().id == first.id
    assert told() == ([operator.id], [operator.email])


def test_words_without_end_fit(operator):
    assert len(ring(message="ü" * 1000).message) == 400


def test_taking_one_is_in_the_log_once(operator):
    alarm = ring()
    assert fleet_alarms.take(alarm, operator, by=TESTER, now=LATER)
    assert not fleet_alarms.take(alarm, operator, by=TESTER, now=LATER)
    fleet_alarms.clear_alarm(KEY, LATER)
    db.session.commit()
    other = factories.user("Otto")
    assert not fleet_alarms.take(alarm, other, by=TESTER, now=LATER)
    wanted = select(AuditEvent).where(AuditEvent.action == "fleet.alarm_take")
    [event] = db.session.scalars(wanted)
    assert (event.chain, event.target_id) == ("platform", alarm.id)
    assert db.session.get(FleetAlarm, alarm.id).taken_by == operator.id


def test_the_letter_says_what_and_where(operator):
    ring()
    posted = db.session.scalars(select(Mail).where(Mail.letter == "fleet_alarm")).one()
    house = House("plutarc", "https://bots.example")
    letter = letters.render(posted.letter, posted.values, name=posted.to_name, house=house)
    assert "address is lost" in letter.subject
    assert "https://bots.example/operator/fleet" in letter.text
    assert "It is gone." in letter.html


def test_every_kind_has_words():
    assert fleet_alarms.TITLES.keys() == set(AlarmKind)
