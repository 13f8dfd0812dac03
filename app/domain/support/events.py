"""What happens to a ticket, written down once in each ledger it belongs to.

A change its owner may see is a ``TicketEvent`` and an event in the audit log of its workspace. What
only operators see is a ``DeskEvent`` and an event on the platform's own chain: nothing of it is in
any log that a workspace reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.domain import audit
from app.domain.audit import Actor, Change
from app.extensions import db
from app.models import AuthorKind, Channel, DeskEvent, Ticket, TicketEvent
from runner.protocol import to_plain

REPLAYED = ("subject", "category", "priority", "state", "merged_into_id", "incident_id")
"""The fields of a ticket that its events give back when they are replayed."""


@dataclass(frozen=True)
class Voice:
    """Who does something at the desk and through which door; ``by`` is for the audit log."""

    kind: AuthorKind
    by: Actor
    user_id: str | None = None
    channel: Channel = Channel.WEB

    @property
    def operator(self) -> bool:
        """Whether the desk speaks."""
        return self.kind is AuthorKind.OPERATOR


def public(
    ticket: Ticket,
    action: str,
    voice: Voice,
    now: datetime,
    changes: Sequence[Change] = (),
    reason: str = "",
) -> None:
    """Write down a change that the ticket's owner may see. Call it last: it locks the chain.

    Args:
        ticket: locked by the caller.
        action: ``ticket.verb``.
        voice: who did it.
        now: the moment, UTC.
        changes: fields before and after.
        reason: why, in words for its owner.
    """
    ticket.version += 1
    newest = select(func.max(TicketEvent.seq)).where(TicketEvent.ticket_id == ticket.id)
    db.session.add(
        TicketEvent(
            workspace_id=ticket.workspace_id,
            ticket_id=ticket.id,
            seq=(db.session.scalar(newest) or 0) + 1,
            action=action,
            actor=voice.kind,
            actor_id=voice.user_id,
            channel=voice.channel,
            changes=plain(changes),
            reason=reason[:300],
            created_at=now,
        )
    )
    audit.record(
        action,
        by=voice.by,
        now=now,
        workspace_id=ticket.workspace_id,
        target_id=ticket.id,
        target_label=ticket.ref,
        changes=changes,
        reason=reason,
    )


def internal(
    ticket: Ticket, action: str, voice: Voice, now: datetime, changes: Sequence[Change] = ()
) -> None:
    """Write down a change that only operators see; the ticket itself stays as it is."""
    db.session.add(
        DeskEvent(
            ticket_id=ticket.id,
            action=action,
            actor_id=voice.user_id,
            channel=voice.channel,
            changes=plain(changes),
            created_at=now,
        )
    )
    audit.record(
        action,
        by=voice.by,
        now=now,
        target_id=ticket.id,
        target_label=ticket.ref,
        changes=changes,
    )


def plain(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Changes as a row keeps them."""
    return [
        {"field": it.field, "before": to_plain(it.before), "after": to_plain(it.after)}
        for it in changes
    ]


def replay(events: Sequence[TicketEvent]) -> dict[str, Any]:
    """What a ticket is, told from its events alone, oldest first."""
    found: dict[str, Any] = dict.fromkeys(REPLAYED)
    for event in events:
        for changed in event.changes:
            if changed["field"] in found:
                found[changed["field"]] = changed["after"]
    return found
