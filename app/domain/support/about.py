"""What a ticket was opened from: a bot, a connection or a statement of the same workspace."""

from dataclasses import dataclass

from app.domain import access, bots, connections, months
from app.domain.access import Permission
from app.models import Membership, Subject, TicketCategory


@dataclass(frozen=True)
class About:
    """The thing, its name, and what a ticket about it most likely is."""

    kind: Subject
    id: str
    name: str
    category: TicketCategory


def find(member: Membership, kind: str | None, thing_id: str | None) -> About | None:
    """What somebody names, if the member may see it; anything else is as if none were named."""
    if not kind or not thing_id:
        return None
    if kind == Subject.BOT and access.can(member, Permission.BOT_VIEW):
        bot = bots.find(member.workspace, thing_id)
        return About(Subject.BOT, bot.id, bot.name, TicketCategory.BOT) if bot else None
    if kind == Subject.CONNECTION and access.can(member, Permission.CONNECTION_VIEW):
        found = connections.find(member.workspace, thing_id)
        if found is not None:
            return About(Subject.CONNECTION, found.id, found.label, TicketCategory.TECHNICAL)
    if kind == Subject.STATEMENT and access.can(member, Permission.BILLING_VIEW):
        month = months.parse(thing_id)
        if month is not None:
            name = f"Costs, {month.title}"
            return About(Subject.STATEMENT, str(month), name, TicketCategory.BILLING)
    return None
