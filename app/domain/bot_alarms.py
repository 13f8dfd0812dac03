"""Alarms of a bot that touch money: each rings once, until what it rings for is over.

What runners tell opens and ends them (``alarm_events``); silence with a position open is found
here. An alarm is its own record: opening and ending one changes nothing else.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from app.domain import alarm_bells, audit, clock, position_stops
from app.domain.audit import Actor, Change
from app.domain.position_stops import Kind
from app.extensions import change, db
from app.models import Bot, BotAlarm, Machine, PositionRow, User, Wish, Workspace
from runner.protocol import Mode, PositionState

LOST = timedelta(seconds=60)
"""So long without a word, and with a position that may be open, is for people to know."""

MOST = 500
LOST_CONTACT, STOP_MISSING, RECONCILED = "lost_contact", "stop_missing", "reconciled"
"""What follows a blank in a code is the symbol that it rings for."""
OF_A_START = ("cannot_run", "unreadable_event")
"""Told while a runner starts or of one event: over once one trades, or none is to start."""


def ring(bot: Bot, code: str, text: str, now: datetime) -> BotAlarm:
    """Ring once for each code of a bot; a repeat, while it rings, brings its words up to date."""
    code, text = code[:40], text[:400]
    rings = BotAlarm.bot_id == bot.id, BotAlarm.code == code, BotAlarm.ended_at.is_(None)
    known = select(BotAlarm).where(*rings).execution_options(populate_existing=True)
    if not change(update(BotAlarm).where(*rings).values(last_at=now, text=text)):
        place = {"workspace_id": bot.workspace_id, "bot_id": bot.id}
        fresh = BotAlarm(**place, code=code, text=text, first_at=now, last_at=now)
        if _kept(fresh):
            alarm_bells.ring(fresh, bot, now)
    return db.session.scalars(known).one()


def end(
    bot_id: str, codes: Iterable[str], now: datetime, *, told_before: datetime | None = None
) -> bool:
    """What they rang for is over, for all their symbols; ``False`` if none of them rang."""
    mine = [BotAlarm.bot_id == bot_id, _called(codes)]
    if told_before is not None:
        mine.append(BotAlarm.last_at < told_before)
    return _end(now, *mine) > 0


def of_bot(bot: Bot) -> list[BotAlarm]:
    """What rings at one bot, the longest first."""
    return list(db.session.scalars(_ringing(BotAlarm.bot_id == bot.id)))


def in_workspace(workspace: Workspace) -> list[BotAlarm]:
    """What rings at any of its bots, the longest first."""
    return list(db.session.scalars(_ringing(BotAlarm.workspace_id == workspace.id)))


def count(workspace_id: str) -> int:
    """How many ring in a workspace."""
    mine = BotAlarm.workspace_id == workspace_id, BotAlarm.ended_at.is_(None)
    return db.session.scalar(select(func.count()).select_from(BotAlarm).where(*mine)) or 0


def find(bot: Bot, alarm_id: str) -> BotAlarm | None:
    """One of a bot's, ringing or not."""
    mine = BotAlarm.bot_id == bot.id, BotAlarm.id == alarm_id
    return db.session.scalar(select(BotAlarm).where(*mine))


def takers(alarms: Iterable[BotAlarm]) -> dict[str, str]:
    """The names of those who look after any of them, by id."""
    ids = {alarm.taken_by for alarm in alarms if alarm.taken_by}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return dict(rows.all()) if ids else {}


def take(alarm: BotAlarm, bot: Bot, person: User, *, by: Actor, now: datetime) -> bool:
    """Somebody looks after it; ``False`` if it is over or theirs already. Others may take it on.

    What was booked already needs nothing but somebody who looked: it is over with that.
    """
    before = alarm.taken_by
    free = BotAlarm.ended_at.is_(None), BotAlarm.taken_by.is_distinct_from(person.id)
    mine = update(BotAlarm).where(BotAlarm.id == alarm.id, *free)
    if not change(mine.values(taken_by=person.id, taken_at=now)):
        return False
    _end(now, BotAlarm.id == alarm.id, _called([RECONCILED]))
    audit.record(
        "bot.alarm_take",
        by=by,
        now=now,
        workspace_id=bot.workspace_id,
        target_id=bot.id,
        target_label=bot.name,
        changes=[Change(f"{alarm.code}.taken_by", before, person.id)],
    )
    return True


