"""Request parameters, read with the exchange's own complaints when they do not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from app.practice import errors
from app.practice.errors import Refusal
from app.practice.instruments import INSTRUMENTS, Instrument


class Params:
    """Query string and form body in one, as the exchange reads them."""

    def __init__(self, values: Mapping[str, str]):
        self._values = values

    def text(self, name: str, default: str | None = None) -> str:
        """The parameter as sent; ``default`` makes it optional."""
        value = self._values.get(name, "").strip()
        if value:
            return value
        if default is None:
            raise errors.missing(name)
        return default

    def choice(self, name: str, allowed: Sequence[str], otherwise: Refusal) -> str:
        value = self.text(name)
        if value not in allowed:
            raise otherwise
        return value

    def flag(self, name: str) -> bool:
        value = self.text(name, "false").lower()
        if value not in ("true", "false"):
            raise errors.invalid(name)
        return value == "true"

    def decimal(self, name: str) -> Decimal:
        try:
            value = Decimal(self.text(name))
        except InvalidOperation:
            raise errors.missing(name) from None
        if not value.is_finite() or abs(value.adjusted()) > 30:
            raise errors.missing(name)
        return value

    def whole(self, name: str) -> int:
        value = self.optional_whole(name)
        if value is None:
            raise errors.missing(name)
        return value

    def optional_whole(self, name: str) -> int | None:
        text = self.text(name, "")
        if not text:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise Refusal(
                -1100,
                f"Illegal characters found in parameter '{name}'; "
                "legal range is '^[0-9]{1,20}$'.",
            )
        return int(text)

    def limit(self, default: int, maximum: int) -> int:
        value = self.optional_whole("limit")
        if value is None:
            return default
        if value < 1:
            raise errors.invalid("limit")
        return min(value, maximum)

    def instrument(self) -> Instrument:
        return _instrument(self.text("symbol"))

    def optional_instrument(self) -> Instrument | None:
        symbol = self.text("symbol", "")
        return _instrument(symbol) if symbol else None


def _instrument(symbol: str) -> Instrument:
    instrument = INSTRUMENTS.get(symbol.upper())
    if instrument is None:
        raise errors.bad_symbol()
    return instrument
