"""What a venue whose streams are listened to must be able to do besides."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from runner.exchange.quirks.venue import Venue


class StreamingVenue(Venue):
    """A venue with streams, in terms of ccxt.pro: ``api`` is the object that listens."""

    stream_options: ClassVar[Mapping[str, Any]]

    @abstractmethod
    def aim(self, api: Any, origin: str) -> None:
        """Point a fresh listening object at ``origin``."""

    @abstractmethod
    def ends_listening(self, message: Any) -> bool:
        """Whether a message means that nothing more of the account will come."""

    @abstractmethod
    def event_of(self, message: Any) -> tuple[str, int] | None:
        """Kind and time of an event, of which one connection brings each once and in order."""
