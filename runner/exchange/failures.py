"""Sorts a venue's refusals into: nothing happened, refused for good, or nobody knows."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from ccxt.base import errors as ccxt

from runner.errors import Operational, RunnerError, Temporary, UnknownOutcome
from runner.exchange.causes import MAY_HAVE_HAPPENED, PASSING, SENTENCES, Cause
from runner.exchange.numbers import NoNumber
from runner.exchange.transport import hold

_UNREADABLE = (ccxt.BadResponse, ccxt.NullResponse)
# An answer that cannot be read this way is still an answer: the order may well exist.
_UNREAD = (TimeoutError, OSError, aiohttp.ClientError, LookupError, TypeError, ValueError)
_CODE = re.compile(r'"(?:sCode|retCode|ret_code|code)"\s*:\s*"?(-?\d+)"?')
_SAID = re.compile(r'"(?:sMsg|retMsg|ret_msg|msg)"\s*:\s*"([^"]+)"')
_WAIT = re.compile(r"retry-after$|x-ratelimit-retry-after(-|$)")
_BANNED_UNTIL = re.compile(r"banned until (\d{13})")
_TURNED_AWAY = re.compile(r"(?:GET|POST|PUT|DELETE) \S+ (?:403|451) ")
_LONGEST_WAIT = timedelta(days=3)
_DOOR_WAIT = timedelta(seconds=10)
"""Where the door was shut without a word of how long: short, for an exit may be waiting."""
_CLASSES: tuple[tuple[type[Exception], Cause], ...] = (
    (ccxt.RateLimitExceeded, Cause.RATE),
    (ccxt.DDoSProtection, Cause.RATE),
    (ccxt.InvalidNonce, Cause.CLOCK),
    (ccxt.OrderNotFound, Cause.GONE),
    (ccxt.OnMaintenance, Cause.MAINTENANCE),
    (ccxt.AccountSuspended, Cause.ACCOUNT),
    (ccxt.PermissionDenied, Cause.PERMISSION),
    (ccxt.AuthenticationError, Cause.KEY_REFUSED),
)


class Gone(Operational):
    """The venue says that there is no such order."""


@dataclass(frozen=True)
class Failures:
    """Puts the errors of one venue's ccxt object into the runner's words.

    ``codes`` is the venue's own list: what stands in it goes before the class ccxt chose.
    """

    exchange: Any
    codes: Mapping[str, Cause]

    @contextlib.contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Errors of a request that changes nothing: ``Temporary``, ``Gone``, ``Operational``."""
        try:
            yield
        except RunnerError:
            raise
        except (TimeoutError, aiohttp.ClientError) as error:
            raise Temporary(_text(what, error)) from error
        except ccxt.BaseError as error:
            raise self._of_read(what, error) from error
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise Temporary(f"{what}: the venue's answer has another shape: {error!r}") from error

    @contextlib.contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """Errors of a request that moves an order; anything unproven is ``UnknownOutcome``."""
        try:
            yield
        except NoNumber as error:
            raise UnknownOutcome(f"{what}: {error}") from error
        except RunnerError:
            raise
        except ccxt.BaseError as error:
            raise self._of_write(what, error) from error
        except (*_UNREAD, AttributeError, ArithmeticError) as error:
            raise UnknownOutcome(_text(what, error)) from error

    def _of_read(self, what: str, error: ccxt.BaseError) -> RunnerError:
        cause = self._cause(error)
        if cause in PASSING or cause in MAY_HAVE_HAPPENED:
            return self._temporary(what, error, cause)
        if cause is not None:
            return (Gone if cause is Cause.GONE else Operational)(_sentence(what, error, cause))
        passing = isinstance(error, ccxt.OperationFailed | ccxt.NullResponse) or _broken_off(error)
        return (Temporary if passing else Operational)(_text(what, error))

    def _of_write(self, what: str, error: ccxt.BaseError) -> RunnerError:
        cause = self._cause(error)
        if cause in MAY_HAVE_HAPPENED:
            self._wait(error, cause)
            return UnknownOutcome(_sentence(what, error, cause))
        if cause in PASSING:
            return self._temporary(what, error, cause)
        if cause is not None:
            return (Gone if cause is Cause.GONE else Operational)(_sentence(what, error, cause))
        if isinstance(error.__cause__, aiohttp.ClientConnectorError):
            return Temporary(_text(what, error))
        # Only a refusal ccxt knows the meaning of is one: a bare ExchangeError may be anything.
        own = isinstance(error, ccxt.ExchangeError) and not isinstance(error, _UNREADABLE)
        if own and type(error) is not ccxt.ExchangeError and not _broken_off(error):
            return Operational(_text(what, error))
        return UnknownOutcome(_text(what, error))

    def _cause(self, error: ccxt.BaseError) -> Cause | None:
        for code in _codes(error):
            if code in self.codes:
                return self.codes[code]
        if _broken_off(error):
            return None
        found = next((cause for kind, cause in _CLASSES if isinstance(error, kind)), None)
        if found is None and _TURNED_AWAY.search(str(error)):
            return Cause.TURNED_AWAY
        if found is None and isinstance(error, ccxt.InvalidOrder) and not _codes(error):
            return Cause.PRECISION  # ccxt itself found that nothing is left of it once rounded
        return found

    def _temporary(self, what: str, error: ccxt.BaseError, cause: Cause | None) -> Temporary:
        return Temporary(_sentence(what, error, cause), self._wait(error, cause))

    def _wait(self, error: ccxt.BaseError, cause: Cause | None) -> datetime | None:
        """Where the venue says from when on it listens again, nothing is sent until then."""
        if cause not in (Cause.RATE, Cause.TURNED_AWAY):
            return None
        now = datetime.now(UTC)
        headers = getattr(self.exchange, "last_response_headers", None) or {}
        retry_at = wait_until(str(error), headers, now)
        if retry_at is None and _TURNED_AWAY.search(str(error)):
            retry_at = now + _DOOR_WAIT
        if retry_at is not None:
            hold(self.exchange.session, retry_at)
        return retry_at


