from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from app.practice.account import Account, Position
from app.practice.instruments import INSTRUMENTS

D = Decimal
QTY = st.integers(-5000, 5000).filter(bool).map(lambda n: D(n) / 1000)
PRICE = st.integers(100_000, 2_000_000).map(lambda n: D(n) / 10)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(QTY, PRICE), min_size=1, max_size=12), PRICE)
def test_realized_and_unrealized_profit_add_up_exactly(trades, mark):
    position = Position()
    realized = sum(position.trade(qty, price) for qty, price in trades)
    assert position.qty == sum(qty for qty, _price in trades)
    worth = sum(qty * (mark - price) for qty, price in trades)
    assert realized + position.unrealized(mark) == worth


@settings(max_examples=100, deadline=None)
@given(QTY, PRICE, PRICE)
def test_closing_realizes_the_whole_difference(qty, entry, out):
    position = Position()
    position.trade(qty, entry)
    assert position.entry == entry
    assert position.trade(-qty, out) == qty * (out - entry)
    assert (position.qty, position.cost, position.entry) == (0, 0, 0)


def test_maintenance_is_continuous_across_the_tiers():
    for instrument in INSTRUMENTS.values():
        for lower, upper in zip(instrument.brackets, instrument.brackets[1:], strict=False):
            edge = lower.cap
            assert edge * lower.rate - lower.cumulative == edge * upper.rate - upper.cumulative


def test_at_the_liquidation_price_margin_equals_maintenance():
    account = Account("me", 0, D(1000))
    account.setting("BTCUSDT").leverage = 50
    account.position("BTCUSDT").trade(D("0.7"), D(60_000))
    limit = account.liquidation_price("BTCUSDT", lambda _symbol: D(60_000))
    margin = account.wallet + account.position("BTCUSDT").unrealized(limit)
    tier = INSTRUMENTS["BTCUSDT"].bracket(D("0.7") * 60_000)
    needed = D("0.7") * limit * tier.rate - tier.cumulative
    assert abs(margin - needed) < D("1e-15")
    assert limit < 60_000


def test_an_account_that_cannot_be_liquidated_has_no_such_price():
    account = Account("me", 0, D(100_000))
    account.position("BTCUSDT").trade(D("0.5"), D(60_000))
    assert account.liquidation_price("BTCUSDT", lambda _symbol: D(60_000)) == 0
