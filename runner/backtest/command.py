"""``python -m runner backtest``: JSON on stdin, the result's JSON on stdout, progress on stderr.

Progress is one JSON object a line. SIGTERM and SIGINT cancel. A failure ends with status 2 and a
JSON object on stdout that names the component and the field: the one place that has to change.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TextIO

from runner.backtest import chance, forward, grid, parity, preview, seen
from runner.backtest.lane import moment
from runner.backtest.request import Refused, Request, read
from runner.backtest.result import digest_of, pinned
from runner.backtest.run import Tell, histories, instruments, learn, obtain, replayed, simulate
from runner.code.engine import is_code
from runner.code.process import CodeFault
from runner.errors import Operational, RunnerError, Temporary
from runner.history.files import Files, Series
from runner.history.reading import History
from runner.metrics import Period
from runner.protocol import CODE_ALLOWED
from runner.strategy.spec import TIMEFRAMES

CANCELLED, FAILED = 3, 2
_MOST_INPUT = 8_000_000


class Cancelled(BaseException):
    """A signal asked for an end; nothing but ``main`` may catch it."""


def main(source: TextIO, answer: TextIO, errors: TextIO) -> int:
    """Run one request; the exit status."""

    def tell(step: str, done: int, of: int) -> None:
        errors.write(json.dumps({"step": step, "done": done, "of": of}) + "\n")
        errors.flush()

    told, status = _answered(source, tell, errors)
    json.dump(told, answer, sort_keys=True, separators=(",", ":"))
    return status


def _answered(source: TextIO, tell: Tell, errors: TextIO) -> tuple[dict[str, Any], int]:
    """The answer to what is asked, or to why it cannot be answered."""
    try:
        return run(_plain(source), tell), 0
    except Cancelled:
        return _failure("request", "", "cancelled", "cancelled"), CANCELLED
    except MemoryError:
        text = "not enough memory; choose a shorter period or a longer time frame"
        return _failure("request", "since", text, "refused"), FAILED
    except RunnerError as error:
        return _refusal(error), FAILED
    except Exception as error:  # noqa: BLE001 - whoever waits for an answer gets one
        traceback.print_exc(file=errors)
        text = f"the backtest failed: {type(error).__name__}: {error}"
        return _failure("backtest", "", text, "failed"), FAILED


def _refusal(error: RunnerError) -> dict[str, Any]:
    if isinstance(error, Refused):
        return _failure(error.component, error.field, str(error), "refused")
    if isinstance(error, CodeFault):
        place = error.hook if error.line is None else f"line {error.line}"
        return _failure("code", place, str(error), "refused")
    if isinstance(error, Temporary):
        return _failure("history", "", f"{error}; try again later", "unreachable")
    return _failure("history", "", str(error), "refused")


def run(plain: Any, tell: Tell) -> dict[str, Any]:
    """The answer to a request. Raises ``Refused``, ``Temporary`` or ``Operational``."""
    request = read(plain)
    if is_code(request.rules) and os.environ.get(CODE_ALLOWED) != "1":
        raise Refused("code", "", "code strategies are not allowed here")
    mode, options = plain.get("mode", "single"), plain.get("options") or {}
    if mode not in (*_MODES, _PARITY):
        raise Refused("request", "mode", f"choose one of {', '.join((*_MODES, _PARITY))}")
    if mode == "preview" and len(request.symbols) != 1:
        raise Refused("request", "symbols", "a preview is of one symbol")
    if mode in _GRIDS:
        plan = grid.plan_of(options, request.rules)
        request = replace(request, warm=grid.longest_warmup(request, plan))
    if request.recording is not None:
        if mode != "single":
            raise Refused("request", "mode", "a recording can only be run through once: single")
        told = {"result": replayed(request, request.recording, tell).plain()}
    elif mode == _PARITY:
        told = _parity(request, options, tell)
    else:
        request, found = _histories(request, tell)
        told = _MODES[mode](request, options, found, tell)
    whole = {"ok": True, "mode": mode, **told}
    return {**whole, "digest": digest_of(whole)}


def _histories(request: Request, tell: Tell) -> tuple[Request, list[History]]:
    """From the files; what they lack is fetched first, as far as the venue has it.

    In whole candles, whether they were kept or not: else a repeat would give other figures.
    """
    first, last = request.period
    request = replace(request, since=moment(first), until=moment(last))
    try:
        instruments(request)
        return request, histories(request)
    except Operational:
        asyncio.run(obtain(request, datetime.now(UTC), tell))
    known = _known(request)
    return known, histories(known)


def _known(request: Request) -> Request:
    """The request up to where the venue has shown candles: the newest may come late."""
    files, timeframe = Files(request.folder), request.rules["timeframe"]
    ends = [
        files.end(Series(request.exchange, symbol, timeframe), request.period[1])
        for symbol in request.symbols
    ]
    until = min(request.until, datetime.fromtimestamp(min(ends), UTC))
    if until <= request.since:
        raise Refused("request", "since", "the venue has no candles of this period yet")
    return replace(request, until=until)


def _single(
    request: Request, _options: dict[str, Any], found: list[History], tell: Tell
) -> dict[str, Any]:
    return {"result": simulate(request, found, instruments(request), tell).plain()}


def _preview(
    request: Request, _options: dict[str, Any], found: list[History], tell: Tell
) -> dict[str, Any]:
    return {"preview": preview.told(simulate(request, found, instruments(request), tell))}


def _monte_carlo(
    request: Request, options: dict[str, Any], found: list[History], tell: Tell
) -> dict[str, Any]:
    runs = options.get("runs", 1000)
    if not isinstance(runs, int) or not 1 <= runs <= chance.MOST_RUNS:
        raise Refused("options", "runs", f"must be from 1 to {chance.MOST_RUNS:,}")
    result = simulate(request, found, instruments(request), tell)
    nets = [float(trade.closed.net) for trade in result.trades]
    period = Period(request.since, request.until)
    told = chance.monte_carlo(nets, float(request.balance), runs, request.seed, period)
    return {"result": result.plain(), "monte_carlo": told}


def _sweep(
    request: Request, options: dict[str, Any], found: list[History], tell: Tell
) -> dict[str, Any]:
    told = pinned(request, instruments(request), found)
    return {
        "pinned": told,
        "sweep": grid.sweep(request, grid.plan_of(options, request.rules), found, tell),
    }


def _walk_forward(
    request: Request, options: dict[str, Any], found: list[History], tell: Tell
) -> dict[str, Any]:
    plan, told = grid.plan_of(options, request.rules), pinned(request, instruments(request), found)
    walked = forward.walk_forward(request, plan, options, found, tell)
    return {"pinned": told, "walk_forward": walked}


def _parity(request: Request, options: Any, tell: Tell) -> dict[str, Any]:
    """What a bot concluded judged again, and a backtest on the candles it saw."""
    found = seen.read(options, request)
    try:
        rules = instruments(request)
    except Operational:
        asyncio.run(learn(request))
        rules = instruments(request)
    again = parity.compared(request, found, tell)
    span = TIMEFRAMES[request.rules["timeframe"]]
    stretch = replace(parity.period(request, found), windows=seen.windows(found, span))
    result = simulate(stretch, [one.history(request) for one in found if one.candles], rules, tell)
    return {"parity": again, "result": result.plain()}


_PARITY = "parity"
_GRIDS = ("sweep", "walk_forward")
_Mode = Callable[[Request, dict[str, Any], list[History], Tell], dict[str, Any]]
_MODES: dict[str, _Mode] = {
    "single": _single,
    "preview": _preview,
    "sweep": _sweep,
    "walk_forward": _walk_forward,
    "monte_carlo": _monte_carlo,
}


def _plain(source: TextIO) -> Any:
    text = source.read(_MOST_INPUT + 1)
    if len(text) > _MOST_INPUT:
        raise Refused("request", "", "the request is too large")
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused("request", "", f"the request is no JSON: {error}") from error


def _failure(component: str, field: str, text: str, kind: str) -> dict[str, Any]:
    return {
        "ok": False,
        "error": {"kind": kind, "component": component, "field": field, "message": text},
    }


def command() -> int:
    """On the standard streams, until a signal."""

    def cancel(_number: int, _frame: object) -> None:
        raise Cancelled

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, cancel)
    return main(sys.stdin, sys.stdout, sys.stderr)
