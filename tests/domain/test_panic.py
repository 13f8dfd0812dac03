"""Panic: many bots at once, waiting for nobody."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.domain import bots, panic
from app.domain.access import GUARDS, Permission
from app.domain.audit_chain import GENESIS
from app.extensions import db
from app.models import AuditEvent, AuditHead, Bot, Notice, NoticeKind, Workspace
from runner.protocol import CommandKind, PositionState
from tests import factories
from tests.domain.test_bots import awake, commands_of
from tests.domain.test_ceilings import at_once
from tests.factories import NOW, TESTER

ALL = {CommandKind.PAUSE_ENTRIES, CommandKind.CANCEL_ENTRIES, CommandKind.FLATTEN}


@pytest.fixture
def desk(app):
    return factories.organisation()


def close(desk, *chosen):
    return panic.close(desk, list(chosen), by=TESTER, now=NOW)


def test_each_bot_is_paused_its_entries_cancelled_its_position_closed(desk):
    found = [factories.bot(desk) for _ in range(2)]
    for bot in found:
        awake(bot, PositionState.OPEN)
    close(desk, *found)
    for bot in found:
        db.session.refresh(bot)
        assert bot.paused
        assert commands_of(bot) == ALL


def test_a_machine_that_went_without_proof_leaves_the_order_to_the_next(desk):
    bot = factories.bot(desk)
    awake(bot, PositionState.UNKNOWN).gone_at = NOW
    db.session.flush()
    assert panic.candidates(desk) == [bot]
    close(desk, bot)
    assert CommandKind.FLATTEN in commands_of(bot)


def test_a_sleeping_bot_is_only_paused_and_a_stopped_one_no_subject(desk):
    sleeping, stopped = factories.bot(desk, name="A"), factories.bot(desk, name="B")
    bots.start(sleeping, by=TESTER, now=NOW)
    assert panic.candidates(desk) == [sleeping]
    outcome = close(desk, sleeping)
    assert (outcome.paused, outcome.flattening) == ([sleeping], [])
    assert stopped.paused is False


def test_all_of_it_is_tied_together_in_the_log(desk):
    first, second = factories.bot(desk, name="A"), factories.bot(desk, name="B")
    awake(first, PositionState.OPEN)
    bots.start(second, by=TESTER, now=NOW)
    close(desk, first, second)
    query = select(AuditEvent).where(AuditEvent.correlation_id.is_not(None))
    events = list(db.session.scalars(query.order_by(AuditEvent.seq)))
    assert [event.action for event in events] == [
        "bot.pause",
        "position.close",
        "bot.pause",
        "position.panic_close",
    ]
    assert len({event.correlation_id for event in events}) == 1
    assert [change["after"] for change in events[-1].changes] == [["A", "B"], ["A"]]


def test_twice_changes_nothing_more(desk):
    bot = factories.bot(desk)
    awake(bot, PositionState.OPEN)
    for _ in range(2):
        close(desk, bot)
    assert commands_of(bot) == ALL


def test_no_right_to_stop_asks_for_more_than_the_right():
    stopping = (
        Permission.BOT_STOP,
        Permission.POSITION_CLOSE,
        Permission.POSITION_PANIC_CLOSE,
    )
    assert not [permission for permission in stopping if GUARDS.get(permission)]


def test_two_who_panic_and_one_who_stops_never_wait_in_a_circle(app, desk):
    found = [factories.bot(desk) for _ in range(3)]
    for bot in found:
        awake(bot, PositionState.OPEN)
        bots.start(bot, by=TESTER, now=NOW)
    workspace_id, ids = desk.id, [bot.id for bot in found]
    db.session.commit()
    db.session.remove()

    def panicking(order):
        def work():
            workspace = db.session.get_one(Workspace, workspace_id)
            close(workspace, *(db.session.get_one(Bot, bot_id) for bot_id in order))

        return work

    def stopping():
        bots.stop(db.session.get_one(Bot, ids[2]), by=TESTER, now=NOW)

    assert at_once(app, panicking(ids), panicking(ids[::-1]), stopping) == [None] * 3


def test_a_log_that_takes_no_event_keeps_nobody_from_panic(desk):
    """A head that stands behind its events, as after a clumsy restore, refuses every next one."""
    bot, other = factories.bot(desk, name="A"), factories.bot(desk, name="B")
    awake(bot, PositionState.OPEN)
    bots.start(bot, by=TESTER, now=NOW)
    head = db.session.get_one(AuditHead, desk.id)
    head.seq, head.hash = 0, GENESIS
    db.session.commit()
    with pytest.raises(IntegrityError):
        bots.start(other, by=TESTER, now=NOW)
    db.session.rollback()
    close(desk, bot)
    db.session.commit()
    assert bot.paused
    assert commands_of(bot) == ALL
    alarms = select(Notice.body).where(Notice.kind == NoticeKind.ALARM)
    said = " ".join(db.session.scalars(alarms))
    assert all(act in said for act in ("bot.pause", "position.close", "position.panic_close"))
