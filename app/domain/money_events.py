"""What runners tell about money and its protection: flows, stops at the venue, limits passed."""

from datetime import datetime

from sqlalchemy import select

from app.domain import limit_breaches, trade_events
from app.domain.sources import Source
from app.extensions import db
from app.models import CashFlow, LimitBreach, ProtectionRow, RunnerNotice
from runner import protocol


def flow(source: Source, data: protocol.Flow, _at: datetime) -> None:
    """Once, however often it is told and by whichever of the bot's machines."""
    known = select(CashFlow.number).where(
        CashFlow.run_id == source.run_id, CashFlow.flow_id == data.id
    )
    if db.session.scalar(known) is not None:
        return
    db.session.add(
        CashFlow(
            **source.keys,
            flow_id=data.id,
            kind=data.kind,
            amount=data.amount,
            currency=data.currency,
            symbol=data.symbol,
            at=data.at,
        )
    )
    trade_events.funded(source, data)


def protection(source: Source, data: protocol.Protection, at: datetime) -> None:
    """The newest word on a symbol's stop."""
    db.session.merge(
        ProtectionRow(
            workspace_id=source.bot.workspace_id,
            bot_id=source.bot.id,
            symbol=data.symbol,
            state=data.state,
            stop_id=data.stop_id,
            price=data.price,
            quantity=data.quantity,
            verified_at=data.verified_at,
            why=data.why[:200],
            reported_at=at,
        )
    )


def breach(source: Source, data: protocol.Breach, at: datetime) -> None:
    """A line of its own for each time a limit was passed, and a word of it among the notices."""
    passed = LimitBreach(
        **source.keys,
        limit=data.limit[:40],
        value=data.value,
        bound=data.bound,
        policy=data.policy,
        symbol=data.symbol,
        text=data.text[:300],
        at=at,
        over_at=limit_breaches.over_at(data.limit, at),
    )
    said = f"limit passed: {data.text}"[:400]
    notice = RunnerNotice(**source.keys, level="alarm", code="limit_breach", message=said, at=at)
    db.session.add_all([passed, notice])
    db.session.flush()
    limit_breaches.ask(passed, source.now)
