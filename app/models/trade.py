"""Trades, what people write about them, and each run's equity day by day."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Date, Double, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Amount, Chosen, Moment, Owned, belongs_to, new_id
from app.models.telemetry import Telemetry
from runner.protocol import Mode, Side


def gain(side: Side, cost: Decimal, proceeds: Decimal) -> Decimal:
    """What a trade gained before fees, from the notionals of entry and exit."""
    return proceeds - cost if side is Side.BUY else cost - proceeds


class TradeRow(Telemetry, Model):
    """From flat to flat: folded from the fills and from nothing else; open until ``closed_at``.

    Quantities in base units, notionals and fees in quote currency. Notionals are kept instead of
    average prices, so that the result of a closed trade is exact. ``funding`` is positive when it
    was received while the trade was open.

    What statistics ask for is written down when a trade closes: ``result`` is its net result as a
    float, ``entry_hour`` the hour of the week of its opening (0 is Monday 00:00 UTC), ``closed_on``
    the day of its closing (UTC), ``exit_kind`` the purpose of the order that closed it, while
    ``exit_reason`` says it in words.
    """

    __tablename__ = "trade"
    __table_args__ = (
        belongs_to("bot", "bot_id"),
        belongs_to("run", "run_id"),
        Index("ix_trade_newest", "bot_id", "number"),
        Index("ix_trade_closed", "workspace_id", "closed_at"),
        Index("ix_trade_results", "workspace_id", "mode", "currency", "closed_at", "number"),
        Index("uq_trade_workspace_id_id", "workspace_id", "id", unique=True),
        Index(
            "uq_trade_open",
            "run_id",
            "symbol",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), default=lambda: new_id("trd"))
    mode: Mapped[Mode] = mapped_column(Chosen(Mode))
    symbol: Mapped[str] = mapped_column(String(40))
    currency: Mapped[str] = mapped_column(String(16))
    side: Mapped[Side] = mapped_column(Chosen(Side))
    entered: Mapped[Decimal] = mapped_column(Amount)
    entry_notional: Mapped[Decimal] = mapped_column(Amount)
    exited: Mapped[Decimal] = mapped_column(Amount)
    exit_notional: Mapped[Decimal] = mapped_column(Amount)
    fees: Mapped[Decimal] = mapped_column(Amount)
    funding: Mapped[Decimal] = mapped_column(Amount)
    exit_reason: Mapped[str] = mapped_column(String(200), default="")
    opened_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    result: Mapped[float | None] = mapped_column(Double)
    held_seconds: Mapped[float | None] = mapped_column(Double)
    entry_hour: Mapped[int]
    closed_on: Mapped[date | None] = mapped_column(Date)
    exit_kind: Mapped[str] = mapped_column(String(24), default="")

    def before(self, reset: datetime | None) -> bool:
        """Whether it was made on a paper balance that was reset since, at ``reset``."""
        return self.mode is Mode.PAPER and reset is not None and self.opened_at < reset

    @property
    def held(self) -> Decimal:
        """What is held now, in base units, without sign."""
        return self.entered - self.exited

    @property
    def entry_price(self) -> Decimal:
        """Average price of all entries."""
        return self.entry_notional / self.entered

    @property
    def exit_price(self) -> Decimal | None:
        """Average price of all exits so far."""
        return self.exit_notional / self.exited if self.exited else None

    @property
    def gross(self) -> Decimal:
        """Realised result before fees; exact once the trade is closed."""
        cost = self.entry_notional if not self.held else self.entry_price * self.exited
        return gain(self.side, cost, self.exit_notional)

    @property
    def net(self) -> Decimal:
        """Realised result after all fees, those of the entry included, and funding."""
        return self.gross - self.fees + self.funding


class TradeNote(Owned, Model):
    """What people of the workspace wrote about one trade."""

    __table_args__ = (belongs_to("trade", "trade_id"),)

    trade_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    text: Mapped[str] = mapped_column(String(2000))
    written_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    written_at: Mapped[datetime] = mapped_column(Moment)


class TradeTag(Owned, Model):
    """A word that people of the workspace put on a trade, to find it again."""

    __table_args__ = (
        belongs_to("trade", "trade_id"),
        Index("ix_trade_tag_name", "workspace_id", "name"),
    )

    trade_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(30), primary_key=True)


class EquityDay(Owned, Model):
    """The equity of a run on one day (UTC), folded as it is told; in quote currency.

    ``first`` is the first of the day, ``last`` the newest, told at ``last_at``.
    """

    __table_args__ = (
        belongs_to("bot", "bot_id"),
        belongs_to("run", "run_id"),
        Index("ix_equity_day_bot", "bot_id", "day"),
    )

    run_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    bot_id: Mapped[str] = mapped_column(String(40))
    first: Mapped[Decimal] = mapped_column(Amount)
    low: Mapped[Decimal] = mapped_column(Amount)
    last: Mapped[Decimal] = mapped_column(Amount)
    last_at: Mapped[datetime] = mapped_column(Moment)
