"""Two keys turned out to be one account: who comes later makes no entries."""

from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from app.domain import bot_alarms, bots, outbox, rivals, workspaces
from app.domain.audit import Actor
from app.domain.sources import Source
from app.extensions import db
from app.models import Bot, BotAlarm, Connection, Machine, PauseRule, Wish
from runner.protocol import Mode

POLICY = Actor("policy", "account rule", source="worker")
CODE = "account_shared"
QUEUE, JOB = "desk", "share_no_account"


def ask(source: Source, connection: Connection) -> None:
    """Have a worker pause the bot where another one trades: the report waits for no other row."""
    bot = source.bot
    if not bot.paused and rivals.find_in_the_way(bot, connection, source.now) is not None:
        outbox.put(QUEUE, JOB, now=source.now, workspace_id=bot.workspace_id, bot_id=bot.id)


def due(_now: datetime) -> list[str]:
    """Bots that enter on an account of several keys, for whom no hint may have come, the last to
    have looked at its account first; and those whose alarm may be over.
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
    found = list(db.session.scalars(query.order_by(Machine.preflight_at.desc(), Bot.id)))
    rings = BotAlarm.code == CODE, BotAlarm.ended_at.is_(None)
    return [*found, *db.session.scalars(select(BotAlarm.bot_id).where(*rings))]


def look(bot_id: str, now: datetime) -> None:
    """Pause it and ring, if another bot trades one of its symbols on its account.

    It rings until the other one is out of the way; who enters again then is for people to say.
    """
    bot = db.session.get(Bot, bot_id)
    if bot is None or bot.deleted_at is not None:
        return
    workspaces.lock(bot.workspace)
    db.session.refresh(bot)
    connection = bot.connection
    other = rivals.find_in_the_way(bot, connection, now) if connection is not None else None
    if other is None:
        bot_alarms.end(bot.id, [CODE], now)
    elif not bot.paused:
        found = rivals.in_words(bot, other)
        bots.pause(bot, by=POLICY, now=now, rule=PauseRule.ACCOUNT, reason=found)
        told = f"{found} It is paused; its exits and stops are managed."
        bot_alarms.ring(bot, CODE, told, now)
