"""Checked at each wake, before any trading: clock, address, key, instruments, records."""

from __future__ import annotations

from datetime import datetime, timedelta

from runner import terms
from runner.bench import Bench
from runner.desk import Desk
from runner.errors import Operational, RunnerError
from runner.exchange.base import Rights
from runner.exchange.transport import is_loopback
from runner.protocol import Check, Mode, Preflight
from runner.reconcile import reconcile

MOST_SKEW_MS = 1000
_SOON = timedelta(days=7)


async def preflight(bench: Bench, desk: Desk, address: str, source: str | None) -> Preflight:
    """Run every check; one that fails does not hide the next.

    ``address`` is the bot's reserved address as the platform knows it, ``source`` the one this
    process binds its connections to.
    """
    checks: list[Check] = []
    skew: int | None = None
    seen: str | None = None
    try:
        skew = await skew_ms(bench)
        checks.append(_clock_check(skew))
        seen = await bench.market.address()
        checks.append(_address_check(seen, address, source))
        checks += _instrument_checks(bench)
        checks += await bench.broker.check(bench.configuration.symbols)
        if not any(check.name == "key" and check.ok is False for check in checks):
            rights = await bench.broker.rights()
            if rights is not None:
                live = bench.configuration.mode is Mode.LIVE
                checks += rights_checks(rights, address or source, bench.clock.now(), live=live)
    except RunnerError as error:
        checks.append(Check("venue", False, str(error)))
    try:
        # Also when a check failed: a position that is there must be found and looked after.
        checks.append(await reconcile(bench, desk))
    except RunnerError as error:
        checks.append(Check("reconcile", False, str(error)))
    if not any(check.ok is False for check in checks):
        checks += await _terms(bench, desk)
    passed = not any(check.ok is False for check in checks)
    return Preflight(passed, tuple(checks), seen, skew)


async def _terms(bench: Bench, desk: Desk) -> list[Check]:
    """Last, as leverage is set where nothing is held, and that must be known."""
    try:
        return await terms.check(bench, desk)
    except RunnerError as error:
        return [Check("leverage", False, str(error))]


async def skew_ms(bench: Bench) -> int:
    """Venue time minus ours, seen from the middle of the request."""
    before = bench.clock.now()
    venue = await bench.market.time()
    middle = before + (bench.clock.now() - before) / 2
    return round((venue - middle).total_seconds() * 1000)


def _clock_check(skew: int) -> Check:
    good = abs(skew) <= MOST_SKEW_MS
    cure = "" if good else "; set the machine's clock by NTP"
    return Check("clock", good, f"{skew:+d} ms against the venue{cure}")


def _address_check(seen: str | None, address: str, source: str | None) -> Check:
    if seen is None:
        return Check("address", None, "this venue does not tell which address it sees")
    expected = address or source
    if expected and seen != expected:
        return Check("address", False, f"the venue sees {seen}, the bot's address is {expected}")
    return Check("address", True, f"the venue sees {seen}")


def _instrument_checks(bench: Bench) -> list[Check]:
    checks = []
    for symbol in bench.configuration.symbols:
        try:
            rules = bench.market.instrument(symbol)
        except Operational as error:
            checks.append(Check("instrument", False, str(error)))
            continue
        detail = (
            f"{symbol}: tick {rules.tick:f}, lot {rules.step:f}, "
            f"minimum {rules.min_notional:f} {rules.quote}"
        )
        checks.append(Check("instrument", True, detail))
    return checks


def rights_checks(rights: Rights, address: str | None, now: datetime, *, live: bool) -> list[Check]:
    """What a key may do, and for how long and from where; a live key must not withdraw.

    "account" carries the venue's own number of the account, by which two keys of one are told.
    """
    checks = [_trade_check(rights), _withdrawal_check(rights, live=live)]
    if rights.bound_addresses is not None:
        checks.append(_binding_check(rights.bound_addresses, address))
    if rights.expires_at is not None:
        checks.append(_expiry_check(rights.expires_at, now))
    if rights.account is not None:
        checks.append(Check("account", True, rights.account))
    return checks


def _trade_check(rights: Rights) -> Check:
    if rights.trade is None:
        return Check("trading right", None, "the venue does not tell here")
    words = "the key may trade" if rights.trade else "allow the key to trade contracts"
    return Check("trading right", rights.trade, words)


def _withdrawal_check(rights: Rights, *, live: bool) -> Check:
    name = "withdrawal right"
    if rights.withdraw is False:
        return Check(name, True, "the key may not withdraw")
    if rights.withdraw:
        words = "the key may withdraw; make one that may not"
        return Check(name, False if live else None, words)
    words = "the venue does not tell whether the key may withdraw"
    return Check(name, False if live else None, words)


def _binding_check(bound: tuple[str, ...], address: str | None) -> Check:
    if not bound:
        words = "the key works from every address; bind it to the bot's, or it may lapse"
        return Check("key binding", None, words)
    if address is None or address in bound:
        return Check("key binding", True, f"the key is bound to {', '.join(bound)}")
    if is_loopback(address):
        # Beyond this machine nobody sees that address, and the venue has just taken the key.
        words = f"the key is bound to {', '.join(bound)}; the venue takes it from this machine"
        return Check("key binding", True, words)
    words = f"the key is bound to {', '.join(bound)}; add the bot's address {address}"
    return Check("key binding", False, words)


def _expiry_check(expires_at: datetime, now: datetime) -> Check:
    words = f"the key ends on {expires_at:%Y-%m-%d %H:%M} UTC"
    if expires_at <= now:
        return Check("key expiry", False, f"{words}; make a new one")
    soon = expires_at - now < _SOON
    return Check("key expiry", None if soon else True, words + ("; make a new one" if soon else ""))
