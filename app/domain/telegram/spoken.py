"""What deciding about an update needs to know, and how it answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.support import tickets
from app.domain.support.events import Voice
from app.domain.support.said import NewFile, Said
from app.domain.telegram import calls
from app.domain.telegram.incoming import Incoming, Press
from app.domain.telegram.steps import Desk
from app.domain.telegram.texts import defused
from app.extensions import db
from app.models import TelegramMessage, Ticket, TicketMessage, Verification


@dataclass(frozen=True)
class Outcome:
    """What was decided about an update, and why."""

    decision: str
    reason: str = ""


@dataclass(frozen=True)
class Situation:
    """One update being decided. ``key`` is its own; ``received_at`` when it came in."""

    key: str
    received_at: datetime
    now: datetime
    desk: Desk
    files: tuple[NewFile, ...] = ()
    lost: tuple[str, ...] = ()

    def reply(
        self, to: Incoming, text: str, *, ticket: Ticket | None = None, **values: Any
    ) -> None:
        """Answer a message where it stands."""
        if to.thread is not None:
            values["thread"] = to.thread
        calls.say(
            to.chat_id,
            text,
            f"{self.key} reply",
            self.now,
            ticket=ticket,
            reply_to=to.message_id,
            **values,
        )

    def end_wait(self, pressed: Press, text: str, *, alert: bool = False) -> None:
        """Answer whoever pressed a button."""
        calls.answer_button(pressed.callback_id, text, f"{self.key} button", self.now, alert=alert)

    def body(self, text: str) -> str:
        """The words of a message, and which of its files are missing."""
        return "\n".join((text, *(f"({it})" for it in self.lost))).strip()

    def post(self, ticket: Ticket, message: Incoming, voice: Voice) -> tuple[TicketMessage, Ticket]:
        """Write what somebody said into a ticket; the one it went into may be another."""
        said = Said(
            self.body(message.text),
            key=self.key,
            verification=Verification.TELEGRAM,
            files=self.files,
        )
        made = tickets.post(ticket, said, voice=voice, now=self.now)
        into = db.session.get_one(Ticket, made.ticket_id)
        self.remember(message.chat_id, message.message_id, into.id, "said", made.id)
        return made, into

    def remember(self, chat_id: int, message_id: int, ticket_id: str, kind: str, made: str) -> None:
        """Keep what a message of somebody's became, for its edits."""
        db.session.add(
            TelegramMessage(
                chat_id=chat_id,
                message_id=message_id,
                ticket_id=ticket_id,
                kind=kind,
                made_id=made,
                created_at=self.now,
            )
        )


def name(text: str) -> str:
    """A person's name, not to be pressed."""
    return defused(text)
