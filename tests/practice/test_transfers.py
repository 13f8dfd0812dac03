"""Money paid in and taken out: on the market's own route, and in the income history."""

from decimal import Decimal

import pytest

from app.practice import keys
from app.practice.errors import Refusal
from tests.practice.client import ask, trade
from tests.practice.floor import ME

WALLET = Decimal(10_000)


def pay(base, key, amount, **more):
    body = {"account": key, "amount": amount}
    return ask("POST", f"{base}/practice/v1/transfers", json=body, **more)


def test_what_is_paid_in_and_out_is_in_the_wallet_and_in_the_history(base):
    key, secret = keys.new_key()
    assert pay(base, key, "250.5")[1] == {"wallet": "10250.5"}
    assert pay(base, key, "-50")[1] == {"wallet": "10200.5"}

    async def read(client):
        rows = await client.fapiPrivateGetIncome({"incomeType": "TRANSFER"})
        balance = await client.fetch_balance()
        return [Decimal(row["income"]) for row in rows], balance["USDT"]["total"]

    assert trade(base, read, (key, secret)) == ([WALLET, Decimal("250.5"), -50], 10200.5)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"account": "nobody", "amount": "1"},
        {"account": keys.new_key()[0], "amount": "0"},
        {"account": keys.new_key()[0], "amount": "NaN"},
        {"account": keys.new_key()[0], "amount": "-1e999"},
    ],
)
def test_what_makes_no_sense_moves_nothing(base, body):
    status, said, _headers = ask("POST", f"{base}/practice/v1/transfers", json=body)
    assert status == 422
    assert said["error"]


def test_a_web_page_cannot_move_money_unasked(base):
    plain = {"Content-Type": "text/plain"}
    address = f"{base}/practice/v1/transfers"
    assert ask("POST", address, data="{}", headers=plain)[0] == 415


def test_what_a_position_needs_stays(floor):
    floor.order("BUY", "1")
    free = floor.me.available(floor.mark)
    with pytest.raises(Refusal):
        floor.desk.transfer(ME, -(free + 1), floor.ms)
    before = floor.me.wallet
    assert floor.desk.transfer(ME, Decimal(-100), floor.ms) == before - 100
    assert floor.desk.store.incomes(ME, limit=1)[0].amount == -100
