"""Support access: asked, granted by the right person, over when anything it rests on is over."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import members
from app.domain.audit import TIMETABLE
from app.domain.errors import Conflict, Invalid, Refused
from app.domain.support import access, access_rules, looks, moves
from app.extensions import db
from app.models import AuditEvent, Membership, Notice, Role, SupportAccess, TicketEvent
from tests import factories, tickets
from tests.factories import NOW, TESTER

LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def ada(app):
    person = factories.user("Ada")
    person.operator = True
    return person


@pytest.fixture
def owner(app):
    return factories.user("Olga")


@pytest.fixture
def workspace(owner):
    return factories.organisation(owner)


@pytest.fixture
def trader(workspace):
    return factories.joined(workspace, Role.TRADER)


@pytest.fixture
def ticket(workspace, trader):
    return tickets.opened(workspace, trader)


def member(workspace, person):
    query = select(Membership).where(Membership.workspace_id == workspace.id)
    return db.session.scalar(query.where(Membership.user_id == person.id))


def asked(ticket, operator, minutes=30, reason="to see its orders", now=NOW):
    voice = tickets.desk_voice(operator)
    return access.ask(ticket, operator, minutes, reason, voice=voice, now=now)


def grant(found, ticket, workspace, person, now=NOW):
    access.grant(found, ticket, member(workspace, person), voice=tickets.voice_of(person), now=now)


@pytest.fixture
def granted(ticket, workspace, ada, trader):
    found = asked(ticket, ada)
    grant(found, ticket, workspace, trader)
    return found


def events(workspace, action):
    query = select(AuditEvent).where(
        AuditEvent.workspace_id == workspace.id, AuditEvent.action == action
    )
    return db.session.scalars(query).all()


def test_a_question_opens_nothing_and_rings_those_who_may_answer(
    ticket, workspace, ada, owner, trader
):
    viewer = factories.joined(workspace, Role.VIEWER)
    found = asked(ticket, ada)
    assert looks.open_to(found.id, ada, NOW) is None
    told = db.session.scalars(select(Notice.user_id).where(Notice.key == f"access {found.id}"))
    assert set(told) == {owner.id, trader.id}
    assert viewer.id not in set(told)


@pytest.mark.parametrize("minutes", [4, 61, 0, -5])
def test_it_is_for_an_hour_at_most(ticket, ada, minutes):
    with pytest.raises(Invalid):
        asked(ticket, ada, minutes)


def test_it_takes_a_reason_an_operator_and_an_open_ticket(ticket, ada, trader):
    with pytest.raises(Invalid):
        asked(ticket, ada, reason=" \n ")
    with pytest.raises(Refused):
        asked(ticket, trader)
    moves.close(ticket, "done", voice=tickets.desk_voice(ada), now=NOW)
    with pytest.raises(Refused):
        asked(ticket, ada)


def test_it_is_asked_once_at_a_time(ticket, ada):
    asked(ticket, ada)
    with pytest.raises(Conflict):
        asked(ticket, ada)
    asked(ticket, ada, now=NOW + timedelta(hours=24))


def test_granted_it_opens_one_workspace_to_one_operator_for_its_time(granted, workspace, ada):
    found = looks.open_to(granted.id, ada, LATER)
    assert (found.workspace_id, found.grantor) == (workspace.id, "Bob")
    assert found.strategy
    assert found.until == NOW + timedelta(minutes=30)
    assert looks.open_to(granted.id, ada, NOW + timedelta(minutes=30)) is None
    eve = factories.user("Eve")
    eve.operator = True
    assert looks.open_to(granted.id, eve, LATER) is None
    assert looks.open_to("sac_of_nobody", ada, LATER) is None


def test_who_may_answer(ticket, workspace, ada, owner):
    found = asked(ticket, ada)
    for role, allowed in (
        (Role.ADMIN, True),
        (Role.MANAGER, False),
        (Role.TRADER, False),
        (Role.VIEWER, False),
    ):
        person = factories.joined(workspace, role)
        verdict = access_rules.may_answer(member(workspace, person), found, ticket)
        assert bool(verdict) is allowed, role
        if not allowed:
            with pytest.raises(Refused):
                grant(found, ticket, workspace, person)
    assert access_rules.may_answer(member(workspace, owner), found, ticket)
    stranger = factories.user("Sam")
    other = factories.organisation(stranger)
    assert not access_rules.may_answer(member(other, stranger), found, ticket)


def test_whoever_asks_does_not_answer(ticket, workspace, owner):
    owner.operator = True
    found = asked(ticket, owner)
    with pytest.raises(Refused, match="somebody else"):
        grant(found, ticket, workspace, owner)
    assert looks.open_to(found.id, owner, NOW) is None


def test_a_viewer_grants_a_viewer_s_sight(workspace, ada):
    viewer = factories.joined(workspace, Role.VIEWER)
    ticket = tickets.opened(workspace, viewer)
    found = asked(ticket, ada)
    grant(found, ticket, workspace, viewer)
    assert looks.open_to(found.id, ada, LATER).strategy is False


def test_what_a_grantor_loses_the_access_loses(granted, workspace, trader, ada, owner):
    member(workspace, trader).role = Role.VIEWER
    db.session.flush()
    assert looks.open_to(granted.id, ada, LATER).strategy is False
    members.suspend(member(workspace, trader), acting=member(workspace, owner), by=TESTER, now=NOW)
    assert looks.open_to(granted.id, ada, LATER) is None


def test_refused_and_answered_twice(ticket, workspace, ada, trader):
    found = asked(ticket, ada)
    someone = {"voice": tickets.voice_of(trader), "now": NOW}
    access.refuse(found, ticket, member(workspace, trader), **someone)
    access.refuse(found, ticket, member(workspace, trader), **someone)
    assert len(events(workspace, "ticket.access_refuse")) == 1
    with pytest.raises(Conflict):
        grant(found, ticket, workspace, trader)
    assert looks.open_to(found.id, ada, NOW) is None


def test_granting_twice_does_not_prolong_it(granted, ticket, workspace, trader):
    grant(granted, ticket, workspace, trader, LATER)
    assert granted.expires_at == NOW + timedelta(minutes=30)
    assert len(events(workspace, "ticket.access_grant")) == 1


def test_a_question_lapses(ticket, workspace, ada, trader):
    found = asked(ticket, ada)
    with pytest.raises(Conflict):
        grant(found, ticket, workspace, trader, NOW + timedelta(hours=24))


@pytest.mark.parametrize("side", ["operator", "member"])
def test_either_side_ends_it_at_once(granted, ticket, workspace, ada, trader, side):
    person = ada if side == "operator" else trader
    voice = tickets.desk_voice(ada) if side == "operator" else tickets.voice_of(trader)
    for _ in range(2):
        access.end(granted, ticket, person, voice=voice, now=LATER)
    assert looks.open_to(granted.id, ada, LATER) is None
    assert len(events(workspace, "ticket.access_end")) == 1
    assert not access.sweep_one(NOW + timedelta(days=3))


ENDINGS = {
    "Its time was over.": lambda ticket, ada: None,
    "The ticket is over.": lambda ticket, ada: moves.close(
        ticket, "done", voice=tickets.desk_voice(ada), now=LATER
    ),
    "Its operator is no longer one.": lambda ticket, ada: setattr(ada, "operator", False),
}


@pytest.mark.parametrize("why", ENDINGS)
def test_what_it_rests_on_ends_and_so_does_it(granted, ticket, workspace, ada, why):
    assert not access.sweep_one(LATER)
    ENDINGS[why](ticket, ada)
    db.session.flush()
    now = NOW + timedelta(minutes=30) if why == "Its time was over." else LATER
    assert looks.open_to(granted.id, ada, now) is None
    assert looks.open_in(workspace.id, now) == []
    assert access.sweep_one(now)
    assert not access.sweep_one(now)
    (event,) = events(workspace, "ticket.access_end")
    assert (event.actor_kind, event.reason) == (TIMETABLE.kind, why)
    assert granted.ended_at == now


def test_an_unanswered_question_is_closed_after_a_day(ticket, workspace, ada):
    asked(ticket, ada)
    assert not access.sweep_one(NOW + timedelta(hours=23))
    assert access.sweep_one(NOW + timedelta(hours=24))
    (event,) = events(workspace, "ticket.access_end")
    assert event.reason == "Nobody answered within a day."


def test_every_step_is_one_event_for_its_owner_and_one_in_the_log(granted, ticket, workspace):
    kept = db.session.scalars(
        select(TicketEvent.action).where(TicketEvent.ticket_id == ticket.id)
    ).all()
    assert kept == ["ticket.open", "ticket.access_ask", "ticket.access_grant"]
    (event,) = events(workspace, "ticket.access_grant")
    fields = {it["field"] for it in event.changes}
    assert fields == {"granted_at", "expires_at"}


def test_a_look_names_both(granted, workspace, ada, trader):
    look = looks.open_to(granted.id, ada, LATER)
    by = replace(TESTER.as_person(ada), on_behalf_of=look.granted_by)
    looks.note_look(look, "orders of Tide", "bot_x", by=by, now=LATER)
    (event,) = events(workspace, "support.look")
    assert (event.actor_label, event.on_behalf_of) == (ada.email, trader.email)
    assert (event.target_id, event.correlation_id) == ("bot_x", granted.id)


def test_the_banner_shows_what_is_open_and_no_more(granted, workspace, ada):
    (shown,) = looks.open_in(workspace.id, LATER)
    assert (shown.operator, shown.access.id) == ("Ada", granted.id)
    other = factories.organisation()
    assert looks.open_in(other.id, LATER) == []
    assert db.session.scalar(select(SupportAccess.id)) == granted.id
