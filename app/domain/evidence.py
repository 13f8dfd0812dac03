"""What a bot has shown so far, on paper and testnet: days, trades, errors, its worst fall."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from app.domain.going_live import Line, Standing
from app.extensions import db
from app.models import (
    Bot,
    CashFlow,
    EquityPoint,
    Machine,
    OrderRow,
    Run,
    RunnerNotice,
    TradeRow,
    Workspace,
)
from app.models.trade import gain
from runner.protocol import FlowKind, Mode, OrderStatus

ENOUGH_DAYS, ENOUGH_TRADES = 7, 20
POINTS = 5_000
"""So many looks are read at a time."""
NEVER_RAN = "It has not run yet, so that says nothing."
NEVER_ON_PAPER = "It was not on paper yet, so that says nothing."
TRIED = (Mode.PAPER, Mode.TESTNET)
NOTHING = Decimal(0)


@dataclass
class Record:
    """Sums over the machines, trades, orders and notices of what it is now, while not live.

    What it earned is told apart by mode, and ``worst_fall`` is that of paper: prices of a testnet
    are its own, and what is earned there shows plumbing.

    Runs of another version or of other symbols are no evidence of it. ``since``: of the first.
    """

    since: datetime | None = None
    days: dict[Mode, set[date]] = field(default_factory=lambda: {mode: set() for mode in TRIED})
    awake: timedelta = timedelta()
    machines: int = 0
    unproven: int = 0
    trades: Counter[Mode] = field(default_factory=Counter)
    net: dict[Mode, Decimal] = field(default_factory=lambda: dict.fromkeys(TRIED, NOTHING))
    rejected: int = 0
    alarms: Counter[str] = field(default_factory=Counter)
    worst_fall: Decimal = NOTHING


def so_far(bot: Bot, now: datetime) -> Record:
    """The record of a bot, read from its rows."""
    record = Record()
    like_now = runs_like_now(bot)
    of_runs = [run.id for run in like_now]
    record.since = min((run.started_at for run in like_now), default=None)
    _count_machines(of_runs, record, now)
    for mode, side, cost, proceeds, fees, funding in db.session.execute(
        select(
            *(Run.mode, TradeRow.side, TradeRow.entry_notional, TradeRow.exit_notional),
            *(TradeRow.fees, TradeRow.funding),
        )
        .join(Run, Run.id == TradeRow.run_id)
        .where(TradeRow.run_id.in_(of_runs), TradeRow.closed_at.is_not(None))
    ):
        record.trades[mode] += 1
        record.net[mode] += gain(side, cost, proceeds) - fees + funding
    record.rejected = _count(OrderRow, of_runs, OrderRow.status == OrderStatus.REJECTED)
    codes = select(RunnerNotice.code, func.count()).where(
        RunnerNotice.run_id.in_(of_runs), RunnerNotice.level == "alarm"
    )
    for code, count in db.session.execute(codes.group_by(RunnerNotice.code)):
        record.alarms[code] = count
    on_paper = [run.id for run in like_now if run.mode is Mode.PAPER]
    record.worst_fall = max((_worst_fall(run) for run in on_paper), default=NOTHING)
    return record


def runs_like_now(bot: Bot) -> list[Run]:
    """Those of its present version and symbols that were not live."""
    query = select(Run).where(
        Run.bot_id == bot.id,
        Run.mode.in_(TRIED),
        Run.strategy_version_id == bot.strategy_version_id,
    )
    return [run for run in db.session.scalars(query) if run.symbols == bot.symbols]


def lines(bot: Bot, workspace: Workspace, record: Record) -> list[Line]:
    """The record as it is read before going live; nothing of it keeps a bot from that."""
    return [
        _time(record),
        _trades(record),
        _errors(record),
        _fall(bot, record),
        _uptime(record),
        _two_person(workspace),
    ]


def worst_fall(points: Iterable[tuple[datetime, Decimal]], flows: Iterable[Any]) -> Decimal:
    """The deepest fall below an earlier height; money that came or went is no gain and no loss.

    Both by time; ``flows`` are pairs of time and amount, positive when it came.
    """
    waiting = list(flows)
    moved, highest, worst = NOTHING, None, NOTHING
    for at, equity in points:
        while waiting and waiting[0][0] <= at:
            moved += waiting.pop(0)[1]
        own = equity - moved
        highest = own if highest is None else max(highest, own)
        worst = max(worst, highest - own)
    return worst


def _worst_fall(run_id: str) -> Decimal:
    """Over all looks of the run, which pass by in parts: there may be very many."""
    flows = select(CashFlow.at, CashFlow.amount).where(
        CashFlow.run_id == run_id,
        CashFlow.kind.in_([FlowKind.DEPOSIT, FlowKind.WITHDRAWAL]),
    )
    told = db.session.execute(flows.order_by(CashFlow.at, CashFlow.number)).all()
    points = select(EquityPoint.at, EquityPoint.equity).where(EquityPoint.run_id == run_id)
    passing = db.session.execute(
        points.order_by(EquityPoint.at), execution_options={"yield_per": POINTS}
    )
    return worst_fall(((at, equity) for at, equity in passing), told)


def _count_machines(of_runs: list[str], record: Record, now: datetime) -> None:
    query = (
        select(Run.mode, Machine.claimed_at, Machine.gone_at, Machine.proven_flat)
        .join(Run, Run.id == Machine.run_id)
        .where(Machine.run_id.in_(of_runs), Machine.claimed_at.is_not(None))
    )
    for mode, claimed_at, gone_at, proven in db.session.execute(query):
        since, until = claimed_at or now, gone_at or now
        record.machines += 1
        record.unproven += gone_at is not None and not proven
        record.awake += until - since
        for day in range((until.date() - since.date()).days + 1):
            record.days[mode].add(since.date() + timedelta(days=day))


def _count(kind: Any, of_runs: list[str], condition: Any) -> int:
    query = select(func.count()).select_from(kind).where(kind.run_id.in_(of_runs), condition)
    return db.session.scalar(query) or 0


def _time(record: Record) -> Line:
    paper, testnet = (len(record.days[mode]) for mode in TRIED)
    found = f"Awake on {_some(paper, 'day')} on paper and {_some(testnet, 'day')} on testnet."
    if record.since is not None:
        first = f"{record.since:%Y-%m-%d}"
        found += f" Since its first run with this version and these symbols, {first}."
    good = paper + testnet >= ENOUGH_DAYS
    cure = "" if good else "A week shows more than a day."
    return Line("time", "Days so far", _if(good), found, cure)


def _trades(record: Record) -> Line:
    paper, testnet = (
        f"{_some(record.trades[mode], 'closed trade')}, {record.net[mode]:+.2f} in quote currency"
        for mode in TRIED
    )
    found = f"On paper {paper} after fees."
    if record.trades[Mode.TESTNET]:
        found += f" On testnet {testnet}: prices there are its own, so that shows plumbing."
    good = record.trades[Mode.PAPER] >= ENOUGH_TRADES
    cure = "" if good else f"Fewer than {ENOUGH_TRADES} say little about a strategy."
    return Line("trades", "Trades", _if(good), found, cure)


def _errors(record: Record) -> Line:
    alarms = sum(record.alarms.values())
    found = f"{_some(record.rejected, 'order')} refused, {_some(alarms, 'alarm')}"
    often = ", ".join(code.replace("_", " ") for code, _ in record.alarms.most_common(3))
    found += f" ({often})." if often else "."
    if not record.machines:
        return Line("errors", "Errors", Standing.THINK, found, NEVER_RAN)
    good = not (record.rejected or alarms)
    cure = "" if good else "Read them under History before real money meets them."
    return Line("errors", "Errors", _if(good), found, cure)


def _fall(bot: Bot, record: Record) -> Line:
    found = f"On paper {record.worst_fall:.2f} below an earlier height, open profit included."
    bounds = [bot.limits.get(name) for name in ("max_drawdown", "max_daily_loss")]
    bound = next((Decimal(value) for value in bounds if value is not None), None)
    if bound is None:
        cure = "No limit stands against it yet."
        return Line("fall", "Worst drawdown", Standing.THINK, found, cure)
    if not record.days[Mode.PAPER]:
        return Line("fall", "Worst drawdown", Standing.THINK, found, NEVER_ON_PAPER)
    good = record.worst_fall <= bound
    cure = "" if good else f"That is more than the limit of {bound:f}: expect it to be reached."
    return Line("fall", "Worst drawdown", _if(good), f"{found} The limit is {bound:f}.", cure)


def _uptime(record: Record) -> Line:
    hours = int(record.awake.total_seconds() // 3600)
    found = f"{_some(hours, 'hour')} awake on {_some(record.machines, 'machine')}"
    if record.unproven:
        found += f", {record.unproven} of which went without proving that the bot was flat."
        return Line("uptime", "Machines", Standing.THINK, found, "Look under History why.")
    found += "; each that went was proven flat." if record.machines else "."
    return Line("uptime", "Machines", _if(record.machines > 0), found)


def _two_person(workspace: Workspace) -> Line:
    title = "Two-person rule"
    if workspace.two_person:
        return Line("two_person", title, Standing.GOOD, "On: another person has to approve.")
    cure = "It can be switched on under Settings, Security."
    return Line("two_person", title, Standing.THINK, "Off: one person decides alone.", cure)


def _some(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _if(good: bool) -> Standing:
    return Standing.GOOD if good else Standing.THINK
