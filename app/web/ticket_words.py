"""How a ticket's thread is spelt for those who may read it: who wrote, and what happened."""

from typing import Any

from app.domain.support import states
from app.forms.tickets import CATEGORIES, PRIORITIES
from app.models import AuthorKind, Channel, TicketEvent, TicketMessage, TicketState

DESK, PLATFORM, TIMER = "Support", "plutarc", "The timer"
TONES = {
    TicketState.NEW: "info",
    TicketState.OPEN: "info",
    TicketState.WAITING_USER: "warn",
    TicketState.ON_HOLD: "neutral",
    TicketState.RESOLVED: "good",
    TicketState.CLOSED: "neutral",
    TicketState.MERGED: "neutral",
}
STANDS = {
    TicketState.NEW: "Support has it and will answer here.",
    TicketState.OPEN: "It is Support's turn to answer.",
    TicketState.WAITING_USER: "Support has answered and waits for you.",
    TicketState.ON_HOLD: "Both sides wait for something else. It is not closed meanwhile.",
    TicketState.RESOLVED: "It was marked solved.",
    TicketState.CLOSED: "It is closed.",
    TicketState.MERGED: "It goes on in another ticket.",
}
CHANNELS = {
    Channel.WEB: "",
    Channel.EMAIL: "by e-mail",
    Channel.TELEGRAM: "from Telegram",
    Channel.CONTACT: "by the contact form",
    Channel.TIMER: "",
}
_DONE = {
    "ticket.resolve": "marked it solved",
    "ticket.close": "closed it",
    "ticket.hold": "put it on hold",
    "ticket.reopen": "reopened it",
    "ticket.warn": "warned that it will close",
    "ticket.merge": "merged it",
    "ticket.bundle": "attached a diagnostic bundle",
    "ticket.bundle_withdraw": "took a diagnostic bundle back",
    "ticket.access_ask": "asked to look into this workspace",
    "ticket.access_grant": "let Support look in",
    "ticket.access_refuse": "did not let Support look in",
    "ticket.access_end": "ended the access of Support",
}
_LEFT = {
    TicketState.RESOLVED: "marked it solved with this message",
    TicketState.ON_HOLD: "put it on hold with this message",
    TicketState.CLOSED: "closed it with this message",
}


def author(message: TicketMessage, me: str, names: dict[str, str]) -> str:
    """Who wrote a message: you, a name, or Support."""
    return _who(message.author, message.author_id, message.channel, me, names)


def told(event: TicketEvent, me: str, names: dict[str, str]) -> str:
    """What happened, as a sentence; empty where the message beside it says it all."""
    who = _who(event.actor, event.actor_id, event.channel, me, names)
    changed = {it["field"]: it for it in event.changes}
    if event.action == "ticket.open" and event.reason:
        return f"It was made {_name(changed['priority']['after'])}: {event.reason}."
    if event.action in ("ticket.open", "ticket.edit"):
        return ""
    if event.action == "ticket.reply":
        return _moved(who, changed.get("state"))
    if event.action == "ticket.still_needed":
        return f"{who} still {'need' if who == 'You' else 'needs'} help."
    if event.action == "ticket.sort":
        return f"{who} changed {' and '.join(map(_sorted, changed.values()))}."
    done = _DONE.get(event.action)
    if done is None:
        noun = event.action.removeprefix("ticket.").replace("_", " ")
        return f"{who}: {event.reason or noun}"
    own = event.reason.startswith("solved by")
    return f"{who} {done}." + (f" {event.reason}" if event.reason and not own else "")


def _who(
    kind: AuthorKind, person: str | None, channel: Channel, me: str, names: dict[str, str]
) -> str:
    if kind is AuthorKind.OPERATOR:
        return DESK
    if kind is AuthorKind.SYSTEM:
        return TIMER if channel is Channel.TIMER else PLATFORM
    return "You" if person == me else names.get(person or "", "Somebody")


def _moved(who: str, change: dict[str, Any] | None) -> str:
    if change is None:
        return ""
    before, after = TicketState(change["before"]), TicketState(change["after"])
    if after in _LEFT:
        return f"{who} {_LEFT[after]}."
    return "This message reopened it." if before in states.SETTLED else ""


def _name(value: str) -> str:
    return _NAMES.get(value, value).lower()


def _sorted(change: dict[str, Any]) -> str:
    before, after = _NAMES.get(change["before"], ""), _NAMES.get(change["after"], "")
    return f"the {change['field']} from {before.lower()} to {after.lower()}"


_NAMES: dict[str, str] = {str(key): name for key, name in (*CATEGORIES, *PRIORITIES)}