def due(now: datetime) -> list[str]:
    """Ids of the bots that are silent and may hold a position."""
    lost = _lost(clock.database_now(now)).with_only_columns(Bot.id)
    return list(db.session.scalars(lost.limit(MOST)))


def look(bot_id: str, now: datetime) -> None:
    """Ring for one of them, unless it was heard meanwhile."""
    now = clock.database_now(now)
    for bot, machine in db.session.execute(_lost(now).where(Bot.id == bot_id)).all():
        ring(bot, LOST_CONTACT, _lost_words(bot, machine, now), now)


def sweep(now: datetime) -> None:
    """End what nobody tells the end of."""
    now = clock.database_now(now)
    lost = _lost(now).with_only_columns(Bot.id).order_by(None)
    _end(now, BotAlarm.code == LOST_CONTACT, BotAlarm.bot_id.not_in(lost))
    deleted = select(Bot.id).where(Bot.deleted_at.is_not(None))
    _end(now, BotAlarm.bot_id.in_(deleted))
    flat = select(Machine.bot_id).where(
        Machine.gone_at.is_(None),
        Machine.position_state == PositionState.FLAT,
        Machine.synced_at > now - LOST,
    )
    _end(now, _called([STOP_MISSING]), BotAlarm.bot_id.in_(flat))
    there = select(Machine.bot_id).where(Machine.gone_at.is_(None))
    resting = select(Bot.id).where(Bot.wish == Wish.REST, Bot.id.not_in(there))
    _end(now, _called(OF_A_START), BotAlarm.bot_id.in_(resting))


def _lost(now: datetime) -> Select[Bot, Machine]:
    """Bots that may hold something and whose last machine is silent, or went without proof.

    Each bot's last one is looked up on its own: most machines that ever ran do not matter.
    """
    ran = aliased(Machine)
    last = select(func.max(ran.generation)).where(ran.bot_id == Bot.id, ran.claimed_at.is_not(None))
    newest = (Machine.bot_id == Bot.id) & (Machine.generation == last.scalar_subquery())
    silent = and_(Machine.gone_at.is_(None), Machine.synced_at < now - LOST)
    gone = and_(Machine.gone_at.is_not(None), Machine.proven_flat.is_(False))
    may_hold = Machine.position_state != PositionState.FLAT
    query = select(Bot, Machine).join(Machine, newest)
    return query.where(Bot.deleted_at.is_(None), may_hold, or_(silent, gone)).order_by(Bot.id)


def _lost_words(bot: Bot, machine: Machine, now: datetime) -> str:
    since = f" since {machine.synced_at:%H:%M:%S} UTC" if machine.synced_at else ""
    held = "with a position open" if machine.position_state is PositionState.OPEN else ""
    state = held or "and its position is not known"
    return f"Its machine has not reported{since}, {state}. {_stops_in_words(bot, now)}"


def _stops_in_words(bot: Bot, now: datetime) -> str:
    if bot.mode is Mode.PAPER:
        return "It trades on paper: no money is at stake."
    rows = db.session.scalars(select(PositionRow).where(PositionRow.bot_id == bot.id))
    stops = position_stops.of(bot, [row for row in rows if row.quantity], now)
    bare = ", ".join(it.symbol for it in stops if it.kind in (Kind.MISSING, Kind.NONE))
    if bare:
        return f"No stop is known to stand behind all of {bare}."
    if stops and all(it.kind in (Kind.SEEN, Kind.STALE) for it in stops):
        return "The stops that were seen at the venue stay in place."
    return "Whether stops rest at the venue is not known."


def _called(codes: Iterable[str]) -> ColumnElement[bool]:
    known = list(codes)
    of_symbols = [BotAlarm.code.startswith(f"{code} ", autoescape=True) for code in known]
    return or_(BotAlarm.code.in_(known), *of_symbols)


def _ringing(where: ColumnElement[bool]) -> Select[BotAlarm]:
    query = select(BotAlarm).where(where, BotAlarm.ended_at.is_(None))
    return query.order_by(BotAlarm.first_at, BotAlarm.id)


def _end(now: datetime, *where: ColumnElement[bool]) -> int:
    ringing = update(BotAlarm).where(BotAlarm.ended_at.is_(None), *where).values(ended_at=now)
    return change(ringing.execution_options(synchronize_session=False))


def _kept(alarm: BotAlarm) -> bool:
    """Two may ring at once: the database keeps one."""
    try:
        with db.session.begin_nested():
            db.session.add(alarm)
    except IntegrityError:
        return False
    return True
