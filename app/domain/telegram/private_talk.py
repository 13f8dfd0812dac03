"""What people say to the bot alone: linking, answers of owners, notes of operators named in one."""

from app.domain.errors import Conflict, Refused
from app.domain.support import moves, notes, tickets
from app.domain.telegram import links, who
from app.domain.telegram.incoming import Incoming, Press
from app.domain.telegram.spoken import Outcome, Situation, name
from app.extensions import db
from app.models import TelegramMessage, Ticket, User

BUTTONS = frozenset({"done", "help"})
HELP = (
    "I tell you when your tickets are answered. To answer, reply to one of my messages about the "
    "ticket. New tickets are opened on the web."
)


def said(message: Incoming, here: Situation) -> Outcome:
    """A message in a private chat."""
    command, rest = message.command
    if command == "start" and rest:
        return _link(message, rest, here)
    found = who.linked(message.sender_id)
    if command == "start":
        links.wake(message.sender_id, here.now)
        found = who.linked(message.sender_id)
    if found is None or found[0].chat_id != message.chat_id:
        return Outcome("ignored", "nobody we know")
    replied = who.mapped(message.chat_id, message.reply_to)
    if replied is None:
        here.reply(message, HELP)
        return Outcome("helped")
    return _reply(found[1], replied, message, here)


def pressed(press: Press, here: Situation) -> Outcome:
    """An owner says that it is solved, or that they still need help."""
    found = who.linked(press.sender_id)
    replied = who.mapped(press.chat_id, press.message_id)
    if found is None or replied is None or found[0].chat_id != press.chat_id:
        here.end_wait(press, "This button is not for you.", alert=True)
        return Outcome("refused", "a button of somebody else")
    ticket = who.own_ticket(found[1], replied.ticket_id)
    if ticket is None or replied.kind not in who.TO_OWNER:
        here.end_wait(press, "This ticket is not yours any more.", alert=True)
        return Outcome("refused", "a ticket they may not see")
    verb, _, version = press.data.partition(" ")
    tickets.lock(ticket)
    check_version(ticket, version)
    voice = who.voice(found[1], desk=False)
    if verb == "done":
        moves.resolve(ticket, voice=voice, now=here.now)
        here.end_wait(press, f"{ticket.ref} is solved. Thank you.")
    else:
        moves.need_help(ticket, voice=voice, now=here.now)
        here.end_wait(press, f"{ticket.ref} stays open; it is our turn.")
    return Outcome("pressed", verb)


def check_version(ticket: Ticket, version: str) -> None:
    """Raises ``Conflict`` where a button was made for an earlier state of the ticket."""
    if version != str(ticket.version):
        raise Conflict(
            f"{ticket.ref} has changed since this button was made. "
            "Use one under a newer message, or open the ticket."
        )


def _link(message: Incoming, token: str, here: Situation) -> Outcome:
    user = links.use(
        token,
        telegram_id=message.sender_id,
        chat_id=message.chat_id,
        name=message.sender_name,
        now=here.now,
    )
    here.reply(
        message,
        f"Linked. Now confirm it under Telegram in your account at {here.desk.house.app_name}; "
        "until then nothing is sent here.",
    )
    return Outcome("linked", user.id)


def _reply(user: User, replied: TelegramMessage, message: Incoming, here: Situation) -> Outcome:
    if replied.kind == "mention":
        return _note(user, replied, message, here)
    ticket = who.own_ticket(user, replied.ticket_id)
    if ticket is None or replied.kind not in (*who.TO_OWNER, "said", "sent"):
        raise Refused("There is no ticket of yours behind that message (any more).")
    made, into = here.post(ticket, message, who.voice(user, desk=False))
    here.reply(message, f"Added to {into.ref} {name(into.subject)}", ticket=into, role="sent")
    return Outcome("said", made.id)


def _note(user: User, replied: TelegramMessage, message: Incoming, here: Situation) -> Outcome:
    """A reply to what tells of a note can become nothing but a note."""
    if not user.operator:
        raise Refused("Notes are for operators.")
    ticket = db.session.get_one(Ticket, replied.ticket_id)
    voice = who.voice(user, desk=True)
    text = here.body(message.text)
    made = notes.add(ticket, text, voice=voice, now=here.now, key=here.key, files=here.files)
    here.remember(message.chat_id, message.message_id, ticket.id, "noted", made.id)
    here.reply(message, f"Kept as a note on {ticket.ref}; its owner does not see it.")
    return Outcome("noted", made.id)
