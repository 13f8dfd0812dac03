"""The book: what all bots of a workspace hold together, and what they lost today.

Modes never mix, nor do quote currencies: each pair is a sheet of its own. Bots that share an
account at a venue see the same equity, so it counts once.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from app.extensions import db
from app.models import Bot, CashFlow, Connection, EquityPoint, PositionRow, Run, Workspace
from runner.protocol import FlowKind, Mode

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Holding:
    """One bot's position: the pair as ``BTC/USDT:USDT``, its value at the mark, short negative."""

    mode: Mode
    symbol: str
    bot: str
    value: Decimal

    @property
    def asset(self) -> str:
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        return self.symbol.partition("/")[2].partition(":")[0]


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset of a sheet; ``short`` is positive too."""

    name: str
    long: Decimal
    short: Decimal
    bots: tuple[str, ...]

    @property
    def gross(self) -> Decimal:
        return self.long + self.short

    @property
    def opposite(self) -> bool:
        """Whether bots bet against each other and pay fees for it twice."""
        return bool(self.long and self.short)


@dataclass(frozen=True, slots=True)
class Sheet:
    """All bots of one mode and quote currency together. ``lost`` today, UTC; negative is a gain."""

    mode: Mode
    quote: str
    assets: tuple[Asset, ...]
    lost: Decimal = NOTHING

    @property
    def gross(self) -> Decimal:
        return sum((asset.gross for asset in self.assets), NOTHING)

    @property
    def net(self) -> Decimal:
        return sum((asset.long - asset.short for asset in self.assets), NOTHING)


def of(workspace: Workspace, now: datetime) -> list[Sheet]:
    """The sheets of a workspace, by mode and quote; those with neither position nor result fall
    away.
    """
    return sheets(_holdings(workspace), _losses(workspace, now))


def opposites(workspace: Workspace) -> list[tuple[Sheet, Asset]]:
    """Assets that one bot is long and another one short of, in the same mode."""
    found = sheets(_holdings(workspace), {})
    return [(sheet, asset) for sheet in found for asset in sheet.assets if asset.opposite]


def sheets(holdings: Iterable[Holding], losses: dict[tuple[Mode, str], Decimal]) -> list[Sheet]:
    """Sums of what is held, beside what was lost. Pure."""
    by_sheet: dict[tuple[Mode, str], dict[str, list[Holding]]] = defaultdict(dict)
    for holding in holdings:
        if holding.value:
            assets = by_sheet[holding.mode, holding.quote]
            assets.setdefault(holding.asset, []).append(holding)
    keys = {*by_sheet, *(key for key, lost in losses.items() if lost)}
    return [
        Sheet(
            mode,
            quote,
            tuple(_asset(name, held) for name, held in sorted(by_sheet[mode, quote].items())),
            losses.get((mode, quote), NOTHING),
        )
        for mode, quote in sorted(keys)
    ]


def _asset(name: str, held: list[Holding]) -> Asset:
    long = sum((it.value for it in held if it.value > 0), NOTHING)
    short = sum((-it.value for it in held if it.value < 0), NOTHING)
    return Asset(name, long, short, tuple(sorted({it.bot for it in held})))


def _holdings(workspace: Workspace) -> list[Holding]:
    """What is held in the present mode; what another mode told before its run ended is its own."""
    other = select(Run.id).where(
        Run.bot_id == Bot.id,
        Run.mode != Bot.mode,
        Run.ended_at.is_(None) | (Run.ended_at > PositionRow.reported_at),
    )
    query = select(
        *(Bot.mode, PositionRow.symbol, Bot.name, PositionRow.quantity, PositionRow.mark_price)
    ).join(Bot, Bot.id == PositionRow.bot_id)
    query = query.where(Bot.workspace_id == workspace.id, Bot.deleted_at.is_(None))
    rows = db.session.execute(query.where(~other.exists()))
    return [Holding(mode, symbol, name, held * mark) for mode, symbol, name, held, mark in rows]


def _losses(workspace: Workspace, now: datetime) -> dict[tuple[Mode, str], Decimal]:
    """From the first look of the day to the last one, deposits and withdrawals taken out."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    spans = _spans(workspace, day)
    by_account: dict[tuple[Mode, str, str], list[Any]] = defaultdict(list)
    for run_id, mode, symbols, account, first, last in spans:
        quote = Holding(mode, symbols[0], "", NOTHING).quote
        by_account[mode, quote, account or run_id].append((run_id, first, last))
    lost: dict[tuple[Mode, str], Decimal] = defaultdict(Decimal)
    for (mode, quote, _), looks in by_account.items():
        begun = min((first for _, first, _ in looks), key=lambda it: it[0])
        ended = max((last for _, _, last in looks), key=lambda it: it[0])
        came = _flows([run_id for run_id, _, _ in looks], begun[0], ended[0])
        lost[mode, quote] += begun[1] + came - ended[1]
    return dict(lost)


def _spans(workspace: Workspace, day: datetime) -> list[Any]:
    """Each run that was weighed today: its first and its last look, as (moment, equity).

    Those of a bot that was deleted since are among them: what it lost today is lost.
    """
    of_today = select(Run.id).where(
        Run.workspace_id == workspace.id, Run.ended_at.is_(None) | (Run.ended_at >= day)
    )
    account = func.coalesce(Connection.venue_account, Connection.account_digest)
    looks = (
        select(
            EquityPoint.run_id,
            func.min(EquityPoint.at).label("first"),
            func.max(EquityPoint.at).label("last"),
        )
        .where(EquityPoint.run_id.in_(of_today), EquityPoint.at >= day)
        .group_by(EquityPoint.run_id)
        .subquery()
    )
    query = (
        select(Run.id, Run.mode, Run.symbols, account)
        .add_columns(EquityPoint.at, EquityPoint.equity)
        .join(looks, looks.c.run_id == Run.id)
        .join(
            EquityPoint,
            (EquityPoint.run_id == Run.id)
            & ((EquityPoint.at == looks.c.first) | (EquityPoint.at == looks.c.last)),
        )
        .outerjoin(Connection, Connection.id == Run.connection_id)
        .order_by(Run.id, EquityPoint.at)
    )
    found: dict[str, Any] = {}
    for run_id, mode, symbols, name, at, equity in db.session.execute(query):
        known = found.setdefault(run_id, [run_id, mode, symbols, name, (at, equity), None])
        known[5] = (at, equity)
    return list(found.values())


def _flows(run_ids: list[str], begun: datetime, ended: datetime) -> Decimal:
    """What came to one account in between; two runs on it tell of the same flow."""
    query = select(CashFlow.flow_id, CashFlow.amount).where(
        CashFlow.run_id.in_(run_ids),
        CashFlow.kind.in_([FlowKind.DEPOSIT, FlowKind.WITHDRAWAL]),
        CashFlow.at > begun,
        CashFlow.at <= ended,
    )
    return sum(dict(db.session.execute(query).all()).values(), NOTHING)
