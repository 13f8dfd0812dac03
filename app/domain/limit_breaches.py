"""Limits that were passed: which still keep a bot from entering, and what ends them."""

from datetime import datetime, timedelta

from sqlalchemy import Select, select, update

from app.domain import limits, outbox
from app.extensions import db
from app.models import Bot, LimitBreach, Run, Workspace
from runner.protocol import Limits

UNTIL_MIDNIGHT = "max_daily_loss"
"""Passed for the rest of its day, UTC; every other limit until somebody resumes the bot."""
QUEUE, JOB = "desk", "follow_breach"


def over_at(limit: str, at: datetime) -> datetime | None:
    """When a limit that is passed now is so no more by the clock alone."""
    if limit != UNTIL_MIDNIGHT:
        return None
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def ask(breach: LimitBreach, now: datetime) -> None:
    """Have a worker carry out its policy: the report that tells of it waits for no other row."""
    outbox.put(QUEUE, JOB, now=now, workspace_id=breach.workspace_id, number=str(breach.number))


def standing(bot: Bot, now: datetime) -> list[LimitBreach]:
    """What keeps a bot from entering, the newest of each limit, oldest first."""
    found = db.session.scalars(_standing(now).where(LimitBreach.bot_id == bot.id))
    return list({breach.limit: breach for breach in found}.values())


def bots_held(workspace: Workspace, now: datetime) -> set[str]:
    """The ids of the bots of a workspace that any limit keeps from entering."""
    ours = LimitBreach.workspace_id == workspace.id
    return {breach.bot_id for breach in db.session.scalars(_standing(now).where(ours))}


def awaited(run: Run) -> bool:
    """Whether a breach is still to pause or stop the bot of this run, and nobody has lifted it."""
    mine = LimitBreach.run_id == run.id, LimitBreach.followed_at.is_(None)
    waits = select(LimitBreach.number).where(*mine, LimitBreach.over_at.is_(None))
    return db.session.scalar(waits.limit(1)) is not None


def lift(bot: Bot, now: datetime) -> None:
    """Somebody lets the bot enter again; what is still passed will be told anew."""
    mine = LimitBreach.bot_id == bot.id, LimitBreach.over_at.is_(None)
    db.session.execute(update(LimitBreach).where(*mine).values(over_at=now))


def lift_changed(bot: Bot, wanted: Limits, now: datetime) -> None:
    """A limit that is another one now is judged anew."""
    for breach in standing(bot, now):
        if getattr(wanted, breach.limit, None) != breach.bound:
            mine = LimitBreach.bot_id == bot.id, LimitBreach.limit == breach.limit
            still = LimitBreach.over_at.is_(None) | (LimitBreach.over_at > now)
            db.session.execute(update(LimitBreach).where(*mine, still).values(over_at=now))


def title(breach: LimitBreach) -> str:
    """The limit as its form calls it."""
    return limits.TITLES.get(breach.limit, breach.limit)


def _standing(now: datetime) -> Select[LimitBreach]:
    """Of the run that goes on: what another run, or another mode, passed is its own."""
    still = LimitBreach.over_at.is_(None) | (LimitBreach.over_at > now)
    query = select(LimitBreach).join(Run, Run.id == LimitBreach.run_id)
    query = query.join(Bot, Bot.id == LimitBreach.bot_id)
    present = Run.ended_at.is_(None), Run.mode == Bot.mode
    return query.where(still, *present).order_by(LimitBreach.number)
