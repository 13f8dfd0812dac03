"""What runners tell: candles, decisions, orders, fills, positions, equity, notices."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Double,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Amount, Chosen, Document, Moment, Owned, Tenant, belongs_to
from runner.protocol import FlowKind, OnBreach, OrderStatus, ProtectionState, Side

RowNumber = BigInteger().with_variant(Integer(), "sqlite")

_DUE = text("followed_at IS NULL")


class Telemetry(Owned):
    """A row written by ingest for one bot and run; its number never leaves the database.

    Found by its bot, so the workspace needs no index of its own on these long tables.
    """

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    bot_id: Mapped[str] = mapped_column(String(40))
    run_id: Mapped[str] = mapped_column(String(40))


class CandleRow(Owned, Model):
    """One closed candle as the bot saw it; prices in quote currency, volume in base."""

    __tablename__ = "candle"
    __table_args__ = (belongs_to("bot", "bot_id"),)

    bot_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    symbol: Mapped[str] = mapped_column(String(40), primary_key=True)
    timeframe: Mapped[str] = mapped_column(String(8), primary_key=True)
    opened_at: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    open: Mapped[Decimal] = mapped_column(Amount)
    high: Mapped[Decimal] = mapped_column(Amount)
    low: Mapped[Decimal] = mapped_column(Amount)
    close: Mapped[Decimal] = mapped_column(Amount)
    volume: Mapped[Decimal] = mapped_column(Amount)


class DecisionBlock(Telemetry, Model):
    """What the strategy concluded on some candles in a row, with every component's verdict.

    ``first_at``, ``last_at``: when the first and the last of ``candles`` opened. ``counts`` says as
    JSON how often each conclusion and each verdict stands in ``body``, which holds them all
    (``app.domain.decisions.block``).
    """

    __table_args__ = (
        belongs_to("bot", "bot_id"),
        belongs_to("run", "run_id"),
        UniqueConstraint("run_id", "symbol", "first_at"),
        Index("ix_decision_block_newest", "bot_id", "last_at"),
        Index("ix_decision_block_oldest", "last_at"),
    )

    symbol: Mapped[str] = mapped_column(String(40))
    first_at: Mapped[datetime] = mapped_column(Moment)
    last_at: Mapped[datetime] = mapped_column(Moment)
    candles: Mapped[int]
    counts: Mapped[str] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class OrderRow(Telemetry, Model):
    """The present state of one order, as the runner's journal has it.

    ``arrival_price``: the price its decision was made on; a stop's is its trigger.
    ``fill_seconds``: from the decision to the newest fill.
    """

    __tablename__ = "bot_order"
    __table_args__ = (
        belongs_to("bot", "bot_id"),
        belongs_to("run", "run_id"),
        UniqueConstraint("run_id", "client_id"),
        Index("ix_bot_order_newest", "bot_id", "number"),
    )

    client_id: Mapped[str] = mapped_column(String(64))
    venue_id: Mapped[str | None] = mapped_column(String(64))
    symbol: Mapped[str] = mapped_column(String(40))
    side: Mapped[Side] = mapped_column(Chosen(Side))
    kind: Mapped[str] = mapped_column(String(24))
    purpose: Mapped[str] = mapped_column(String(24))
    quantity: Mapped[Decimal] = mapped_column(Amount)
    price: Mapped[Decimal | None] = mapped_column(Amount)
    filled: Mapped[Decimal] = mapped_column(Amount)
    average: Mapped[Decimal | None] = mapped_column(Amount)
    reduce_only: Mapped[bool]
    status: Mapped[OrderStatus] = mapped_column(Chosen(OrderStatus))
    reason: Mapped[str] = mapped_column(String(300), default="")
    decided_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    arrival_price: Mapped[Decimal | None] = mapped_column(Amount)
    fill_seconds: Mapped[float | None] = mapped_column(Double)


class FillRow(Telemetry, Model):
    """One execution, once. Fee positive when paid.

    ``optimistic``, ``pessimistic``: see ``protocol.Fill``; empty at a real venue.
    """

    __tablename__ = "fill"
    __table_args__ = (
        belongs_to("bot", "bot_id"),
        belongs_to("run", "run_id"),
        UniqueConstraint("run_id", "trade_id"),
        Index("ix_fill_newest", "bot_id", "number"),
        Index("ix_fill_made", "run_id", "symbol", "filled_at"),
    )

    trade_id: Mapped[str] = mapped_column(String(64))
    client_id: Mapped[str] = mapped_column(String(64))
    symbol: Mapped[str] = mapped_column(String(40))
    side: Mapped[Side] = mapped_column(Chosen(Side))
    price: Mapped[Decimal] = mapped_column(Amount)
    quantity: Mapped[Decimal] = mapped_column(Amount)
    fee: Mapped[Decimal] = mapped_column(Amount)
    fee_currency: Mapped[str] = mapped_column(String(12))
    liquidity: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(String(200), default="")
    filled_at: Mapped[datetime] = mapped_column(Moment)
    optimistic: Mapped[Decimal | None] = mapped_column(Amount)
    pessimistic: Mapped[Decimal | None] = mapped_column(Amount)


class PositionRow(Tenant, Model):
    """The newest report of a bot's position in one symbol. Signed quantity in base units."""

    __tablename__ = "position"
    __table_args__ = (belongs_to("bot", "bot_id"),)

    bot_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    symbol: Mapped[str] = mapped_column(String(40), primary_key=True)
    quantity: Mapped[Decimal] = mapped_column(Amount)
    entry_price: Mapped[Decimal | None] = mapped_column(Amount)
    mark_price: Mapped[Decimal] = mapped_column(Amount)
    unrealised: Mapped[Decimal] = mapped_column(Amount)
    reported_at: Mapped[datetime] = mapped_column(Moment)


