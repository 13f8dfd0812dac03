"""Events of what makes things safer: an act that gets out of the market waits for no log."""

import logging
from datetime import datetime

from app.domain import audit, notices, owners
from app.domain.audit import Actor, Change
from app.extensions import db
from app.models import NoticeKind, Workspace

log = logging.getLogger(__name__)


def record(
    action: str,
    *,
    by: Actor,
    now: datetime,
    workspace_id: str,
    target_id: str,
    target_label: str,
    changes: list[Change],
    reason: str = "",
) -> None:
    """As ``audit.record``; but if the event cannot be written, the act it tells of still happens.

    Then the server's log keeps who did what, and the workspace's owners are alarmed: the event is
    missing in the chain, and nobody shall find that out by chance.
    """
    db.session.flush()  # what the act itself cannot write still fails it
    try:
        with db.session.begin_nested():
            audit.record(
                action,
                by=by,
                now=now,
                workspace_id=workspace_id,
                target_id=target_id,
                target_label=target_label,
                changes=changes,
                reason=reason,
            )
    except Exception as error:  # noqa: BLE001 -- whatever is wrong with a log, it stops no stop
        log.error(  # noqa: TRY400 -- a traceback would show the values of the event
            "audit event lost: %s of %s in %s by %s %s at %s, session %s, request %s: %s",
            *(action, target_id, workspace_id, by.kind, by.id, now.isoformat()),
            *(by.session_id, by.request_id, type(error).__name__),
        )
        _alarm(action, workspace_id, f"{action} of {target_label} by {by.label}", by, now)


def _alarm(action: str, workspace_id: str, said: str, by: Actor, now: datetime) -> None:
    workspace = db.session.get_one(Workspace, workspace_id)
    notices.tell(
        [owner.id for owner in owners.active(workspace)],
        "An act is missing in the audit log",
        key=f"lost {workspace_id} {action} {by.request_id or now.isoformat()}",
        now=now,
        body=f"{said} at {now:%Y-%m-%d %H:%M:%S} UTC was done, for it must not wait, but its event "
        "could not be written. Verify the log, and tell whoever runs this server.",
        path=f"/w/{workspace_id}/audit/verify",
        workspace_id=workspace_id,
        kind=NoticeKind.ALARM,
    )
