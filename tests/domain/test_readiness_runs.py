"""Checks of a bot against a backtest: asked for once, carried out by the runner, then kept."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from app.domain import code_rules, long_runs, readiness, readiness_runs, strategies, stretches
from app.domain.decisions.block import packed, unpacked
from app.domain.errors import Refused
from app.domain.going_live import Standing
from app.extensions import db
from app.gateways.backtest import Backtester
from app.gateways.backtest_outcome import End, Outcome
from app.models import AuditEvent, BacktestState, DecisionBlock, ReadinessCheck, Run, TradeRow
from runner.protocol import Candles, Decision, Fill, Order, OrderStatus, Side
from tests import coded, factories, readied, telling
from tests.factories import NOW, TESTER
from tests.runner.backtest import hand_history
from tests.runner.backtest.hand_bot import RULES, WARM, Bot

SYMBOL = "BTC/USDT:USDT"
LATE = NOW + long_runs.LOST_AFTER + timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def bot(app):
    workspace = factories.organisation()
    made = strategies.create(workspace, name="Walk", rules=RULES, author=None, by=TESTER, now=NOW)
    found = factories.bot(workspace, version=made.latest)
    telling.awake(found, NOW)
    db.session.commit()
    return found


def told(bot, count=420, seed=1):
    """Let the platform hear what a bot on paper saw, decided and filled."""
    hand = Bot(RULES, hand_history.walk(count, seed))
    run = db.session.scalars(select(Run).where(Run.bot_id == bot.id)).one()
    machine = telling.machine_of(bot)
    machine.claimed_at = hand.candles[WARM].opened_at + timedelta(seconds=5)
    teller = telling.Teller(bot, machine, NOW)
    teller.tell(Candles(SYMBOL, "1m", tuple(hand.candles[:WARM])))
    held = Side.BUY
    for number, (candle, step) in enumerate(hand.said):
        teller.tell(Decision(SYMBOL, candle, step.action, step.reason, step.verdicts))
        after = candle.opened_at + MINUTE + timedelta(seconds=1)
        if step.action != "none":
            side = Side.BUY if step.direction > 0 else Side.SELL
            if step.action == "exit":
                side = Side.SELL if held is Side.BUY else Side.BUY
            held = side
            _fill(teller, side, candle.close, f"o{number}", step.action, after)
    db.session.commit()
    return hand, run


def _fill(teller, side, price, name, action, at):
    size = Decimal("0.01")
    purpose = "time_stop" if action == "exit" else "entry"
    order = Order(
        client_id=name,
        symbol=SYMBOL,
        side=side,
        kind="market",
        quantity=size,
        status=OrderStatus.FILLED,
        purpose=purpose,
        decided_at=at,
        filled=size,
        average=price,
        reduce_only=action == "exit",
    )
    fee = price * size * Decimal("0.0004")
    fill = Fill(f"t{name}", name, SYMBOL, side, price, size, fee, "USDT", "taker", at)
    teller.tell(order, fill, at=at)


def asked(bot, now=NOW):
    made = readiness_runs.request(bot, author=None, by=TESTER, now=now)
    db.session.commit()
    return made


def carried_out(check, folder, now=NOW):
    """As the job does it, with the runner's own process."""
    hand_history.keep(folder, hand_history.walk(2))  # the venue's rules, and no history
    holder = readiness_runs.begin(check.id, now)
    db.session.commit()
    errand = readiness_runs.gather(check.id, holder)
    outcome = Backtester(folder, {}).run(errand.request, lambda *_: True)
    assert outcome.end is End.DONE, outcome
    assert readiness_runs.finish(errand, outcome, now)
    db.session.commit()
    db.session.expire_all()
    return db.session.get_one(ReadinessCheck, check.id)


def test_what_a_bot_decided_on_paper_a_backtest_decides_as_well(bot, tmp_path):
    hand, _ = told(bot)
    done = carried_out(asked(bot), tmp_path)
    assert done.state is BacktestState.DONE
    assert done.parity["compared"] == done.parity["equal"] == len(hand.judged) == 110
    assert (done.since, done.until) == (
        hand.candles[WARM].opened_at,
        hand.candles[-1].opened_at + MINUTE,
    )
    found = done.drift
    assert found["matched"] >= 3
    assert found["missing"] == found["extra"] == 0
    assert sum(map(Decimal, found["parts"].values())) == Decimal(found["paper_net"]) - Decimal(
        found["backtest_net"]
    )
    assert found["rows"][0]["trade"].startswith("trd_")
    assert len(done.pinned["engine"]) == len(done.pinned["data"][0]["sha256"]) == 64


