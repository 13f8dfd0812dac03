"""Flows of money as Binance USD-M's income history lists them, read whole: in windows and pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from runner.exchange.failures import reading
from runner.exchange.numbers import exact
from runner.protocol import Flow, FlowKind

_WINDOW_MS = int(timedelta(days=7).total_seconds() * 1000)
_PAGE = 1000
_TRADING = ("REALIZED_PNL", "COMMISSION")
"""What fills account for."""


async def read(exchange: Any, since: datetime, now: datetime) -> list[Flow]:
    """Raises ``Temporary`` or ``Operational``."""
    start, end = _ms(since), _ms(now) + 60_000
    found: dict[str, Flow] = {}
    while start <= end:
        until = min(start + _WINDOW_MS, end)
        rows = await _page(exchange, start, until)
        for row in rows:
            if row["incomeType"] not in _TRADING:
                flow = _flow(exchange, row)
                found[flow.id] = flow
        if len(rows) < _PAGE:
            start = until + 1
        else:
            # The next page begins with the moment this one broke off in; repeats are known by id.
            last = int(rows[-1]["time"])
            start = last if last > start else last + 1
    return list(found.values())


async def _page(exchange: Any, start: int, until: int) -> list[dict[str, Any]]:
    with reading("read the income history"):
        rows = await exchange.fapiPrivateGetIncome(
            {"startTime": start, "endTime": until, "limit": _PAGE}
        )
        return sorted(rows, key=lambda row: int(row["time"]))


def _flow(exchange: Any, row: dict[str, Any]) -> Flow:
    amount, market = exact(row["income"]), row["symbol"]
    # A transfer's number is unique among those of its kind only.
    name = ":".join(part for part in (row["incomeType"], market, str(row["tranId"])) if part)
    return Flow(
        id=name,
        kind=_kind(row["incomeType"], coming=amount > 0),
        amount=amount,
        currency=str(row["asset"]),
        at=datetime.fromtimestamp(int(row["time"]) / 1000, UTC),
        symbol=exchange.safe_symbol(market, None, None, "swap") if market else None,
    )


def _kind(income: str, *, coming: bool) -> FlowKind:
    if income == "FUNDING_FEE":
        return FlowKind.FUNDING
    if income.endswith("TRANSFER"):
        return FlowKind.DEPOSIT if coming else FlowKind.WITHDRAWAL
    return FlowKind.OTHER


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
