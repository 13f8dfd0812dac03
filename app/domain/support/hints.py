"""Before a ticket is sent: what the rows already know of the trouble, and what helps.

Nothing here keeps anybody from asking. Each hint says what was seen, what to do, and where.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app import tenancy
from app.domain import connection_keys, lifecycle, overview, records
from app.domain.errors import Invalid
from app.domain.lifecycle import Reading, Tempo
from app.domain.support import outages
from app.domain.support.scrub import clean
from app.domain.venues import VENUES
from app.extensions import db
from app.models import Bot, Connection, Deflection, OrderRow, TicketPriority
from app.models.base import new_id

RECENT = timedelta(hours=24)
LOOKED_AT = 50
MOST_SKEW_MS = 1000

_UNREACHED = {
    lifecycle.LOST: "its machine has not reported",
    lifecycle.BLOCKED: "it is blocked",
}
_REJECTS = {
    "min_notional": r"notional|minimum (?:order|amount|size)|-4164|-1013",
    "margin": r"insufficient|margin|not enough|-2019|-2018",
    "key": r"api.?key|signature|permission|authentication|-2014|-2015|-1022",
    "clock": r"timestamp|recvwindow|invalidnonce|-1021",
}
"""What a venue's refusal is about, first match first."""

KNOWN = frozenset({"key", "address", "clock", "min_notional", "margin", "blocked", "lost_contact"})
KNOWN |= {"incident"}


@dataclass(frozen=True)
class Hint:
    """One likely cause. ``path`` is where to act, ``right`` what it takes to open that page."""

    key: str
    title: str
    seen: str
    do: str
    path: str = ""
    link: str = ""
    right: str = ""


@dataclass(frozen=True)
class Raised:
    """A priority that facts give, whatever was chosen, and the facts."""

    priority: TicketPriority
    why: str


def of_bot(bot: Bot, now: datetime, tempo: Tempo) -> list[Hint]:
    """What may be wrong with a bot, the surest first, each cause once."""
    row = overview.summary(bot, now, tempo)
    found = [
        *_incidents(bot.exchange),
        *_state(bot, row.reading),
        *_preflight(bot),
        *_refusals(bot, now),
    ]
    if bot.connection is not None:
        found += of_connection(bot.connection, now, with_incidents=False)
    return list({hint.key: hint for hint in reversed(found)}.values())[::-1]


def of_connection(it: Connection, now: datetime, *, with_incidents: bool = True) -> list[Hint]:
    """What may be wrong with a connection, by what the last preflight saw and the calendar."""
    path = f"/w/{it.workspace_id}/connections/{it.id}"
    checks, hints = connection_keys.seen(it), []
    venue = VENUES.get(it.exchange)
    lapses = connection_keys.lapses_at(it, venue) if venue else None
    if lapses is not None and lapses <= now:
        hints.append(_key(f"By the exchange's rule it lapsed on {lapses:%d %B %Y}.", path))
    hints += _checks(checks, path)
    if it.inactive_at is not None:
        hints.append(_key("It is switched off, so no bot is given it.", path))
    return [*(_incidents(it.exchange) if with_incidents else ()), *hints]


def raised(bot: Bot, now: datetime, tempo: Tempo) -> Raised | None:
    """Urgent, whatever was chosen: a position is open and nobody is known to manage it."""
    row = overview.summary(bot, now, tempo)
    if not row.positions or row.reading.label not in _UNREACHED:
        return None
    count = len(row.positions)
    what = f"{count} open position{'s' if count > 1 else ''}"
    return Raised(TicketPriority.URGENT, f"{what}, and {_UNREACHED[row.reading.label]}")


def note(keys: list[str], now: datetime, *, helped: bool) -> None:
    """Keep whether hints made a ticket needless. Raises ``Invalid`` for one nobody gave."""
    if not set(keys) <= KNOWN:
        raise Invalid("That is none of the hints.")
    with tenancy.everywhere("what helps is counted for the desk, without whom it helped"):
        for key in sorted(set(keys)):
            row = Deflection(id=new_id("dfl"), hint=key, helped=helped, created_at=now)
            db.session.add(row)


def _incidents(exchange: str) -> Iterator[Hint]:
    for incident in outages.hitting(exchange)[:1]:
        yield Hint(
            "incident",
            "We know of a disturbance",
            f"{incident.title}, since {incident.began_at:%d %B %H:%M} UTC.",
            "It is being worked on. Its page tells what is known; you need not write for it.",
            "/status",
            "Look at the status page",
        )


