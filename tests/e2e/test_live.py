"""The whole live path through HTTP alone, with play money: ``practice-live`` goes it as real money.

The market is no part of the platform here: it stays when the platform is killed.
"""

import json
import os
import signal

import pytest
import requests

from tests.e2e.conftest import Installation
from tests.e2e.live import Account, Trader, fault
from tests.runner.machine import Practice
from tests.waiting import PATIENCE, until


@pytest.fixture
def market(tmp_path):
    with Practice(tmp_path / "market") as process:
        yield process.url


@pytest.fixture
def house(tmp_path, market):
    ends = json.dumps({"practice": market})
    made = Installation(
        tmp_path, DEMO="0", EXCHANGE_ENDPOINTS=ends, PLUTARC_PRACTICE_LIVE=market
    ).start()
    yield made
    if made.process.poll() is not None:
        made.start()
    made.stop()
    assert made.machines() == {}


@pytest.mark.timeout(1800)
def test_live_from_paper_through_deaths_to_the_kill_switch(house, market):
    account, trader = Account(market), Trader(house.base)
    trader.go_live(account)
    assert "The stop rests at the practice market" in trader.text

    # The machine dies with the position: the stop stays, and another one takes both over.
    held, orders = account.held(), account.filled()
    ((first, pid),) = house.machines().items()
    os.kill(pid, signal.SIGKILL)
    assert account.covered()
    until("another machine", lambda: set(house.machines()) - {first})
    until("it looks after the position", lambda: awake_with_a_stop(trader))
    assert account.held() == held
    assert account.covered()
    assert account.filled() == orders

    # The platform dies: the price falls through the stop, and nobody is needed for that.
    house.process.send_signal(signal.SIGKILL)
    house.process.wait(PATIENCE)
    assert account.covered()
    fault(market, "price_gap", amount=-8 if held > 0 else 8)
    until("the stop has closed it", lambda: account.stopped_since(orders), pause=1)
    house.start()
    trader.base = house.base
    until("the trade is told", lambda: "1 closed trade" in trader.see())

    # Another position, and the kill switch.
    trader.await_protection(account)
    trader.open(f"{trader.home}panic").submit("/panic", reason="Market is wild")
    progress = trader.url
    until("proof that it is flat", lambda: "1 of 1 flat" in trader.open(progress).text)
    assert account.flat()
    filled = account.filled()
    assert len(filled) == len(set(filled))
    assert violations(market) == []
    trader.open(f"{trader.home}audit")
    for action in ("bot mode", "position panic close", "connection create"):
        assert action in trader.text


@pytest.mark.timeout(1800)
def test_a_passed_loss_limit_flattens_at_the_venue(house, market):
    account, trader = Account(market), Trader(house.base)
    trader.go_live(account)
    trader.open(f"{trader.bot}/edit").submit("/edit", max_daily_loss=1)
    fault(market, "price_gap", amount=-3 if account.held() > 0 else 3)
    until("the limit is passed", lambda: "Limit passed" in trader.see())
    until("it is flat", account.flat, pause=1)
    until("flat on the page", lambda: "nothing is held" in trader.see())
    assert "What was held is closed at market" in trader.text


def awake_with_a_stop(trader):
    text = trader.see()
    return "awake" in text and "seen at the venue" in text


def violations(market):
    """What no bot may do, beside that this test asks with the same key."""
    found = requests.get(f"{market}/practice/v1/violations", timeout=PATIENCE).json()
    return [it for it in found if "python-requests" not in str(it)]


@pytest.mark.timeout(1800)
def test_a_key_that_may_withdraw_or_that_ended_trades_nothing(house, market):
    account, trader = Account(market), Trader(house.base)
    account.fault("withdrawal_right", id="rights")
    trader.make_bot()
    trader.gather_evidence()
    trader.add_factor()
    trader.connect(account)
    until("what is wrong is told", lambda: "may withdraw; make one" in trader.see("/live"))
    assert not [it for it in trader.page.all("button") if it.get("value") == "ask"]

    # It never becomes live with it, and does once the right is taken away at the exchange.
    account.calm("rights")
    trader.look_again()
    until("it is told anew", lambda: "The key may not withdraw." in trader.see("/live"))
    trader.ask()
    assert "It is live." in trader.text

    # The key ends before the first entry: a live bot says so and sends nothing.
    account.fault("key_refused", id="key")
    trader.open(f"{trader.bot}/live").submit("/live/check")
    trader.open(trader.bot).submit("/resume")
    until("the refusal is told", lambda: "Preflight failed" in trader.see())
    assert "replace the key here" in trader.text
    account.calm("key")
    assert account.filled() == []
    trader.look_again()
    trader.await_protection(account)
    trader.open(f"{trader.home}panic").submit("/panic")
    until("proof that it is flat", lambda: "1 of 1 flat" in trader.open(trader.url).text)
    assert account.flat()


@pytest.mark.timeout(1800)
def test_faults_with_a_position_leave_it_protected_and_the_kill_switch_working(house, market):
    account, trader = Account(market), Trader(house.base)
    # Every answer to an order is lost, and the first stops are refused.
    account.fault("timeout_after_accept", id="lost", path="/fapi/v1/order", seconds=2, count=2)
    account.fault("error_5xx", id="stops", path="/fapi/v1/algoOrder", count=3)
    trader.go_live(account)
    held, orders = account.held(), account.filled()
    assert len(orders) == 1

    # The key gets the right to withdraw, and the machine dies: no entries, the position is kept.
    account.fault("withdrawal_right", id="rights")
    ((first, pid),) = house.machines().items()
    os.kill(pid, signal.SIGKILL)
    until("another machine", lambda: set(house.machines()) - {first})
    until("it may not trade", lambda: "Preflight failed" in trader.see())
    until("its stop is seen again", lambda: "seen at the venue" in trader.see())
    assert account.held() == held
    assert account.covered()

    # The key is refused for a while: the stop stays, and what was pressed meanwhile is done after.
    account.fault("key_refused", id="key")
    trader.open(f"{trader.home}panic").submit("/panic")
    progress = trader.url
    until("it is told", lambda: "told" in trader.open(progress).text)
    assert "1 of 1 flat" not in trader.text
    account.calm("key")
    assert account.covered()
    until("proof that it is flat", lambda: "1 of 1 flat" in trader.open(progress).text)
    assert account.flat()
    filled = account.filled()
    assert len(filled) == len(set(filled))
