"""What differs from venue to venue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runner.exchange.base import OrderKind
from runner.protocol import Mode


@dataclass(frozen=True)
class Venue:
    """A venue in terms of ccxt.

    ``order`` turns (kind, client id, trigger price, reduce only) into ccxt's type and parameters;
    ``by_client_id`` gives the parameters that address an order by its client id.
    """

    exchange: str
    ccxt_id: str
    modes: tuple[Mode, ...]
    options: dict[str, Any]
    order: Callable[[OrderKind, str, str | None, bool], tuple[str, dict[str, Any]]]
    by_client_id: Callable[[OrderKind, str], dict[str, Any]]
    address_path: str | None = None
