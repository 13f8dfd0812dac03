"""Who hears that a bot has passed a limit: everybody who may stop it, by every channel they have.

Called in the transaction that carries out the policy of the breach, so each is told once.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import select

from app import tenancy
from app.domain import alarm_bells, limit_breaches, mail, notices
from app.domain.alarm_bells import Words
from app.domain.telegram import calls
from app.extensions import db
from app.models import Bot, LimitBreach, NoticeKind, User

REPEATS_AN_HOUR = 2
"""So often one bot may pass limits anew that it passed within the hour before letters and chats
fall silent; a limit that it has not passed within the hour is never held back."""


class Loudness(Enum):
    """How a breach is told."""

    ALL = "inbox, letters and chats"
    LAST = "all of it, and that further ones come to the inbox alone"
    INBOX = "the inbox alone"


@dataclass(frozen=True)
class Story:
    """What happened, and what was done about it."""

    bot: Bot
    breach: LimitBreach
    done: str

    @property
    def path(self) -> str:
        return f"/w/{self.bot.workspace_id}/bots/{self.bot.id}"

    @property
    def title(self) -> str:
        return f"{self.bot.name} has passed a limit: {limit_breaches.title(self.breach)}"

    @property
    def body(self) -> str:
        text = self.breach.text
        return f"{text[:1].upper()}{text[1:]}. {self.done}"


def ring(bot: Bot, breach: LimitBreach, done: str, now: datetime) -> None:
    """Tell of one breach. The caller holds the workspace, and asks once."""
    story = Story(bot, breach, done)
    with tenancy.everywhere("those who may stop a bot hear of it wherever they are"):
        people = alarm_bells.hearers(bot.workspace_id)
        loudness = loudness_of(breach, now)
        key = f"breach {breach.number}"
        _put(story, people, key, story.title, story.body, now)
        if loudness is Loudness.INBOX:
            return
        for person in people:
            calls.tell_of_notice(person, key, now)
            _write(person, story, now)
        if loudness is Loudness.LAST:
            _hold_back(story, people, now)


def loudness_of(breach: LimitBreach, now: datetime) -> Loudness:
    """How loud this one is, by what else was told of the same bot within the hour."""
    lately = LimitBreach.bot_id == breach.bot_id, LimitBreach.followed_at > now - timedelta(hours=1)
    query = select(LimitBreach.limit).where(*lately, LimitBreach.number != breach.number)
    told = Counter(db.session.scalars(query))
    if breach.limit not in told:
        return Loudness.ALL
    repeats = told.total() - len(told)
    if repeats == REPEATS_AN_HOUR:
        return Loudness.LAST
    return Loudness.ALL if repeats < REPEATS_AN_HOUR else Loudness.INBOX


def _hold_back(story: Story, people: list[User], now: datetime) -> None:
    """One word to everybody that there is more to come, and where."""
    title = f"More limits that {story.bot.name} passes are held back"
    body = (
        "It passes the same limits again and again. For as long as it goes on like this, further "
        "ones come to the inbox alone; a limit it has not passed within the hour is told as always."
        " Stop the bot, or change the limit or what it does."
    )
    key = f"breach held {story.breach.number}"
    _put(story, people, key, title, body, now)
    for person in people:
        calls.tell_of_notice(person, key, now)
        alarm_bells.write(person, story.bot.workspace, Words(title, body, story.path), now)


def _put(story: Story, people: list[User], key: str, title: str, body: str, now: datetime) -> None:
    notices.tell(
        [person.id for person in people],
        title,
        key=key,
        now=now,
        body=body,
        path=story.path,
        workspace_id=story.bot.workspace_id,
        kind=NoticeKind.ALARM,
    )


def _write(person: User, story: Story, now: datetime) -> None:
    """One letter, if the address is proven."""
    if person.email_verified_at is None:
        return
    mail.post(
        "limit_breach",
        to=person.email,
        name=person.name,
        now=now,
        workspace_id=story.bot.workspace_id,
        workspace=story.bot.workspace.name,
        bot=story.bot.name,
        mode=story.bot.mode.value,
        limit=limit_breaches.title(story.breach),
        message=story.body,
        page=story.path,
        moment=f"{story.breach.at:%Y-%m-%d %H:%M} UTC",
    )
