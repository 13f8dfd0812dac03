"""The funnel of a bot over a period, and the candles behind each of its counts."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.decisions import funnels, reading
from app.domain.decisions.counts import STEPS
from app.domain.decisions.reading import Period, Wanted
from app.extensions import db
from app.models import StrategyVersion
from runner.protocol import Candle, Decision, Mode, Verdict
from tests import factories, telling
from tests.factories import NOW

SYMBOL, OTHER = "BTC/USDT:USDT", "ETH/USDT:USDT"
SECOND = timedelta(seconds=1)
GATE = (Verdict("ema_cross", "signal", 1, "crossed"), Verdict("funding_gate", "gate", 0, "0.1 %"))
QUIET = (Verdict("ema_cross", "signal", 0, "stays"), Verdict("funding_gate", "gate", 1, "0.0 %"))
LOSS = "limit: daily loss 12.50 reached 10; no entries today"
HAND = (
    *([(4, "none", (), {})] * 20),
    *([(5, "none", QUIET, {})] * 281),
    *([(10, "none", QUIET, {})] * 66),
    *([(11, "exit", QUIET, {})] * 7),
    *([(7, "none", GATE, {"blocker": 1, "direction": 1})] * 21),
    *([(8, "none", QUIET, {"blocked": LOSS, "direction": 1})] * 4),
    *([(9, "enter_long", QUIET, {"direction": 1})] * 9),
    *([(9, "enter_short", QUIET, {"direction": -1})] * 4),
)
"""412 candles: 38 signals, 21 blocked by the funding gate, 4 by daily loss, 13 entries."""


@pytest.fixture
def bot(app):
    made = factories.bot(factories.organisation(), mode=Mode.PAPER)
    made.version.rules = {**made.version.rules, "timeframe": "1m"}
    return made


@pytest.fixture
def teller(bot):
    return telling.Teller(bot, telling.awake(bot, NOW), NOW)


def told(number, code, action, verdicts, more, *, symbol=SYMBOL, begin=NOW):
    close = Decimal(100) + number
    bar = Candle(begin + number * timedelta(minutes=1), *[close] * 4, Decimal(1))
    return Decision(symbol, bar, action, f"reason {number}", verdicts, code, **more)


def tell(teller, hand=HAND, **where):
    teller.tell(*(told(number, *one, **where) for number, one in enumerate(hand)))


def asked(bot, choice="90d", now=NOW + timedelta(days=1), symbol=""):
    return funnels.asked(bot, bot.mode, choice, now, symbol)


def test_the_funnel_of_412_candles(bot, teller):
    tell(teller)
    found = funnels.summary(bot, asked(bot))
    steps = {"candles": 412, "unfit": 0, "warming_up": 20, "no_signal": 281, "held": 73, "exits": 7}
    signals = {"signals": 38, "other_side": 0, "signals_blocked": 25, "entries": 13, "filled": 0}
    blocked = {"funding_gate": 21, "limit: daily loss … reached … no entries today": 4}
    assert found.counts == {**steps, **signals, "blocked": blocked}
    assert found.said["funding_gate", "gate", 0] == 21
    assert found.said["ema_cross", "signal", 0] == 412 - 20 - 21


def test_what_signals_from_outside_led_to_is_counted_beside_the_candles(bot, teller):
    tell(teller)
    before = funnels.summary(bot, asked(bot)).counts
    hand = [(9, "enter_long", 3), (9, "enter_long", 3), (8, "none", 300), (11, "exit", 411)]
    for number, (code, action, candle) in enumerate(hand):
        more = {"signal": f"sig_{number}", "blocked": LOSS if code == 8 else ""}
        teller.tell(told(candle, code, action, QUIET, more))
    found = funnels.summary(bot, asked(bot)).counts
    assert found == {**before, "external": 4, "external_entries": 2}
    whole = asked(bot)
    for step, count in {"external": 4, "external_entries": 2, "entries": 13, "": 416}.items():
        wanted = Wanted(bot.id, whole.runs, "", whole.period, step)
        assert len(reading.newest(wanted, 10**6)) == count, step
    signals = {line.row.signal for line in reading.newest(Wanted(bot.id, step="external"), 9)}
    assert signals == {f"sig_{number}" for number in range(4)}


def test_a_period_counts_its_candles_alone(bot, teller):
    tell(teller)
    for cut in (0, 1, 119, 120, 121, 300, 411, 412):
        begin = NOW + cut * timedelta(minutes=1)
        early, late = (
            funnels.summary(bot, Wanted(bot.id, asked(bot).runs, "", period)).counts["candles"]
            for period in (Period(None, begin), Period(begin))
        )
        assert (early, late) == (cut, 412 - cut)


def test_each_count_lists_its_candles(bot, teller):
    tell(teller)
    counts = funnels.summary(bot, asked(bot)).counts
    whole = asked(bot)
    for step in STEPS:
        wanted = Wanted(bot.id, whole.runs, "", whole.period, step)
        want = {"enter_long": 9, "enter_short": 4}.get(step, counts.get(step, 0))
        assert len(reading.newest(wanted, 10**6)) == want, step
    for name, count in counts["blocked"].items():
        wanted = Wanted(bot.id, whole.runs, "", whole.period, "signals_blocked", name)
        assert len(list(reading.every(wanted))) == count
    for said, count in funnels.summary(bot, whole).said.items():
        assert len(reading.newest(Wanted(bot.id, whole.runs, said=said), 10**6)) == count
    both = Wanted(bot.id, whole.runs, step="entries", said=("funding_gate", "gate", 0))
    assert reading.newest(both, 5) == []


def test_pages_miss_no_candle_though_symbols_share_them(bot, teller):
    for symbol in (SYMBOL, OTHER):
        tell(teller, HAND[:200], symbol=symbol)
    seen, until = [], None
    while lines := reading.newest(Wanted(bot.id, period=Period(None, until)), 7):
        seen += lines
        until = lines[-1].row.candle_at
    assert len({line.key for line in seen}) == len(seen) == 400
    times = [line.row.candle_at for line in seen]
    assert times == sorted(times, reverse=True)


def test_modes_and_versions_are_apart(bot, teller):
    tell(teller, HAND[-13:])
    old = bot.strategy_version_id
    newer = StrategyVersion(
        workspace_id=bot.workspace_id,
        strategy_id=bot.version.strategy_id,
        number=bot.version.number + 1,
        rules=bot.version.rules,
        created_at=NOW,
    )
    db.session.add(newer)
    db.session.flush()
    bot.strategy_version_id = newer.id
    db.session.flush()
    for mode, count in ((Mode.PAPER, 3), (Mode.TESTNET, 2)):
        bot.mode = mode
        teller.machine.gone_at = NOW
        db.session.flush()
        run = factories.run(bot, mode)
        teller.machine.run_id = run.id
        tell(teller, HAND[-count:], begin=NOW + timedelta(hours=1))
    counted = {}
    for mode in (Mode.PAPER, Mode.TESTNET):
        bot.mode = mode
        for choice in ("90d", "version"):
            found = funnels.summary(bot, asked(bot, choice)).counts
            counted[mode, choice] = found["candles"]
    assert counted == {
        (Mode.PAPER, "90d"): 16,
        (Mode.PAPER, "version"): 3,
        (Mode.TESTNET, "90d"): 2,
        (Mode.TESTNET, "version"): 2,
    }
    assert funnels.modes(bot) == [Mode.PAPER, Mode.TESTNET]
    assert old != newer.id


def test_symbols_are_counted_together_or_alone(bot, teller):
    tell(teller, HAND[:5])
    tell(teller, HAND[:3], symbol=OTHER)
    assert funnels.summary(bot, asked(bot)).counts["candles"] == 8
    assert funnels.summary(bot, asked(bot, symbol=OTHER)).counts["candles"] == 3
    assert set(funnels.symbols(bot)) == {SYMBOL, OTHER}


def test_an_entry_of_which_anything_was_filled_counts_as_filled(bot, teller):
    tell(teller)
    run = teller.machine.run_id
    for number, (purpose, seconds) in enumerate(
        [("entry", 1.0), ("entry", 0.0), ("entry", None), ("stop_loss", 1.0)]
    ):
        order = factories.order(bot, run, f"c{number}", "filled")
        order.purpose, order.fill_seconds = purpose, seconds
        order.decided_at = NOW + timedelta(hours=1)
    old = factories.order(bot, run, "c9", "filled")
    old.purpose, old.fill_seconds, old.decided_at = "entry", 1.0, NOW - timedelta(days=100)
    db.session.flush()
    assert funnels.summary(bot, asked(bot)).counts["filled"] == 2


@pytest.mark.parametrize(
    ("choice", "since"),
    [
        ("today", NOW.replace(hour=0, minute=0)),
        ("7d", NOW - timedelta(days=7)),
        ("90d", NOW - timedelta(days=90)),
        ("version", NOW - timedelta(days=90)),
    ],
)
def test_a_period_begins(choice, since):
    assert funnels.since(choice, NOW) == since


def test_the_decision_of_a_moment_is_the_last_one_before_it(bot, teller):
    tell(teller, HAND[:150])
    run, minute = teller.machine.run_id, timedelta(minutes=1)
    for number in (0, 119, 120, 149):
        found = reading.at(run, SYMBOL, NOW + number * minute + 59 * SECOND)
        assert found.row.candle_at == NOW + number * minute
    assert reading.at(run, SYMBOL, NOW - SECOND) is None
    assert reading.at(run, OTHER, NOW) is None
