"""What the paper venue promises, each with a book and a tape written by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest

from runner.exchange.base import Funding
from runner.exchange.paper_state import PaperState
from runner.exchange.paper_terms import Fees, Margin, Terms, Trigger
from runner.protocol import FlowKind, OrderStatus, ProtocolError
from tests.runner.exchange.hand_venue import BIDS, Hand
from tests.runner.hand_market import START, SYMBOL

TAKER, MAKER = Decimal("0.0004"), Decimal("0.0002")


def test_a_taker_gets_no_more_than_is_shown():
    hand = Hand()
    report = hand.send("buy", 20)
    assert (report.status, report.filled) == (OrderStatus.CANCELLED, 8)
    assert hand.fills() == [
        ("100.1", "1", "taker"),
        ("100.5", "2", "taker"),
        ("101.0", "5", "taker"),
    ]


def test_what_was_taken_is_gone_until_the_level_shows_another_size():
    hand = Hand()
    hand.send("buy", 1)
    hand.show()  # the same size at each level: nobody has refreshed it
    assert hand.send("buy", 1).average == Decimal("100.5")
    hand.show(asks=[(100.1, "1.5"), (100.5, 2)])
    assert hand.send("buy", 2).average == (Decimal("100.1") * Decimal("1.5") + Decimal("50.25")) / 2
    hand.show(asks=[(100.2, 1), (100.5, 2)])
    hand.show(asks=[(100.1, "1.5"), (100.5, 2)])
    assert hand.send("buy", 1).average == Decimal("100.1")


def test_a_level_out_of_sight_stays_taken():
    hand = Hand()
    hand.send("buy", 3)
    hand.show(asks=[(100.1, 4)])
    hand.show(asks=[(100.1, 1), (100.5, 2), (101, 5)])
    hand.send("buy", 2)
    assert hand.fills()[2:] == [("100.1", "1", "taker"), ("101", "1", "taker")]


def test_an_order_meets_the_book_of_its_arrival_and_none_before():
    hand = Hand()
    assert hand.send("buy", 1, latency=0.25).status is OrderStatus.OPEN
    assert hand.fills() == []
    hand.show(bids=[(104, 1)], asks=[(105, 3)])
    assert hand.fills() == [("105", "1", "taker")]
    assert hand.state.executions[0].at == hand.now


def test_a_picture_from_before_the_arrival_does_not_count():
    hand = Hand()
    hand.send("buy", 1, latency=1.5)
    hand.show(bids=[(104, 1)], asks=[(105, 3)])
    assert hand.fills() == []
    hand.show(bids=[(109, 1)], asks=[(110, 3)])
    assert hand.fills() == [("110", "1", "taker")]


def test_a_touch_fills_nothing():
    hand = Hand()
    hand.send("buy", 1, 99.9)
    hand.print(99.9, 1)  # nobody tells who took: it proves nothing
    hand.print(99.9, 50, "buy")  # taken from the asks
    hand.show(bids=[(99.8, 1)], asks=[(99.9, 1)])
    assert hand.fills() == []
    assert hand.order.status is OrderStatus.OPEN


def test_the_queue_is_honoured_and_only_what_goes_beyond_it_fills():
    hand = Hand()
    hand.send("buy", 3, 99.5)  # behind the 2 that are shown there
    hand.print(99.5, "1.5", "sell")
    assert hand.fills() == []
    hand.print(99.5, "1.25", "sell")
    assert hand.fills() == [("99.5", "0.75", "maker")]
    assert hand.order.status is OrderStatus.PARTIAL
    hand.print(99.5, 9, "sell")
    assert hand.fills()[1:] == [("99.5", "2.25", "maker")]
    assert hand.order.status is OrderStatus.FILLED


def test_a_queue_that_leaves_lets_the_order_advance_and_newcomers_stand_behind_it():
    hand = Hand()
    hand.send("buy", 1, 99.5)
    hand.show(bids=[(99.9, 1), (99.5, "0.5"), (99.0, 5)])
    hand.show(bids=[(99.9, 1), (99.5, 40), (99.0, 5)])
    hand.print(99.5, 1, "sell")
    assert hand.fills() == [("99.5", "0.5", "maker")]


def test_a_print_the_picture_shows_already_serves_no_queue_twice():
    hand = Hand()
    hand.send("buy", 1, 99.5)
    seen = hand.tick()
    hand.show(bids=[(99.9, 1), (99.5, 1), (99.0, 5)])
    at, hand.now = hand.now, seen - timedelta(seconds=1)
    hand.print(99.5, 1, "sell")  # made before the picture, read after it
    hand.now = at
    hand.print(99.5, "0.5", "sell")
    assert hand.fills() == []


def test_a_price_out_of_sight_has_the_queue_that_is_shown_once_it_comes_near():
    hand = Hand()
    hand.send("buy", 1, 98)
    hand.print(98, 5, "sell")
    assert hand.fills() == []
    hand.show(bids=[(98.1, 1), (98, 3), (97.9, 1)], asks=[(98.5, 1)])
    hand.print(98, "3.5", "sell")
    assert hand.fills() == [("98", "0.5", "maker")]


@pytest.mark.parametrize(
    ("side", "price", "through"), [("buy", 99.5, 99.4), ("sell", 100.5, 100.6)]
)
def test_a_print_through_the_price_fills_as_much_as_was_traded(side, price, through):
    hand = Hand()
    hand.send(side, 3, price)
    hand.print(through, 1)
    assert hand.fills() == [(str(price), "1", "maker")]
    hand.print(through, 9)
    assert hand.order.status is OrderStatus.FILLED


def test_a_book_through_the_price_fills_what_it_shows_and_once():
    hand = Hand()
    hand.send("buy", 3, 99.5)
    for _ in range(2):
        hand.show(bids=[(99.0, 1)], asks=[(99.4, 1), (99.5, 7)])
    assert hand.fills() == [("99.5", "1", "maker")]


def test_two_orders_share_a_print_the_better_price_and_the_older_first():
    hand = Hand()
    for quantity, price in ((1, 99.7), (1, 99.8), (1, 99.7)):
        hand.send("buy", quantity, price)
    hand.print(99.6, "2.5", "sell")
    assert [hand.state.orders[f"id{n}"].filled for n in (2, 1, 3)] == [1, 1, Decimal("0.5")]


def test_prints_from_before_the_order_and_prints_read_twice_mean_nothing():
    hand = Hand()
    hand.print(90, 5)
    hand.send("buy", 2, 99.5)
    hand.print(99.4, 1)
    hand.now -= timedelta(seconds=1)
    hand.print(99.4, 1)  # the same print in the next answer
    assert hand.fills() == [("99.5", "1", "maker")]


def test_an_aggressive_limit_takes_up_to_its_price_and_rests_first_there():
    hand = Hand()
    assert hand.send("buy", 2, 100.1).status is OrderStatus.PARTIAL
    hand.print(100.1, "0.25", "sell")
    assert hand.fills() == [("100.1", "1", "taker"), ("100.1", "0.25", "maker")]


def test_post_only_never_takes():
    hand = Hand()
    assert hand.send("buy", 1, 100.1, post_only=True).status is OrderStatus.REJECTED
    assert "it would take" in hand.why_not
    assert hand.send("buy", 1, 100.0, post_only=True).status is OrderStatus.OPEN


def test_a_gap_through_a_stop_pays_the_gap_and_walks_without_a_clamp():
    hand = Hand()
    hand.send("buy", 3)
    hand.send("sell", 3, stop=98, reduce_only=True)
    hand.print(97.9, 1)
    assert hand.held() == 3  # fired; it trades in the picture that shows what followed
    hand.show(bids=[(90, 1), (70, 1), (50, 1)], asks=[(91, 1)])
    assert [fill[0] for fill in hand.fills()[2:]] == ["90", "70", "50"]
    assert hand.order.status is OrderStatus.FILLED
    assert hand.held() == 0


@pytest.mark.parametrize(("trigger", "fires"), [(Trigger.LAST, True), (Trigger.MARK, False)])
def test_a_stop_fires_on_the_price_it_was_given(trigger, fires):
    hand = Hand(terms=Terms(trigger=trigger))
    hand.send("buy", 1)
    hand.send("sell", 1, stop=98, reduce_only=True)
    hand.print(97, 1)
    hand.show()
    assert (hand.held() == 0) is fires
    hand.mark(97.5)
    hand.show()
    assert hand.held() == 0


def test_a_stop_that_would_fire_at_once_is_refused():
    hand = Hand()
    hand.send("buy", 1)
    hand.print(97, 1)
    assert hand.send("sell", 1, stop=98, reduce_only=True).status is OrderStatus.REJECTED
    assert "at once" in hand.why_not


def test_two_stops_leave_a_position_flat_and_not_turned():
    hand = Hand()
    hand.send("buy", 1)
    for level in (98, 97):
        hand.send("sell", 1, stop=level, reduce_only=True)
    hand.print(96, 1)
    hand.show()
    assert hand.held() == 0
    assert [hand.state.orders[n].status for n in ("id2", "id3")] == [
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
    ]


def test_fees_follow_the_role_and_the_tier():
    hand = Hand()
    hand.send("buy", 1)
    hand.send("buy", 1, 99.5)
    hand.print(99.4, 1)
    assert [e.fee for e in hand.state.executions] == [
        Decimal("100.1") * TAKER,
        Decimal("99.5") * MAKER,
    ]
    cheap = Hand(terms=Terms(fees=Fees(Decimal("0.0003"), Decimal("-0.0001"))))
    cheap.send("buy", 1, 99.5)
    cheap.print(99.4, 1)
    assert cheap.state.balance == 10_000 + Decimal("0.00995")


def test_the_rules_of_the_venue_hold():
    hand = Hand()
    for order, words in [
        (("buy", "0.0005"), "below the venue's minimum 0.001"),
        (("buy", "0.0015", 50_000), "no multiple of the lot"),
        (("buy", 1, "99.55"), "no multiple of the tick"),
        (("buy", "0.01"), "below the venue's minimum 5"),
        (("buy", 5000), "margin is insufficient"),
    ]:
        assert hand.send(*order).status is OrderStatus.REJECTED
        assert words in hand.why_not
    assert hand.state.balance == 10_000


def test_margin_counts_what_rests_as_well():
    hand = Hand(balance=100)
    assert hand.send("buy", 15, 99.5).status is OrderStatus.OPEN
    assert hand.send("buy", 15, 99.5).status is OrderStatus.REJECTED
    assert hand.send("sell", 5, 100.5).status is OrderStatus.OPEN


def test_reduce_only_never_opens_turns_or_grows():
    hand = Hand()
    assert hand.send("sell", 1, reduce_only=True).status is OrderStatus.REJECTED
    hand.send("buy", 1)
    assert hand.send("sell", 2, reduce_only=True).status is OrderStatus.REJECTED
    hand.send("sell", 1, 100.5, reduce_only=True)
    hand.send("sell", "0.4")
    hand.print(100.6, 5)
    assert hand.held() == 0
    assert hand.state.executions[-1].quantity == Decimal("0.6")


def test_funding_is_paid_at_its_time_on_the_value_at_the_mark_and_once():
    hand = Hand()
    hand.send("buy", 2)
    before = hand.state.balance
    hand.mark(101)
    due = hand.fund("0.0001", 1)
    hand.tick(3600)
    hand.show()
    hand.show()
    [flow] = hand.state.flows
    assert (flow.kind, flow.amount, flow.at, flow.symbol) == (
        FlowKind.FUNDING,
        Decimal("-0.0202"),
        due,
        SYMBOL,
    )
    assert hand.state.balance == before - Decimal("0.0202")
    hand.tick(16 * 3600)
    hand.show()
    assert len(hand.state.flows) == 3  # nobody was there for two of them


def test_a_venue_that_still_names_the_last_payment_is_not_paid_twice():
    hand = Hand()
    hand.send("buy", 1)
    due = hand.fund("0.0001", 1)
    hand.tick(3600)
    hand.venue.on_funding(SYMBOL, Funding(Decimal("0.0001"), due), hand.tick())
    hand.show()
    assert len(hand.state.flows) == 1


def test_shorts_receive_what_longs_pay_and_who_is_flat_neither():
    hand = Hand()
    hand.fund("0.0001", 1)
    hand.tick(3600)
    hand.send("sell", 1)
    assert hand.state.flows == []
    hand.tick(8 * 3600)
    hand.show()
    assert hand.state.flows[0].amount == Decimal("0.01")


def test_cross_margin_ends_when_the_account_cannot_carry_it():
    hand = Hand(balance=100)
    hand.send("buy", 8)
    hand.send("sell", 8, stop=60, reduce_only=True)
    hand.mark("88.9")
    hand.show(bids=[(88, 5), (80, 5)], asks=[(89, 1)])
    assert hand.held() == 8
    hand.mark("88.6")
    hand.show(bids=[(88, 5), (80, 5)], asks=[(89, 1)])
    assert hand.held() == 0
    assert hand.resting() == []
    assert "liquidated" in hand.state.executions[-1].reason
    assert hand.state.balance == 0  # the venue's insurance took the rest
    assert hand.state.flows[-1].kind is FlowKind.OTHER


def test_a_picture_that_is_told_again_liquidates_nothing():
    """Told again is told after a death: what a mark dooms goes with the next one, as without."""
    hand = Hand(balance=100)
    hand.send("buy", 8)
    hand.mark("88.6")
    hand.venue.on_book(SYMBOL, hand.picture, hand.state.booked[SYMBOL])
    hand.die_and_return()
    assert hand.held() == 8
    hand.show()
    assert hand.held() == 0


def test_a_stop_that_gaps_beyond_the_wallet_owes_nothing():
    hand = Hand(balance=30)
    hand.send("buy", 4)
    hand.send("sell", 4, stop=98, reduce_only=True)
    hand.print(97, 1, "sell")
    hand.show(bids=[(85, 50)], asks=[(86, 50)])
    assert hand.fills()[-1] == ("85", "4", "taker")  # the gap is paid in full
    assert hand.state.balance == 0  # as in a liquidation: the loss beyond is the venue's
    assert [flow.kind for flow in hand.state.flows] == [FlowKind.OTHER]


def test_isolated_margin_ends_with_the_margin_of_the_position():
    hand = Hand(terms=Terms(margin=Margin.ISOLATED, leverage=Decimal(10)))
    hand.send("buy", 1)
    hand.mark("90.7")
    hand.show()
    assert hand.held() == 1
    hand.mark("90.5")
    hand.show()
    assert hand.held() == 0
    assert hand.state.balance > 9_000


# 1 at 100.1 with tenfold leverage: 10.01 is set aside, opening costs 0.04004. At 60 it lost 40.1,
# and closing costs 0.024.
@pytest.mark.parametrize("by", ["stop", "liquidation"])
def test_a_gap_beyond_an_isolated_margin_takes_that_margin_and_no_more(by):
    hand = Hand(terms=Terms(margin=Margin.ISOLATED, leverage=Decimal(10)))
    hand.send("buy", 1)
    if by == "stop":
        hand.send("sell", 1, stop=98, reduce_only=True)
        hand.print(97, 1, "sell")
    else:
        hand.mark("60")
    hand.show(bids=[(60, 50)], asks=[(61, 50)])
    assert hand.fills()[-1] == ("60", "1", "taker")  # the gap is in the fill
    assert hand.state.balance == 10_000 - Decimal("0.04004") - Decimal("10.01")
    assert [flow.amount for flow in hand.state.flows] == [
        Decimal("40.1") + Decimal("0.024") - Decimal("10.01")
    ]


def test_the_margin_of_an_isolated_position_carries_all_that_one_order_walks():
    """The second level alone goes beyond its share of the margin, both together do not."""
    hand = Hand(terms=Terms(margin=Margin.ISOLATED, leverage=Decimal(10)))
    hand.send("buy", 2)  # 1 at 100.1 and 1 at 100.5: 20.06 is set aside, opening costs 0.08024
    hand.show(bids=[(95, 1), (88, 1)], asks=[(96, 5)])
    hand.send("sell", 2, reduce_only=True)
    assert hand.state.flows == []
    assert hand.state.balance == 10_000 - Decimal("0.08024") - Decimal("17.6") - Decimal("0.0732")


def test_a_part_of_an_isolated_position_costs_its_part_of_the_margin():
    hand = Hand(terms=Terms(margin=Margin.ISOLATED, leverage=Decimal(10)), asks=[(100, 9)])
    hand.send("sell", 1)  # at 99.9: 9.99 is set aside
    hand.show(asks=[(150, "0.5")])
    hand.send("buy", "0.5", reduce_only=True)
    # half of it lost 25.05 and costs 0.03; half of the margin is 4.995
    assert [flow.amount for flow in hand.state.flows] == [Decimal("20.085")]
    assert hand.held() == Decimal("-0.5")


def test_a_loss_within_an_isolated_margin_and_one_on_cross_margin_are_paid_in_full():
    for margin in Margin:
        hand = Hand(terms=Terms(margin=margin, leverage=Decimal(2)))
        hand.send("buy", 1)
        hand.show(bids=[(60, 50)], asks=[(61, 50)])
        hand.send("sell", 1, reduce_only=True)
        assert hand.state.flows == []
        assert hand.state.balance == 10_000 - Decimal("40.1") - Decimal("0.06404")


def test_chance_refuses_the_same_orders_again():
    def refused(seed):
        hand = Hand(terms=Terms(reject_rate=Decimal("0.3"), seed=seed))
        sent = [hand.send("buy", "0.1", 99, client_id=f"c{n}").status for n in range(60)]
        return [status is OrderStatus.REJECTED for status in sent]

    assert refused("a") == refused("a") != refused("b")
    assert 8 <= sum(refused("a")) <= 28


def test_a_fill_has_three_prices():
    hand = Hand()
    hand.send("buy", 2)
    bands = [(e.optimistic, e.price, e.pessimistic) for e in hand.state.executions]
    touch, worst = Decimal("100.1"), Decimal("101.0")
    assert bands == [(touch, touch, worst), (touch, Decimal("100.5"), worst)]


def test_a_fill_by_the_queue_is_less_certain_than_one_by_going_through():
    hand = Hand()
    hand.send("buy", 2, 99.9)
    hand.print(99.9, 2, "sell")
    hand.print(99.8, 1, "sell")
    bands = [(str(e.optimistic), str(e.price), str(e.pessimistic)) for e in hand.state.executions]
    assert bands == [("99.9", "99.9", "100.1"), ("99.9", "99.9", "99.9")]


def test_the_same_client_id_is_one_order_and_cancel_takes_it_back_once():
    hand = Hand()
    first = hand.send("buy", 1, 99.5, client_id="x")
    assert hand.send("buy", 1, 99.5, client_id="x") == first
    assert hand.venue.cancel("x", hand.now).status is OrderStatus.CANCELLED
    assert hand.venue.cancel("x", hand.now) is None
    hand.print(90, 1)
    assert hand.fills() == []


def test_an_order_that_rested_long_still_shows_its_fill_when_it_ends():
    hand = Hand()
    hand.send("buy", 1, 99.5)
    for n in range(20):
        hand.show(bids=BIDS, asks=[(100.1, 1 + n)])
        hand.send("buy", "0.1")
    hand.print(99, 1)
    assert hand.state.executions[-1].price == Decimal("99.5")


def test_a_state_of_the_former_venue_is_understood():
    old = {
        "balance": "9999.5",
        "lots": {SYMBOL: {"quantity": "1", "cost": "100.1"}},
        "orders": {
            "a": {
                "client_id": "a",
                "venue_id": "paper-1",
                "symbol": SYMBOL,
                "side": "buy",
                "kind": "limit",
                "quantity": "1",
                "status": "open",
                "filled": "0",
                "average": None,
                "price": "99.5",
                "reduce_only": False,
                "fill_venue_id": "paper-1",
            }
        },
        "executions": [],
        "seen": {SYMBOL: "2026-11-23T09:00:00Z"},
        "number": 1,
    }
    state = PaperState.restore(old)
    assert state.waits["a"].since == START
    assert state.waits["a"].ahead is None
    assert state.balance == Decimal("9999.5")
    with pytest.raises(ProtocolError, match="version 9"):
        PaperState.restore(old | {"version": 9})
