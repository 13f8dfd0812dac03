"""A bot's conclusions are judged again on what it saw: equal ones count, others are shown."""

import copy
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.backtest import parity, seen
from runner.backtest.request import Refused
from runner.protocol import to_plain
from tests.runner.backtest import hand_history
from tests.runner.backtest.hand_bot import RULES, WARM, Bot
from tests.runner.hand_market import SYMBOL

BY_RATES = {**RULES, "gates": [{"kind": "funding_gate", "params": {"percent": 1}}]}
TRAILING = hand_history.rules(
    exits=[{"kind": "trailing_stop", "params": {"activation": 0, "distance": 0.05}}]
)


def request(folder, candles, rules):
    return hand_history.request(folder, candles, WARM, rules=rules)


def told(tmp_path, bot, plain=None, rules=None):
    wanted = request(tmp_path, bot.candles, rules or bot.rules)
    found = seen.read({"seen": {SYMBOL: plain or bot.seen()}}, wanted)
    return parity.compared(wanted, found, lambda *_: None)


@given(st.integers(0, 10**6), st.sets(st.integers(WARM + 1, 598), max_size=4))
@settings(max_examples=15, deadline=None)
def test_whatever_a_bot_concluded_is_concluded_again(seed, restarts):
    bot = Bot(RULES, hand_history.walk(600, seed), restarts=restarts)
    found = told("/nowhere", bot)
    assert found["compared"] == found["equal"] == found["judged"] == 290
    assert found["differences"] == []
    assert len(bot.held) > 3, "it traded"


def test_an_entry_that_was_held_back_is_equal_and_counted(tmp_path):
    candles = hand_history.walk(600)
    bot = Bot(RULES, candles, blocked=range(WARM, 600))
    found = told(tmp_path, bot)
    assert found["equal"] == 290
    assert found["held_back"] > 3
    assert not bot.held


@pytest.mark.parametrize("what", ["value", "fired", "action", "unfollowed"])
def test_a_conclusion_that_differs_is_shown_with_both_sides(tmp_path, what):
    bot = Bot(RULES, hand_history.walk(600))
    plain = bot.seen()
    rows = plain["judged"]
    if what == "value":
        row = next(r for r in rows if r[4] is None and r[3] == [0])
        row[3] = [1]
    elif what == "fired":
        row = next(r for r in rows if r[4] == [0, 0, 0])
        row[4] = [0, 1, 0]
    elif what == "action":
        row = next(r for r in rows if r[4] is None and r[1] == "none")
        row[1] = "enter_long"
    else:
        row = next(r for r in rows if r[1] == "exit")
        row[1] = "none"
    found = told(tmp_path, bot, plain)
    assert (found["differing"], found["equal"]) == (1, 289)
    (one,) = found["differences"]
    assert (one["symbol"], one["at"]) == (SYMBOL, row[0])
    assert one["reason"]
    assert [v["component"] for v in one["verdicts"]][:1] == ["ema_cross"]
    assert one["rewritten"] is False


def test_another_version_of_the_strategy_does_not_pass(tmp_path):
    bot = Bot(RULES, hand_history.walk(600))
    other = copy.deepcopy(RULES)
    other["signals"][0]["params"]["slow"] = 9
    found = told(tmp_path, bot, rules=other)
    assert found["differing"] > 10
    assert len(found["differences"]) == parity.MOST_LISTED
    moments = [one["at"] for one in found["differences"]]
    assert moments == sorted(moments)


def test_a_candle_the_venue_rewrote_is_named(tmp_path):
    bot = Bot(RULES, hand_history.walk(600))
    plain = bot.seen()
    for row in plain["candles"][400:403]:
        row[1:5] = [f"{Decimal(n) * 2:f}" for n in row[1:5]]
    found = told(tmp_path, bot, plain)
    assert found["differing"]
    assert found["differences"][0]["rewritten"] is True


def test_what_was_not_kept_is_not_compared_and_named(tmp_path):
    bot = Bot(BY_RATES, hand_history.walk(600))
    plain = bot.seen()
    for row in plain["judged"]:  # the bot read a rate, nobody kept it
        row[3] = [row[3][0], 1]
        row[1] = "enter_long" if row[3][0] == 1 else row[1]
    found = told(tmp_path, bot, plain)
    assert found["left_out"] == ["funding_gate"]
    assert found["differing"] == 0
    assert told(tmp_path, Bot(TRAILING, hand_history.walk(600)))["left_out"] == ["trailing_stop"]


def test_without_the_candles_it_warmed_up_on_nothing_is_claimed(tmp_path):
    bot = Bot(RULES, hand_history.walk(600))
    plain = bot.seen()
    plain["candles"] = plain["candles"][WARM:]
    found = told(tmp_path, bot, plain)
    assert found["differing"] == 0
    assert found["unread"] > 0
    assert found["compared"] + found["unread"] == found["judged"]


def test_after_a_gap_it_begins_anew_as_the_bot_did(tmp_path):
    candles = hand_history.walk(1000)
    first, later = Bot(RULES, candles[:400]), Bot(RULES, candles[320:])
    plain = first.seen()
    for name in ("judged", "held", "starts"):
        plain[name] += later.seen()[name]
    plain["judged"].insert(90, [first.judged[-1][0] + 60, "none", "1", [], None])
    plain["candles"] += later.seen()["candles"][80:]
    found = told(tmp_path, first, plain)
    assert found["unfit"] == 1
    assert found["equal"] == len(first.judged) + len(later.judged)


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        (None, "what the bot saw is missing"),
        ({}, "cannot be read"),
        ({SYMBOL: {"candles": [], "judged": []}}, "no candle yet"),
        ({SYMBOL: {"candles": [[60, *"12345"], [0, *"12345"]], "judged": []}}, "order of time"),
        ({SYMBOL: {"candles": [[60, "x"]], "judged": []}}, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_name(tmp_path, plain, words):
    wanted = request(tmp_path, hand_history.walk(400), RULES)
    with pytest.raises(Refused, match=words) as error:
        seen.read({} if plain is None else {"seen": plain}, wanted)
    assert (error.value.component, error.value.field) == ("options", "seen")


def test_the_command_judges_again_and_tests_on_the_same_candles(tmp_path):
    bot = Bot(RULES, hand_history.walk(600))
    hand_history.keep(tmp_path, bot.candles[:1])  # the venue's rules, and no history
    plain = hand_history.plain(tmp_path, bot.candles, WARM, rules=RULES, mode="parity")
    answer, status, said = hand_history.asked({**plain, "options": {"seen": {SYMBOL: bot.seen()}}})
    assert status == 0, said
    assert answer["parity"]["equal"] == 290
    decided = [to_plain(datetime.fromtimestamp(held[4], UTC)) for held in bot.held]
    again = [trade["decided_at"] for trade in answer["result"]["trades"]]
    assert again == decided[: len(again)]
    assert len(again) >= len(decided) - 1


def test_it_enters_only_where_the_bot_was_there(tmp_path):
    bot = Bot(RULES, hand_history.walk(600))
    hand_history.keep(tmp_path, bot.candles[:1])
    plain, some = bot.seen(), bot.seen()
    some["judged"] = plain["judged"][:100] + plain["judged"][200:]
    base = hand_history.plain(tmp_path, bot.candles, WARM, rules=RULES, mode="parity")
    answer, _, _ = hand_history.asked({**base, "options": {"seen": {SYMBOL: some}}})
    away = range(plain["judged"][100][0], plain["judged"][199][0] + 1)
    for trade in answer["result"]["trades"]:
        at = int(datetime.fromisoformat(trade["decided_at"]).timestamp())
        assert at not in away
