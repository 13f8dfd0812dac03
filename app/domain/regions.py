"""Where bots can live. A bot stays in one region for life: its address belongs to the region. Pure.

What a region costs is told for a month around the clock, so that regions can be compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from app.domain.errors import Invalid
from app.domain.statement_lines import Pricing, cost

LOCAL = "local"
"""The one region where machines are processes of this computer."""

MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Place:
    """One region with the price of 30 days awake in millionths of a dollar.

    ``more``: by which share it costs more than the cheapest. Both are ``None`` where the price
    book does not know the region, or not its machines.
    """

    region: str
    awake: int | None
    more: Decimal | None


def choose(wanted: str | None, offered: Sequence[str]) -> str:
    """The region a new bot gets: the one wanted, or the first. Raises ``Invalid``."""
    if not wanted:
        return offered[0]
    if wanted not in offered:
        raise Invalid(f"There is no region {wanted} here. Choose {_either(offered)}.", "region")
    return wanted


def places(offered: Sequence[str], kind: str, price: Pricing, now: datetime) -> list[Place]:
    """The regions in the order of the settings, with what a machine of this kind costs in each."""
    hours = [price(region, kind, now).awake for region in offered]
    least = min((hour for hour in hours if hour is not None), default=None)
    return [
        Place(region, None if hour is None else _month(hour), _more(hour, least))
        for region, hour in zip(offered, hours, strict=True)
    ]


def _month(hour: int) -> int:
    return cost(hour, MONTH // timedelta(microseconds=1))


def _more(hour: int | None, least: int | None) -> Decimal | None:
    if hour is None or least is None:
        return None
    return Decimal(hour) / least - 1 if least else Decimal(0)


def _either(offered: Sequence[str]) -> str:
    *others, last = offered
    return f"{', '.join(others)} or {last}" if others else last
