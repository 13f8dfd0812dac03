"""HTTP sessions that leave from the bot's address and reach only the hosts they were made for."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from yarl import URL

from runner import __version__
from runner.errors import Operational, Temporary

# One token per process lets whoever is called see that two runners act for one bot.
AGENT = f"plutarc-runner/{__version__} (boot {uuid.uuid4().hex[:12]})"


@dataclass(frozen=True)
class HeaderRule:
    """A header by which a venue with one host for both tells test money from real money.

    ``value``: what every request must carry; ``None`` where none may carry the header at all.
    """

    name: str
    value: str | None

    def fault(self, found: str | None) -> str | None:
        if found == self.value:
            return None
        wanted = f"{self.name}: {self.value}" if self.value else f"no {self.name}"
        return f"refused a request with {self.name}: {found}; this mode needs {wanted}"


def is_loopback(host: str | None) -> bool:
    """Whether a host is this very machine, as far as its name or number says."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


class HostGuard(aiohttp.TCPConnector):
    """Refuses a connection to any origin that was not named, redirects included.

    Refuses a request of the other mode as well, where a header makes the difference, and any
    request before ``held_until``, the moment from which on the venue listens again.
    """

    def __init__(
        self, origins: Iterable[str], rule: HeaderRule | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self._origins = frozenset(URL(origin).origin() for origin in origins)
        self._rule = rule
        self._options = options
        self.held_until: datetime | None = None
        self.reads_only = False

    def apart(self, more: str) -> HostGuard:
        """Connections of their own under the same rules, to ``more`` as well, held as these are."""
        made = HostGuard([*map(str, self._origins), more], self._rule, **self._options)
        made.held_until, made.reads_only = self.held_until, self.reads_only
        return made

    async def connect(
        self,
        req: Any,
        traces: Any,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the overridden method's signature
    ) -> aiohttp.connector.Connection:
        if req.url.origin() not in self._origins:
            raise Operational(f"refused to reach {req.url.origin()}: not a host of this mode")
        if self.reads_only and req.method != "GET":
            raise Operational(f"refused to send {req.method}: this key is only looked at")
        fault = self._rule.fault(req.headers.get(self._rule.name)) if self._rule else None
        if fault:
            raise Operational(fault)
        until = self.held_until
        if until is not None and datetime.now(UTC) < until:
            raise Temporary(f"the venue asked to wait until {until:%H:%M:%S} UTC", until)
        return await super().connect(req, traces, timeout)


def hold(session: aiohttp.ClientSession, until: datetime) -> None:
    """Send nothing over this session before ``until``: asking earlier only prolongs a ban."""
    connector = session.connector
    assert isinstance(connector, HostGuard)
    connector.held_until = max(until, connector.held_until or until)


def session_apart(own: aiohttp.ClientSession, more: str) -> aiohttp.ClientSession:
    """A session whose troubles are its own: ``own`` keeps its connections, and is not held by it.

    ``more`` is one origin that it reaches besides.
    """
    guard = own.connector
    assert isinstance(guard, HostGuard)
    return aiohttp.ClientSession(
        connector=guard.apart(more), timeout=own.timeout, trust_env=False, headers=own.headers
    )


def session(
    origins: Iterable[str],
    source_address: str | None,
    timeout_seconds: float,
    rule: HeaderRule | None = None,
) -> aiohttp.ClientSession:
    """A session bound to ``source_address``; proxies of the environment are ignored.

    From a loopback address nothing beyond this machine can be reached: to a host elsewhere the
    session leaves by whatever address this machine has there.
    """
    origins = tuple(origins)
    bound = source_address is not None and (
        not is_loopback(source_address) or all(is_loopback(URL(it).host) for it in origins)
    )
    connector = HostGuard(
        origins,
        rule,
        local_addr=(source_address, 0) if source_address and bound else None,
        limit=8,
        keepalive_timeout=30,
    )
    limit = aiohttp.ClientTimeout(total=timeout_seconds)
    return aiohttp.ClientSession(
        connector=connector, timeout=limit, trust_env=False, headers={"User-Agent": AGENT}
    )
