"""What a venue lends, and a broker that can be asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class MarginTerms:
    """On what terms the venue lends for a symbol.

    ``isolated``: a position is liquidated at its own margin, whatever else the account holds.
    ``leverage``: the most it lends, as a multiple; ``None`` where the account sets no such bound.
    """

    isolated: bool
    leverage: Decimal | None


@runtime_checkable
class Lender(Protocol):
    """A broker whose venue lends; a paper account lends on its own terms, which nobody changes."""

    async def terms(self, symbol: str) -> MarginTerms: ...
    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Never while something is held. May raise ``UnknownOutcome``: read the terms then."""
