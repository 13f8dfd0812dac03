"""What an operator sees of a customer without being let in: the one place that says it.

Operators' pages show rows of workspaces through these functions or through finders that return no
more. ``PROMISE`` is what users read about it on the help page, and what a test holds pages to.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.domain import fleet, lifecycle
from app.domain.lifecycle import Tempo, Tone
from app.extensions import db
from app.models import Bot, BotCompute, Machine, Resource, UsageInterval
from runner.protocol import Mode

PROMISE = {
    "seen": (
        "What you write in tickets, with the files you attach.",
        "Your name and address, and the names of workspaces and their owners: whom to answer.",
        "Of bots: their ids, exchange, mode and state, how many machines they had, and since when.",
        "What machines and addresses cost: hours, not what was earned in them.",
        "Of the audit log: when what kind of thing was done to which id, and how it ended.",
        "When you signed in and out; when bots ran, machines came and went, and runners warned.",
        "That an order was refused, and the exchange's code for it.",
        "How many positions are open, only where an unreachable bot made a ticket urgent.",
        "Whether a bot is flat: its machine may be replaced only then.",
    ),
    "unseen": (
        "Names of bots and strategies, rules, schedules and limits.",
        "Which positions there are, prices, sizes, fills, results and balances.",
        "The decision log.",
        "Who of your members did something, and from where.",
    ),
    "machines": (
        "Whoever runs the fleet can try for a machine again, or give a bot another one.",
        "That waits until it is flat, or closes at market what it holds; you read why in its log.",
    ),
    "never": (
        "Keys and secrets of connections: nobody can open them, not even with your consent.",
        "Passwords, sessions, second factors, tokens.",
        "Billing details and the addresses of other members.",
        "Orders, starting, stopping, settings: there is no button for them.",
    ),
}
"""What is seen without access, what only with it (or a bundle), and what never."""

MOST = 50
COUNTED = timedelta(days=30)


@dataclass(frozen=True)
class SeenBot:
    """A bot as the desk knows it before anybody lets it in."""

    id: str
    exchange: str
    mode: Mode
    state: str
    tone: Tone
    generations: int
    created_at: datetime


def bots(workspace_id: str, now: datetime, tempo: Tempo) -> list[SeenBot]:
    """Ids, exchanges, modes and states; without names and without the text of a problem."""
    alive = (Machine.bot_id == Bot.id) & Machine.gone_at.is_(None)
    query = (
        select(Bot, BotCompute, Machine)
        .join(BotCompute, BotCompute.bot_id == Bot.id)
        .outerjoin(Machine, alive)
        .where(Bot.workspace_id == workspace_id, Bot.deleted_at.is_(None))
        .order_by(Bot.id)
        .limit(MOST)
    )
    found = []
    for bot, compute, machine in db.session.execute(query):
        it = lifecycle.reading(now, fleet.situation(bot, compute, machine, 0, now, tempo))
        what = (bot.id, bot.exchange, bot.mode, it.label, it.tone)
        found.append(SeenBot(*what, compute.generation, bot.created_at))
    return found


def hours(workspace_id: str, now: datetime) -> dict[Resource, float]:
    """For how long its machines and addresses existed within the last thirty days."""
    since = now - COUNTED
    query = select(UsageInterval.resource, UsageInterval.started_at, UsageInterval.ended_at).where(
        UsageInterval.workspace_id == workspace_id,
        UsageInterval.ended_at.is_(None) | (UsageInterval.ended_at > since),
    )
    found = dict.fromkeys(Resource, 0.0)
    for resource, started_at, ended_at in db.session.execute(query.limit(10_000)):
        stretch = min(ended_at or now, now) - max(started_at, since)
        found[resource] += max(stretch.total_seconds(), 0) / 3600
    return found
