"""What a reader should doubt about a result, in words."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

from runner.backtest.account import Account
from runner.backtest.lane import moment
from runner.backtest.request import Request
from runner.history.funding import DAY
from runner.history.reading import History
from runner.strategy.registry import COMPONENTS, SECTIONS, enabled, listens

FEW_TRADES = 30
TRADES_PER_PARAMETER = 10
MOST_FEES = 50
BUSY = 20
Warning_ = dict[str, str]


def found(
    request: Request, account: Account, histories: list[History], equity: list[tuple[int, float]]
) -> list[Warning_]:
    """All that apply, the gravest first."""
    told = [
        *_outside(request),
        *_data(histories),
        *_account(account),
        *_trades(request, account),
        *_funding(request, histories),
        *_model(request, account, histories),
    ]
    if equity and equity[-1][1] <= 0:
        told.insert(0, _say("ruined", "The account lost everything; what follows means nothing."))
    return told


def _outside(request: Request) -> list[Warning_]:
    if not listens(request.rules):
        return []
    text = (
        "This strategy listens to external signals, and there is no history of any: here nothing "
        "was ever said outside, so no entry waits for it or is let through by it. Run it on paper "
        "to see what its signals do."
    )
    return [_say("no_signals", text)]


def _data(histories: list[History]) -> list[Warning_]:
    told = []
    for history in histories:
        if history.missing:
            whole = history.missing + len(history.columns)
            text = (
                f"{history.missing:,} of {whole:,} candles of {history.series.symbol} do not exist "
                f"at the venue ({len(history.gaps)} gaps). After a gap the strategy warms up anew."
            )
            told.append(_say("gaps", text))
    return told


def _account(account: Account) -> list[Warning_]:
    told = []
    if any(trade.closed.exit_reason == "liquidation" for trade in account.trades.closed):
        told.append(_say("liquidated", "A position was liquidated; size positions smaller."))
    for name in sorted({halt.breach.limit for halt in account.watch.halted}):
        first = next(halt for halt in account.watch.halted if halt.breach.limit == name)
        times = sum(halt.breach.limit == name for halt in account.watch.halted)
        text = f"The limit {name} was passed {times} times, first at {first.at:%Y-%m-%d %H:%M} UTC."
        told.append(_say("limit", text))
    if account.refusals:
        text = f"{len(account.refusals)} orders were refused, the first: {account.refusals[0][2]}."
        told.append(_say("refused", text))
    if account.trades.open:
        names = ", ".join(sorted(account.trades.open))
        text = f"At the end a position is open ({names}); its result is in the equity, in no trade."
        told.append(_say("open", text))
    return told


def _trades(request: Request, account: Account) -> list[Warning_]:
    closed, told = account.trades.closed, []
    count, free = len(closed), free_parameters(request.rules)
    if count < FEW_TRADES:
        text = (
            f"{count} closed trades are too few to tell skill from luck; {FEW_TRADES} are the "
            "least, a few hundred are better. Choose a longer period."
        )
        told.append(_say("few_trades", text))
    if 0 < count < free * TRADES_PER_PARAMETER:
        text = (
            f"{free} numbers can be chosen in this strategy and {count} trades judge them: a good "
            "result may be fitted to this period. Test it on one it was not chosen on."
        )
        told.append(_say("overfit", text))
    gross = sum((t.closed.net + t.closed.fees for t in closed if t.closed.net > 0), Decimal(0))
    fees = sum((t.closed.fees for t in closed), Decimal(0))
    if gross and fees * 100 > gross * MOST_FEES:
        text = f"Fees of {fees:.2f} take {fees * 100 / gross:.0f} % of what winning trades earned."
        told.append(_say("fees", text))
    days = max((request.until - request.since).days, 1)
    if count > BUSY * days:
        text = f"{count / days:.0f} trades a day: a slightly wider spread would change the result."
        told.append(_say("turnover", text))
    return told


def _funding(request: Request, histories: list[History]) -> list[Warning_]:
    """What is missing of what holding costs."""
    if request.recording is not None:
        return []
    if request.model.funding_rate is not None:
        if request.model.funding_rate:
            return []
        text = "Funding was taken as zero; leave the rate empty to pay what the venue settled."
        return [_say("no_funding", text)]
    told, (first, last) = list[Warning_](), request.period
    for history in histories:
        name, paid = history.series.symbol, history.funding
        times = [first, *(at for at, _ in paid.due(first, last))] if paid is not None else []
        if len(times) < 2:
            if last - first > DAY:
                text = (
                    f"{request.exchange} tells no funding rate of {name} in this period, so "
                    "holding cost nothing here. Write a rate to see what it may cost."
                )
                told.append(_say("no_funding", text))
            continue
        holes = [(a, b) for a, b in pairwise([*times, last]) if b - a > DAY]
        if holes:
            days = sum(b - a for a, b in holes) / DAY
            text = (
                f"Of {days:.0f} days {request.exchange} tells no funding rate of {name}, first "
                f"from {moment(holes[0][0]):%Y-%m-%d} on: holding cost nothing then."
            )
            told.append(_say("funding_gaps", text))
    return told


def _model(request: Request, account: Account, histories: list[History]) -> list[Warning_]:
    if request.recording is not None:
        return []
    told = []
    silent = without_rates(request, histories)
    if silent:
        text = (
            f"{', '.join(silent)}: nothing was known of what this reads, so nothing passes there. "
            "Candles have no open interest, and funding rates only as far as the venue tells them; "
            "test on a recording."
        )
        told.append(_say("no_rates", text))
    most = request.model.depth * request.model.levels
    largest = max((f.price * f.quantity for f in account.fills), default=Decimal(0))
    if largest * 2 > request.model.depth:
        text = (
            f"The largest fill of {largest:.0f} is more than half of what a level of the assumed "
            f"book shows ({most:.0f} in all); a real book may be thinner."
        )
        told.append(_say("depth", text))
    return told


def without_rates(request: Request, histories: list[History]) -> list[str]:
    """Titles of what reads a rate that was not there to be read."""
    entries = (entry for section in SECTIONS for entry in enabled(request.rules, section))
    reading = {entry["kind"] for entry in entries if COMPONENTS[entry["kind"]].group == "funding"}
    if request.model.funding_rate or any(it.funding for it in histories):
        reading = {kind for kind in reading if not kind.startswith("funding_")}
    return sorted(COMPONENTS[kind].title for kind in reading)


def free_parameters(rules: dict[str, Any]) -> int:
    """How many numbers a person could have turned."""
    return sum(
        len(COMPONENTS[entry["kind"]].parameters)
        for section in SECTIONS
        for entry in enabled(rules, section)
    )


def _say(code: str, text: str) -> Warning_:
    return {"code": code, "text": text}