def wait_until(said: str, headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When to ask again, from whatever the venue told it by.

    Retry-After, or Phemex's header for each group of requests, in seconds; a reset header of Bybit
    or KuCoin or Binance's "banned until", in milliseconds.
    """
    given = {name.lower(): value for name, value in headers.items()}
    found = [
        now + timedelta(seconds=min(int(seconds), _LONGEST_WAIT.total_seconds()))
        for name, seconds in given.items()
        if _WAIT.match(name) and seconds.isascii() and seconds.isdigit()
    ]
    left = given.get("gw-ratelimit-reset", "")
    if left.isascii() and left.isdigit():
        found.append(now + min(timedelta(milliseconds=int(left[:12])), _LONGEST_WAIT))
    banned = _BANNED_UNTIL.search(said)
    reset = given.get("x-bapi-limit-reset-timestamp", "")
    for milliseconds in (banned[1] if banned else "", reset):
        if milliseconds.isascii() and milliseconds.isdigit():
            until = int(milliseconds) / 1000
            wait = min(until - now.timestamp(), _LONGEST_WAIT.total_seconds())
            found.append(now + timedelta(seconds=wait))
    later = [moment for moment in found if moment > now]
    return max(later, default=None)


def _codes(error: ccxt.BaseError) -> list[str]:
    """Every code in the answer; an order's own (OKX's sCode) says more than the envelope's."""
    said = str(error)
    inner = [code for code in re.findall(r'"sCode"\s*:\s*"(\d+)"', said) if code != "0"]
    return [*inner, *(code for code in _CODE.findall(said) if code not in ("0", *inner))]


def _broken_off(error: ccxt.BaseError) -> bool:
    """Whether no whole answer came, which ccxt words as a plain ExchangeError of the venue."""
    return isinstance(error.__cause__, aiohttp.ClientError)


def _sentence(what: str, error: ccxt.BaseError, cause: Cause | None) -> str:
    """The cause in our words, then what the venue said in its own."""
    assert cause is not None
    codes, said = _codes(error), _SAID.search(str(error))
    words = " ".join([*codes[:1], said[1][:200].strip() if said else ""]).strip()
    return f"{what}: {SENTENCES[cause]}" + (f" (the venue says {words})" if words else "")


def _text(what: str, error: BaseException) -> str:
    """One line without the query string, which may hold a signature."""
    said = str(error).split("?", 1)[0][:300]
    return f"{what}: {type(error).__name__} {said}".strip()
