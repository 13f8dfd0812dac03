"""What differs from venue to venue, and what each venue must be able to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from runner.capabilities.table import Capabilities
from runner.exchange.base import (
    Account,
    Execution,
    OrderKind,
    OrderReport,
    OrderRequest,
    Rights,
    VenuePosition,
)
from runner.exchange.causes import Cause
from runner.exchange.lending import MarginTerms
from runner.exchange.numbers import price
from runner.protocol import Flow, Mode, OrderStatus

if TYPE_CHECKING:  # the bundler reads the catalog beside this file and needs no HTTP client
    from runner.exchange.transport import HeaderRule


class Venue(ABC):
    """One venue in one mode, in terms of ccxt: ``api`` is always the venue's ccxt object.

    Quantities are in base units on our side of every method. Methods let ccxt's errors out;
    ``Failures`` sorts them by ``codes``.

    ``facts``: its row of the capability table; ``proven`` are the order kinds of it.
    ``unseen_after``: age from which an order the venue does not know never arrived; longer than
    the venue accepts a request after the time written in it.
    """

    facts: ClassVar[Capabilities]
    options: ClassVar[dict[str, Any]]
    codes: ClassVar[Mapping[str, Cause]]
    unseen_after: ClassVar[timedelta] = timedelta(seconds=15)
    address_path: ClassVar[str | None] = None
    open_interest_options: ClassVar[Mapping[str, str]] = {}
    header_rule: HeaderRule | None = None

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.exchange = self.facts.exchange
        self.proven = frozenset(map(OrderKind, self.facts.orders))

    def origins(self) -> tuple[str, ...]:
        """The hosts of this mode; none where an endpoint must be given."""
        return self.facts.hosts.get(self.mode, ())

    def stream_origin(self, base: str) -> str | None:
        """Where the streams are that belong to the requests at ``base``, if there are any."""
        if not self.facts.streams:
            return None
        own = base in self.facts.hosts.get(self.mode, ())
        return self.facts.stream_hosts.get(self.mode) if own else f"ws{base.removeprefix('http')}"

    async def clock(self, api: Any) -> Any:
        """The venue's time in milliseconds."""
        return await api.fetch_time()

    async def candles(
        self, api: Any, symbol: str, timeframe: str, since: int | None, limit: int
    ) -> list[list[Any]]:
        """The last ``limit`` of them, or as many from ``since`` (ms) on, oldest first."""
        rows: list[list[Any]] = await api.fetch_ohlcv(symbol, timeframe, since, limit)
        return rows

    async def mark(self, api: Any, symbol: str) -> Any:
        """The mark price. Where no request is for it alone, the ticker says it."""
        alone = api.has["fetchMarkPrice"]
        found = await (api.fetch_mark_price if alone else api.fetch_ticker)(symbol)
        return found["markPrice"]

    async def funding(self, api: Any, symbol: str) -> dict[str, Any]:
        """What is paid next, as ccxt words it."""
        found: dict[str, Any] = await api.fetch_funding_rate(symbol)
        return found

    def least_value(self, market: Mapping[str, Any]) -> Any:
        """The smallest an order may be worth; nothing where the venue names none."""
        return market["limits"]["cost"]["min"]

    def funding_until(self, end: int) -> dict[str, Any]:
        """How past funding rates are asked for up to ``end``, milliseconds, exclusive."""
        return {"until": end - 1}

    def book_depth(self, depth: int) -> int:
        """The number of levels to ask for where at least ``depth`` are wanted."""
        return depth

    def candle_unit(self, api: Any, symbol: str) -> Decimal:  # noqa: ARG002 - most have none
        """What one unit of a candle's volume is in base units."""
        return Decimal(1)

    async def open_interest(self, api: Any, symbol: str) -> Any:
        """As the venue counts amounts."""
        found = await api.fetch_open_interest(symbol, dict(self.open_interest_options))
        return found["openInterestAmount"]

    @abstractmethod
    def prepare(self, api: Any) -> None:
        """Point a fresh ccxt object at the hosts of this mode."""

    @abstractmethod
    async def place(self, api: Any, order: OrderRequest) -> OrderReport: ...

    @abstractmethod
    async def cancel(self, api: Any, order: OrderRequest) -> None: ...

    @abstractmethod
    async def find(self, api: Any, order: OrderRequest) -> OrderReport | None:
        """By client id."""

    @abstractmethod
    async def find_by_venue_id(self, api: Any, symbol: str, venue_id: str) -> OrderReport | None:
        """The order an execution names."""

    @abstractmethod
    async def open_orders(self, api: Any, symbol: str) -> list[OrderReport]:
        """All that rest, stops included, whoever placed them."""

    @abstractmethod
    async def executions(
        self, api: Any, symbol: str, since: datetime, until: datetime
    ) -> list[Execution]:
        """All of them, in as many requests as that takes, oldest first."""

    @abstractmethod
    async def flows(self, api: Any, quote: str, since: datetime, until: datetime) -> list[Flow]:
        """What changed the wallet but was no trade, in as many requests as that takes."""

    @abstractmethod
    async def positions(self, api: Any, quote: str) -> list[VenuePosition]:
        """Of all symbols settled in ``quote``."""

    @abstractmethod
    async def account(self, api: Any, quote: str) -> Account: ...

    @abstractmethod
    async def hedged(self, api: Any, symbol: str) -> bool:
        """Whether the account keeps long and short apart, which the runner does not understand."""

    async def fault(self, api: Any) -> str | None:  # noqa: ARG002 - most have no such account
        """Why this kind of account cannot trade at all, and what to do; ``None`` if it can."""
        return None

    @abstractmethod
    async def terms(self, api: Any, symbol: str) -> MarginTerms: ...

    @abstractmethod
    async def set_leverage(self, api: Any, symbol: str, leverage: int) -> None: ...

    @abstractmethod
    async def rights(self, api: Any) -> Rights: ...


def taken_on(order: OrderRequest, venue_id: str, fill_venue_id: str) -> OrderReport:
    """An order of which the answer only says that it was taken on; the rest must be read."""
    return OrderReport(
        client_id=order.client_id,
        venue_id=venue_id,
        symbol=order.symbol,
        side=order.side,
        kind=order.kind,
        quantity=order.quantity,
        status=OrderStatus.OPEN,
        filled=Decimal(0),
        average=None,
        price=order.price,
        reduce_only=order.reduce_only,
        fill_venue_id=fill_venue_id,
    )


def redirect(api: Any, endpoint: str) -> None:
    """Point every REST address at the endpoint, keeping the path."""
    urls = api.urls["api"]
    for name, url in urls.items():
        if isinstance(url, str):
            path = url.split("://", 1)[-1].partition("/")[2]
            urls[name] = f"{endpoint}/{path}".rstrip("/")


def unit(market: Mapping[str, Any]) -> Decimal:
    """What one unit of the venue's amounts is in base units: a contract's size, or one."""
    return price(market["contractSize"] or 1, f"the contract size of {market['symbol']}")


def symbol_of(api: Any, market_id: str) -> str:
    """Our name of a market; the venue's own for one that is not traded here."""
    found = (api.markets_by_id or {}).get(market_id)
    return str(found[0]["symbol"]) if found else market_id


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
