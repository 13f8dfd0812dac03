"""What is told of an account as its time passes, and how long a connection lives."""

import json

import pytest

from app.practice.faults import Faults
from app.practice.market import FUNDING_MS
from app.practice.streams.hub import LONGEST_MS, Connection, Hub
from tests.practice.floor import ME


@pytest.fixture
def heard(floor):
    """One who listens to the floor's account; returns what was told since the last call."""
    assert floor.me.wallet  # its opening balance is no news
    keys = floor.desk.listen_keys
    hub = Hub(floor.desk.clearing, floor.markets, keys, Faults(floor.store, 7))
    connection = Connection("private", "/private/ws", "127.0.0.1", combined=False, opened=floor.ms)
    connection.listens[keys.open(ME, "", floor.ms).text] = frozenset()
    hub.join(connection, floor.ms)

    def told():
        return [json.loads(connection.queue.get_nowait()) for _ in range(connection.queue.qsize())]

    told.hub, told.connection = hub, connection
    return told


def kinds(events):
    return [
        (one["e"], one["o"]["x"] if one["e"] == "ORDER_TRADE_UPDATE" else one.get("a", {}).get("m"))
        for one in events
    ]


def test_each_fill_and_then_what_it_did(floor, heard):
    floor.order("BUY", "0.5")
    events = heard()
    fills = len(events) - 2
    assert kinds(events) == [
        ("ORDER_TRADE_UPDATE", "NEW"),
        *[("ORDER_TRADE_UPDATE", "TRADE")] * fills,
        ("ACCOUNT_UPDATE", "ORDER"),
    ]
    body = events[-1]["a"]
    assert body["B"][0]["bc"] == "0"
    assert [(one["s"], one["pa"]) for one in body["P"]] == [("BTCUSDT", "0.500")]
    done = events[-2]["o"]
    assert (done["z"], done["X"]) == ("0.500", "FILLED")


def test_what_was_realized_adds_up(floor, heard):
    floor.order("BUY", "0.5")
    floor.wait(60_000)
    floor.order("SELL", "0.2", reduceOnly="true")
    floor.wait(60_000)
    floor.order("SELL", "0.3", reduceOnly="true")
    events = heard()
    trades = [one["o"] for one in events if one["e"] == "ORDER_TRADE_UPDATE"]
    total = sum(float(one["rp"]) for one in trades)
    last = [one for one in events if one["e"] == "ACCOUNT_UPDATE"][-1]["a"]["P"][0]
    assert float(last["cr"]) == pytest.approx(total)
    assert (last["pa"], last["ep"]) == ("0.000", "0")


def test_an_order_that_is_refused_is_not_told(floor, heard):
    with pytest.raises(Exception, match="-2022"):
        floor.order("BUY", "0.5", reduceOnly="true")
    assert heard() == []


def test_a_stop_that_fires_is_told_until_it_is_finished(floor, heard):
    floor.order("BUY", "0.1")
    floor.conditional("SELL", "STOP_MARKET", floor.quotes()[0] - 1, closePosition="true")
    heard()
    while not (events := heard()):
        floor.wait(1000)
    algo = [one["o"] for one in events if one["e"] == "ALGO_UPDATE"]
    assert [one["X"] for one in algo] == ["TRIGGERING", "TRIGGERED", "FINISHED"]
    assert (algo[0]["ai"], algo[-1]["ai"]) == ("", str(algo[1]["ai"]))
    order = [one["o"] for one in events if one["e"] == "ORDER_TRADE_UPDATE"][-1]
    assert (order["X"], str(order["i"])) == ("FILLED", algo[-1]["ai"])


@pytest.mark.parametrize("isolated", [False, True])
def test_funding_names_the_position_only_where_it_is_isolated(floor, heard, isolated):
    floor.desk.set_margin_type(ME, "BTCUSDT", isolated=True, ms=floor.ms) if isolated else None
    floor.order("BUY", "0.01")
    floor.wait(1000)
    heard()
    floor.wait(FUNDING_MS)
    event = next(one for one in heard() if kinds([one]) == [("ACCOUNT_UPDATE", "FUNDING_FEE")])
    assert event["a"]["B"][0]["bc"] != "0"
    assert [one["s"] for one in event["a"]["P"]] == ["BTCUSDT"] * isolated


def test_a_transfer_says_what_came(floor, heard):
    floor.order("BUY", "0.01")
    heard()
    floor.desk.transfer(ME, floor.me.wallet / 4, floor.ms)
    (event,) = heard()
    assert (event["a"]["m"], event["a"]["P"]) == ("DEPOSIT", [])
    assert float(event["a"]["B"][0]["bc"]) > 0


def test_a_connection_lives_for_a_day(floor, heard):
    heard.hub.turn(floor.ms + LONGEST_MS - 1)
    assert not heard.connection.over.is_set()
    heard.hub.turn(floor.ms + LONGEST_MS)
    assert heard.connection.over.is_set()


def test_a_caller_that_reads_too_slowly_is_cut_off(floor, heard):
    for _ in range(5000):
        heard.connection.send("{}")
    assert not heard.connection.over.is_set()
    heard.connection.send("{}")
    assert heard.connection.over.is_set()