def test_what_was_before_a_paper_reset_is_not_compared(bot, tmp_path):
    hand, run = told(bot)
    opened = hand.candles[WARM + 5].opened_at
    old = factories.run(bot, now=NOW - timedelta(days=2))
    factories.trade(old, cost=9_000, proceeds=1, opened=opened, closed=opened + MINUTE)
    own = {trade.id for trade in db.session.scalars(select(TradeRow).filter_by(run_id=run.id))}
    assert len(stretches.of(bot).paper) > len(own & {deal.id for deal in stretches.of(bot).paper})
    reset = bot.paper_reset_at = run.started_at
    db.session.commit()
    assert {deal.id for deal in stretches.of(bot).paper} <= own
    done = carried_out(asked(bot), tmp_path)
    assert done.drift["extra"] == 0
    assert abs(Decimal(done.drift["paper_net"])) < 1_000
    ready = readiness.of(bot, NOW)
    drift = next(line for line in readiness.lines(ready) if line.name == "drift")
    assert f"Since its paper balance was reset, {reset:%Y-%m-%d %H:%M} UTC." in drift.found
    assert ready.odds.count == len(own) + 1  # no reset makes a loss undone
    bot.paper_reset_at = NOW + timedelta(hours=1)
    db.session.commit()
    ready = readiness.of(bot, NOW + timedelta(hours=2))
    assert ready.stale.startswith("Its paper balance was reset afterwards")
    assert all(
        line.standing is Standing.THINK
        for line in readiness.lines(ready)
        if line.name in ("parity", "drift")
    )
    with pytest.raises(Refused, match="since its balance was reset"):
        readiness_runs.request(bot, author=None, by=TESTER, now=NOW + timedelta(hours=2))


def turn_an_entry():
    """As if the bot had gone short there; the decision as it was."""
    for block in db.session.scalars(select(DecisionBlock)):
        rows = list(unpacked(block.body))
        for place, row in enumerate(rows):
            if row.action == "enter_long":
                rows[place] = replace(row, action="enter_short")
                block.body = packed(rows)
                db.session.commit()
                return row
    raise AssertionError("it never went long")


def test_one_decision_that_was_another_is_found(bot, tmp_path):
    told(bot)
    row = turn_an_entry()
    done = carried_out(asked(bot), tmp_path)
    assert (done.parity["differing"], done.parity["equal"]) == (1, 109)
    assert done.parity["differences"][0]["at"] == int(row.candle_at.timestamp())


def test_the_same_bot_gives_the_same_answer(bot, tmp_path):
    told(bot)
    first = carried_out(asked(bot), tmp_path)
    again = carried_out(asked(bot), tmp_path)
    assert first.id != again.id
    for name in ("parity", "drift", "pinned"):
        assert json.dumps(getattr(first, name)) == json.dumps(getattr(again, name))


def test_another_version_s_runs_and_symbols_are_no_part_of_it(bot):
    told(bot)
    assert stretches.of(bot) is not None
    rules = {**RULES, "direction": "long"}
    walk = bot.version.strategy
    again = strategies.publish(
        walk, rules=rules, base=walk.latest.number, note="", author=None, by=TESTER, now=NOW
    )
    bot.strategy_version_id = again.id
    db.session.flush()
    db.session.refresh(bot)
    assert stretches.of(bot) is None


def test_only_the_newest_candles_are_looked_at(bot, monkeypatch):
    hand, _ = told(bot)
    monkeypatch.setattr(stretches, "MOST_CANDLES", 50)
    found = stretches.of(bot)
    rows = found.request["options"]["seen"][SYMBOL]["judged"]
    assert [row[0] for row in rows] == [row[0] for row in hand.judged[-50:]]


def test_of_very_many_trades_the_newest_of_both_are_compared(bot, tmp_path, monkeypatch):
    told(bot)
    monkeypatch.setattr(stretches, "MOST_TRADES", 3)
    found = carried_out(asked(bot), tmp_path).drift
    assert (found["missing"], found["extra"]) == (0, 0)
    assert 2 <= found["matched"] <= 3


def test_nothing_judged_is_nothing_to_compare(bot):
    with pytest.raises(Refused, match="judged no candle"):
        readiness_runs.request(bot, author=None, by=TESTER, now=NOW)


