"""From the platform to the bot and back: each signal goes to one machine, and ends in words."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update

from app.domain.sources import Source
from app.extensions import db
from app.models import Bot, Machine, Signal, SignalState
from runner import protocol
from runner.protocol import ExternalSignal, SignalOutcome, to_plain

KEPT = timedelta(days=90)
SILENT = timedelta(minutes=5)
"""So long after its end a machine may still tell what it made of a signal."""

OPEN = (SignalState.WAITING, SignalState.DELIVERED)
NOT_FETCHED = "Expired: no machine of the bot fetched it in time."
LOST = "Its machine was gone before it told what became of it; no other one acts on it."


def pending(bot: Bot, machine: Machine, now: datetime) -> tuple[ExternalSignal, ...]:
    """What a runner should decide, oldest first, until it tells what became of it.

    What was handed to one machine goes to no other: nobody knows what the first one did with it.
    """
    query = select(Signal).where(Signal.bot_id == bot.id, Signal.state.in_(OPEN))
    found = []
    for row in db.session.scalars(query.order_by(Signal.received_at, Signal.id)):
        _step(row, machine, now)
        if row.state is SignalState.DELIVERED:
            found.append(row)
    return tuple(_message(row) for row in found)


def done(source: Source, told: protocol.SignalDone, at: datetime) -> None:
    """A runner tells what became of a signal; a repeat changes nothing, an entry is the end."""
    row = db.session.get(Signal, told.id)
    if row is None or row.bot_id != source.bot.id or row.outcome is SignalOutcome.ENTERED:
        return
    late = told.outcome is SignalOutcome.EXPIRED
    row.state = SignalState.EXPIRED if late else SignalState.DECIDED
    row.outcome, row.reason, row.decided_at = told.outcome, told.reason[:300], at
    row.verdicts, row.order_id = to_plain(told.verdicts), told.order[:60]


def forget(now: datetime) -> None:
    """Note what expired unseen, and drop what is older than the decision log."""
    waits = Signal.state == SignalState.WAITING, Signal.expires_at <= now
    expired = {"state": SignalState.EXPIRED, "reason": NOT_FETCHED}
    db.session.execute(update(Signal).where(*waits).values(**expired))
    gone = Signal.state == SignalState.DELIVERED, Signal.expires_at <= now - SILENT
    alive = select(Machine.id).where(Machine.gone_at.is_(None))
    lost = {"state": SignalState.LOST, "reason": LOST}
    nowhere = or_(Signal.machine_id.is_(None), Signal.machine_id.not_in(alive))
    db.session.execute(update(Signal).where(*gone, nowhere).values(**lost))
    db.session.execute(delete(Signal).where(Signal.received_at < now - KEPT))


def _step(row: Signal, machine: Machine, now: datetime) -> None:
    assert row.expires_at is not None
    if row.state is SignalState.WAITING:
        if row.expires_at <= now:
            row.state, row.reason = SignalState.EXPIRED, NOT_FETCHED
        else:
            row.state, row.machine_id, row.delivered_at = SignalState.DELIVERED, machine.id, now
    elif row.machine_id != machine.id or row.expires_at <= now - SILENT:
        row.state, row.reason = SignalState.LOST, LOST


def _message(row: Signal) -> ExternalSignal:
    assert row.action is not None
    assert row.expires_at is not None
    return ExternalSignal(row.id, row.symbol, row.action, row.received_at, row.expires_at)
