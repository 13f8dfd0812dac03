"""Holds: no entries for a workspace or for everybody, told to every runner with its answers."""

import pytest
from sqlalchemy import event, select

from app.domain import holds, runners
from app.domain.errors import Invalid
from app.extensions import db
from app.models import AuditEvent, Hold
from runner.protocol import PositionState, Sync
from tests import factories
from tests.domain.test_fleet import Life
from tests.factories import NOW, TESTER


@pytest.fixture
def desk(app):
    return factories.organisation()


def events():
    query = select(AuditEvent.action, AuditEvent.chain).where(AuditEvent.action.like("hold.%"))
    return [tuple(row) for row in db.session.execute(query.order_by(AuditEvent.recorded_at))]


def test_of_one_workspace_it_holds_no_other_and_of_the_installation_all(desk):
    other = factories.organisation()
    holds.impose(desk, "book", "Gross exposure", NOW)
    assert holds.current(desk.id) == "Gross exposure"
    assert holds.current(other.id) is None
    holds.impose(None, holds.OPERATOR, "The exchange is away", NOW, by=TESTER)
    for one in (desk, other):
        assert holds.current(one.id) == "The exchange is away"
    assert holds.lift(None, holds.OPERATOR, NOW, by=TESTER)
    assert holds.current(desk.id) == "Gross exposure"
    assert holds.lift(desk, "book", NOW)
    assert holds.current(desk.id) is None


def test_of_one_cause_one_stands_and_each_change_has_one_event(desk):
    first = holds.impose(desk, "book", "Gross", NOW)
    assert holds.impose(desk, "book", " Gross ", NOW) is first
    assert holds.impose(desk, "book", "Gross and net", NOW) is first
    holds.impose(desk, "loss", "The day", NOW)
    assert holds.lift(desk, "book", NOW)
    assert not holds.lift(desk, "book", NOW)
    assert sorted(events()) == sorted(
        [
            ("hold.impose", desk.id),
            ("hold.reword", desk.id),
            ("hold.impose", desk.id),
            ("hold.lift", desk.id),
        ]
    )
    assert holds.current(desk.id) == "The day"


def test_an_operator_s_is_told_in_the_platform_s_log(app):
    holds.impose(None, holds.OPERATOR, "Away", NOW, by=TESTER)
    assert events() == [("hold.impose", "platform")]


def test_who_imposes_at_the_same_time_keeps_one(desk, monkeypatch):
    first = holds.impose(desk, "book", "Gross", NOW)
    looked, look = [], holds._standing

    def late(*arguments):
        looked.append(arguments)
        return None if len(looked) == 1 else look(*arguments)

    monkeypatch.setattr(holds, "_standing", late)
    assert holds.impose(desk, "book", "Gross", NOW).id == first.id
    assert len(list(db.session.scalars(select(Hold)))) == 1


@pytest.mark.parametrize("text", ["", "  ", "x" * 301])
def test_without_a_reason_there_is_none(desk, text):
    with pytest.raises(Invalid):
        holds.impose(desk, "book", text, NOW)


def test_runners_are_told_with_every_answer_and_at_the_same_number_of_queries(app, keys):
    life = Life(keys)
    life.wake()
    assert life.claim().hold == ""
    assert report(life).hold == ""
    report(life)
    quiet = asked(life)
    holds.impose(life.bot.workspace, "book", "Gross", NOW)
    holds.impose(None, holds.OPERATOR, "Away", NOW, by=TESTER)
    db.session.commit()
    assert asked(life) == quiet
    assert report(life).hold == "Away"
    assert life.claim().hold == "Away"
    holds.lift(None, holds.OPERATOR, NOW, by=TESTER)
    holds.lift(life.bot.workspace, "book", NOW)
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
