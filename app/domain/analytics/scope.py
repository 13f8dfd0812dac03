"""Whose results are asked for: one mode, one settlement currency, one period. Modes never mix."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select, true

from app.domain.profits import currency_of
from app.extensions import db
from app.models import Connection, Run, StrategyVersion, TradeRow
from runner.metrics import Period
from runner.protocol import Mode

USUAL = "USDT"


@dataclass(frozen=True)
class Whose:
    """All bots of a workspace, one of them, or the runs on all versions of one strategy."""

    workspace_id: str
    bot_id: str | None = None
    strategy_id: str | None = None

    def runs(self, mode: Mode) -> ColumnElement[bool]:
        """Its runs in a mode."""
        parts = [Run.workspace_id == self.workspace_id, Run.mode == mode]
        if self.bot_id is not None:
            parts.append(Run.bot_id == self.bot_id)
        if self.strategy_id is not None:
            versions = select(StrategyVersion.id).where(
                StrategyVersion.strategy_id == self.strategy_id
            )
            parts.append(Run.strategy_version_id.in_(versions))
        return and_(true(), *parts)

    def trades(self, mode: Mode) -> ColumnElement[bool]:
        """Its closed trades in a mode."""
        parts = [TradeRow.workspace_id == self.workspace_id, TradeRow.mode == mode]
        parts.append(TradeRow.closed_at.is_not(None))
        if self.bot_id is not None:
            parts.append(TradeRow.bot_id == self.bot_id)
        if self.strategy_id is not None:
            parts.append(TradeRow.run_id.in_(select(Run.id).where(self.runs(mode))))
        return and_(true(), *parts)


@dataclass(frozen=True)
class RunOf:
    """A run and the account it told of; paper runs have one each."""

    id: str
    symbols: list[str]
    account: str
    started_at: datetime


@dataclass(frozen=True)
class Scope:
    """What one page of results is about. ``runs`` settle in its currency."""

    whose: Whose
    mode: Mode
    currency: str
    period: Period
    runs: tuple[RunOf, ...]

    @property
    def run_ids(self) -> list[str]:
        """For conditions on what runs told."""
        return [run.id for run in self.runs]

    @property
    def trades(self) -> ColumnElement[bool]:
        """The trades closed in its period."""
        return and_(
            self.whose.trades(self.mode),
            TradeRow.currency == self.currency,
            TradeRow.closed_at >= self.period.start,
            TradeRow.closed_at < self.period.end,
        )


def modes(whose: Whose) -> list[Mode]:
    """The modes it ever ran in, the most serious first."""
    query = select(Run.mode).where(Run.workspace_id == whose.workspace_id).distinct()
    if whose.bot_id is not None:
        query = query.where(Run.bot_id == whose.bot_id)
    found = set(db.session.scalars(query))
    return [mode for mode in (Mode.LIVE, Mode.TESTNET, Mode.PAPER) if mode in found]


def currencies(whose: Whose, mode: Mode) -> list[str]:
    """What its trades settle in, the most frequent first."""
    query = select(TradeRow.currency).where(whose.trades(mode)).group_by(TradeRow.currency)
    return list(db.session.scalars(query.order_by(func.count().desc(), TradeRow.currency)))


def of(
    whose: Whose, mode: Mode, currency: str | None, since: datetime | None, now: datetime
) -> Scope:
    """The scope as asked for; without a currency the most frequent, without a start all of it."""
    known = currencies(whose, mode)
    chosen = currency if currency in known else (known or [USUAL])[0]
    runs = tuple(run for run in _runs(whose, mode) if currency_of(run.symbols[0]) == chosen)
    begun = min((run.started_at for run in runs), default=now)
    return Scope(whose, mode, chosen, Period(max(since or begun, begun), now), runs)


def _runs(whose: Whose, mode: Mode) -> list[RunOf]:
    account = func.coalesce(Connection.venue_account, Connection.account_digest, Run.id)
    query = select(Run.id, Run.symbols, account, Run.started_at).where(whose.runs(mode))
    query = query.outerjoin(Connection, Connection.id == Run.connection_id)
    return [RunOf(*row) for row in db.session.execute(query.order_by(Run.started_at, Run.id))]
