"""What a bot saw, concluded and earned on paper or testnet, put together for a backtest.

Of its present version and symbols alone, the newest of it, within bounds.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.domain import evidence, judged
from app.domain.code_rules import is_code
from app.domain.drift import Deal
from app.domain.judged import Conclusion
from app.domain.venues import known
from app.extensions import db
from app.models import Bot, CandleRow, EquityPoint, Machine, Run, TradeRow
from runner.protocol import Mode, Side
from runner.strategy import TIMEFRAMES, listens, warmup

MOST_CANDLES = 20_000
"""Judged ones that are looked at, the newest; over all symbols."""
MOST_TRADES = 1_000
SHOWN_AT_START = 300
"""Candles that a runner shows as it begins: as many as it kept for a chart."""


@dataclass(frozen=True)
class Stretch:
    """One look at a bot. ``request`` is what the runner is asked, without rules and files.

    ``paper``: its closed trades; ``unfinished``: symbol and deciding candle of open ones.
    """

    mode: Mode
    since: datetime
    until: datetime
    balance: Decimal
    request: dict[str, Any]
    paper: tuple[Deal, ...]
    unfinished: tuple[tuple[str, datetime], ...]


def span_of(rules: dict[str, Any]) -> timedelta:
    """The length of a candle."""
    return timedelta(seconds=TIMEFRAMES[rules["timeframe"]])


def hindrance(rules: dict[str, Any]) -> str:
    """Why no backtest can stand beside a bot with these rules; empty where one can."""
    if rules["market_type"] != "linear":
        return "Only strategies for linear markets can be compared with a backtest so far."
    if is_code(rules):
        return (
            "A class is judged again only on a recording, as nobody keeps what it knew when it "
            "began. Run a backtest of the same days, and look at both lists of trades."
        )
    if listens(rules):
        return (
            "It listens to external signals, and there is no history of any: a backtest hears "
            "nothing of what the bot was told."
        )
    return ""


def quote_of(bot: Bot) -> str:
    """The currency its results are in; by its symbols where its exchange is listed no more."""
    return known(bot.exchange).quote or bot.symbols[0].rpartition(":")[2]


def tried(bot: Bot) -> list[Run]:
    """All its runs on paper, or all on testnet where none was on paper; resets change nothing."""
    found = evidence.runs_like_now(bot)
    return [run for run in found if run.mode is Mode.PAPER] or found


def runs_of(bot: Bot) -> tuple[Mode, list[Run]]:
    """The runs to compare: those on paper since its balance was last reset, or those on testnet.

    One account is compared with one backtest; what was earned on a balance that is gone belongs to
    no equity of now.
    """
    found, reset = evidence.runs_like_now(bot), bot.paper_reset_at
    on_paper = [run for run in found if run.mode is Mode.PAPER]
    if not on_paper:
        return Mode.TESTNET, found
    return Mode.PAPER, [run for run in on_paper if reset is None or run.started_at >= reset]


def has_judged(bot: Bot) -> bool:
    """Whether there is anything to look at."""
    ids = [run.id for run in runs_of(bot)[1]]
    return any(judged.newest(bot, ids, symbol, 1) for symbol in bot.symbols)


def of(bot: Bot) -> Stretch | None:
    """What there is to look at; ``None`` where it has judged nothing yet."""
    mode, runs = runs_of(bot)
    ids = [run.id for run in runs]
    each = MOST_CANDLES // len(bot.symbols)
    found = {symbol: judged.newest(bot, ids, symbol, each) for symbol in bot.symbols}
    moments = [one.candle_at for rows in found.values() for one in rows]
    if not moments:
        return None
    since, until = min(moments), max(moments) + span_of(bot.version.rules)
    trades = _trades(ids, since)
    entered = _Entries(found, span_of(bot.version.rules))
    balance = _balance(runs, ids, since)
    seen = {
        symbol: {
            "candles": _candles(bot, symbol, rows),
            "judged": [_judged(one) for one in rows],
            "starts": _starts(ids),
            "held": [_held(it, entered.of(it)) for it in trades if it.symbol == symbol],
        }
        for symbol, rows in found.items()
    }
    request = {
        "exchange": bot.exchange,
        "symbols": bot.symbols,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "balance": f"{balance:f}",
        "quote": quote_of(bot),
        "limits": bot.limits,
        "rows": MOST_CANDLES,
        "options": {"seen": seen},
    }
    closed = tuple(_deal(it, entered.of(it)) for it in trades if it.closed_at is not None)
    still = tuple((it.symbol, entered.of(it)) for it in trades if it.closed_at is None)
    return Stretch(mode, since, until, balance, request, closed, still)


class _Entries:
    """Which candle decided a trade: the last one that closed before it and wanted an entry."""

    def __init__(self, found: dict[str, list[Conclusion]], span: timedelta) -> None:
        self._span = span
        self._at = {
            symbol: [it.candle_at for it in rows if it.action.startswith("enter")]
            for symbol, rows in found.items()
        }

    def of(self, trade: TradeRow) -> datetime:
        """That of a trade; the candle before its first fill where the bot told of none."""
        wanted = self._at[trade.symbol]
        place = bisect_right(wanted, trade.opened_at - self._span)
        if place:
            return wanted[place - 1]
        seconds = int(self._span.total_seconds())
        at = (int(trade.opened_at.timestamp()) // seconds - 1) * seconds
        return datetime.fromtimestamp(at, trade.opened_at.tzinfo)


def _candles(bot: Bot, symbol: str, rows: Sequence[Conclusion]) -> list[list[Any]]:
    """All that were seen from a warm-up before the first judged one on."""
    if not rows:
        return []
    rules = bot.version.rules
    before = (max(warmup(rules), SHOWN_AT_START) + 1) * span_of(rules)
    columns = (CandleRow.open, CandleRow.high, CandleRow.low, CandleRow.close, CandleRow.volume)
    query = select(CandleRow.opened_at, *columns).where(
        CandleRow.bot_id == bot.id,
        CandleRow.symbol == symbol,
        CandleRow.timeframe == rules["timeframe"],
        CandleRow.opened_at >= rows[0].candle_at - before,
        CandleRow.opened_at <= rows[-1].candle_at,
    )
    return [
        [int(at.timestamp()), *(f"{number:f}" for number in numbers)]
        for at, *numbers in db.session.execute(query.order_by(CandleRow.opened_at))
    ]


def _judged(one: Conclusion) -> list[Any]:
    at = int(one.candle_at.timestamp())
    return [at, one.action, f"{one.close:f}", one.values, one.fired]


def _starts(run_ids: list[str]) -> list[float]:
    query = select(Machine.claimed_at).where(
        Machine.run_id.in_(run_ids), Machine.claimed_at.is_not(None)
    )
    found = db.session.scalars(query.order_by(Machine.claimed_at))
    return [at.timestamp() for at in found if at is not None]


def _trades(run_ids: list[str], since: datetime) -> list[TradeRow]:
    """Those opened since, oldest first."""
    query = select(TradeRow).where(TradeRow.run_id.in_(run_ids), TradeRow.opened_at >= since)
    query = query.order_by(TradeRow.opened_at.desc(), TradeRow.number.desc()).limit(MOST_TRADES)
    return list(db.session.scalars(query))[::-1]


def _held(trade: TradeRow, decided: datetime) -> list[Any]:
    closed = None if trade.closed_at is None else trade.closed_at.timestamp()
    side = 1 if trade.side is Side.BUY else -1
    price = f"{trade.entry_price:f}"
    return [trade.opened_at.timestamp(), closed, side, price, int(decided.timestamp())]


def _deal(trade: TradeRow, decided: datetime) -> Deal:
    assert trade.closed_at is not None
    assert trade.exit_price is not None
    return Deal(
        symbol=trade.symbol,
        decided_at=decided,
        side=trade.side,
        quantity=trade.entered,
        entry_price=trade.entry_price,
        exit_price=trade.exit_price,
        fees=trade.fees,
        funding=trade.funding,
        net=trade.net,
        closed_at=trade.closed_at,
        id=trade.id,
    )


def _balance(runs: Sequence[Run], run_ids: list[str], since: datetime) -> Decimal:
    """What the account was worth as the stretch began: the last look before it, or the first."""
    points = select(EquityPoint.equity).where(EquityPoint.run_id.in_(run_ids))
    before = points.where(EquityPoint.at <= since).order_by(EquityPoint.at.desc()).limit(1)
    found = db.session.scalar(before)
    if found is None:
        found = db.session.scalar(points.order_by(EquityPoint.at).limit(1))
    return found or min(runs, key=lambda it: it.started_at).starting_balance
