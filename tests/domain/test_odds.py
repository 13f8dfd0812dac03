"""What few trades say and do not say, in words that claim no more."""

import pytest

from app.domain import odds
from app.domain.odds import Tries
from app.extensions import db
from app.models import BacktestKind, BacktestState, Run
from tests import backtested, factories, telling
from tests.factories import NOW


def test_thirty_one_trades_are_too_few_to_tell():
    it = odds.of([1.0] * 17 + [-1.1] * 14)
    assert odds.in_words(it, "USDT") == (
        "31 trades, 17 won: the true win rate may be anywhere between 38 % and 71 %, the mean "
        "trade anywhere between \u22120.34 and +0.44 USDT, the profit factor between 0.50 and "
        "2.22; too few to tell profit from luck."
    )
    assert not it.is_sure


def test_a_long_row_of_wins_is_rarely_luck_and_says_so():
    it = odds.of([2.0, 1.0, -0.5] * 30)
    assert it.is_sure
    assert "rarely luck alone" in odds.in_words(it, "USDT")
    lost = odds.of([-2.0, -1.0, 0.5] * 30)
    assert not lost.is_sure
    assert "rarely bad luck" in odds.in_words(lost, "USDT")


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([], "No trade was closed yet, so nothing can be said."),
        (
            [3.0],
            "1 trade, 1 won: the true win rate may be anywhere between 21 % and 100 %; too few",
        ),
        ([2.0, 2.0, 2.0], "3 trades, 3 won: the true win rate may be anywhere between 44 % and"),
    ],
)
def test_what_cannot_be_measured_is_not_made_up(results, words):
    it = odds.of(results)
    assert odds.in_words(it, "USDT").startswith(words)
    assert (it.means, it.factors) == (None, None)


def test_without_a_loss_there_is_no_factor_and_without_one_in_a_draw_no_bound():
    assert odds.of([1.0] * 9).factor is None
    assert "no bound" in odds.in_words(odds.of([1.0] * 8 + [1.5, -0.1]), "USDT")


def test_a_try_is_each_version_and_each_backtest():
    assert Tries(1, 0).count == 1
    assert Tries(1, 0).luck == pytest.approx(0.05)
    assert Tries(3, 12).luck == pytest.approx(1 - 0.95**15)
    assert Tries(3, 12).confidence == pytest.approx(0.95 ** (1 / 15))
    sure = odds.of([2.0, 1.0, -0.5] * 30)
    assert sure.means_at(Tries(3, 12).confidence)[0] < sure.means[0]


def test_backtests_of_every_version_of_the_strategy_count_and_no_other(app):
    workspace = factories.organisation()
    bot = factories.bot(workspace)
    backtested.row(bot.version, NOW)
    backtested.row(factories.strategy(workspace).latest, NOW)
    assert odds.tries_of(bot) == Tries(1, 1)


def test_each_combination_of_a_sweep_is_a_try_and_what_told_nothing_is_none(app):
    bot = factories.bot(factories.organisation())
    sweep = backtested.row(bot.version, NOW, kind=BacktestKind.SWEEP)
    sweep.figures = {"tried": 500}
    backtested.row(bot.version, NOW, kind=BacktestKind.WALK_FORWARD)
    for state in (BacktestState.FAILED, BacktestState.CANCELLED, BacktestState.RUNNING):
        backtested.row(bot.version, NOW, state=state)
    db.session.flush()
    assert odds.tries_of(bot) == Tries(1, 501)
    assert odds.tries_of(bot).luck > 0.99


def test_results_are_those_of_closed_trades_in_the_order_of_time(app):
    bot = factories.bot(factories.organisation())
    machine = telling.awake(bot, NOW)
    run = db.session.get_one(Run, machine.run_id)
    factories.trade(run, 100, 103, 1)
    factories.trade(run, 100, 99, 0)
    factories.trade(run, 100, 0, 0, closed=None)
    assert odds.results_of([run.id]) == [2.0, -1.0]
