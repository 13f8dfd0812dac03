"""A key that moves real money is nobody's private matter: all owners hear of it by mail."""

from datetime import datetime

from app.domain import holders, mail
from app.domain.access import Permission
from app.domain.audit import Actor
from app.domain.venues import known
from app.extensions import db
from app.models import Connection, Environment, Workspace


def tell_owners(connection: Connection, what: str, by: Actor, now: datetime) -> None:
    """Write to every owner that a live key was ``what``; testnet keys are no news."""
    if connection.environment is not Environment.LIVE:
        return
    workspace = db.session.get_one(Workspace, connection.workspace_id)
    for member in holders.of(workspace, Permission.WORKSPACE_DELETE):
        mail.post(
            "connection_live",
            to=member.user.email,
            name=member.user.name,
            now=now,
            workspace_id=workspace.id,
            what=what,
            label=connection.label,
            exchange=known(connection.exchange).title,
            hint=connection.key_hint,
            workspace=workspace.name,
            who=by.label,
            at=now.strftime("%d %b %Y %H:%M UTC"),
        )
