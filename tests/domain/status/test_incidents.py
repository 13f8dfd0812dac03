"""Incidents: opened once with all they need, told in order, over once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import outbox
from app.domain.errors import Conflict, Invalid
from app.domain.status import components, incidents, measure, postmortem, ties
from app.domain.status.facts import Finding
from app.extensions import db
from app.models import AuditEvent, Condition, Incident, IncidentState, IncidentUpdate
from tests.domain.status import desk
from tests.factories import NOW

LATER = NOW + timedelta(minutes=30)
OVER = IncidentState.RESOLVED


@pytest.fixture
def olga(app):
    return desk.operator()


def asked():
    found = outbox.unsent(LATER + timedelta(hours=1))
    return [it.arguments["update_id"] for it in found if it.job == "spread_update"]


def events(action):
    return db.session.scalars(select(AuditEvent).where(AuditEvent.action == action)).all()


def test_opening_writes_everything_and_asks_to_spread_it(olga):
    hits = [components.FLEET, components.exchange_key("practice"), components.FLEET]
    made = desk.begin(olga, "  Orders  are slow ", hits=hits, began_at=NOW - timedelta(minutes=5))
    assert made.title == "Orders are slow"
    assert sorted(it.component_key for it in made.components) == sorted(set(hits))
    (update,) = made.updates
    assert asked() == [update.id]
    (event,) = events("incident.open")
    assert event.chain == "platform"
    assert incidents.current() == [made]
    assert incidents.hits([made]) == dict.fromkeys(hits, Condition.DEGRADED)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"hits": []}, "components"),
        ({"hits": ["moon"]}, "components"),
        ({"began_at": NOW + timedelta(seconds=1)}, "began_at"),
    ],
)
def test_what_does_not_do_leaves_nothing(olga, values, field):
    with pytest.raises(Invalid) as refusal:
        desk.begin(olga, **values)
    assert refusal.value.field == field
    assert db.session.scalars(select(Incident)).all() == []


def test_updates_are_told_in_order_and_end_it_once(olga):
    made = desk.begin(olga)
    desk.tell(made, olga, IncidentState.IDENTIFIED, LATER)
    desk.tell(made, olga, OVER, LATER + timedelta(minutes=1), body="Cured.")
    assert made.resolved_at == LATER + timedelta(minutes=1)
    assert [it.state for it in made.updates] == [OVER, "identified", "investigating"]
    assert [it.answers for it in made.updates] == [True, False, False]
    assert incidents.current() == []
    assert incidents.past(LATER) == [made]
    assert incidents.minutes(made, LATER) == 31
    assert len(asked()) == 3
    assert len(events("incident.tell")) == 2


def test_what_is_over_takes_a_look_back_and_nothing_else(olga):
    made = desk.begin(olga)
    desk.tell(made, olga, OVER)
    desk.tell(made, olga, OVER, LATER, body="It was a full disk.", answers=True)
    assert made.resolved_at == NOW
    assert made.updates[0].answers is False
    with pytest.raises(Conflict, match="open a new one"):
        desk.tell(made, olga, IncidentState.MONITORING)


def test_two_operators_do_not_talk_past_each_other(olga):
    made = desk.begin(olga)
    seen = made.updates[0].id
    desk.tell(made, olga, IncidentState.IDENTIFIED, LATER, seen=seen)
    with pytest.raises(Conflict, match="Somebody else"):
        desk.tell(made, olga, OVER, LATER, seen=seen)
    assert made.resolved_at is None


def test_long_past_incidents_leave_the_page(olga):
    made = desk.begin(olga)
    desk.tell(made, olga, OVER)
    assert incidents.recent(NOW + timedelta(days=89)) == [made]
    assert incidents.recent(NOW + timedelta(days=91)) == []


def test_the_look_back_tells_who_noticed_first(olga):
    measure.keep({components.FLEET: Finding(Condition.OPERATIONAL)}, NOW - timedelta(minutes=2))
    bad = Finding(Condition.DOWN, "Nothing moves.")
    for minute in (1, 2):
        measure.keep({components.FLEET: bad}, NOW + timedelta(minutes=minute))
    made = desk.begin(olga, began_at=NOW, now=NOW + timedelta(minutes=9))
    for minute in (7, 8):
        ticket = desk.ticket(NOW + timedelta(minutes=minute))
        ties.link(ticket, made, voice=desk.voice_of(olga), now=NOW + timedelta(minutes=9))
    desk.tell(made, olga, OVER, LATER, body="Cured.\nBy a restart.")
    text = postmortem.draft(made, LATER)
    assert "It lasted 30 minutes" in text
    assert "measured by the platform, 2 minutes after it began" in text
    assert "first ticket, 7 minutes after it began" in text
    assert "Tickets: 2." in text
    assert "resolved. Cured.\n" in text
    assert "Starting and stopping bots" in text


def test_an_incident_without_report_or_measurement_says_neither(olga):
    text = postmortem.draft(desk.begin(olga), LATER)
    assert "measured by" not in text
    assert "first ticket" not in text
    assert "Tickets: none." in text


def test_an_update_knows_its_writer(olga):
    made = desk.begin(olga)
    desk.tell(made, olga, IncidentState.MONITORING, LATER)
    query = select(IncidentUpdate.created_by).where(IncidentUpdate.incident_id == made.id)
    assert set(db.session.scalars(query)) == {olga.id}
