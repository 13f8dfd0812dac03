"""What the dashboard and the bot page show. The number of queries does not grow with the bots.

Pages ask for columns, not for rows as objects: a list of a thousand bots would spend most of its
time on making those. Statements are built once and told their values.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any

from sqlalchemy import Select, bindparam, select

from app.domain import fleet, leads, lifecycle
from app.domain.lifecycle import Reading, Situation, Tempo, Today
from app.extensions import db, prepared
from app.models import (
    Bot,
    BotAddress,
    BotCompute,
    Machine,
    Phase,
    PositionRow,
    Run,
    Strategy,
    StrategyVersion,
    TradeRow,
    Wish,
    Workspace,
)
from app.models.strategy import label_of
from app.models.trade import gain
from runner.protocol import Mode, PositionState

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list says about a bot itself; ``version`` is the label of its strategy's version."""

    id: str
    name: str
    mode: Mode
    region: str
    symbols: list[str]
    schedule: dict[str, Any]
    version: str


@dataclass(frozen=True, slots=True)
class Holding:
    """A position in one symbol as last reported. Signed quantity in base units."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal | None
    mark_price: Decimal
    unrealised: Decimal
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """One bot with its state; results in quote currency, of trades closed today (UTC).

    ``results``: of each trade closed today, after fees, oldest first.
    """

    bot: Listed
    reading: Reading
    has_machine: bool
    ip: str | None
    reserved_at: datetime | None
    positions: list[Holding] = field(default_factory=list)
    results: list[Decimal] = field(default_factory=list)
    net_today: Decimal = NOTHING
    unrealised: Decimal = NOTHING

    @property
    def curve(self) -> list[Decimal]:
        """Today's realised result after each closed trade, from zero."""
        return [NOTHING, *accumulate(self.results)] if self.results else []


@dataclass(frozen=True)
class Totals:
    """The bots of one mode together. Modes never mix."""

    mode: Mode
    bots: int
    open_positions: int
    net_today: Decimal
    unrealised: Decimal


def summaries(workspace: Workspace, now: datetime, tempo: Tempo) -> list[Summary]:
    """All bots of a workspace that are not gone, by name."""
    return _summaries(now, tempo, workspace=workspace.id)


def summary(bot: Bot, now: datetime, tempo: Tempo) -> Summary:
    """One bot."""
    return _summaries(now, tempo, workspace=bot.workspace_id, bot=bot.id)[0]


def totals(rows: Iterable[Summary]) -> list[Totals]:
    """Sums per mode, for the modes that have bots."""
    by_mode: dict[Mode, list[Summary]] = defaultdict(list)
    for row in rows:
        by_mode[row.bot.mode].append(row)
    return [
        Totals(
            mode=mode,
            bots=len(by_mode[mode]),
            open_positions=sum(len(row.positions) for row in by_mode[mode]),
            net_today=sum((row.net_today for row in by_mode[mode]), NOTHING),
            unrealised=sum((row.unrealised for row in by_mode[mode]), NOTHING),
        )
        for mode in Mode
        if mode in by_mode
    ]


def _summaries(now: datetime, tempo: Tempo, **scope: str) -> list[Summary]:
    one = "bot" in scope
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    positions: dict[str, list[Holding]] = defaultdict(list)
    for bot_id, *told in db.session.execute(_positions(one), scope):
        position = Holding(*told)
        if position.quantity:
            positions[bot_id].append(position)
    results: dict[str, list[Decimal]] = defaultdict(list)
    closed_today = db.session.execute(_closed(one), scope | {"midnight": midnight})
    for bot_id, fees, funding, *closed in closed_today:
        results[bot_id].append(gain(*closed) - fees + funding)
    learned, first = leads.by_region(tempo), leads.first(tempo)
    return [
        _summary(
            row,
            positions.get(row[0], []),
            results.get(row[0], []),
            now,
            learned.get(row.region, first),
        )
        for row in db.session.execute(_bots(one), scope)
    ]


