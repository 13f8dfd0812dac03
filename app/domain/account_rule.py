"""Two keys turned out to be one account: who comes later makes no entries."""

from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from app.domain import bots, outbox, rivals, runs, workspaces
from app.domain.audit import Actor
from app.domain.sources import Source
from app.extensions import db
from app.models import Bot, Connection, Machine, RunnerNotice, Wish
from runner.protocol import Mode

POLICY = Actor("policy", "account rule", source="worker")
CODE = "account_shared"
QUEUE, JOB = "desk", "share_no_account"


def ask(source: Source, connection: Connection) -> None:
    """Have a worker pause the bot where another one trades: the report waits for no other row."""
    bot = source.bot
    if not bot.paused and rivals.find(bot, connection, entering=True) is not None:
        outbox.put(QUEUE, JOB, now=source.now, workspace_id=bot.workspace_id, bot_id=bot.id)


def due(_now: datetime) -> list[str]:
    """Bots that enter on an account of several keys, for whom no hint may have come; the last to
    have looked at its account first.
    """
    twin = aliased(Connection)
    used = or_(
        and_(Bot.mode == Mode.TESTNET, Connection.id == Bot.testnet_connection_id),
        and_(Bot.mode == Mode.LIVE, Connection.id == Bot.live_connection_id),
    )
    shared = (
        select(twin.id)
        .where(
            twin.venue_account == Connection.venue_account,
            twin.id != Connection.id,
            twin.deleted_at.is_(None),
        )
        .exists()
    )
    query = (
        select(Bot.id)
        .join(Connection, used)
        .join(Machine, (Machine.bot_id == Bot.id) & Machine.gone_at.is_(None))
        .where(
            shared,
            Bot.wish == Wish.FOLLOW,
            Bot.paused.is_(False),
            Bot.deleted_at.is_(None),
            Machine.preflight_at.is_not(None),
        )
    )
    return list(db.session.scalars(query.order_by(Machine.preflight_at.desc(), Bot.id)))


def look(bot_id: str, now: datetime) -> None:
    """Pause it, if another bot trades one of its symbols on its account, and say so."""
    bot = db.session.get(Bot, bot_id)
    if bot is None or bot.deleted_at is not None:
        return
    workspaces.lock(bot.workspace)
    db.session.refresh(bot)
    if bot.paused or bot.connection is None:
        return
    other = rivals.find(bot, bot.connection, entering=True)
    if other is None:
        return
    told = f"{rivals.in_words(bot, other)} It is paused; its exits and stops are managed."
    bots.pause(bot, by=POLICY, now=now)
    run = runs.current(bot.id)
    if run is not None:
        place = {"workspace_id": bot.workspace_id, "bot_id": bot.id, "run_id": run.id}
        said = {"level": "alarm", "code": CODE, "message": told[:400]}
        db.session.add(RunnerNotice(**place, **said, at=now))
