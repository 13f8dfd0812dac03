"""Each decision once, in the order of its candle, however it comes; old ones go in time."""

import random
import zlib
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from app.domain import ingest
from app.domain.decisions import keep, reading
from app.domain.decisions.reading import Wanted
from app.extensions import db
from app.models import DecisionBlock, RunnerNotice
from runner.protocol import Candle, Decision, Event, EventKind, Verdict, to_plain
from tests import factories, telling
from tests.factories import NOW

MINUTE = timedelta(minutes=1)
SYMBOL = "BTC/USDT:USDT"


@pytest.fixture
def teller(app):
    bot = factories.bot(factories.organisation())
    return telling.Teller(bot, telling.awake(bot, NOW), NOW)


def decision(number, code=5, span=MINUTE, **values):
    close = Decimal(100) + number
    bar = Candle(NOW + number * span, *[close] * 4, Decimal(1))
    told = {"symbol": SYMBOL, "candle": bar, "action": "none", "reason": f"score {number}"}
    verdicts = (Verdict("ema_cross", "signal", 0, f"fast {number}.5"),)
    return Decision(**{**told, "verdicts": verdicts, "code": code, **values})


def kept(teller, limit=10**6):
    lines = reading.newest(Wanted(teller.bot.id), limit)
    return [int((line.row.candle_at - NOW) / MINUTE) for line in lines][::-1]


def blocks():
    return list(db.session.scalars(select(DecisionBlock).order_by(DecisionBlock.first_at)))


def test_a_candle_is_kept_with_all_its_words(teller):
    said = (
        Verdict("ema_cross", "signal", 1, "fast EMA crossed above slow EMA (2 and 1)"),
        Verdict("adx_strength", "filter", 0, "ADX is 3.1, 5 passes"),
    )
    words = "score 1, but adx_strength blocks: ADX is 3.1, 5 passes"
    teller.tell(decision(3, 7, reason=words, verdicts=said, direction=1, blocker=1))
    (line,) = reading.newest(Wanted(teller.bot.id), 5)
    assert (line.symbol, line.run_id) == (SYMBOL, teller.machine.run_id)
    row = line.row
    assert (row.candle_at, row.close) == (NOW + 3 * MINUTE, Decimal(103))
    assert (row.action, row.reason, row.verdicts) == ("none", words, said)
    assert (row.code, row.direction, row.blocked_by) == (7, 1, "adx_strength")


@pytest.mark.parametrize("seed", range(4))
def test_in_any_order_and_however_often_each_is_kept_once(teller, seed):
    dice, numbers = random.Random(seed), list(range(2 * keep.MOST + 40))
    told = [decision(number) for number in numbers + dice.sample(numbers, 60)]
    if seed:
        dice.shuffle(told)
    teller.tell(*told)
    teller.tell(*told)
    assert kept(teller) == numbers
    for block in blocks():
        rows = reading.rows_of(block, reading.ALWAYS)
        assert (block.first_at, block.last_at) == (rows[0].candle_at, rows[-1].candle_at)
        assert block.candles == len(rows) <= 2 * keep.MOST
        assert sum(reading.counts_of(block).outcomes.values()) == len(rows)


def by_signal(number, name, action="enter_long", code=9):
    return decision(number, code, signal=name, action=action)


def sources(teller):
    lines = reading.newest(Wanted(teller.bot.id), 10**6)
    assert len({line.key for line in lines}) == len(lines)
    return [(line.row.signal, line.row.action) for line in lines if line.row.signal][::-1]


@pytest.mark.parametrize("seed", range(4))
def test_what_signals_led_to_is_kept_beside_its_candle_once(teller, seed):
    dice, numbers = random.Random(seed), list(range(2 * keep.MOST + 40))
    told = [decision(number) for number in numbers]
    for number in (0, keep.MOST - 1, keep.MOST, 2 * keep.MOST - 1, numbers[-1]):
        told += [by_signal(number, f"sig_{n}{number}", "none", 8) for n in "ab"]
    if seed:
        dice.shuffle(told)
    else:
        told.sort(key=lambda it: it.candle.opened_at)
    teller.tell(*told)
    dice.shuffle(told)
    teller.tell(*told)
    assert sorted(kept(teller)) == sorted(
        [int((it.candle.opened_at - NOW) / MINUTE) for it in told]
    )
    assert len(sources(teller)) == 10
    homes = [{row.candle_at for row in reading.rows_of(b, reading.ALWAYS)} for b in blocks()]
    assert sum(map(len, homes)) == len(numbers)  # one candle, one block
    outcomes = [count for b in blocks() for count in reading.counts_of(b).outcomes.items()]
    assert sum(count for (*_, external), count in outcomes if external) == 10
    assert sum(count for (*_, external), count in outcomes if not external) == len(numbers)


