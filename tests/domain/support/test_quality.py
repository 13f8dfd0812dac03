"""The figures of the desk, from histories whose figures are known."""

from datetime import timedelta

import pytest

from app.domain.support import brakes, events, moves, quality, ratings
from app.domain.support.breaches import TIMER
from app.extensions import db
from app.models import Deflection, TicketState
from tests.domain.support.scene import DAY, HOUR, Scene
from tests.factories import NOW

pytestmark = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)


@pytest.fixture
def scene(app, monkeypatch):
    monkeypatch.setattr(brakes, "open_another", lambda *_: None)
    return Scene()


def test_times_are_the_median_and_what_nine_of_ten_stay_within(scene):
    for minutes in (10, 20, 30, 40, 50, 60, 70, 80, 90, 240):
        scene.answer(scene.open(NOW), NOW + timedelta(minutes=minutes))
    answered = quality.figures(7, NOW + HOUR * 5).answered
    assert (answered.number, answered.median, answered.p90) == (
        10,
        timedelta(minutes=55),
        timedelta(minutes=90),
    )


def test_nights_do_not_count_and_older_tickets_are_left_out(scene):
    scene.answer(scene.open(NOW), NOW + DAY)
    scene.answer(scene.open(NOW - 9 * DAY), NOW - 8 * DAY)
    found = quality.figures(7, NOW + DAY + HOUR)
    assert (found.opened, found.answered.number, found.answered.median) == (1, 1, 8 * HOUR)
    assert quality.figures(30, NOW + DAY + HOUR).answered.number == 2


def test_ends_reopenings_and_the_timer(scene):
    desk, timer = scene.desk(), TIMER
    again, solved, timed, woken = (scene.waiting(NOW) for _ in range(4))
    for ticket in (again, solved):
        moves.resolve(ticket, voice=desk, now=NOW + HOUR)
    scene.ask(again, NOW + 2 * HOUR)
    for ticket in (timed, woken):
        events.public(ticket, "ticket.warn", timer, NOW + HOUR)
    scene.ask(woken, NOW + 2 * HOUR)
    close = {"voice": timer, "now": NOW + 3 * HOUR}
    moves.move(timed, TicketState.CLOSED, "ticket.close", **close)
    found = quality.figures(7, NOW + 4 * HOUR)
    assert (found.reopened.part, found.reopened.whole) == (1, 3)
    assert (found.timed_out.part, found.timed_out.whole) == (1, 2)
    assert (found.warned_answered.part, found.warned_answered.whole) == (1, 2)
    assert found.waiting == 2


def test_answers_and_hints_are_shares(scene):
    for good in (True, True, False):
        token = ratings.ask(scene.open(), NOW)
        ratings.rate(token, good=good, now=NOW)
    ratings.ask(scene.open(), NOW)
    for helped in (True, False, False, False):
        db.session.add(Deflection(hint="skew", helped=helped, created_at=NOW))
    found = quality.figures(7, NOW + HOUR)
    assert (found.helped.words, found.asked, found.deflected.words) == ("67 %", 4, "25 %")
    assert quality.figures(7, NOW + 30 * DAY).helped.words == "–"
