"""What became of the signals of one bot, for reading."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, true

from app.extensions import db
from app.models import Bot, OrderRow, Signal, SignalState
from runner.protocol import SignalOutcome

PAGE = 50
ACTED = (SignalOutcome.ENTERED, SignalOutcome.EXITED)
FILTERS = ("all", "orders", "without", "rejected", "tests")


@dataclass(frozen=True)
class Listed:
    """A signal with the order it led to, if its bot has told of it."""

    signal: Signal
    order: OrderRow | None

    @property
    def word(self) -> str:
        """Where it is, in one or two words."""
        if self.signal.state is not SignalState.DECIDED or self.signal.outcome is None:
            return _STATES[self.signal.state]
        return _OUTCOMES[self.signal.outcome]


def page(bot: Bot, wanted: str, number: int) -> list[Listed]:
    """One page, newest first, and one more if there are any; ``number`` counts from one."""
    query = select(Signal).where(Signal.bot_id == bot.id, _condition(wanted))
    query = query.order_by(Signal.received_at.desc(), Signal.id)
    rows = list(db.session.scalars(query.offset((number - 1) * PAGE).limit(PAGE + 1)))
    names = {row.order_id for row in rows if row.order_id}
    orders = select(OrderRow).where(OrderRow.bot_id == bot.id, OrderRow.client_id.in_(names))
    found = {order.client_id: order for order in db.session.scalars(orders)} if names else {}
    return [Listed(row, found.get(row.order_id)) for row in rows]


def moving(rows: list[Listed], now: datetime) -> bool:
    """Whether anything on this page is about to change."""
    return any(_moves(row.signal, now) for row in rows)


def _moves(signal: Signal, now: datetime) -> bool:
    open_ = signal.state in (SignalState.WAITING, SignalState.DELIVERED)
    return open_ and signal.expires_at is not None and signal.expires_at > now


def _condition(wanted: str) -> ColumnElement[bool]:
    lost = (SignalState.REJECTED, SignalState.EXPIRED, SignalState.LOST)
    told: dict[str, ColumnElement[bool]] = {
        "orders": Signal.outcome.in_(ACTED),
        "without": (Signal.state == SignalState.DECIDED) & Signal.outcome.not_in(ACTED),
        "rejected": Signal.state.in_(lost),
        "tests": Signal.state == SignalState.TESTED,
    }
    return told.get(wanted, true())


_STATES = {
    SignalState.REJECTED: "rejected",
    SignalState.TESTED: "test",
    SignalState.WAITING: "received",
    SignalState.DELIVERED: "delivered",
    SignalState.DECIDED: "decided",
    SignalState.EXPIRED: "expired",
    SignalState.LOST: "not answered",
}
_OUTCOMES = {
    SignalOutcome.ENTERED: "entry",
    SignalOutcome.EXITED: "exit",
    SignalOutcome.KEPT: "kept",
    SignalOutcome.NOTHING: "no trade",
    SignalOutcome.EXPIRED: "expired",
    SignalOutcome.SUPERSEDED: "superseded",
}
