"""Equity by day: deposits are no profit, and an account that two bots share counts once."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.analytics import days, report, scope
from app.extensions import db
from app.models import CashFlow, EquityDay
from runner.protocol import FlowKind, Mode
from tests import factories
from tests.factories import NOW

DAY = timedelta(days=1)
START = NOW - 5 * DAY


@pytest.fixture
def bot(app):
    return factories.bot(factories.organisation(), mode=Mode.PAPER)


def weigh(run, *values, start=START):
    """One value a day, at noon."""
    for number, value in enumerate(values):
        worth = {"first": Decimal(value), "low": Decimal(value), "last": Decimal(value)}
        keys = {"workspace_id": run.workspace_id, "bot_id": run.bot_id, "run_id": run.id}
        at = start + number * DAY
        db.session.add(EquityDay(**keys, day=at.date(), last_at=at, **worth))
    db.session.flush()


def move(run, amount, at, name="f1"):
    keys = {"workspace_id": run.workspace_id, "bot_id": run.bot_id, "run_id": run.id}
    kind = FlowKind.DEPOSIT if amount > 0 else FlowKind.WITHDRAWAL
    flow = {"flow_id": name, "kind": kind, "amount": Decimal(amount), "currency": "USDT"}
    db.session.add(CashFlow(**keys, **flow, at=at))
    db.session.flush()


def asked(bot, mode=Mode.PAPER):
    return scope.of(scope.Whose(bot.workspace_id), mode, None, None, NOW)


def test_a_deposit_is_no_profit(bot):
    run = factories.run(bot, now=START)
    weigh(run, 100, 110, 242, 100, 90)
    move(run, 110, START + 1.5 * DAY, "in")
    move(run, -142, START + 2.5 * DAY, "out")
    found = report.of(asked(bot)).curve
    assert found["return"].value == pytest.approx(100 * (1.1 * 1.1 * 0.9 - 1))
    assert found["equity_result"].value == 22
    assert [it.result for it in report.lines(asked(bot))] == [0, 10, 32, 32, 22]
    assert report.lines(asked(bot))[-1].drawdown == pytest.approx(-10)


def test_a_deposit_on_the_first_day_is_none_either(bot):
    run = factories.run(bot, now=START)
    weigh(run, 100)
    row = db.session.get_one(EquityDay, (run.id, START.date()))
    row.last = Decimal(160)
    move(run, 50, START - timedelta(hours=1))
    assert report.of(asked(bot)).curve["equity_result"].value == 10


def test_a_deposit_while_asleep_is_none_in_a_period_that_begins_that_day(bot):
    """The day's first word holds it already: what it came to is told by the day before."""
    run = factories.run(bot, now=START)
    weigh(run, 100, 110, 160, 165)
    move(run, 50, START + 1.6 * DAY)
    whole = scope.Whose(bot.workspace_id)
    late = scope.of(whole, Mode.PAPER, None, START + 2 * DAY, NOW)
    assert [(it.day, it.start, it.result) for it in days.of(late)] == [
        ((START + 2 * DAY).date(), 110, 0),
        ((START + 3 * DAY).date(), 160, 5),
    ]
    found = report.of(late).curve
    assert (found["equity_result"].value, found["equity_result"].sample) == (5, 2)
    assert found["max_drawdown"].value is None


def test_days_asleep_at_the_beginning_of_a_period_are_days_of_it(bot):
    run = factories.run(bot, now=START - 9 * DAY)
    weigh(run, 100, start=START - 9 * DAY)
    weigh(run, 90, 99, start=START)
    late = scope.of(scope.Whose(bot.workspace_id), Mode.PAPER, None, START - 2 * DAY, NOW)
    assert [it.result for it in days.of(late)] == [0, 0, -10, 9]


def test_runs_of_paper_are_accounts_of_their_own(bot):
    weigh(factories.run(bot, now=START), 100, 110)
    weigh(factories.run(bot, now=START), 1000, 990)
    found = days.of(asked(bot))
    assert [(it.start, it.result) for it in found] == [(1100, 0), (1100, 0)]
    assert not days.shared(asked(bot))


def test_an_account_that_two_bots_tell_of_counts_once(app, keys):
    from app.gateways.vault import Sealer

    workspace = factories.organisation()
    connection = factories.connection(workspace, Sealer(keys.public))
    bots = [
        factories.bot(workspace, mode=Mode.TESTNET, connection=connection, symbols=(symbol,))
        for symbol in ("BTC/USDT:USDT", "ETH/USDT:USDT")
    ]
    runs = [factories.run(bot, now=START, connection_id=connection.id) for bot in bots]
    for run in runs:
        weigh(run, 100, 160, 150)
        move(run, 50, START + DAY / 2, "same")
    found = asked(bots[0], Mode.TESTNET)
    assert [it.result for it in days.of(found)] == [0, 10, -10]
    assert days.shared(found)
