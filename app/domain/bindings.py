"""The addresses that keys can be bound to at an exchange: those of the workspace's bots."""

from dataclasses import dataclass

from sqlalchemy import select

from app.domain.regions import LOCAL
from app.domain.venues import known
from app.extensions import db
from app.models import Bot, BotAddress, BotCompute, Phase, Wish, Workspace

MOST = 50
"""So many bots are listed; beyond that, each bot's own page leads to its address."""


@dataclass(frozen=True)
class Home:
    """Where the orders of one bot come from. ``problem``: why it has no address yet."""

    bot_id: str
    name: str
    ip: str | None
    lost: bool
    here: bool
    phase: Phase
    problem: str

    @property
    def usable(self) -> bool:
        """Whether a key can be bound to it."""
        return self.ip is not None and not self.lost

    @property
    def waits(self) -> bool:
        """Whether its address comes by itself, in a moment."""
        return self.ip is None and self.phase in (Phase.NEW, Phase.ADDR_WAIT)


def seen_elsewhere(bot: Bot) -> bool:
    """Whether its exchange sees another address: one of this computer leads nowhere else."""
    return bot.region == LOCAL and not known(bot.exchange).built_in


def homes(workspace: Workspace, bot_id: str | None = None) -> list[Home]:
    """Of one bot, or of all by name, one more than ``MOST`` at most. Bots that go are left out."""
    query = (
        select(
            *(Bot.id, Bot.name, BotAddress.ip, BotAddress.lost_at, Bot.region),
            *(BotCompute.phase, BotCompute.problem),
        )
        .join(BotCompute, BotCompute.bot_id == Bot.id)
        .outerjoin(BotAddress, BotAddress.bot_id == Bot.id)
        .where(Bot.workspace_id == workspace.id, Bot.deleted_at.is_(None), Bot.wish != Wish.GONE)
        .order_by(Bot.name, Bot.id)
        .limit(MOST + 1)
    )
    if bot_id is not None:
        query = query.where(Bot.id == bot_id)
    return [
        Home(id_, name, ip, lost_at is not None, region == LOCAL, phase, problem)
        for id_, name, ip, lost_at, region, phase, problem in db.session.execute(query)
    ]
