"""Checked at each wake, before any trading: clock, address, key, instruments, records."""

from __future__ import annotations

from runner.bench import Bench
from runner.desk import Desk
from runner.errors import RunnerError
from runner.protocol import Check, Preflight
from runner.reconcile import reconcile

MOST_SKEW_MS = 1000


async def preflight(bench: Bench, desk: Desk, address: str, source: str | None) -> Preflight:
    """Run every check; one that fails does not hide the next.

    ``address`` is the bot's reserved address as the platform knows it, ``source`` the one this
    process binds its connections to.
    """
    checks: list[Check] = []
    skew: int | None = None
    seen: str | None = None
    account: str | None = None
    try:
        skew = await _skew_ms(bench)
        checks.append(_clock_check(skew))
        seen = await bench.market.address()
        checks.append(address_check(seen, address, source))
        checks += _instrument_checks(bench)
        keyed = await bench.broker.check(bench.configuration.symbols)
        checks += keyed
        if not any(check.ok is False for check in keyed):
            account = await bench.broker.account_id()
        # Also when a check failed: a position that is there must be found and looked after.
        checks.append(await reconcile(bench, desk))
    except RunnerError as error:
        checks.append(Check("venue", False, str(error)))
    passed = not any(check.ok is False for check in checks)
    return Preflight(passed, tuple(checks), seen, skew, account)


async def _skew_ms(bench: Bench) -> int:
    """Venue time minus ours, seen from the middle of the request."""
    before = bench.clock.now()
    venue = await bench.market.time()
    middle = before + (bench.clock.now() - before) / 2
    return round((venue - middle).total_seconds() * 1000)


def _clock_check(skew: int) -> Check:
    good = abs(skew) <= MOST_SKEW_MS
    cure = "" if good else "; set the machine's clock by NTP"
    return Check("clock", good, f"{skew:+d} ms against the venue{cure}")


def address_check(seen: str | None, address: str, source: str | None) -> Check:
    """Whether the venue sees the bot's own address."""
    if seen is None:
        return Check("address", None, "this venue does not tell which address it sees")
    expected = address or source
    if expected and seen != expected:
        return Check("address", False, f"the venue sees {seen}, the bot's address is {expected}")
    return Check("address", True, f"the venue sees {seen}")


def _instrument_checks(bench: Bench) -> list[Check]:
    checks = []
    for symbol in bench.configuration.symbols:
        rules = bench.market.instrument(symbol)
        detail = (
            f"{symbol}: tick {rules.tick:f}, lot {rules.step:f}, "
            f"minimum {rules.min_notional:f} {rules.quote}"
        )
        checks.append(Check("instrument", True, detail))
    return checks