def _state(bot: Bot, reading: Reading) -> Iterator[Hint]:
    path = f"/w/{bot.workspace_id}/bots/{bot.id}"
    if reading.label == lifecycle.BLOCKED:
        yield Hint(
            "blocked",
            "The bot is blocked",
            clean(reading.detail) or "Something outside refuses.",
            "Its page says what refuses. Mend that; it goes on by itself at its next try.",
            path,
            "Open the bot",
        )
    if reading.label == lifecycle.LOST:
        yield Hint(
            "lost_contact",
            "Its machine has not reported",
            reading.detail,
            "A machine found dead is replaced within minutes. Protective stops at the venue stay; "
            "look at the exchange itself if you want to be sure.",
            path,
            "Open the bot",
        )


def _preflight(bot: Bot) -> list[Hint]:
    for machine in records.machines(bot, 1):
        checks = (machine.preflight or {}).get("checks", [])
        skew = (machine.preflight or {}).get("clock_skew_ms")
        hints = _checks(checks, _key_page(bot))
        if isinstance(skew, int) and abs(skew) > MOST_SKEW_MS:
            hints.append(_clock(f"{skew:+d} ms against the venue at its last wake."))
        return hints
    return []


def _key_page(bot: Bot) -> str:
    """Of the key it trades with; on paper of the one it would."""
    key = bot.live_connection_id if bot.mode == "live" else bot.testnet_connection_id
    return f"/w/{bot.workspace_id}/connections/{key}" if key else ""


def _checks(checks: list[dict[str, Any]], path: str) -> list[Hint]:
    """What a preflight found failing."""
    hints = []
    for check in checks:
        if check.get("ok") is not False:
            continue
        name, detail = str(check.get("name", "")), clean(str(check.get("detail", "")))
        if name in ("address", "key binding"):
            hints.append(_address(detail, path))
        elif name == "clock":
            hints.append(_clock(detail))
        elif name in ("key", "key expiry", "trading right", "withdrawal right"):
            hints.append(_key(detail, path))
    return hints


def _refusals(bot: Bot, now: datetime) -> Iterator[Hint]:
    """What the venue refused within a day."""
    for order in records.orders(bot, LOOKED_AT):
        if order.status == "rejected" and order.decided_at > now - RECENT:
            kind = next(
                (
                    key
                    for key, said in _REJECTS.items()
                    if re.search(said, order.reason, re.IGNORECASE)
                ),
                None,
            )
            if kind is not None:
                yield _of_refusal(kind, order, bot)


def _of_refusal(kind: str, order: OrderRow, bot: Bot) -> Hint:
    seen = f"{order.symbol} at {order.decided_at:%d %B %H:%M} UTC: {clean(order.reason)}"
    home = f"/w/{bot.workspace_id}/bots/{bot.id}"
    if kind == "key":
        return _key(seen, _key_page(bot))
    if kind == "clock":
        return _clock(seen)
    if kind == "min_notional":
        return Hint(
            kind,
            "An order was smaller than the venue takes",
            seen,
            "Let the strategy use a larger share of the account, or raise the bot's limit for one "
            "order above the venue's minimum.",
            f"{home}/edit",
            "Edit the bot",
            "bot.configure",
        )
    return Hint(
        kind,
        "The account had too little margin",
        seen,
        "Add funds at the exchange, close what else uses them, or let the strategy use a smaller "
        "share of the account.",
        f"{home}/orders",
        "See its orders",
    )


def _key(seen: str, path: str) -> Hint:
    return Hint(
        "key",
        "The exchange does not accept the key",
        seen,
        "Make a new key at the exchange, bound to the bot's address and without the right to "
        "withdraw, and put it in place of the old one. The bot takes it at its next wake.",
        path,
        "Open the connection",
        "connection.view",
    )


def _address(seen: str, path: str) -> Hint:
    return Hint(
        "address",
        "The bot's address is not allowed at the exchange",
        seen,
        "Put the address that the bot's page shows on the key's list of allowed addresses at the "
        "exchange. It stays the same for as long as the bot exists.",
        path,
        "Open the connection",
        "connection.view",
    )


def _clock(seen: str) -> Hint:
    return Hint(
        "clock",
        "The machine's clock differs from the exchange's",
        seen,
        "Whoever runs this server lets its clock follow NTP. The bot trades again once the "
        "difference is below a second.",
    )
