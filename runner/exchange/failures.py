"""Sorts ccxt's exceptions into: nothing happened, refused for good, or nobody knows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import aiohttp
from ccxt.base import errors as ccxt

from runner.errors import Operational, RunnerError, Temporary, UnknownOutcome

# Binance's error list: -1006 and -1007 mean "execution status unknown"; -4116 says an order with
# this client id exists already, so an earlier attempt arrived. Either way the order must be read.
_UNKNOWN_CODES = ('"code":-1006', '"code":-1007', '"code":-4116')
# -1016, a venue that is shut for maintenance, which ccxt takes for a bad request.
_NOT_NOW_CODES = ('"code":-1016',)
_NOT_SENT = (ccxt.RateLimitExceeded, ccxt.DDoSProtection, ccxt.InvalidNonce)
_UNREADABLE = (ccxt.BadResponse, ccxt.NullResponse)


@contextlib.contextmanager
def reading(what: str) -> Iterator[None]:
    """Errors of a request that changes nothing: ``Temporary`` or ``Operational``."""
    try:
        yield
    except RunnerError:
        raise
    except (ccxt.OperationFailed, ccxt.NullResponse, TimeoutError, aiohttp.ClientError) as error:
        raise Temporary(_text(what, error)) from error
    except ccxt.BaseError as error:
        passing = _broken_off(error) or _says(error, _NOT_NOW_CODES)
        kind = Temporary if passing else Operational
        raise kind(_text(what, error)) from error


@contextlib.contextmanager
def writing(what: str) -> Iterator[None]:
    """Errors of a request that moves an order; anything unproven is ``UnknownOutcome``."""
    try:
        yield
    except RunnerError:
        raise
    except ccxt.BaseError as error:
        raise _of_write(what, error) from error
    except (
        TimeoutError,
        OSError,
        aiohttp.ClientError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        # An answer ccxt could not read is still an answer: the order may well exist.
        raise UnknownOutcome(_text(what, error)) from error


def _of_write(what: str, error: ccxt.BaseError) -> RunnerError:
    text = _text(what, error)
    if _says(error, _UNKNOWN_CODES):
        return UnknownOutcome(text)
    if isinstance(error.__cause__, aiohttp.ClientConnectorError):
        return Temporary(text)
    if isinstance(error, _NOT_SENT) or _says(error, _NOT_NOW_CODES):
        return Temporary(text)
    # The venue itself refused only where the error is its own.
    own = isinstance(error, ccxt.ExchangeError) and not isinstance(error, _UNREADABLE)
    if own and not _broken_off(error):
        return Operational(text)
    return UnknownOutcome(text)


def _says(error: ccxt.BaseError, codes: tuple[str, ...]) -> bool:
    said = str(error).replace(" ", "")
    return any(code in said for code in codes)


def _broken_off(error: ccxt.BaseError) -> bool:
    """Whether no whole answer came, which ccxt words as a plain ExchangeError of the venue."""
    return isinstance(error.__cause__, aiohttp.ClientError)


def _text(what: str, error: BaseException) -> str:
    """One line without the query string, which may hold a signature."""
    said = str(error).split("?", 1)[0][:300]
    return f"{what}: {type(error).__name__} {said}".strip()
