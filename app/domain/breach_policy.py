"""What a limit that was passed makes of its bot, and who hears of it. Once for each breach."""

from datetime import datetime

from sqlalchemy import select, update

from app.domain import bots, breach_bells, commands, machines, pause_words, runs, workspaces
from app.domain.audit import POLICY
from app.extensions import change, db
from app.models import Bot, LimitBreach, PauseRule, Wish, Workspace
from runner.protocol import CommandKind, OnBreach

NOTHING_DONE = "Nothing more was done: it has been lifted, or belongs to a run that is over."
FOLLOWS = {
    OnBreach.PAUSE: "It enters nothing more; what it holds keeps its stop and its exits.",
    OnBreach.FLATTEN: "It enters nothing more, and what it holds is closed at market.",
    OnBreach.STOP: "What it holds is closed at market, and it is stopped.",
}

_RESUMED = pause_words.LIFTED[PauseRule.LIMIT]
AGAIN = {
    OnBreach.PAUSE: _RESUMED,
    OnBreach.FLATTEN: _RESUMED,
    OnBreach.STOP: pause_words.STARTED,
}


def follow(number: int, now: datetime) -> None:
    """Carry out the policy of one breach and tell those who may stop the bot.

    Twice, late or in vain it does nothing. The runner has acted already; what is done here
    survives its machine: the pause, the stop, and the order to close what is held.
    """
    breach = db.session.get(LimitBreach, number)
    if breach is None:
        return
    bot = db.session.get_one(Bot, breach.bot_id)
    workspaces.lock(bot.workspace)
    mine = LimitBreach.number == number, LimitBreach.followed_at.is_(None)
    if change(update(LimitBreach).where(*mine).values(followed_at=now)) != 1:
        return
    db.session.refresh(bot)
    db.session.refresh(breach)
    counts = _counts(bot, breach, now)
    if counts:
        _act(bot, breach, now)
    breach_bells.ring(bot, breach, _done(breach) if counts else NOTHING_DONE, now)


def _done(breach: LimitBreach) -> str:
    """What was done, and what lets it enter again."""
    if breach.policy is not OnBreach.STOP and breach.over_at is not None:
        return f"{FOLLOWS[breach.policy]} It enters again after midnight UTC."
    return f"{FOLLOWS[breach.policy]} {AGAIN[breach.policy]}"


def due(_now: datetime) -> list[str]:
    """The numbers of those whose hint was lost, oldest first; a workspace that is gone has none."""
    query = select(LimitBreach.number).join(Workspace, Workspace.id == LimitBreach.workspace_id)
    lost = LimitBreach.followed_at.is_(None), Workspace.deleted_at.is_(None)
    return [str(it) for it in db.session.scalars(query.where(*lost).order_by(LimitBreach.number))]


def look(number: str, now: datetime) -> None:
    """The same as ``follow``, of a breach by its number as a queue carries it."""
    follow(int(number), now)


def _counts(bot: Bot, breach: LimitBreach, now: datetime) -> bool:
    """Whether it is about what the bot does now: the same run, and nobody has lifted it."""
    run = runs.current(bot.id)
    over = breach.over_at is not None and breach.over_at <= now
    return run is not None and run.id == breach.run_id and not over


def _act(bot: Bot, breach: LimitBreach, now: datetime) -> None:
    if breach.policy is OnBreach.STOP and bot.wish is Wish.FOLLOW:
        bots.stop(bot, by=POLICY, now=now, reason=breach.text)
    elif breach.policy is not OnBreach.STOP and breach.over_at is None and not bot.paused:
        rule, why = PauseRule.LIMIT, breach.text
        bots.pause(bot, by=POLICY, now=now, rule=rule, reason=why)
    may_hold = machines.current_machine(bot.id) is not None or machines.stranded(bot.id)
    closing = commands.waits(bot.id, CommandKind.FLATTEN)
    if breach.policy is not OnBreach.PAUSE and may_hold and not closing:
        bots.close_position(bot, by=POLICY, now=now, reason=breach.text)
