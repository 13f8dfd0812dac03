"""Only what a runner says is gone can be written off, with a reason, and a new claim keeps it."""

import pytest

from app.domain import commands, write_offs
from app.domain.errors import Invalid, Refused
from runner.protocol import CommandKind
from tests.domain.test_fleet import Life
from tests.factories import TESTER

GONE = "LUNA/USDT:USDT"


@pytest.fixture
def life(app, keys):
    life = Life(keys)
    life.wake()
    return life


def said(life, told):
    life.machine.health = {"unlisted": told}


def write_off(life, symbol=GONE, reason="settled by the exchange"):
    return write_offs.write_off(life.bot, symbol, reason, by=TESTER, now=life.now)


@pytest.mark.parametrize("told", [None, "LUNA/USDT:USDT", [], ["BTC/USDT:USDT"], [7, None]])
def test_what_its_runner_does_not_name_is_refused(life, told):
    said(life, told)
    with pytest.raises(Refused, match="flatten the bot"):
        write_off(life)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 101])
def test_it_needs_a_short_reason(life, reason):
    said(life, [GONE])
    with pytest.raises(Invalid):
        write_off(life, reason=reason)


def test_it_waits_for_each_symbol_apart_and_outlives_a_new_claim(life):
    other = "FTT/USDT:USDT"
    said(life, [GONE, other])
    write_off(life)
    write_off(life, other)
    write_off(life, reason="somebody else's word")
    assert write_offs.asked(life.bot) == {GONE, other}
    life.claim("boot-2")
    kept = [it for it in commands.pending(life.bot.id) if it.kind is CommandKind.WRITE_OFF]
    told = {it.arguments["symbol"]: it.arguments["reason"] for it in kept}
    assert told == dict.fromkeys((GONE, other), "settled by the exchange")
    assert len(kept) == len(told)
