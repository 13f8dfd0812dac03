"""Hears a venue's streams through ccxt.pro's unmodified class, on an object of its own.

What is heard is a reason to ask, never an answer: nothing of it is taken over. So the object that
asks and sends orders, whose requests are proven on the wire, stays apart from this one.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import aiohttp

from runner.errors import Temporary
from runner.exchange.failures import Failures, wait_until
from runner.exchange.quirks.streaming import StreamingVenue
from runner.exchange.quirks.venue import Venue
from runner.exchange.transport import hold, session_apart
from runner.protocol import Configuration

PING_SECONDS = 15.0
"""Two pings without an answer end a connection."""
STAND_SECONDS = 30.0
"""How long connecting may take, subscriptions included."""
_CLOSE_SECONDS = 1.0
_KEPT = 50
"""Rows ccxt may keep of each stream; nobody reads them."""
_REFUSED = {418, 429, 403, 451}
_BANNED = 418
_REFUSED_FOR = timedelta(seconds=60)
"""How long listening waits where a door is shut without a word of how long."""


class Ears(Protocol):
    """Who is told what was heard."""

    def standing(self) -> None:
        """All that is listened to has been connected."""

    def candle(self, symbol: str, opened_at: datetime, volume: float) -> None:
        """The newest candle of a symbol, as it grows."""

    def account(self) -> None:
        """Something happened to an order, a position or the wallet."""


class Listener:
    """Candles of some symbols, and orders and positions of the account where there is a key."""

    def __init__(
        self,
        rest: Any,
        venue: StreamingVenue,
        origin: str,
        symbols: tuple[str, ...],
        timeframe: str,
    ) -> None:
        self._rest = rest
        self.venue = venue
        self._origin = origin
        self._pairs = [[symbol, timeframe] for symbol in symbols]
        self._timeframe = timeframe
        self._api: Any = None
        self._timers: list[asyncio.TimerHandle] = []
        self._ended: asyncio.Future[None] | None = None
        self.private = bool(rest.apiKey)
        self.overheard: Callable[[str, Any], None] = lambda *_: None
        """Told of each message as it came, and over which connection."""

    async def listen(self, ears: Ears) -> None:
        """Until something ends it. Raises ``Temporary`` or ``Operational``, saying what."""
        async with session_apart(self._rest.session, self._origin) as http:
            await self._listen(self._made(http), ears)

    async def _listen(self, api: Any, ears: Ears) -> None:
        self._api, self._ended = api, asyncio.get_running_loop().create_future()
        work: list[Coroutine[Any, Any, None]] = [self._candles(ears), self._stand(ears)]
        if self.private:
            work += [self._hear(api.watch_orders, ears), self._hear(api.watch_positions, ears)]
        tasks = [asyncio.ensure_future(one) for one in (*work, self._ended)]
        try:
            with Failures(api, self.venue.codes).reading("listen to the venue"):
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
                self._mind(done)
        finally:
            for task in tasks:
                task.cancel()
            await self._forget(api)
            await asyncio.gather(*tasks, return_exceptions=True)

    def _made(self, http: aiohttp.ClientSession) -> Any:
        """A listening object: same key, same markets, and timers we can stop.

        Each time a new one with connections of its own. What ccxt leaves behind where listening
        fails (a dial goes on although nobody waits for it) ends with them, and never takes one
        that an order needs.
        """
        rest, name = self._rest, self.venue.facts.ccxt_id
        module = importlib.import_module(f"ccxt.pro.{name}")
        kept = dict.fromkeys(("ordersLimit", "tradesLimit", "OHLCVLimit"), _KEPT)
        api = getattr(module, name)(
            {
                "apiKey": rest.apiKey,
                "secret": rest.secret,
                "password": rest.password,
                "session": http,
                "asyncio_loop": asyncio.get_running_loop(),
                "timeout": rest.timeout,
                "enableRateLimit": True,
                "userAgent": rest.userAgent,
                "newUpdates": True,
                "streaming": {"keepAlive": int(PING_SECONDS * 1000)},
                "options": {**self.venue.options, **self.venue.stream_options, **kept},
            }
        )
        api.ssl_context, api.timeout_on_exit = False, 0
        api.has["fetchCurrencies"] = False
        self.venue.prepare(api)
        api.urls["api"] = {**api.urls["api"], **_addresses(rest)}
        self.venue.aim(api, self._origin)
        api.set_markets_from_exchange(rest)
        self._overhear(api)
        return api

    def _overhear(self, api: Any) -> None:
        """An error in reading a message, or a venue's own word, must not end in silence."""
        read, later = api.handle_message, api.delay

        def handle(client: Any, message: Any) -> None:
            if api is not self._api:
                return  # of a connection that was given up
            self.overheard(client.url, message)
            if self.venue.ends_listening(message):
                self._end(Temporary("the venue ended the listen key"))
            try:
                read(client, message)
            except Exception as error:  # noqa: BLE001 - whatever it is, the stream is over
                self._end(Temporary(f"a message could not be read: {type(error).__name__}"))

        def delay(milliseconds: float, method: Callable[..., Any], *more: Any) -> None:
            self._timers.append(later(milliseconds, method, *more))

        api.handle_message, api.delay = handle, delay

    def _end(self, error: Temporary) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_exception(error)

    async def _candles(self, ears: Ears) -> None:
        while True:
            found = await self._api.watch_ohlcv_for_symbols(self._pairs)
            for symbol, by_timeframe in found.items():
                newest = max(by_timeframe[self._timeframe], key=lambda row: row[0])
                opened_at = datetime.fromtimestamp(newest[0] / 1000, UTC)
                ears.candle(symbol, opened_at, float(newest[5]))

    async def _hear(self, watch: Callable[[], Awaitable[object]], ears: Ears) -> None:
        while True:
            await watch()
            ears.account()

    async def _stand(self, ears: Ears) -> None:
        """Tell once every connection stands, or that one never did."""
        wanted, deadline = 2 if self.private else 1, time.monotonic() + STAND_SECONDS
        while True:
            sockets = [one for url, one in self._api.clients.items() if url.startswith("ws")]
            if len(sockets) >= wanted and all(one.isConnected for one in sockets):
                ears.standing()
                return
            if time.monotonic() > deadline:
                raise Temporary(f"no connection within {STAND_SECONDS:.0f} s")
            await asyncio.sleep(0.05)

    def _mind(self, done: Iterable[asyncio.Future[Any]]) -> None:
        """Raise what ended it. A door that was shut is not knocked at for a while.

        Requests keep off as well only where the address is banned, and for as long as the venue
        says: an exit must not wait because somebody was turned away from the streams alone.
        """
        for task in done:
            error = task.exception()
            if error is None:
                continue
            refused = error.args[0] if error.args else None
            if isinstance(refused, aiohttp.WSServerHandshakeError) and refused.status in _REFUSED:
                now = datetime.now(UTC)
                said = wait_until("", refused.headers or {}, now)
                until = said or now + _REFUSED_FOR
                if refused.status == _BANNED and said is not None:
                    hold(self._rest.session, until)
                raise Temporary(f"the venue refuses streams with {refused.status}", until)
            raise error

    async def _forget(self, api: Any) -> None:
        """Close what is open, and stop what would still be done with it later."""
        self._api = None
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await api.close()  # which never opens a session of its own again


def listener_of(
    configuration: Configuration, rest: Any, venue: Venue, base: str, timeframe: str
) -> Listener | None:
    """For what ``connect`` made; ``None`` where streams are off or the venue has none for us."""
    origin = venue.stream_origin(base) if configuration.streams else None
    if origin is None or not isinstance(venue, StreamingVenue):
        return None
    return Listener(rest, venue, origin, configuration.symbols, timeframe)


def _addresses(rest: Any) -> dict[str, Any]:
    """Where its requests go: exactly where those of the proven object do."""
    return {name: url for name, url in rest.urls["api"].items() if isinstance(url, str)}