def test_a_signal_that_turns_a_position_leaves_and_then_enters(teller):
    left, entered = by_signal(2, "sig_1", "exit", 11), by_signal(2, "sig_1", "enter_short")
    teller.tell(decision(1), decision(2), left, entered, left, entered)
    assert sources(teller) == [("sig_1", "exit"), ("sig_1", "enter_short")]
    at = NOW + 2 * MINUTE
    assert reading.at(teller.machine.run_id, SYMBOL, at).row.action == "none"


def test_a_block_without_signals_is_written_as_before(teller):
    teller.tell(decision(1), decision(2))
    (block,) = blocks()
    assert block.counts == '[[["none",5,"",2]],[["ema_cross","signal",0,2]]]'
    raw = zlib.decompress(block.body[1:])
    assert b"signals" not in raw


def test_backwards_it_takes_no_more_blocks(teller):
    teller.tell(*(decision(number) for number in reversed(range(keep.MOST + 1))))
    assert [block.candles for block in blocks()] == [1, keep.MOST]


def test_what_comes_again_with_other_words_changes_nothing(teller):
    teller.tell(decision(1), decision(2))
    before = [(block.counts, block.body) for block in blocks()]
    teller.tell(decision(1, action="exit", reason="otherwise", code=11))
    assert [(block.counts, block.body) for block in blocks()] == before


def test_a_block_ends_with_its_number_or_its_length(teller):
    teller.tell(*(decision(number) for number in range(keep.MOST + 1)))
    assert [block.candles for block in blocks()] == [keep.MOST, 1]
    day = timedelta(days=1)
    teller.tell(*(decision(number, span=day, symbol="ETH/USDT:USDT") for number in range(40)))
    assert [b.candles for b in blocks() if b.symbol != SYMBOL] == [31, 9]


def test_an_older_runner_tells_no_number(teller):
    told = to_plain(decision(1, reason="score 1, but paused"))
    for name in ("code", "direction", "blocker", "blocked"):
        del told[name]
    event = Event(teller.machine.ack_seq + 1, EventKind.DECISION, NOW, told)
    ingest.take(teller.bot, teller.machine, (event,), NOW)
    (line,) = reading.newest(Wanted(teller.bot.id), 5)
    assert (line.row.code, line.row.blocked_by) == (8, "paused")


def test_a_number_that_nobody_knows_is_understood_by_the_words(teller):
    teller.tell(decision(1, code=99, reason="no exit fired", direction=77, blocker=5))
    (line,) = reading.newest(Wanted(teller.bot.id), 5)
    assert (line.row.code, line.row.direction, line.row.blocker) == (10, 1, -1)


def test_texts_are_bounded_and_harmless(teller):
    long = Verdict("x" * 200, "filter" * 50, 1, "\x00\x01" + "y" * 900)
    teller.tell(decision(1, reason="\x02" + "z" * 900, verdicts=(long,) * 300))
    (line,) = reading.newest(Wanted(teller.bot.id), 5)
    assert line.row.reason == " " + "z" * 599
    assert len(line.row.verdicts) == 200
    assert line.row.verdicts[0].detail.startswith("  y")
    assert len(line.row.verdicts[0].detail) == 300


def test_what_follows_a_damaged_block_is_kept(teller):
    teller.tell(decision(1), decision(2))
    blocks()[0].body = b"\x01never"
    db.session.flush()
    teller.tell(decision(1), decision(2), decision(3), decision(4))
    assert kept(teller) == [2, 3, 4]
    assert not list(db.session.scalars(select(RunnerNotice)))


def test_runs_and_symbols_are_apart(teller):
    teller.machine.gone_at = NOW
    db.session.flush()
    other = telling.Teller(teller.bot, telling.awake(teller.bot, NOW, generation=2), NOW)
    for one in (teller, other):
        one.tell(decision(1), decision(1, symbol="ETH/USDT:USDT"))
    assert kept(teller) == [1, 1, 1, 1]
    mine = Wanted(teller.bot.id, (teller.machine.run_id,), SYMBOL)
    assert len(reading.newest(mine, 9)) == 1


def test_after_90_days_it_goes_and_not_before(teller):
    teller.tell(*(decision(number) for number in range(keep.MOST + 5)))
    last = NOW + (keep.MOST - 1) * MINUTE
    assert not keep.forget_some(last + keep.KEPT)
    assert len(blocks()) == 2
    assert not keep.forget_some(last + keep.KEPT + timedelta(seconds=1))
    assert [block.candles for block in blocks()] == [5]


def test_it_goes_in_small_portions(teller, monkeypatch):
    monkeypatch.setattr(keep, "AT_ONCE", 2)
    teller.tell(*(decision(number, symbol=f"S{number}") for number in range(5)))
    late = NOW + timedelta(days=91)
    assert [keep.forget_some(late) for _ in range(3)] == [True, True, False]
    assert db.session.scalar(select(func.count()).select_from(DecisionBlock)) == 0
