"""Holds: no entries for everybody, told to every runner with its answers."""

import pytest
from sqlalchemy import event, select

from app.domain import holds, runners
from app.domain.errors import Invalid
from app.extensions import db
from app.models import AuditEvent, Hold
from runner.protocol import PositionState, Sync
from tests.domain.test_fleet import Life
from tests.factories import NOW, TESTER


def events():
    query = select(AuditEvent.action, AuditEvent.chain).where(AuditEvent.action.like("hold.%"))
    return [tuple(row) for row in db.session.execute(query.order_by(AuditEvent.seq))]


def test_one_stands_in_its_newest_words_and_each_change_has_one_event(app):
    assert holds.current() is None
    first = holds.impose("Away", NOW, by=TESTER)
    assert holds.impose(" Away ", NOW, by=TESTER) is first
    assert holds.impose("Still away", NOW, by=TESTER) is first
    assert holds.current() == "Still away"
    assert holds.lift(NOW, by=TESTER)
    assert not holds.lift(NOW, by=TESTER)
    assert holds.current() is None
    assert [action for action, _ in events()] == ["hold.impose", "hold.reword", "hold.lift"]
    assert {chain for _, chain in events()} == {"platform"}


def test_who_imposes_at_the_same_time_keeps_one(app, monkeypatch):
    first = holds.impose("Away", NOW, by=TESTER)
    looked, look = [], holds._standing

    def late():
        looked.append(1)
        return None if len(looked) == 1 else look()

    monkeypatch.setattr(holds, "_standing", late)
    assert holds.impose("Away", NOW, by=TESTER).id == first.id
    assert len(list(db.session.scalars(select(Hold)))) == 1


@pytest.mark.parametrize("text", ["", "  ", "x" * 301])
def test_without_a_reason_there_is_none(app, text):
    with pytest.raises(Invalid):
        holds.impose(text, NOW, by=TESTER)


def test_runners_are_told_with_every_answer_and_at_the_same_number_of_queries(app, keys):
    life = Life(keys)
    life.wake()
    assert life.claim().hold == ""
    assert report(life).hold == ""
    report(life)
    quiet = asked(life)
    holds.impose("Away", NOW, by=TESTER)
    db.session.commit()
    assert asked(life) == quiet
    assert report(life).hold == "Away"
    assert life.claim().hold == "Away"
    holds.lift(NOW, by=TESTER)
    db.session.commit()
    assert report(life).hold == ""


def report(life):
    """One report of its runner, and what it is answered."""
    message = Sync(life.claim_id, life.now, (), PositionState.FLAT, 0, drained=False)
    answer = runners.sync(message, now=life.now)
    db.session.commit()
    return answer


def asked(life):
    """How many statements one report takes."""
    said = []

    def count(*_):
        said.append(1)

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        report(life)
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    return len(said)
