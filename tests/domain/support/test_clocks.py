"""Promises: what runs them, what stops them, and who is told when one is broken."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import Invalid
from app.domain.support import assigning, breaches, clocks, moves, office
from app.domain.support.hours import MIDNIGHT, Hours
from app.domain.support.office import Office
from app.extensions import db
from app.models import (
    AuditEvent,
    ClockKind,
    DeskEvent,
    Notice,
    TicketCategory,
    TicketPriority,
    TicketState,
)
from tests import factories
from tests.domain.support.scene import DAY, HOUR, Scene, count
from tests.factories import NOW, TESTER

ROUND_THE_CLOCK = Hours(weekdays=frozenset(range(7)), opens=MIDNIGHT, closes=MIDNIGHT)


@pytest.fixture
def scene(app):
    return Scene()


def running(ticket):
    return {it.kind: it for it in clocks.of(ticket)}


def first(ticket):
    return running(ticket)[ClockKind.FIRST_RESPONSE]


def solution(ticket):
    return running(ticket)[ClockKind.RESOLUTION]


def test_both_run_from_the_opening_in_open_hours(scene):
    # A Tuesday noon: eight hours of answer are due on Wednesday noon, forty of solution in a week.
    ticket = scene.open()
    assert first(ticket).due_at == NOW + DAY
    assert solution(ticket).due_at == NOW + 7 * DAY


def test_an_answer_keeps_the_first_and_pauses_the_second(scene):
    ticket = scene.open()
    scene.answer(ticket, NOW + HOUR)
    assert (first(ticket).met_at, first(ticket).due_at) == (NOW + HOUR, None)
    assert (solution(ticket).spent, solution(ticket).running_since) == (3600, None)
    scene.ask(ticket, NOW + 2 * DAY)
    assert solution(ticket).running_since == NOW + 2 * DAY
    assert solution(ticket).due_at == NOW + 9 * DAY - HOUR
    assert first(ticket).met_at == NOW + HOUR


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
def test_on_hold_nothing_runs_and_an_end_keeps_what_was_promised(scene):
    ticket = scene.open()
    moves.hold(ticket, voice=scene.desk(), now=NOW + HOUR)
    assert [it.running_since for it in clocks.of(ticket)] == [None, None]
    moves.resolve(ticket, voice=scene.desk(), now=NOW + DAY)
    assert solution(ticket).met_at == NOW + DAY
    moves.reopen(ticket, voice=scene.user(), now=NOW + 2 * DAY)
    again = solution(ticket)
    assert (again.met_at, again.spent, again.running_since) == (None, 3600, NOW + 2 * DAY)
    assert first(ticket).running_since == NOW + 2 * DAY


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
def test_another_priority_is_another_promise(scene):
    ticket = scene.open()
    urgent = {"category": TicketCategory.OTHER, "priority": TicketPriority.URGENT}
    moves.sort(ticket, **urgent, voice=scene.desk(), now=NOW + 1800 * timedelta(seconds=1))
    assert first(ticket).due_at == NOW + HOUR


def test_a_broken_promise_is_told_once_to_everybody_or_to_who_has_it(scene):
    ticket = scene.open()
    db.session.commit()
    assert not breaches.tell_one(NOW + DAY - HOUR)
    assert breaches.tell_one(NOW + DAY)
    assert not breaches.tell_one(NOW + DAY + HOUR)
    assert first(ticket).breached_at == NOW + DAY
    told = select(Notice).where(Notice.key.startswith(f"late {ticket.id}"))
    assert [it.user_id for it in db.session.scalars(told)] == [scene.operator_id]
    assert count(DeskEvent, ticket_id=ticket.id, action="ticket.breach") == 1
    other = factories.user("Bea")
    other.operator = True
    db.session.flush()
    assigning.assign(ticket, other, voice=scene.desk(), now=NOW + DAY)
    assert breaches.tell_one(NOW + 8 * DAY)
    late = [it.user_id for it in db.session.scalars(told.where(Notice.key.contains("resolution")))]
    assert late == [other.id]


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
def test_an_answer_that_comes_late_is_late_though_nobody_looked(scene):
    ticket = scene.open()
    scene.answer(ticket, NOW + 2 * DAY, then=TicketState.OPEN)
    assert first(ticket).breached_at == NOW + DAY
    assert first(ticket).met_at == NOW + 2 * DAY
    assert not breaches.tell_one(NOW + 2 * DAY)


def test_other_hours_count_from_now_on_and_leave_one_event(scene):
    ticket = scene.open()
    wanted = Office(hours=ROUND_THE_CLOCK)
    clocks.recount(office.now_open(), wanted, NOW + HOUR)
    assert office.save(wanted, by=TESTER, now=NOW + HOUR)
    assert not office.save(wanted, by=TESTER, now=NOW + HOUR)
    assert office.now_open() == wanted
    assert first(ticket).due_at == NOW + 8 * HOUR
    told = select(AuditEvent).where(AuditEvent.action == "desk.hours")
    assert [it.chain for it in db.session.scalars(told)] == ["platform"]


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
def test_hours_that_are_none_are_refused(scene):
    hours = Hours()
    for wrong in (
        replace(hours, weekdays=frozenset()),
        replace(hours, closes=hours.opens),
    ):
        with pytest.raises(Invalid):
            office.save(Office(wrong), by=TESTER, now=NOW)
    targets = office.DEFAULT_TARGETS | {TicketPriority.LOW: dict.fromkeys(ClockKind, 0)}
    with pytest.raises(Invalid, match="for low"):
        office.save(Office(hours, targets), by=TESTER, now=NOW)
