"""Panic: many bots at once, waiting for nobody."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app.domain import book_watch, bot_events, bots, panic, panic_progress
from app.domain.access import GUARDS, Permission
from app.domain.audit_chain import GENESIS
from app.domain.errors import Invalid, Refused
from app.domain.panic_progress import Reach
from app.extensions import db
from app.models import (
    AuditEvent,
    AuditHead,
    Bot,
    Kill,
    KillAct,
    KillScope,
    Notice,
    NoticeKind,
    PositionRow,
    Workspace,
)
from runner.protocol import CommandKind, PositionState
from tests import factories
from tests.domain.test_bots import awake, commands_of
from tests.domain.test_ceilings import at_once, many_writers
from tests.domain.test_statement_letters import waits_for_a_lock
from tests.factories import NOW, TESTER
from tests.waiting import PATIENCE, until

SOON, LATER = NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)
ALL = {CommandKind.PAUSE_ENTRIES, CommandKind.CANCEL_ENTRIES, CommandKind.FLATTEN}


@pytest.fixture
def desk(app):
    return factories.organisation()


def press(desk, *chosen, act=KillAct.FLATTEN, now=NOW, **values):
    order = panic.Order(act, [bot.id for bot in chosen] if chosen else None, **values)
    return panic.press(desk, order, author=None, by=TESTER, now=now)


def test_each_bot_is_paused_its_entries_cancelled_its_position_closed(desk):
    found = [factories.bot(desk) for _ in range(2)]
    for bot in found:
        awake(bot, PositionState.OPEN)
    press(desk, *found)
    for bot in found:
        db.session.refresh(bot)
        assert bot.paused
        assert commands_of(bot) == ALL


def test_a_machine_that_went_without_proof_leaves_the_order_to_the_next(desk):
    bot = factories.bot(desk)
    awake(bot, PositionState.UNKNOWN).gone_at = NOW
    db.session.flush()
    assert panic.candidates(desk) == [bot]
    press(desk, bot)
    assert CommandKind.FLATTEN in commands_of(bot)


def test_a_sleeping_bot_is_only_paused_and_a_stopped_one_no_subject(desk):
    sleeping, stopped = factories.bot(desk, name="A"), factories.bot(desk, name="B")
    bots.start(sleeping, by=TESTER, now=NOW)
    assert panic.candidates(desk) == [sleeping]
    kill = press(desk)
    assert sleeping.paused
    assert (kill.scope, stopped.paused) == (KillScope.WORKSPACE, False)
    (line,) = panic_progress.of(kill, NOW).lines
    assert (line.bot, line.reach) == (sleeping, Reach.IDLE)
    assert CommandKind.FLATTEN not in commands_of(sleeping)


def test_all_of_it_is_tied_together_in_the_log(desk):
    first, second = factories.bot(desk, name="A"), factories.bot(desk, name="B")
    awake(first, PositionState.OPEN)
    bots.start(second, by=TESTER, now=NOW)
    kill = press(desk, first, second, reason="  The market\n is wild ")
    query = select(AuditEvent).where(AuditEvent.correlation_id == kill.id)
    events = list(db.session.scalars(query.order_by(AuditEvent.seq)))
    assert [event.action for event in events] == [
        "bot.pause",
        "position.close",
        "bot.pause",
        "position.panic_close",
    ]
    told = {change["field"]: change["after"] for change in events[-1].changes}
    assert told == {
        "act": "flatten",
        "scope": "selection",
        "paused": ["A", "B"],
        "flattening": ["A"],
    }
    assert events[-1].reason == kill.reason == "The market is wild"


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (KillAct.PAUSE, {CommandKind.PAUSE_ENTRIES}),
        (KillAct.CANCEL, {CommandKind.PAUSE_ENTRIES, CommandKind.CANCEL_ENTRIES}),
        (KillAct.FLATTEN, ALL),
    ],
)
def test_each_act_does_what_it_says_and_no_more(desk, act, told):
    bot, other = factories.bot(desk), factories.bot(desk)
    for one in (bot, other):
        awake(one, PositionState.OPEN)
    kill = press(desk, bot, act=act)
    assert bot.paused
    assert (commands_of(bot), commands_of(other), kill.scope) == (told, set(), KillScope.BOT)


def test_a_press_that_arrives_twice_is_one(desk):
    bot = factories.bot(desk)
    awake(bot, PositionState.OPEN)
    first = press(desk, bot, press="a page")
    count = db.session.scalar(select(func.count()).select_from(AuditEvent))
    assert press(desk, bot, press="a page").id == first.id
    assert db.session.scalar(select(func.count()).select_from(AuditEvent)) == count
    elsewhere = factories.organisation()
    assert press(elsewhere, press="a page").id != first.id


def test_another_act_or_choice_of_the_same_page_is_another_press(desk):
    bot, other = factories.bot(desk), factories.bot(desk)
    for one in (bot, other):
        awake(one, PositionState.OPEN)
    press(desk, bot, act=KillAct.PAUSE, press="a page")
    assert commands_of(bot) == {CommandKind.PAUSE_ENTRIES}
    press(desk, bot, press="a page")
    assert (commands_of(bot), commands_of(other)) == (ALL, set())
    both = press(desk, bot, other, press="a page")
    assert commands_of(other) == ALL
    assert press(desk, other, bot, press="a page").id == both.id


def test_resuming_is_an_act_of_its_own_for_those_it_paused(desk):
    ours, before, later = (factories.bot(desk, name=name) for name in "ABC")
    for bot in (ours, before, later):
        awake(bot, PositionState.OPEN)
    bots.pause(before, by=TESTER, now=NOW)
    gentle = press(desk, act=KillAct.PAUSE)
    kill = press(desk, now=SOON)
    assert panic.to_resume(kill) == panic.to_resume(gentle) == [ours, later]
    bots.resume(later, by=TESTER, now=LATER)
    bots.pause(later, by=TESTER, now=LATER)
    assert panic.resume(kill, by=TESTER, now=LATER).bots == [ours]
    assert (ours.paused, before.paused, later.paused) == (False, True, True)
    assert panic.to_resume(kill) == panic.to_resume(gentle) == []


def test_one_that_may_not_resume_keeps_no_other_from_it(desk, monkeypatch):
    first, second = factories.bot(desk, name="A"), factories.bot(desk, name="B")
    for bot in (first, second):
        awake(bot)
    kill = press(desk)

    def enforce(bot, _now, **_):
        if bot.id == first.id:
            raise Refused("No room.")

    monkeypatch.setattr("app.domain.ceilings.enforce", enforce)
    outcome = panic.resume(kill, by=TESTER, now=LATER)
    assert (outcome.bots, outcome.refused) == ([second], [(first, "No room.")])


def test_twice_changes_nothing_more(desk):
    bot = factories.bot(desk)
    awake(bot, PositionState.OPEN)
    for _ in range(2):
        press(desk, bot)
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
            press(workspace, *(db.session.get_one(Bot, bot_id) for bot_id in order))

        return work

    def stopping():
        bots.stop(db.session.get_one(Bot, ids[2]), by=TESTER, now=NOW)

    assert at_once(app, panicking(ids), panicking(ids[::-1]), stopping) == [None] * 3


@pytest.mark.parametrize("act", ["the book", "a resume"])
def test_who_acts_on_many_waits_for_one_that_is_changed_and_in_no_circle(app, desk, act):
    """Who changes one bot holds its row and wants the log; so the log is not to be held then."""
    first, second = (factories.bot(desk, name=name) for name in "AB")
    for bot in (first, second):
        bots.start(bot, by=TESTER, now=NOW)
    kill_id = press(desk, act=KillAct.PAUSE).id if act == "a resume" else None
    if kill_id is None:
        holding(first)
        desk.ceilings = {"max_gross": "1"}
    workspace_id, held = desk.id, max(first.id, second.id)
    db.session.commit()
    db.session.execute(update(Bot).where(Bot.id == held).values(name="Held"))
    failed = []

    def work():
        with app.app_context():
            try:
                if kill_id is None:
                    book_watch.look(workspace_id, LATER)
                else:
                    panic.resume(db.session.get_one(Kill, kill_id), by=TESTER, now=LATER)
                db.session.commit()
            except Exception as error:  # noqa: BLE001 -- the outcome is what is tested
                failed.append(error)
            finally:
                db.session.remove()

    thread = threading.Thread(target=work)
    thread.start()
    if many_writers():
        until("it waits or is through", lambda: waits_for_a_lock() or not thread.is_alive())
    bot_events.record("bot.configure", db.session.get_one(Bot, held), TESTER, LATER)
    db.session.commit()
    thread.join(PATIENCE)
    assert failed == []
    acted = "bot.pause" if kill_id is None else "bot.resume"
    query = select(AuditEvent.action).where(AuditEvent.occurred_at == LATER)
    assert sorted(db.session.scalars(query)) == ["bot.configure", acted, acted]


def holding(bot):
    """One contract at a mark of 100."""
    keys = {"workspace_id": bot.workspace_id, "bot_id": bot.id, "symbol": bot.symbols[0]}
    amounts = dict.fromkeys(("entry_price", "mark_price"), Decimal(100))
    values = amounts | {"quantity": Decimal(1), "unrealised": Decimal(0), "reported_at": NOW}
    db.session.add(PositionRow(**keys, **values))


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
    press(desk, bot)
    db.session.commit()
    assert bot.paused
    assert commands_of(bot) == ALL
    alarms = select(Notice.body).where(Notice.kind == NoticeKind.ALARM)
    said = " ".join(db.session.scalars(alarms))
    assert all(act in said for act in ("bot.pause", "position.close", "position.panic_close"))


def test_a_choice_of_none_that_are_there_is_refused_and_begins_nothing(desk):
    elsewhere = factories.bot(factories.organisation())
    with pytest.raises(Invalid, match="None of those"):
        press(desk, elsewhere, press="one page")
    assert db.session.scalar(select(func.count()).select_from(Kill)) == 0
