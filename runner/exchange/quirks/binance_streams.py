"""How Binance USD-M is listened to, and what ends a user data stream.

Sources: "Important WebSocket Change Notice" and "Event: User Data Stream Expired" of Binance's API
documentation (https://developers.binance.com/docs/derivatives/usds-margined-futures). ccxt.pro adds
the path that each stream belongs to.
"""

from __future__ import annotations

from typing import Any, ClassVar

from runner.exchange.quirks.streaming import StreamingVenue


class BinanceStreams(StreamingVenue):
    """The part of Binance that is only about listening."""

    # Positions are asked for by request; a snapshot for each connection would cost another one.
    stream_options: ClassVar[dict[str, Any]] = {"watchPositions": {"fetchPositionsSnapshot": False}}

    def aim(self, api: Any, origin: str) -> None:
        api.urls["api"]["ws"] = {**api.urls["api"]["ws"], "linear": f"{origin}/ws"}

    def ends_listening(self, message: Any) -> bool:
        return isinstance(message, dict) and message.get("e") == "listenKeyExpired"

    def event_of(self, message: Any) -> tuple[str, int] | None:
        """By ``E``: per kind and connection strictly in order, says "User Data Streams"."""
        if not isinstance(message, dict) or "E" not in message:
            return None
        return f"{message.get('e')} {message.get('s', '')}", int(message["E"])