def test_who_asks_twice_is_given_the_one_that_waits(bot):
    told(bot)
    assert asked(bot).id == asked(bot).id
    events = select(func.count()).where(AuditEvent.action == "readiness.check")
    assert db.session.scalar(events) == 1


def test_of_one_workspace_three_wait_at_most(bot):
    told(bot)
    for _ in range(readiness_runs.MOST_WAITING):
        other = factories.bot(bot.workspace, version=bot.version)
        readied.row(other, NOW, BacktestState.QUEUED)
    with pytest.raises(Refused, match="wait or run already"):
        readiness_runs.request(bot, author=None, by=TESTER, now=NOW)


def test_it_is_taken_once_and_ended_by_who_holds_it(bot):
    told(bot)
    check = asked(bot)
    holder = readiness_runs.begin(check.id, NOW)
    assert readiness_runs.begin(check.id, NOW) is None
    errand = readiness_runs.gather(check.id, holder)
    assert readiness_runs.beat(check.id, holder, "parity", 1, 2, NOW)
    assert readiness_runs.sweep(LATE) == 1
    assert not readiness_runs.beat(check.id, holder, "parity", 2, 2, NOW)
    assert not readiness_runs.finish(errand, Outcome(End.FAILED), NOW)


def test_a_worker_lost_twice_fails_it_with_the_reason(bot):
    told(bot)
    check = asked(bot)
    for _ in range(2):
        readiness_runs.begin(check.id, NOW)
        readiness_runs.sweep(LATE)
        db.session.commit()
    db.session.expire_all()
    assert check.state is BacktestState.FAILED
    assert "lost twice" in check.fault["message"]


def test_cancelling_ends_it_at_once_or_with_the_next_note(bot):
    told(bot)
    check = asked(bot)
    holder = readiness_runs.begin(check.id, NOW)
    readiness_runs.cancel(bot, by=TESTER, now=NOW)
    db.session.flush()
    assert not readiness_runs.beat(check.id, holder, "parity", 1, 2, NOW)
    errand = readiness_runs.gather(check.id, holder)
    assert readiness_runs.finish(errand, Outcome(End.CANCELLED), NOW)
    db.session.expire_all()
    assert check.state is BacktestState.CANCELLED
    readiness_runs.cancel(bot, by=TESTER, now=NOW)
    assert check.state is BacktestState.CANCELLED


def test_a_bot_changed_meanwhile_fails_with_a_word(bot):
    told(bot)
    check = asked(bot)
    holder = readiness_runs.begin(check.id, NOW)
    bot.symbols = ["ETH/USDT:USDT"]
    db.session.flush()
    assert readiness_runs.gather(check.id, holder) is None
    assert readiness_runs.give_up(check.id, holder, NOW)
    db.session.expire_all()
    assert "other symbols meanwhile" in check.fault["message"]


def test_of_many_checks_the_newest_and_the_last_answer_are_kept(bot):
    told(bot)
    answer = readied.row(bot, NOW, created_at=NOW - timedelta(days=9))
    for day in range(7):
        readied.row(bot, NOW, BacktestState.FAILED, created_at=NOW - timedelta(days=day + 1))
    asked(bot)
    kept = set(db.session.scalars(select(ReadinessCheck.id)))
    assert len(kept) == readiness_runs.KEPT + 1
    assert answer.id in kept


HEARING = {"signals": [{"kind": "external_signal", "params": {"valid": 60}}]}


@pytest.mark.parametrize("what", ["code", "signals"])
def test_what_no_backtest_can_judge_again_is_refused_with_the_reason(bot, what):
    """Compared all the same, each candle would be told as one that differs."""
    told(bot)
    rules, words = {**RULES, **HEARING}, "no history"
    if what == "code":
        rules, words = code_rules.rules_of(coded.dry_run(bot.workspace, NOW).source), "A class"
    made = strategies.create(
        bot.workspace, name="Other", rules=rules, author=None, by=TESTER, now=NOW
    )
    bot.version = made.latest
    for run in db.session.scalars(select(Run)):
        run.strategy_version_id = made.latest.id
    db.session.commit()
    with pytest.raises(Refused, match=words):
        readiness_runs.request(bot, author=None, by=TESTER, now=NOW)
    first = readiness.lines(readiness.of(bot, NOW))[0]
    assert (first.standing, words in first.found) == (Standing.THINK, True)
