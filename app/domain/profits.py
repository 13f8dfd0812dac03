"""What bots earned beside what their machines cost. Nothing is converted that has no rate here.

Only what settles in a dollar or in a stablecoin of it is taken together with costs, which are in
dollars; the rest stands beside them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.extensions import db
from app.models import CashFlow, Run, TradeRow, Workspace
from app.models.trade import gain
from runner.protocol import FlowKind, Mode

DOLLARS = frozenset({"USD", "USDT", "USDC", "FDUSD", "TUSD", "USDE", "DAI", "PYUSD", "RLUSD"})
WHY = (
    "Costs are in US dollars. They are taken from what settles in dollars or in a stablecoin of "
    "the dollar, one for one; there is no rate here for anything else, so it stands beside them."
)


@dataclass
class Earned:
    """What closed trades and funding brought in one mode, by settlement currency, after fees.

    Deposits and withdrawals are no part of it.
    """

    mode: Mode
    by_currency: dict[str, Decimal] = field(default_factory=dict)
    trades: int = 0
    funding: dict[str, Decimal] = field(default_factory=dict)

    @property
    def dollars(self) -> Decimal | None:
        """What is as good as dollars; ``None`` where nothing is."""
        found = [amount for name, amount in self.by_currency.items() if name in DOLLARS]
        return sum(found, Decimal(0)) if found else None

    @property
    def beside(self) -> list[tuple[str, Decimal]]:
        """What is not, by currency."""
        return sorted(it for it in self.by_currency.items() if it[0] not in DOLLARS)

    def after(self, cost: Decimal) -> Decimal | None:
        """What is left of the dollars after the machines."""
        return None if self.dollars is None else self.dollars - cost


def of_month(
    workspace: Workspace, start: datetime, end: datetime, bot_id: str | None = None
) -> list[Earned]:
    """By mode, the trades closed and the funding paid within; of all bots, or of one."""
    query = select(
        *(Run.mode, TradeRow.symbol, TradeRow.side),
        *(TradeRow.entry_notional, TradeRow.exit_notional, TradeRow.fees),
    ).join(Run, Run.id == TradeRow.run_id)
    query = query.where(
        TradeRow.workspace_id == workspace.id,
        TradeRow.closed_at >= start,
        TradeRow.closed_at < end,
    )
    paid = (
        select(Run.mode, CashFlow.currency, CashFlow.amount)
        .join(Run, Run.id == CashFlow.run_id)
        .where(
            CashFlow.workspace_id == workspace.id,
            CashFlow.kind == FlowKind.FUNDING,
            CashFlow.at >= start,
            CashFlow.at < end,
        )
    )
    if bot_id is not None:
        query = query.where(TradeRow.bot_id == bot_id)
        paid = paid.where(CashFlow.bot_id == bot_id)
    return _added(db.session.execute(query), db.session.execute(paid))


def currency_of(symbol: str) -> str:
    """What a symbol settles in: ``USDT`` of ``BTC/USDT:USDT``, ``BTC`` of ``BTC/USD:BTC``."""
    pair, _, settled = symbol.partition(":")
    return settled.partition("-")[0] or pair.partition("/")[2] or pair


def _added(trades: Iterable[Any], funding: Iterable[Any]) -> list[Earned]:
    """Amounts are texts on SQLite, so they are added here and not in the database."""
    found: dict[Mode, Earned] = {}
    for mode, symbol, side, cost, proceeds, fees in trades:
        earned = found.setdefault(mode, Earned(mode))
        _add(earned.by_currency, currency_of(symbol), gain(side, cost, proceeds) - fees)
        earned.trades += 1
    for mode, currency, amount in funding:
        earned = found.setdefault(mode, Earned(mode))
        _add(earned.by_currency, currency, amount)
        _add(earned.funding, currency, amount)
    return sorted(found.values(), key=lambda it: it.mode)


def _add(sums: dict[str, Decimal], name: str, amount: Decimal) -> None:
    sums[name] = sums.get(name, Decimal(0)) + amount
