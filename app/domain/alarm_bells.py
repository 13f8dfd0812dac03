"""Who hears that a bot's alarm rings: everybody who may stop it, by every channel they have."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app import tenancy
from app.domain import access, alarm_kinds, mail, notices
from app.domain.access import Permission
from app.domain.telegram import calls
from app.extensions import db
from app.models import Bot, BotAlarm, Membership, NoticeKind, User, Workspace
from runner.protocol import Mode

LETTERS_AN_HOUR = 10
"""So many alarms of bots that are not live send letters and ring chats; then the inbox alone.

Those of live bots are never held back, and hold no others back.
"""


def page(alarm: BotAlarm) -> str:
    """Where something can be done about it."""
    return f"/w/{alarm.workspace_id}/bots/{alarm.bot_id}"


def hearers(workspace_id: str) -> list[User]:
    """The members who may stop a bot."""
    query = select(User).join(Membership, Membership.user_id == User.id)
    query = query.where(
        Membership.workspace_id == workspace_id,
        Membership.role.in_(access.roles_with(Permission.BOT_STOP)),
        Membership.suspended_at.is_(None),
        User.suspended_at.is_(None),
        User.deleted_at.is_(None),
    )
    return list(db.session.scalars(query.order_by(User.name, User.id)))


def ring(alarm: BotAlarm, bot: Bot, now: datetime) -> None:
    """The inbox always; letters and chats unless very much rings on paper. Of one alarm once."""
    with tenancy.everywhere("those who may stop a bot hear of it wherever they are"):
        people = hearers(alarm.workspace_id)
        workspace = db.session.get_one(Workspace, alarm.workspace_id)
        said = alarm_kinds.title(alarm.code, bot.name)
        todo = f"{_sentence(alarm.text)} {alarm_kinds.cure(alarm.code)}"
        notices.tell(
            [person.id for person in people],
            said,
            key=f"bot {alarm.id}",
            now=now,
            body=todo,
            path=page(alarm),
            workspace_id=workspace.id,
            kind=NoticeKind.ALARM,
        )
        lately = 0 if bot.mode is Mode.LIVE else _rung_since(workspace.id, now - timedelta(hours=1))
        for person in people:
            if lately <= LETTERS_AN_HOUR:
                calls.tell_of_bot(person, alarm.id, now)
                write(person, workspace, Words(said, todo, page(alarm)), now)
            elif lately == LETTERS_AN_HOUR + 1:
                write(person, workspace, _held_back(workspace), now)


@dataclass(frozen=True)
class Words:
    """What a letter says, and the page it leads to."""

    title: str
    message: str
    page: str


def _held_back(workspace: Workspace) -> Words:
    message = (
        f"More than {LETTERS_AN_HOUR} alarms rang within an hour for bots that are not live. "
        "Further ones come to the inbox only; alarms of live bots are sent as always."
    )
    place = f"/w/{workspace.id}/"
    return Words(f"More alarms of {workspace.name} are held back", message, place)


def write(person: User, workspace: Workspace, words: Words, now: datetime) -> None:
    """One letter, if the address is proven."""
    if person.email_verified_at is None:
        return
    mail.post(
        "bot_alarm",
        to=person.email,
        name=person.name,
        now=now,
        workspace_id=workspace.id,
        workspace=workspace.name,
        title=words.title,
        message=words.message,
        page=words.page,
        moment=f"{now:%Y-%m-%d %H:%M} UTC",
    )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _rung_since(workspace_id: str, moment: datetime) -> int:
    """Of bots that are not live."""
    mine = BotAlarm.workspace_id == workspace_id, BotAlarm.first_at > moment
    query = select(func.count()).select_from(BotAlarm).join(Bot, Bot.id == BotAlarm.bot_id)
    return db.session.scalar(query.where(*mine, Bot.mode != Mode.LIVE)) or 0
