"""How the platform does, told from its own rows: shares of a crowd, never one bot or one person.

No share is told of fewer than five bots, and one bot alone never changes a condition.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import ColumnElement, func, select

from app.domain.status import components
from app.domain.venues import VENUES
from app.extensions import db
from app.models import (
    Bot,
    BotCompute,
    CallState,
    Component,
    Condition,
    InboundMail,
    Machine,
    Mail,
    MailDecision,
    MailState,
    OrderRow,
    OutboxMessage,
    Phase,
    TelegramCall,
)
from runner.protocol import Mode, OrderStatus

CROWD = 5
SILENT_AFTER = timedelta(seconds=60)
ORDERS_WITHIN = timedelta(minutes=30)
LETTERS_WITHIN = timedelta(minutes=30)
QUIET_DAY = timedelta(hours=24)
SLOW, STUCK = timedelta(minutes=2), timedelta(minutes=10)
"""What waits longer in a queue makes it degraded, or down."""

SLOW_FILL = 5.0
"""Seconds from decision to fill of a market order, at the median."""

_NEWEST = 5_000
"""Orders looked at: they have no index by time, but their numbers grow."""

_VENUE_CAUSES = (
    "RequestTimeout",
    "ExchangeNotAvailable",
    "OnMaintenance",
    "NetworkError",
    "RateLimitExceeded",
    "DDoSProtection",
    "never received",
)
"""In the reason of a refused order: causes of the exchange and not of whoever ordered."""


@dataclass(frozen=True)
class Finding:
    """What one look says of one component; ``detail`` is for everybody to read."""

    condition: Condition
    detail: str = ""


WORKS = Finding(Condition.OPERATIONAL)


def look(site: bool, now: datetime) -> dict[str, Finding]:
    """Everything that can be measured now, by the key of its component.

    Args:
        site: whether the website answered, which no row tells.
        now: the moment, UTC.
    """
    found = {
        components.WEB: _site(site),
        components.RUNNERS: _runners(now),
        components.FLEET: _queue("fleet", _oldest_step(now), now),
        components.MAIL: _mail(now),
        components.DESK: _queue("desk", _oldest_inbound(), now),
        components.TELEGRAM: _telegram(now),
        components.TIMETABLE: WORKS,
        components.DATABASE: WORKS,
    }
    return found | {components.exchange_key(it): _exchange(it, now) for it in VENUES}


def of_crowd(asked: int, bad: int, words: tuple[str, str], few: str) -> Finding:
    """A condition from how many of a crowd do badly: over a fifth, three fifths or more.

    Args:
        asked: how many there are.
        bad: how many of them do badly.
        words: what to say of some, and of most.
        few: what to say where too few were asked for one of them to stay unknown.
    """
    if asked < CROWD:
        return Finding(Condition.UNKNOWN, few)
    if bad >= 2 and bad * 5 >= asked * 3:
        return Finding(Condition.DOWN, words[1])
    if bad >= 2 and bad * 5 > asked:
        return Finding(Condition.DEGRADED, words[0])
    return WORKS


def of_wait(oldest: datetime | None, now: datetime) -> Finding:
    """A condition from how long the oldest thing waits."""
    waited = now - oldest if oldest is not None else timedelta(0)
    if waited > STUCK:
        return Finding(Condition.DOWN, "Nothing has moved for more than ten minutes.")
    if waited > SLOW:
        return Finding(Condition.DEGRADED, "It takes minutes longer than usual.")
    return WORKS


def _off(why: str) -> Finding:
    return Finding(Condition.UNKNOWN, why)


def _site(answered: bool) -> Finding:
    if answered:
        return WORKS
    ever = db.session.get(Component, components.WEB)
    if ever is None or ever.condition is Condition.UNKNOWN:
        return _off("It cannot be reached from where it is measured.")
    return Finding(Condition.DOWN, "Its pages do not answer.")


def _runners(now: datetime) -> Finding:
    awake = select(Machine.synced_at).where(
        Machine.gone_at.is_(None), Machine.dead_at.is_(None), Machine.claimed_at.is_not(None)
    )
    synced = list(db.session.scalars(awake))
    silent = sum(it is None or now - it > SILENT_AFTER for it in synced)
    words = ("Some bots have not reported lately.", "Most bots have not reported lately.")
    return of_crowd(len(synced), silent, words, "Too few bots are awake to tell.")


def _exchange(exchange: str, now: datetime) -> Finding:
    """From refused and lost orders, and from how long fills take; paper orders never leave us."""
    newest = db.session.scalar(select(func.max(OrderRow.number))) or 0
    query = (
        select(
            OrderRow.bot_id,
            OrderRow.status,
            OrderRow.reason,
            OrderRow.kind,
            OrderRow.decided_at,
            OrderRow.updated_at,
        )
        .join(Bot, Bot.id == OrderRow.bot_id)
        .where(
            OrderRow.number > newest - _NEWEST,
            OrderRow.updated_at > now - ORDERS_WITHIN,
            Bot.exchange == exchange,
            Bot.mode != Mode.PAPER,
        )
    )
    rows = db.session.execute(query).all()
    bad = {it.bot_id for it in rows if _venue_failed(it.status, it.reason)}
    asked = {it.bot_id for it in rows}
    words = (
        "Some orders are refused or get lost for reasons of the exchange.",
        "Most bots' orders are refused or get lost for reasons of the exchange.",
    )
    found = of_crowd(len(asked), len(bad), words, "Too few bots sent orders lately to tell.")
    if found is not WORKS:
        return found
    times: dict[str, list[float]] = defaultdict(list)
    for it in rows:
        if it.kind == "market" and it.status is OrderStatus.FILLED:
            times[it.bot_id].append((it.updated_at - it.decided_at).total_seconds())
    if len(times) >= CROWD and median(map(median, times.values())) > SLOW_FILL:
        return Finding(Condition.DEGRADED, "Orders take longer than usual.")
    return WORKS


def _venue_failed(status: OrderStatus, reason: str) -> bool:
    if status is OrderStatus.UNKNOWN:
        return True
    return status is OrderStatus.REJECTED and any(it in reason for it in _VENUE_CAUSES)


def _queue(queue: str, oldest_work: datetime | None, now: datetime) -> Finding:
    """The older of what was not handed over and of what was not worked on."""
    unsent = select(func.min(OutboxMessage.not_before)).where(
        OutboxMessage.sent_at.is_(None), OutboxMessage.queue == queue
    )
    moments = [it for it in (db.session.scalar(unsent), oldest_work) if it is not None]
    return of_wait(min(moments, default=None), now)


def _oldest_step(now: datetime) -> datetime | None:
    """Since when at least two bots are due; leases move what is being worked on."""
    due = select(BotCompute.due_at).where(
        BotCompute.phase != Phase.RELEASED, BotCompute.due_at <= now
    )
    return db.session.scalars(due.order_by(BotCompute.due_at).offset(1).limit(1)).first()


def _oldest_inbound() -> datetime | None:
    waiting = InboundMail.decision == MailDecision.WAITING
    return db.session.scalar(select(func.min(InboundMail.received_at)).where(waiting))


def _mail(now: datetime) -> Finding:
    untried = select(func.min(Mail.try_at)).where(
        Mail.state == MailState.QUEUED, Mail.attempts == 0
    )
    waiting = _queue("mail", db.session.scalar(untried), now)
    if waiting is not WORKS:
        return waiting
    tried = Mail.created_at > now - LETTERS_WITHIN, Mail.attempts > 0
    good = _count(*tried, Mail.state == MailState.SENT)
    bad = _count(*tried, Mail.state == MailState.QUEUED)
    lately = select(func.max(Mail.sent_at)).where(Mail.sent_at > now - QUIET_DAY)
    return _channel(good, bad, db.session.scalar(lately), "letter")


def _telegram(now: datetime) -> Finding:
    untried = select(func.min(TelegramCall.try_at)).where(
        TelegramCall.state == CallState.QUEUED, TelegramCall.attempts == 0
    )
    waiting = of_wait(db.session.scalar(untried), now)
    if waiting is not WORKS:
        return waiting
    tried = TelegramCall.created_at > now - LETTERS_WITHIN, TelegramCall.attempts > 0
    good = _count(*tried, TelegramCall.state == CallState.SENT)
    bad = _count(*tried, TelegramCall.state == CallState.QUEUED)
    lately = select(func.max(TelegramCall.sent_at)).where(TelegramCall.sent_at > now - QUIET_DAY)
    return _channel(good, bad, db.session.scalar(lately), "message")


def _channel(good: int, bad: int, lately: datetime | None, noun: str) -> Finding:
    """From tries of the last half hour; addresses that do not exist are not the channel's fault."""
    if bad >= 2 and not good:
        return Finding(Condition.DOWN, f"No {noun} gets through.")
    if bad >= 2 and bad * 5 > good + bad:
        return Finding(Condition.DEGRADED, f"Some {noun}s are late.")
    if lately is None:
        return _off(f"No {noun} was sent within a day.")
    return WORKS


def _count(*conditions: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).where(*conditions)) or 0
