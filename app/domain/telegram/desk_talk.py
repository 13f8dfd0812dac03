"""What is said in the operators' chat.

A reply to what rang, or to what the button Answer asks, is an answer that the owner reads. All
other talk stays talk. Commands and buttons are looked at by who gave them, whatever they carry.
"""

from datetime import timedelta
from typing import Any

from app.domain.errors import Refused
from app.domain.support import assigning, moves, notes, owning, redacting, tickets
from app.domain.support.events import Voice
from app.domain.telegram import calls, chats, who
from app.domain.telegram.incoming import Incoming, Press
from app.domain.telegram.private_talk import check_version
from app.domain.telegram.spoken import Outcome, Situation, name
from app.extensions import db
from app.models import TelegramMessage, Ticket, TicketMessage, TicketNote, User

HELP = """Reply to a message that rang, or press Answer: the owner of the ticket reads it.
/note text: a note that only operators read
/solved: the ticket is solved
/close reason: the ticket is closed; its owner reads the reason
/assign me or /assign @name: who looks after it
/id: the number of this chat
Commands work in the topic of a ticket, or as a reply to what rang. Anything else stays here."""
CLOSED = "closed by the desk"
TAKEN_BACK = "taken back at once by its author"
UNDO_FOR = timedelta(seconds=15)


def concerns(message: Incoming, here: Situation) -> bool:
    """Whether a message in a private chat is desk talk: where that chat is the operators' own."""
    if not chats.same(message.chat_id, here.desk.chat_id):
        return False
    if message.command[0] in (*_COMMANDS, "help"):
        return True
    replied = who.mapped(message.chat_id, message.reply_to)
    return replied is not None and replied.kind in who.RINGS


def said(message: Incoming, here: Situation) -> Outcome:
    """A message in a group, or in a private chat that is the operators'."""
    operator = who.operator(message.sender_id, message.chat_id, here.desk.chat_id)
    if operator is None:
        return Outcome("ignored", "nobody who may")
    command, rest = message.command
    if command in (*_COMMANDS, "help"):
        return _command(operator, command, rest, message, here)
    replied = who.mapped(message.chat_id, message.reply_to)
    if replied is None or replied.kind not in who.RINGS:
        return Outcome("ignored", "talk")
    ticket = who.ticket_at(message.chat_id, message.thread, message.reply_to)
    if ticket is None:
        raise Refused("That reply points at another ticket than this topic. Nothing was sent.")
    return _answer(operator, ticket, message, here)


def pressed(press: Press, here: Situation) -> Outcome:
    """A button under one of our messages."""
    operator = who.operator(press.sender_id, press.chat_id, here.desk.chat_id)
    under = who.mapped(press.chat_id, press.message_id)
    if operator is None or under is None:
        here.end_wait(press, "This button is not for you.", alert=True)
        return Outcome("refused", "not an operator here, or no button of ours")
    verb, _, version = press.data.partition(" ")
    ticket = db.session.get_one(Ticket, under.ticket_id)
    voice = who.voice(operator, desk=True)
    if verb == "undo":
        return _undo(under, press, voice, here)
    if under.kind not in ("opened", "message") or verb not in _BUTTONS:
        raise Refused("This button does nothing.")
    if verb != "answer":
        tickets.lock(ticket)
        check_version(ticket, version)
    here.end_wait(press, _BUTTONS[verb](operator, ticket, press, voice, here))
    return Outcome("pressed", verb)


def edited(message: Incoming, here: Situation) -> Outcome:
    """Somebody changed what they had written: the message it became changes, none is added."""
    known = who.mapped(message.chat_id, message.message_id)
    person = who.linked(message.sender_id)
    if known is None or known.made_id is None or person is None or not message.genuine:
        return Outcome("ignored", "an edit of nothing we keep")
    desk = who.operator(message.sender_id, message.chat_id, here.desk.chat_id) is not None
    text = message.text
    if known.kind == "noted" and (desk or person[1].operator):
        note = db.session.get_one(TicketNote, known.made_id)
        text = message.command[1] if message.command[0] == "note" else text
        _change_note(note, text, person[1], here)
    elif known.kind == "said":
        made = db.session.get_one(TicketMessage, known.made_id)
        if not desk and who.own_ticket(person[1], made.ticket_id) is None:
            return Outcome("ignored", "an edit of what they may not see")
        if desk and message.command[0] in _COMMANDS:
            raise Refused("Its owner has read it as an answer; it cannot become a command.")
        voice = who.voice(person[1], desk=desk)
        ticket = db.session.get_one(Ticket, made.ticket_id)
        before = made.edited_at
        owning.edit(ticket, made, text, voice=voice, now=here.now)
        if made.edited_at == before:
            return Outcome("ignored", "the same words as before")
    else:
        return Outcome("ignored", "an edit of nothing we keep")
    here.reply(message, "Changed. The earlier words stay in its history.")
    return Outcome("edited", known.made_id)


def _change_note(note: TicketNote, text: str, person: User, here: Situation) -> None:
    ticket = db.session.get_one(Ticket, note.ticket_id)
    notes.edit(ticket, note, text, voice=who.voice(person, desk=True), now=here.now)


