"""How Phemex hands out lists; sources as in ``phemex``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from ccxt.base.errors import OrderNotFound

from runner.errors import Operational
from runner.exchange.numbers import NoNumber

_PAGE = 200
_DETAILS_PAGE = 100
_DETAILS_DEPTH = 1000
Call = Callable[[dict[str, Any]], Awaitable[Any]]


def rows_of(answer: Any) -> list[dict[str, Any]]:
    """The rows of a history: the examples show them bare, recorded answers inside ``data``."""
    found = answer["data"] if isinstance(answer, dict) else answer
    found = found["rows"] if isinstance(found, dict) else found
    if not isinstance(found, list):
        raise NoNumber("the venue sent no list")
    return found


async def ticker(api: Any, symbol: str) -> dict[str, Any]:
    answer = await api.v2GetMdV2Ticker24hr({"symbol": api.market_id(symbol)})
    found: dict[str, Any] = answer["result"]
    return found


async def accounts(api: Any, quote: str, **more: str) -> dict[str, Any]:
    answer = await api.privateGetGAccountsAccountPositions({"currency": quote, **more})
    found: dict[str, Any] = answer["data"]
    return found


async def positions_on(api: Any, symbol: str) -> list[dict[str, Any]]:
    """What is told of a symbol, held or not."""
    market = api.market(symbol)
    rows = (await accounts(api, market["settle"], symbol=market["id"]))["positions"]
    return [row for row in rows if row["symbol"] == market["id"]]


async def resting(api: Any, symbol: str) -> list[dict[str, Any]]:
    """Open orders and stops; that there are none, Phemex also says as "cannot find order ID"."""
    try:
        data = (await api.privateGetGOrdersActiveList({"symbol": api.market_id(symbol)}))["data"]
    except OrderNotFound:
        return []
    if data.get("nextPageArg"):
        raise Operational(f"more orders rest on {symbol} than Phemex lists at once; cancel some")
    rows: list[dict[str, Any]] = data["rows"]
    return rows


async def pages(call: Call, query: dict[str, Any], since: int = 0) -> list[dict[str, Any]]:
    """Every page; what is older than ``since`` (ms) may be left out where the newest come first.

    ``offset`` may count pages or rows ("page start from 0"): by ones, neither leaves out a row,
    and what comes twice is told by its id.
    """
    found: list[dict[str, Any]] = []
    for offset in count():
        rows = rows_of(await call({**query, "offset": offset, "limit": _PAGE}))
        found += rows
        times = [int(row.get("createTime", since)) for row in rows]
        if len(rows) < _PAGE or (times[-1] < since and times == sorted(times, reverse=True)):
            break
    return found


async def details(api: Any, quote: str, first: int, last: int) -> list[dict[str, Any]]:
    """Changes of the wallet in [first, last]; a stretch with too many is read in halves."""
    found: list[dict[str, Any]] = []
    query = {"currency": quote, "start": first, "end": last, "limit": _DETAILS_PAGE}
    while len(found) <= _DETAILS_DEPTH:
        answer = await api.privateGetApiDataFuturesV2TradeAccountDetail(
            query | {"offset": len(found)}
        )
        rows = rows_of(answer)
        if not rows:
            return found
        found += rows
    middle = (first + last) // 2
    if middle == first:
        raise Operational("Phemex lists too many changes of the wallet in one millisecond")
    return [*await details(api, quote, first, middle), *await details(api, quote, middle, last)]