class EquityPoint(Telemetry, Model):
    """Account value of a run at one moment, in quote currency."""

    __table_args__ = (
        belongs_to("bot", "bot_id"),
        belongs_to("run", "run_id"),
        UniqueConstraint("run_id", "at"),
    )

    at: Mapped[datetime] = mapped_column(Moment)
    equity: Mapped[Decimal] = mapped_column(Amount)
    balance: Mapped[Decimal] = mapped_column(Amount)
    unrealised: Mapped[Decimal] = mapped_column(Amount)


class RunnerNotice(Telemetry, Model):
    """Something the runner wants a person to read."""

    __table_args__ = (
        belongs_to("bot", "bot_id"),
        belongs_to("run", "run_id"),
        Index("ix_runner_notice_newest", "bot_id", "number"),
    )

    level: Mapped[str] = mapped_column(String(8))
    code: Mapped[str] = mapped_column(String(40))
    message: Mapped[str] = mapped_column(String(400))
    at: Mapped[datetime] = mapped_column(Moment)


class CashFlow(Telemetry, Model):
    """Money of a run's account that came or went without a trade; positive when it came."""

    __table_args__ = (
        belongs_to("bot", "bot_id"),
        belongs_to("run", "run_id"),
        UniqueConstraint("run_id", "flow_id"),
        Index("ix_cash_flow_newest", "bot_id", "number"),
    )

    flow_id: Mapped[str] = mapped_column(String(80))
    kind: Mapped[FlowKind] = mapped_column(Chosen(FlowKind))
    amount: Mapped[Decimal] = mapped_column(Amount)
    currency: Mapped[str] = mapped_column(String(16))
    symbol: Mapped[str | None] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(Moment)


class ProtectionRow(Owned, Model):
    """What stood behind a bot's position on one symbol when its runner last told."""

    __tablename__ = "protection"
    __table_args__ = (belongs_to("bot", "bot_id"),)

    bot_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    symbol: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[ProtectionState] = mapped_column(Chosen(ProtectionState))
    stop_id: Mapped[str | None] = mapped_column(String(60))
    price: Mapped[Decimal | None] = mapped_column(Amount)
    quantity: Mapped[Decimal | None] = mapped_column(Amount)
    verified_at: Mapped[datetime | None] = mapped_column(Moment)
    why: Mapped[str] = mapped_column(String(200))
    reported_at: Mapped[datetime] = mapped_column(Moment)


class LimitBreach(Telemetry, Model):
    """A limit that a bot passed, and what its policy made of it.

    ``over_at``: until when it keeps the bot from entering; ``None`` until somebody lets it again.
    ``followed_at``: when the policy was carried out on the platform's side.
    """

    __table_args__ = (
        belongs_to("bot", "bot_id"),
        belongs_to("run", "run_id"),
        Index("ix_limit_breach_newest", "bot_id", "number"),
        Index("ix_limit_breach_standing", "workspace_id", "over_at"),
        Index("ix_limit_breach_due", "number", sqlite_where=_DUE, postgresql_where=_DUE),
    )

    limit: Mapped[str] = mapped_column(String(40))
    value: Mapped[Decimal] = mapped_column(Amount)
    bound: Mapped[Decimal] = mapped_column(Amount)
    policy: Mapped[OnBreach] = mapped_column(Chosen(OnBreach))
    symbol: Mapped[str | None] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(Moment)
    over_at: Mapped[datetime | None] = mapped_column(Moment)
    followed_at: Mapped[datetime | None] = mapped_column(Moment)


class Checkpoint(Tenant, Model):
    """What the next generation needs to go on with a run: the newest the runner sent."""

    __table_args__ = (belongs_to("run", "run_id"),)

    run_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    generation: Mapped[int]
    seq: Mapped[int]
    state: Mapped[dict[str, Any]] = mapped_column(Document)
    at: Mapped[datetime] = mapped_column(Moment)