def tell_id(message: Incoming, here: Situation) -> Outcome:
    """Say the number of a chat, at most once a minute there: who sets plutarc up needs it."""
    values: dict[str, Any] = {"thread": message.thread} if message.thread is not None else {}
    key = f"id {message.chat_id} {here.now:%Y-%m-%d %H:%M}"
    text = f"The number of this chat is {message.chat_id}."
    calls.say(message.chat_id, text, key, here.now, reply_to=message.message_id, **values)
    return Outcome("told its number")


def moved(message: Incoming, here: Situation) -> Outcome:
    """The operators' group became a supergroup and has another number now."""
    if message.migrate_to is None or not chats.same(message.chat_id, here.desk.chat_id):
        return Outcome("ignored", "another chat moved")
    chats.moved(message.chat_id, message.migrate_to)
    return Outcome("moved", str(message.migrate_to))


def _answer(operator: User, ticket: Ticket, message: Incoming, here: Situation) -> Outcome:
    made, into = here.post(ticket, message, who.voice(operator, desk=True))
    here.reply(
        message,
        f"Sent as an answer to {into.ref} {name(into.subject)}",
        ticket=into,
        role="sent",
        made=made.id,
        buttons=[[("Undo (15 s)", "undo")]],
    )
    return Outcome("said", made.id)


def _undo(under: TelegramMessage, press: Press, voice: Voice, here: Situation) -> Outcome:
    made = db.session.get(TicketMessage, under.made_id) if under.made_id else None
    if under.kind != "sent" or made is None:
        raise Refused("There is nothing to take back.")
    if made.author_id != voice.user_id:
        raise Refused("Only who wrote it can take it back.")
    if here.received_at > made.created_at + UNDO_FOR:
        raise Refused("Fifteen seconds are over. It can be emptied on the ticket's page.")
    ticket = db.session.get_one(Ticket, made.ticket_id)
    # Its files lose their names with it; the sweep of the storage empties them.
    redacting.redact(ticket, made, TAKEN_BACK, voice=voice, now=here.now)
    here.end_wait(press, "Taken back. Letters that are out already still hold it.", alert=True)
    return Outcome("pressed", "undo")


def _command(
    operator: User, command: str, rest: str, message: Incoming, here: Situation
) -> Outcome:
    if command == "help":
        here.reply(message, HELP)
        return Outcome("helped")
    ticket = who.ticket_at(message.chat_id, message.thread, message.reply_to)
    if ticket is None:
        raise Refused("Which ticket? Use it in the topic of one, or as a reply to what rang.")
    voice = who.voice(operator, desk=True)
    here.reply(message, _COMMANDS[command](operator, ticket, rest, voice, message, here))
    return Outcome("command", command)


def _note(
    _operator: User,
    ticket: Ticket,
    rest: str,
    voice: Voice,
    message: Incoming,
    here: Situation,
) -> str:
    text = here.body(rest)
    made = notes.add(ticket, text, voice=voice, now=here.now, key=here.key, files=here.files)
    here.remember(message.chat_id, message.message_id, ticket.id, "noted", made.id)
    return f"Kept as a note on {ticket.ref}; its owner does not see it."


def _close(
    _operator: User, ticket: Ticket, rest: str, voice: Voice, _message: Incoming, here: Situation
) -> str:
    moves.close(ticket, rest or CLOSED, voice=voice, now=here.now)
    return f"{ticket.ref} is closed."


def _solved(
    _operator: User, ticket: Ticket, _rest: str, voice: Voice, _message: Incoming, here: Situation
) -> str:
    moves.resolve(ticket, voice=voice, now=here.now)
    return f"{ticket.ref} is solved."


def _assign(
    operator: User, ticket: Ticket, rest: str, voice: Voice, _message: Incoming, here: Situation
) -> str:
    to = who.chosen(rest, operator)
    assigning.assign(ticket, to, voice=voice, now=here.now)
    return f"{name(to.name)} looks after {ticket.ref}."


def _ask_answer(
    _operator: User, ticket: Ticket, press: Press, _voice: Voice, here: Situation
) -> str:
    """Ask for the answer, of the person who pressed if they can be named."""
    to = f"@{press.username}, reply" if press.username else "Reply"
    values: dict[str, Any] = {"thread": press.thread} if press.thread is not None else {}
    calls.say(
        press.chat_id,
        f"{to} to this message with the answer to {ticket.ref}. Its owner reads it.",
        f"{here.key} prompt",
        here.now,
        ticket=ticket,
        role="prompt",
        reply_to=press.message_id,
        force_reply=True,
        selective=bool(press.username),
        **values,
    )
    return "Reply to the message below."


def _press_take(
    operator: User, ticket: Ticket, _press: Press, voice: Voice, here: Situation
) -> str:
    assigning.take(ticket, operator, voice=voice, now=here.now)
    return f"You look after {ticket.ref}."


def _press_solved(
    _operator: User, ticket: Ticket, _press: Press, voice: Voice, here: Situation
) -> str:
    moves.resolve(ticket, voice=voice, now=here.now)
    return f"{ticket.ref} is solved."


def _press_close(
    _operator: User, ticket: Ticket, _press: Press, voice: Voice, here: Situation
) -> str:
    moves.close(ticket, CLOSED, voice=voice, now=here.now)
    return f"{ticket.ref} is closed."


_COMMANDS = {"note": _note, "close": _close, "solved": _solved, "assign": _assign}
_BUTTONS = {
    "answer": _ask_answer,
    "take": _press_take,
    "solved": _press_solved,
    "close": _press_close,
}
