"""Results are what trading made of the account, whatever was paid in or out meanwhile."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.capital import Capital
from runner.protocol import Flow, FlowKind

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
amounts = st.decimals("-500", "500", places=2)
steps = st.lists(st.tuples(st.sampled_from(("trade", "flow", "fund")), amounts), max_size=30)


def flow(amount, kind=None, currency="USDT"):
    coming = FlowKind.DEPOSIT if amount > 0 else FlowKind.WITHDRAWAL
    return Flow("1", kind or coming, amount, currency, NOW)


def lived(steps, *, with_flows):
    """An account that goes through ``steps``, and one to which nobody ever paid anything."""
    capital, equity = Capital(), Decimal(10_000)
    capital.look(equity, NOW)
    capital.weigh(NOW, "r", equity)
    for what, amount in steps:
        if what == "flow" and with_flows:
            equity += amount
            capital.flow(flow(amount), "USDT")
        elif what == "fund":
            equity += amount
            capital.flow(flow(amount, FlowKind.FUNDING), "USDT")
        elif what == "trade":
            equity += amount
            capital.book(amount)
        capital.look(equity, NOW)
        capital.weigh(NOW, "r", equity)
    return capital, equity


@given(steps)
@settings(max_examples=150, deadline=None)
def test_money_that_comes_or_goes_changes_no_result(steps):
    capital, equity = lived(steps, with_flows=True)
    other, alone = lived(steps, with_flows=False)
    assert capital.day_result(equity) == other.day_result(alone)
    assert capital.drawdown(equity) == other.drawdown(alone)
    assert capital.drawdown(equity) >= 0
    assert capital.strange_since is None
    earned = sum(amount for what, amount in steps if what != "flow")
    assert capital.day_result(equity) == earned


@given(steps, amounts)
@settings(max_examples=80, deadline=None)
def test_the_day_goes_on_in_another_run_whatever_happened_in_between(first, by_hand):
    capital, equity = lived(first, with_flows=True)
    until = capital.day_result(equity)
    other = capital.for_another_run(NOW.date())
    assert other.for_another_run(NOW.date()) == other, "one that was never looked at loses nothing"
    equity += by_hand
    other.look(equity, NOW)
    other.weigh(NOW, "r2", equity)
    assert other.day_result(equity) == until
    assert other.drawdown(equity) == 0
    other.book(Decimal(-7))
    third = other.for_another_run(NOW.date())
    third.look(equity, NOW)
    third.weigh(NOW, "r3", equity)
    assert third.day_result(equity) == until - 7
    tomorrow = NOW + timedelta(days=1)
    late = capital.for_another_run(NOW.date())
    for taken in (third, late, capital.for_another_run(tomorrow.date())):
        taken.look(equity, tomorrow)
        taken.weigh(tomorrow, "r4", equity)
        assert taken.day_result(equity) == 0


@given(amounts.filter(lambda a: abs(a) > 1), amounts)
@settings(max_examples=60, deadline=None)
def test_neither_transfer_nor_fill_passes_a_limit_before_it_is_listed(paid, earned):
    """A withdrawal is no loss, the end of a winning trade neither, and no deposit is a peak."""
    capital = Capital()
    capital.look(Decimal(10_000), NOW)
    capital.weigh(NOW, "r", Decimal(10_000))
    capital.book(earned)
    equity = 10_000 + paid + earned
    capital.look(equity, NOW)
    assert not capital.weigh(NOW, "r", equity)
    assert capital.day_result(equity) == earned + max(paid, 0)
    assert capital.drawdown(equity) == max(-earned - max(paid, 0), 0)
    assert capital.accept(NOW) is None
    capital.flow(flow(paid), "USDT")
    capital.look(equity, NOW)
    assert capital.strange_since is None
    assert capital.day_result(equity) == earned
    assert capital.drawdown(equity) == max(-earned, 0)


@given(amounts.filter(lambda a: abs(a) > 1), amounts)
@settings(max_examples=60, deadline=None)
def test_a_day_begins_without_what_is_not_listed_yet(paid, earned):
    """Neither is yesterday's loss today's, nor does a transfer at midnight become a result."""
    capital = Capital()
    capital.look(Decimal(10_000), NOW)
    capital.weigh(NOW, "r", Decimal(10_000))
    capital.book(earned)
    equity = 10_000 + paid + earned
    capital.look(equity, NOW)
    assert capital.weigh(NOW + timedelta(days=1), "r", equity)
    assert capital.day_result(equity) == max(paid, 0)
    capital.flow(flow(paid), "USDT")
    capital.look(equity, NOW)
    assert capital.day_result(equity) == 0


def test_a_winning_trade_that_ends_unseen_is_no_drawdown():
    capital = Capital()
    capital.look(Decimal(100), NOW)
    capital.weigh(NOW, "r", Decimal(110))  # ten of open profit
    capital.look(Decimal(110), NOW)  # realised; its fill is not read yet
    assert (capital.day_result(Decimal(110)), capital.drawdown(Decimal(110))) == (0, 0)
    capital.book(Decimal(10))
    capital.look(Decimal(110), NOW)
    assert (capital.day_result(Decimal(110)), capital.drawdown(Decimal(110))) == (0, 0)


def test_what_stays_unexplained_is_a_result_after_a_while():
    capital = Capital()
    capital.look(Decimal(100), NOW)
    capital.weigh(NOW, "r", Decimal(100))
    capital.look(Decimal(80), NOW)
    assert capital.accept(NOW + timedelta(seconds=59)) is None
    capital.look(Decimal(80), NOW + timedelta(seconds=61))
    assert capital.accept(NOW + timedelta(seconds=61)) == -20
    assert (capital.day_result(Decimal(80)), capital.drawdown(Decimal(80))) == (-20, 20)
    capital.look(Decimal(80), NOW + timedelta(seconds=62))
    assert capital.strange_since is None


def test_day_and_run_begin_anew_each_on_its_own():
    capital = Capital()
    assert (capital.day_result(Decimal(5)), capital.drawdown(Decimal(5))) == (0, 0)
    capital.weigh(NOW, "r", Decimal(100))
    capital.weigh(NOW, "r", Decimal(90))
    assert (capital.day_result(Decimal(90)), capital.drawdown(Decimal(90))) == (-10, 10)
    capital.weigh(NOW + timedelta(days=1), "r", Decimal(90))
    assert (capital.day_result(Decimal(90)), capital.drawdown(Decimal(90))) == (0, 10)
    capital.weigh(NOW + timedelta(days=1), "s", Decimal(90))
    assert capital.drawdown(Decimal(90)) == 0


def test_another_currency_moves_nothing_here():
    capital = Capital()
    capital.look(Decimal(100), NOW)
    capital.flow(flow(Decimal(1), currency="BNB"), "USDT")
    assert (capital.wallet, capital.flows) == (100, 0)
