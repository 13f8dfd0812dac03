"""A book kept by its changes, moment by moment, whenever its snapshot was taken."""

import itertools

from app.practice.params import Params
from app.practice.public import depth
from app.practice.routes import Call
from app.practice.streams.depth import DepthFeed


def snapshot(floor, limit=5):
    params = Params({"symbol": "BTCUSDT", "limit": str(limit)})
    return depth(Call(floor.desk, params, "", floor.ms, floor.ms))


def test_a_price_that_came_and_went_between_two_events_does_not_stay(floor):
    feed = DepthFeed(floor.markets["BTCUSDT"], 100, floor.ms)
    for _ in range(300):
        floor.ms += 50
        local = snapshot(floor)
        floor.ms += 50
        (event,) = feed.events(floor.ms)
        assert event["U"] <= local["lastUpdateId"] <= event["u"] == floor.ms
        now = snapshot(floor, 1000)
        for side, name in (("bids", "b"), ("asks", "a")):
            kept = dict(local[side]) | dict(event[name])
            wanted = dict(now[side])
            assert {p: q for p, q in kept.items() if float(q)} == {
                p: q for p, q in wanted.items() if p in kept
            }


def test_events_form_a_chain_and_nobody_is_kept_in_mind_afterwards(floor):
    market = floor.markets["BTCUSDT"]
    feed, ids = DepthFeed(market, 250, floor.ms), []
    for _ in range(20):
        floor.ms += 100
        ids += [(event["pu"], event["u"]) for event in feed.events(floor.ms)]
    assert len(ids) == 6
    assert all(before[1] == after[0] for before, after in itertools.pairwise(ids))
    feed.close()
    assert market.shown_to == []
