"""The first position on paper: a person is led through what opens and what is left when it closed.

What is shown are the bot's own rows. How far somebody is belongs to the person, in whatever
workspace they are, and never moves by itself: they say what they saw.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.domain import account_events, records
from app.domain.audit import Actor, Change
from app.domain.errors import Refused
from app.extensions import db
from app.models import Bot, GuideProgress, OrderRow, TradeRow, User
from runner.protocol import Mode
from runner.strategy import TIMEFRAMES

GUIDE = "first_position"
QUICK = 60
"""Seconds of a candle up to which somebody can wait for a position to open."""


class Stage(StrEnum):
    """Where somebody is. ``WAITING``: nothing has opened; ``HOLDING``: seen, and still open."""

    WAITING = "waiting"
    OPEN = "open"
    HOLDING = "holding"
    CLOSED = "closed"


@dataclass(frozen=True)
class Guide:
    """What is to be shown now.

    ``trade``: the position it speaks of. ``stop``: the price of its protective stop, where one was
    placed. ``is_slow``: the candles are so long that nobody sits and waits.
    """

    stage: Stage
    trade: TradeRow | None
    stop: Decimal | None
    is_slow: bool

    @property
    def is_open(self) -> bool:
        """Whether the position is held now."""
        return self.trade is not None and self.trade.closed_at is None

    @property
    def number(self) -> int:
        """Of three steps."""
        return {Stage.WAITING: 1, Stage.OPEN: 2, Stage.HOLDING: 2, Stage.CLOSED: 3}[self.stage]


def progress_of(person: User) -> GuideProgress | None:
    """How far they are; ``None`` where they have not begun."""
    return db.session.get(GuideProgress, (person.id, GUIDE))


def has_seen(person: User) -> datetime | None:
    """When they had seen a position open and close; ``None`` before."""
    known = progress_of(person)
    if known is None or known.opened_at is None:
        return None
    return known.closed_at


def of(bot: Bot, person: User) -> Guide | None:
    """What to show this person on this bot's page; ``None`` where there is nothing to show."""
    if bot.mode is not Mode.PAPER:
        return None
    known = progress_of(person)
    if known is not None and (known.hidden_at is not None or known.closed_at is not None):
        return None
    trade = next(iter(records.trades(bot, 1)), None)
    slow = TIMEFRAMES[bot.version.rules["timeframe"]] > QUICK
    if trade is None:
        return Guide(Stage.WAITING, None, None, slow)
    stage = Stage.OPEN
    if known is not None and known.opened_at is not None:
        trade, stage = _once_seen(bot, trade, known.opened_at)
    return Guide(stage, trade, _stop_of(trade), slow)


def saw(bot: Bot, person: User, stage: Stage, *, by: Actor, now: datetime) -> None:
    """They say that they saw it. Twice is once.

    Raises:
        Refused: there was nothing to see yet.
    """
    if bot.mode is not Mode.PAPER:
        raise Refused("The guide is about positions on paper; open a bot in paper mode.")
    trades = records.trades(bot, 2)
    known = _known(person)
    before = known.opened_at, known.closed_at
    if stage is Stage.OPEN:
        if not trades:
            raise Refused("No position has opened yet; the guide goes on when one does.")
        known.opened_at = known.opened_at or now
    elif stage is Stage.CLOSED:
        if known.opened_at is None or all(it.closed_at is None for it in trades):
            raise Refused("No position has closed yet; the guide goes on when one does.")
        known.closed_at = known.closed_at or now
    if before != (known.opened_at, known.closed_at):
        _record(person, f"saw a paper position {stage.value}", by, now)


def hide(person: User, *, by: Actor, now: datetime) -> None:
    """Put the guide away, on all bots. Twice is once."""
    known = _known(person)
    if known.hidden_at is None:
        known.hidden_at = now
        _record(person, "put away", by, now)


def show_again(person: User, *, by: Actor, now: datetime) -> None:
    """From its beginning, or from where it was put away."""
    known = _known(person)
    if known.closed_at is not None:
        known.opened_at = known.closed_at = None
    elif known.hidden_at is None:
        return
    known.hidden_at = None
    _record(person, "asked for again", by, now)


def _once_seen(bot: Bot, newest: TradeRow, seen_at: datetime) -> tuple[TradeRow, Stage]:
    """What became of the position they saw; later ones do not push it aside while they read."""
    if newest.closed_at is None and newest.opened_at <= seen_at:
        return newest, Stage.HOLDING
    closed = select(TradeRow).where(
        TradeRow.bot_id == bot.id, TradeRow.mode == bot.mode, TradeRow.closed_at.is_not(None)
    )
    then = closed.where(TradeRow.closed_at >= seen_at).order_by(TradeRow.number)
    last = closed.order_by(TradeRow.number.desc())
    for query in (then, last):
        found = db.session.scalar(query.limit(1))
        if found is not None:
            return found, Stage.CLOSED
    return newest, Stage.HOLDING


def _stop_of(trade: TradeRow) -> Decimal | None:
    """Where the newest stop of this trade rests or rested."""
    query = select(OrderRow.price).where(
        OrderRow.run_id == trade.run_id,
        OrderRow.symbol == trade.symbol,
        OrderRow.purpose == "protect",
        OrderRow.decided_at >= trade.opened_at,
    )
    if trade.closed_at is not None:
        query = query.where(OrderRow.decided_at <= trade.closed_at)
    return db.session.scalar(query.order_by(OrderRow.number.desc()).limit(1))


def _known(person: User) -> GuideProgress:
    """Their row, made at the first time; two windows that make it at once share it."""
    known = progress_of(person)
    if known is not None:
        return known
    try:
        with db.session.begin_nested():
            made = GuideProgress(user_id=person.id, guide=GUIDE)
            db.session.add(made)
    except IntegrityError:
        return db.session.get_one(GuideProgress, (person.id, GUIDE))
    return made


def _record(person: User, what: str, by: Actor, now: datetime) -> None:
    changes = [Change("first paper position", None, what)]
    account_events.record(person, "account.guide", by, now, changes=changes)
