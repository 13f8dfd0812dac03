"""What the request page says of parity, drift and luck, and when it says that it is old."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain import drift, readiness
from app.domain.going_live import Standing
from app.extensions import db
from app.models import BacktestState, Run
from runner.protocol import Decision, Mode
from tests import backtested, factories, readied, telling
from tests.factories import NOW
from tests.readied import MINUTE, deal, parity

SYMBOL = "BTC/USDT:USDT"


@pytest.fixture
def bot(app):
    made = factories.bot(factories.organisation())
    telling.awake(made, NOW)
    return made


def line(bot, name, now=NOW):
    found = {it.name: it for it in readiness.lines(readiness.of(bot, now))}
    return found[name]


def many(number, **paper):
    """So many pairs of trades, each a little worse on paper."""
    pairs = [
        (deal(NOW + 9 * n * MINUTE, **paper), deal(NOW + 9 * n * MINUTE)) for n in range(number)
    ]
    return drift.compare([a for a, _ in pairs], [b for _, b in pairs], MINUTE)


def test_before_anybody_looked_all_of_it_is_missing_with_what_to_do(bot):
    for name in ("parity", "drift"):
        found = line(bot, name)
        assert (found.standing, found.cure) == (Standing.MISSING, readiness.CHECK)
    assert line(bot, "luck").standing is Standing.MISSING
    assert line(bot, "tries").standing is Standing.GOOD


def test_while_it_runs_and_after_it_failed_it_says_so(bot):
    check = readied.row(bot, NOW, BacktestState.RUNNING)
    assert line(bot, "parity").found == "It is being compared."
    check.state, check.fault = BacktestState.FAILED, {"message": "no answer"}
    assert line(bot, "parity").found == "The last comparison failed: no answer."


def test_all_equal_is_good_and_one_that_differs_is_named(bot):
    check = readied.row(bot, NOW, parity=parity(SYMBOL, NOW, 0, compared=4032, equal=4032))
    found = line(bot, "parity")
    assert found.standing is Standing.GOOD
    assert found.found.startswith("Of 4,032 candles 4,032 are equal. 3 wanted entries held back")
    check.parity = parity(SYMBOL, NOW, 1)
    found = line(bot, "parity")
    assert found.standing is Standing.THINK
    assert (
        "399 are equal; the first that differs is BTC/USDT:USDT of 2026-11-24 12:00:00"
        in found.found
    )


def test_few_candles_say_little(bot):
    readied.row(bot, NOW, parity=parity(SYMBOL, NOW, 0, compared=99, equal=99))
    assert line(bot, "parity").standing is Standing.THINK
    assert "Fewer than 100" in line(bot, "parity").cure


def test_drift_is_said_in_percent_with_its_largest_part_and_its_sample(bot):
    readied.row(bot, NOW, drift=many(25, entry="100.05", fees="0.11"))
    found = line(bot, "drift")
    assert found.standing is Standing.GOOD
    assert found.found == (
        "Paper earned 0.02 % of its balance less than the same candles in backtest (25 matched "
        "trades); 83 % of it is worse prices."
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (lambda: many(19), "Fewer than 20 matched trades"),
        (lambda: many(25, entry="100.11"), "entries are 11.0 bp worse"),
        (lambda: many(25, out="100.8"), "exits are 19.8 bp worse"),
        (lambda: many(25, fees="4.2"), "more than 1 % of the balance"),
        (
            lambda: drift.compare(
                [deal(NOW + 9 * n * MINUTE) for n in range(30)],
                [deal(NOW + 9 * n * MINUTE) for n in range(26)],
                MINUTE,
            ),
            "Less than 90 % of all entries",
        ),
    ],
)
def test_each_declared_bound_warns(bot, found, words):
    readied.row(bot, NOW, drift=found())
    assert line(bot, "drift").standing is Standing.THINK
    assert words in line(bot, "drift").cure


def test_within_every_bound_nothing_warns(bot):
    readied.row(bot, NOW, drift=many(20, entry="100.1", fees="4.1"))
    assert line(bot, "drift").standing is Standing.GOOD


def test_no_drift_and_no_trade_have_words_of_their_own(bot):
    check = readied.row(bot, NOW, drift=many(20))
    assert "exactly what the same candles" in line(bot, "drift").found
    check.drift = drift.plain(many(0), Decimal(100))
    assert line(bot, "drift").found == "Neither closed a trade."


def test_an_answer_for_another_version_or_other_symbols_is_old(bot):
    other = factories.strategy(bot.workspace).latest
    check = readied.row(bot, NOW, version=other, parity=parity(SYMBOL, NOW, 0))
    found = line(bot, "parity")
    assert found.standing is Standing.THINK
    assert f"made for {other.label}, and the bot has {bot.version.label}" in found.cure
    check.strategy_version_id, check.symbols = bot.strategy_version_id, ["ETH/USDT:USDT"]
    db.session.flush()
    assert "It was made for ETH/USDT:USDT." in line(bot, "drift").cure


def test_after_a_day_it_is_old_where_candles_were_judged_since(bot):
    readied.row(bot, NOW, parity=parity(SYMBOL, NOW, 0))
    late = NOW + timedelta(hours=25)
    assert line(bot, "parity", late).standing is Standing.GOOD
    machine = telling.machine_of(bot)
    teller = telling.Teller(bot, machine, late)
    bar = next(telling._bars(NOW + timedelta(hours=2), 1, 100.0, telling.random.Random(1)))
    teller.tell(Decision(SYMBOL, bar, "none", "quiet", ()))
    assert line(bot, "parity").standing is Standing.GOOD
    found = line(bot, "parity", late)
    assert found.standing is Standing.THINK
    assert "candles were judged since" in found.cure


def test_few_trades_are_told_with_their_interval(bot):
    run = db.session.get_one(Run, telling.machine_of(bot).run_id)
    for number in range(31):
        factories.trade(run, 100, 101 if number < 17 else 99)
    found = line(bot, "luck")
    assert found.standing is Standing.THINK
    assert (
        "31 trades, 17 won: the true win rate may be anywhere between 38 % and 71 %" in found.found
    )


def test_what_a_testnet_earned_is_plumbing_and_never_good(bot):
    run = db.session.get_one(Run, telling.machine_of(bot).run_id)
    run.mode = bot.mode = Mode.TESTNET
    for number in range(90):
        factories.trade(run, 100, 102 if number % 3 else 99)
    found = line(bot, "luck")
    assert found.standing is Standing.THINK
    assert "On testnet, where results show plumbing and not performance: 90 trades" in found.found


def test_many_tries_make_it_think_unless_it_is_sure_even_so(bot):
    for _ in range(12):
        backtested.row(bot.version, NOW)
    found = line(bot, "tries")
    assert found.standing is Standing.THINK
    assert "Of 13 tries without any edge, one looks sure by luck alone with a chance of 49 %" in (
        found.found
    )
    run = db.session.get_one(Run, telling.machine_of(bot).run_id)
    for number in range(90):
        factories.trade(run, 100, 102 if number % 3 else 99)
    assert line(bot, "tries").standing is Standing.GOOD