def _summary(
    row: Any, positions: list[Holding], results: list[Decimal], now: datetime, tempo: Tempo
) -> Summary:
    id_, name, mode, region, symbols, schedule, strategy, number, wish, paused, phase, *rest = row
    (
        problem,
        renewal,
        retry_at,
        wanted_at,
        priority,
        ip,
        reserved_at,
        generation,
        synced_at,
        position_state,
        pause_rule,
        pause_reason,
        stop_reason,
        preflight_passed,
        *wished,
    ) = rest
    asleep = phase is Phase.ASLEEP and wish is Wish.FOLLOW
    it = Situation(
        wish=wish,
        phase=phase,
        paused=paused,
        problem=problem,
        synced_at=synced_at,
        position_state=position_state or PositionState.FLAT,
        open_positions=len(positions),
        wakes_at=_wakes_at(row, now, tempo, Today(*wished)) if asleep else None,
        renewed=renewal is not None,
        retry_at=retry_at,
        stranded=lifecycle.waits_stranded(wanted_at, priority),
        pause_rule=pause_rule,
        pause_reason=pause_reason,
        stop_reason=stop_reason,
        preflight_passed=preflight_passed,
    )
    return Summary(
        bot=Listed(id_, name, mode, region, symbols, schedule, label_of(strategy, number)),
        reading=lifecycle.reading(now, it),
        has_machine=generation is not None,
        ip=ip,
        reserved_at=reserved_at,
        positions=positions,
        results=results,
        net_today=sum(results, NOTHING),
        unrealised=sum([position.unrealised for position in positions], NOTHING),
    )


def _wakes_at(row: Any, now: datetime, tempo: Tempo, wished: Today) -> datetime | None:
    return fleet.wakes_at(row.schedule, now, leads.own(row.id, tempo), wished)


def _scoped(query: Select[*tuple[Any, ...]], one: bool) -> Select[*tuple[Any, ...]]:
    """Of the bots of a workspace, or of one of them."""
    query = query.where(Bot.workspace_id == bindparam("workspace"), Bot.deleted_at.is_(None))
    return query.where(Bot.id == bindparam("bot")) if one else query


@prepared
def _bots(one: bool) -> Select[*tuple[Any, ...]]:
    """Each bot and where it lives; it has at most one machine that is not gone."""
    query = select(
        *(Bot.id, Bot.name, Bot.mode, Bot.region, Bot.symbols, Bot.schedule),
        *(Strategy.name, StrategyVersion.number, Bot.wish, Bot.paused),
        *(BotCompute.phase, BotCompute.problem, BotCompute.renewal),
        *(BotCompute.retry_at, BotCompute.wanted_at, BotCompute.priority),
        *(BotAddress.ip, BotAddress.reserved_at),
        *(Machine.generation, Machine.synced_at, Machine.position_state),
        *(Bot.pause_rule, Bot.pause_reason, Bot.stop_reason),
        Machine.preflight["passed"].as_boolean(),
        *(Bot.keep_awake_until, Bot.asleep_until),
    )
    query = query.join_from(Bot, StrategyVersion, StrategyVersion.id == Bot.strategy_version_id)
    query = query.join(Strategy, Strategy.id == StrategyVersion.strategy_id)
    query = query.join(BotCompute, BotCompute.bot_id == Bot.id)
    query = query.outerjoin(BotAddress, BotAddress.bot_id == Bot.id)
    alive = (Machine.bot_id == Bot.id) & Machine.gone_at.is_(None)
    return _scoped(query.outerjoin(Machine, alive), one).order_by(Bot.name, Bot.id)


def addresses(bot_ids: list[str]) -> dict[str, str | None]:
    """The reserved address of each bot; ``None`` while it is being reserved."""
    rows = db.session.execute(
        select(BotAddress.bot_id, BotAddress.ip).where(BotAddress.bot_id.in_(bot_ids))
    )
    return {row.bot_id: row.ip for row in rows}


@prepared
def _positions(one: bool) -> Select[*tuple[Any, ...]]:
    """What is held in the present mode; what another mode told before its run ended is its own."""
    other = select(Run.id).where(
        Run.bot_id == Bot.id,
        Run.mode != Bot.mode,
        Run.ended_at.is_(None) | (Run.ended_at > PositionRow.reported_at),
    )
    query = select(
        *(PositionRow.bot_id, PositionRow.symbol, PositionRow.quantity, PositionRow.entry_price),
        *(PositionRow.mark_price, PositionRow.unrealised, PositionRow.reported_at),
    ).join(Bot, Bot.id == PositionRow.bot_id)
    return _scoped(query.where(~other.exists()), one)


@prepared
def _closed(one: bool) -> Select[*tuple[Any, ...]]:
    """Only trades of a run in the mode the bot is in now: results of two modes never add up."""
    query = select(
        *(TradeRow.bot_id, TradeRow.fees, TradeRow.funding),
        *(TradeRow.side, TradeRow.entry_notional, TradeRow.exit_notional),
    ).where(
        TradeRow.workspace_id == bindparam("workspace"),
        TradeRow.closed_at >= bindparam("midnight"),
    )
    query = query.join(Run, Run.id == TradeRow.run_id)
    query = query.join(Bot, (Bot.id == TradeRow.bot_id) & (Bot.mode == Run.mode))
    return _scoped(query, one).order_by(TradeRow.closed_at, TradeRow.number)
