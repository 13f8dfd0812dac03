"""What a sender wrote, read with distrust. Pure: bytes in, a message or what is wrong with it."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runner.protocol import SignalAction

LONGEST = 8 * 1024
"""Bytes of a message."""

SHOWN = ("symbol", "action", "position", "price", "comment", "id")
"""Fields that are kept as they were written; the secret is none of them."""

_KNOWN = (*SHOWN, "ticker", "time", "secret")
_AS_SHOWN = "Send the message exactly as this page shows it."
_MOST = 100
_ACTIONS = {
    "buy": SignalAction.LONG,
    "long": SignalAction.LONG,
    "sell": SignalAction.SHORT,
    "short": SignalAction.SHORT,
    "close": SignalAction.CLOSE,
    "exit": SignalAction.CLOSE,
    "flat": SignalAction.CLOSE,
}
_PERPETUAL = (".P", "PERP", "-SWAP")
_MILLISECONDS = 10**11
"""A number of seconds this large lies in the year 5138."""


class Rejected(Exception):
    """It is not taken. ``code`` counts alike what is alike; the text is for who set it up."""

    def __init__(self, code: str, reason: str, status: int = 422) -> None:
        super().__init__(reason)
        self.code = code
        self.status = status


@dataclass(frozen=True)
class Message:
    """What is asked for. ``name`` is the sender's own, empty where it gave none."""

    symbol: str
    action: SignalAction
    sent_at: datetime
    name: str
    said: dict[str, str]


def decoded(body: bytes) -> dict[str, Any]:
    """The object that a body holds. Raises ``Rejected``."""
    if not body.strip():
        raise Rejected("empty", f"It is empty. {_AS_SHOWN}")
    try:
        found = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        text = f"It is no UTF-8 text, beginning with its byte {error.start + 1}. {_AS_SHOWN}"
        raise Rejected("encoding", text) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Rejected("unreadable", f"It is no JSON object ({place}). {_AS_SHOWN}") from None
    except (ValueError, RecursionError):
        text = f"It is nested too deeply, or holds a number too long to be read. {_AS_SHOWN}"
        raise Rejected("endless", text) from None
    if not isinstance(found, dict):
        raise Rejected("unreadable", f"It is no JSON object. {_AS_SHOWN}")
    return found


def read(
    found: Mapping[str, Any],
    symbols: Sequence[str],
    aliases: Mapping[str, str],
    signed_at: datetime | None = None,
) -> Message:
    """The message in an object whose sender is known. ``signed_at``: the moment it was signed.

    Raises:
        Rejected: something is missing or means nothing.
    """
    said = {name: clean(found[name]) for name in SHOWN if name in found}
    if "symbol" not in said and "ticker" in found:
        said["symbol"] = clean(found["ticker"])
    for name, text in said.items():
        if "{{" in text:
            raise Rejected(
                "placeholder",
                f"{text} in “{name}” was not filled in by the sender. Placeholders of strategies, "
                "such as {{strategy.order.action}}, are filled in for alerts on a strategy only.",
            )
    action = _action(said)
    sent_at = signed_at or _moment(found.get("time"))
    symbol = _symbol(said.get("symbol", ""), symbols, aliases)
    return Message(symbol, action, sent_at, said.get("id", ""), said)


def clean(value: Any) -> str:
    """A value as text that every database takes, and no longer than a line."""
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return ""
    text = str(value)[:_MOST].encode("utf-8", "replace").decode()
    return "".join(it for it in text if unicodedata.category(it)[0] != "C").strip()


def spelt(name: str) -> str:
    """A market's name without what venues and charts put around it: BINANCE:BTCUSDT.P, BTCUSDT."""
    plain = name.upper().strip()
    if "/" in plain:
        plain = plain.partition(":")[0]
    plain = plain.rpartition(":")[2]
    for ending in _PERPETUAL:
        plain = plain.removesuffix(ending)
    return "".join(it for it in plain if it.isalnum())


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; what it says twice is not guessed at. Names of our own alone are repeated."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next((name for name in _KNOWN if names.count(name) > 1), "a field")
        raise Rejected("twice", f"It says “{twice}” more than once. {_AS_SHOWN}")
    return found


def _action(said: Mapping[str, str]) -> SignalAction:
    """What to be; the position after the order says it better than the order does."""
    wanted = said.get("position") or said.get("action", "")
    if not wanted:
        raise Rejected("action", "It says no action: buy, sell, long, short, close or flat.")
    found = _ACTIONS.get(wanted.lower())
    if found is None:
        raise Rejected(
            "action", f"“{wanted}” is no action. Use buy, sell, long, short, close or flat."
        )
    return found


def _symbol(name: str, symbols: Sequence[str], aliases: Mapping[str, str]) -> str:
    if not name:
        if len(symbols) == 1:
            return symbols[0]
        raise Rejected("symbol", f"It names no symbol, and the bot trades {len(symbols)}.")
    if name in symbols:
        return name
    known = {alias.upper(): symbol for alias, symbol in aliases.items()}
    if known.get(name.upper()) in symbols:
        return known[name.upper()]
    found = [symbol for symbol in symbols if spelt(symbol) == spelt(name)]
    if len(found) == 1:
        return found[0]
    raise Rejected(
        "symbol",
        f"“{name}” is none of the bot's symbols ({', '.join(symbols)}). Name one of them, or say "
        "under Settings what the sender calls it.",
    )


def _moment(value: Any) -> datetime:
    if value is None or value == "":
        raise Rejected(
            "time", 'It says no time, so an old one could be sent again: add "time": "{{timenow}}".'
        )
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > _MILLISECONDS else value, UTC)
        found = datetime.fromisoformat(str(value).strip()[:_MOST])
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    text = (
        f"“{clean(value)}” is no time. Send it like 2026-11-30T09:00:00Z, as {{{{timenow}}}} does."
    )
    raise Rejected("time", text)
