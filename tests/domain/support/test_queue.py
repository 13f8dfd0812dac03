"""The queue: each filter, each order, messages and notes searched apart."""

from dataclasses import replace

import pytest

from app.domain.support import assigning, breaches, moves, notes, queue, tags
from app.domain.support.queue import Order, Wanted, Whose
from app.extensions import db
from app.models import TicketCategory, TicketPriority, TicketState
from tests.domain.support.scene import HOUR, Scene
from tests.factories import NOW

ALL = Wanted(state="all")


@pytest.fixture
def scene(app):
    made = Scene()
    low, urgent = TicketPriority.LOW, TicketPriority.URGENT
    made.old = made.open(NOW - 2 * HOUR, subject="Old one", body="margin is 100 % wrong")
    made.late = made.open(NOW, subject="Late one")
    made.waits = made.open(NOW + HOUR, subject="Waits")
    made.answer(made.waits, NOW + HOUR)
    desk = {"voice": made.desk(), "now": NOW + HOUR}
    moves.sort(made.old, category=TicketCategory.BILLING, priority=low, **desk)
    moves.sort(made.late, category=TicketCategory.BOT, priority=urgent, **desk)
    assigning.assign(made.late, made.operator, **desk)
    tags.put(made.old, ["Refund"], **desk)
    notes.add(made.waits, "margin call, keep quiet", **desk)
    db.session.commit()
    return made


def found(scene, wanted, number=1):
    lines, total = queue.page(wanted, scene.operator, number)
    assert total >= len(lines)
    return [line.ticket.subject for line in lines]


def test_each_filter_lets_through_what_it_says(scene):
    waiting = str(TicketState.WAITING_USER)
    for wanted, subjects in (
        (Wanted(), {"Old one", "Late one"}),
        (Wanted(state="living"), {"Old one", "Late one", "Waits"}),
        (Wanted(state=waiting), {"Waits"}),
        (Wanted(state="closed"), set()),
        (replace(ALL, whose=Whose.MINE), {"Late one"}),
        (replace(ALL, whose=Whose.NOBODY), {"Old one", "Waits"}),
        (replace(ALL, priority=TicketPriority.URGENT), {"Late one"}),
        (replace(ALL, category=TicketCategory.BILLING), {"Old one"}),
        (replace(ALL, tag="refund"), {"Old one"}),
        (replace(ALL, tag="nothing"), set()),
        (replace(ALL, workspace=scene.workspace_id), {"Old one", "Late one", "Waits"}),
        (replace(ALL, workspace="ws_other"), set()),
        (replace(ALL, incident="inc_none"), set()),
        (replace(ALL, breached=True), set()),
    ):
        assert set(found(scene, wanted)) == subjects, wanted
    while breaches.tell_one(NOW + 2 * HOUR):
        pass
    assert found(scene, replace(ALL, breached=True)) == ["Late one"]
    assert queue.counts(scene.operator) == {"answer": 2, "mine": 1, "nobody": 1, "late": 1}


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
def test_each_order_begins_with_what_it_says(scene):
    for order, first in (
        (Order.DUE, "Late one"),
        (Order.PRIORITY, "Late one"),
        (Order.OLDEST, "Old one"),
        (Order.NEWEST, "Waits"),
    ):
        assert found(scene, replace(ALL, order=order))[0] == first, order
    assert found(scene, replace(ALL, order=Order.DUE))[-1] == "Waits"


def test_messages_and_notes_are_searched_apart(scene):
    assert found(scene, replace(ALL, text="MARGIN")) == ["Old one"]
    assert found(scene, replace(ALL, text="100 %")) == ["Old one"]
    assert found(scene, replace(ALL, text="margin", notes=True)) == ["Waits"]
    assert found(scene, replace(ALL, text="late one")) == ["Late one"]
    assert found(scene, replace(ALL, text="_")) == []
    assert found(scene, replace(ALL, text=scene.old.ref)) == ["Old one"]


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
def test_pages_follow_each_other_without_gap_or_repeat(scene, monkeypatch):
    monkeypatch.setattr(queue, "PAGE", 2)
    by_age = replace(ALL, order=Order.OLDEST)
    assert found(scene, by_age) == ["Old one", "Late one"]
    assert found(scene, by_age, 2) == ["Waits"]
    assert queue.page(by_age, scene.operator, 3) == ([], 0)
