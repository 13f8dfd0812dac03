"""How far a press of the kill switch has come: bot by bot, told by what their runners said."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from app.domain import commands, position_stops
from app.domain.lifecycle import SILENCE
from app.domain.position_stops import Kind, Stop
from app.extensions import db
from app.models import (
    Bot,
    BotCommand,
    Kill,
    KillAct,
    KillBot,
    Machine,
    PositionRow,
    ProtectionRow,
)


class Reach(StrEnum):
    """How far it came with one bot."""

    DONE = "done"
    IDLE = "idle"
    OVERTAKEN = "overtaken"
    WAITING = "waiting"
    UNREACHABLE = "unreachable"


OPEN = frozenset({Reach.WAITING, Reach.UNREACHABLE})
REACHED = {KillAct.PAUSE: "paused", KillAct.CANCEL: "without entries", KillAct.FLATTEN: "flat"}
"""What a bot is once it was reached, in a word or two."""


@dataclass(frozen=True)
class Line:
    """One bot. ``at``: when its runner said that it was done; ``seen_at``: when it last spoke.

    ``held``: the symbols in which it had a position then; ``stops``: what stood behind them.
    """

    bot: Bot
    reach: Reach
    at: datetime | None = None
    seen_at: datetime | None = None
    held: tuple[str, ...] = ()
    stops: tuple[Stop, ...] = ()

    @property
    def verified_at(self) -> datetime | None:
        """When the venue listed a stop behind all it holds; ``None`` if one lacks or is old."""
        return self._listed_at(Kind.SEEN)

    @property
    def last_verified_at(self) -> datetime | None:
        """The same, however long ago that was."""
        return self._listed_at(Kind.SEEN, Kind.STALE)

    def _listed_at(self, *kinds: Kind) -> datetime | None:
        listed = [stop.at for stop in self.stops if stop.at is not None and stop.kind in kinds]
        return min(listed, default=None) if len(listed) == len(self.held) else None


@dataclass(frozen=True)
class Progress:
    """All bots of one press, the open ones first."""

    act: KillAct
    lines: tuple[Line, ...]

    def of(self, *reach: Reach) -> list[Line]:
        """Those that it came so far with."""
        return [line for line in self.lines if line.reach in reach]

    @property
    def over(self) -> bool:
        """Whether nothing is waited for."""
        return not self.of(*OPEN)

    @property
    def words(self) -> str:
        """E.g. ``7 of 8 flat``; what had no machine and no position is reached by being paused."""
        done = len(self.of(Reach.DONE, Reach.IDLE))
        return f"{done} of {len(self.lines)} {REACHED[self.act]}"


def of(kill: Kill, now: datetime) -> Progress:
    """Look at all bots of one press; the number of queries does not grow with theirs."""
    query = select(KillBot, Bot).join(Bot, Bot.id == KillBot.bot_id)
    rows = db.session.execute(query.where(KillBot.kill_id == kill.id)).all()
    ids, orders = [bot.id for _, bot in rows], [row.command_id for row, _ in rows if row.command_id]
    known = _Known(
        {
            it.id: it
            for it in db.session.scalars(select(BotCommand).where(BotCommand.id.in_(orders)))
        },
        {it.bot_id: it for it in db.session.scalars(_of(ids, Machine, Machine.gone_at.is_(None)))},
        _grouped(_of(ids, PositionRow)),
        _grouped(_of(ids, ProtectionRow)),
        _asleep_flat(ids),
    )
    lines = [known.line(row, bot, now) for row, bot in rows]
    lines.sort(key=lambda line: (line.reach not in OPEN, line.bot.name, line.bot.id))
    return Progress(kill.act, tuple(lines))


@dataclass(frozen=True)
class _Known:
    """What there is to know of the bots of one press, by the id of a command or of a bot."""

    orders: dict[str, BotCommand]
    machines: dict[str, Machine]
    positions: dict[str, tuple[PositionRow, ...]]
    stops: dict[str, tuple[ProtectionRow, ...]]
    flat: set[str]

    def line(self, row: KillBot, bot: Bot, now: datetime) -> Line:
        order = self.orders.get(row.command_id or "")
        if order is None:
            return Line(bot, Reach.IDLE)
        machine = self.machines.get(bot.id)
        heard = machine.synced_at if machine else None
        if order.done_at is not None:
            overtaken = order.outcome == commands.WITHDRAWN
            return Line(bot, Reach.OVERTAKEN if overtaken else Reach.DONE, order.done_at, heard)
        if machine is None and bot.id in self.flat:
            return Line(bot, Reach.IDLE)
        since = heard or (machine.created_at if machine else None)
        waits = since is not None and now - since <= SILENCE
        held = [it for it in self.positions.get(bot.id, ()) if it.quantity]
        reach = Reach.WAITING if waits else Reach.UNREACHABLE
        told = {stop.symbol: stop for stop in self.stops.get(bot.id, ())}
        stops = tuple(position_stops.read(told.get(it.symbol), it, now) for it in held)
        return Line(bot, reach, None, heard, tuple(it.symbol for it in held), stops)


def _of(ids: list[str], kind: Any, *more: Any) -> Any:
    return select(kind).where(kind.bot_id.in_(ids), *more)


def _asleep_flat(ids: list[str]) -> set[str]:
    """Bots whose last machine that traded went and had proven that it was flat."""
    later = aliased(Machine)
    successor = select(later.id).where(
        later.bot_id == Machine.bot_id,
        later.generation > Machine.generation,
        later.claimed_at.is_not(None),
    )
    gone = Machine.claimed_at.is_not(None), Machine.gone_at.is_not(None)
    query = select(Machine.bot_id).where(Machine.bot_id.in_(ids), *gone, ~successor.exists())
    return set(db.session.scalars(query.where(Machine.proven_flat.is_(True))))


def _grouped(query: Any) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    for row in db.session.scalars(query):
        found[row.bot_id] = (*found.get(row.bot_id, ()), row)
    return found
