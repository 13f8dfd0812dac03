"""Holds a workspace's book within its ceilings: where it has passed one, its bots enter no more."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from app import tenancy
from app.domain import alarm_bells, bots, ceilings, notices, panic, workspaces
from app.domain.audit import Actor
from app.domain.errors import Conflict
from app.domain.telegram import calls
from app.extensions import db
from app.models import Bot, NoticeKind, PauseRule, Wish, Workspace
from runner.protocol import Mode

POLICY = Actor("policy", "ceiling", source="worker")
BOUNDED = (*ceilings.BOOK, "max_daily_loss")


def due(_now: datetime) -> list[str]:
    """Ids of the workspaces whose book has a ceiling, and a bot that may enter."""
    enters = select(Bot.id).where(
        Bot.workspace_id == Workspace.id,
        Bot.wish == Wish.FOLLOW,
        Bot.paused.is_(False),
        Bot.deleted_at.is_(None),
    )
    query = select(Workspace.id, Workspace.ceilings).where(Workspace.deleted_at.is_(None))
    found = db.session.execute(query.where(enters.exists()).order_by(Workspace.id))
    return [id_ for id_, ceiling in found if any((ceiling or {}).get(name) for name in BOUNDED)]


def look(workspace_id: str, now: datetime) -> None:
    """Pause the bots of each mode whose book has passed a ceiling, and say so.

    Nothing is closed: positions keep their stops and exits. A bot enters again when somebody
    resumes it, which is refused for as long as the book is above.
    """
    workspace = db.session.get_one(Workspace, workspace_id)
    if not ceilings.passed(workspace, now):
        return
    workspaces.lock(workspace)
    passed = ceilings.passed(workspace, now)
    panic.hold(_entering(workspace, passed))
    entering = _entering(workspace, passed)
    for mode, faults in passed.items():
        paused = [bot for bot in entering if bot.mode is mode and _pause(bot, faults, now)]
        if paused:
            _tell(workspace, mode, faults, len(paused), now)


def _entering(workspace: Workspace, modes: Iterable[Mode]) -> list[Bot]:
    query = select(Bot).where(
        Bot.workspace_id == workspace.id,
        Bot.mode.in_(list(modes)),
        Bot.wish == Wish.FOLLOW,
        Bot.paused.is_(False),
        Bot.deleted_at.is_(None),
    )
    return list(db.session.scalars(query.order_by(Bot.id)))


def _pause(bot: Bot, faults: list[str], now: datetime) -> bool:
    """One that somebody changes at this moment is seen to with the next look."""
    try:
        why = " ".join(faults)
        bots.pause(bot, by=POLICY, now=now, rule=PauseRule.CEILING, reason=why)
    except Conflict:
        return False
    return True


def _tell(workspace: Workspace, mode: Mode, faults: list[str], count: int, now: datetime) -> None:
    said = f"{workspace.name}: all {mode} bots together have passed a ceiling"
    body = f"{' '.join(faults)} {_enters(count)}"
    page, key = f"/w/{workspace.id}/", f"book {workspace.id} {mode} {now.isoformat()}"
    words = alarm_bells.Words(said, body, page)
    with tenancy.everywhere("those who may stop a bot hear of it wherever they are"):
        people = alarm_bells.hearers(workspace.id)
        notices.tell(
            [person.id for person in people],
            said,
            key=key,
            now=now,
            body=body,
            path=page,
            workspace_id=workspace.id,
            kind=NoticeKind.ALARM,
        )
        for person in people:
            calls.tell_of_notice(person, key, now)
            alarm_bells.write(person, workspace, words, now)


def _enters(count: int) -> str:
    """How many stand still, and what lets them go on."""
    who = "1 bot enters" if count == 1 else f"{count} bots enter"
    until = "until all of them together are below the ceiling again, or it was raised"
    return f"{who} nothing more until somebody resumes it, which is refused {until}."
