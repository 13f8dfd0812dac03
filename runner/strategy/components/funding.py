"""Components that read funding and open interest; what is not known passes nothing."""

from __future__ import annotations

from math import isnan

from runner.strategy.components.parts import PASS, SIGNAL, STATE, Crossing, candles, number
from runner.strategy.indicators.oscillators import Roc
from runner.strategy.spec import Bar, ComponentSpec, Params

_UNKNOWN = "the funding rate is not known here"
_NO_INTEREST = "open interest is not known here"


class FundingGate:
    """1 while the funding rate is at most so large, whoever pays."""

    spec = ComponentSpec(
        "funding_gate",
        PASS,
        "Funding gate",
        "Keeps entries out while the funding rate is extreme.",
        (number("percent", "At most", (0.001, 5), 0.05, "Largest rate.", "% per interval"),),
        group="funding",
        directional=False,
        sentence=lambda p: f"the funding rate is within ±{p['percent']:g} % per interval",
    )

    def __init__(self, params: Params) -> None:
        self._most = float(params["percent"]) / 100.0
        self._rate = 0.0

    def update(self, bar: Bar) -> int | None:
        self._rate = rate = bar.funding
        return 1 if -self._most <= rate <= self._most else 0

    def detail(self) -> str:
        if isnan(self._rate):
            return _UNKNOWN
        return f"funding is {100 * self._rate:+.4f} %, ±{100 * self._most:g} % passes"


class FundingFade:
    """-1 while longs pay so much, 1 while shorts do."""

    spec = ComponentSpec(
        "funding_fade",
        STATE,
        "Funding fade",
        "Bets against the crowded side, which pays to stay, and collects what it pays.",
        (number("percent", "At least", (0.001, 5), 0.03, "Smallest rate.", "% per interval"),),
        group="funding",
        directional=True,
        sentence=lambda p: (
            f"the funding rate is at most -{p['percent']:g} % (long) "
            f"or at least {p['percent']:g} % (short) per interval"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._least = float(params["percent"]) / 100.0
        self._rate = 0.0

    def update(self, bar: Bar) -> int | None:
        self._rate = rate = bar.funding
        return (rate <= -self._least) - (rate >= self._least)

    def detail(self) -> str:
        if isnan(self._rate):
            return _UNKNOWN
        return f"funding is {100 * self._rate:+.4f} %, ±{100 * self._least:g} % counts"


class FundingFlip:
    """1 when the funding rate turns positive, -1 when it turns negative."""

    spec = ComponentSpec(
        "funding_flip",
        SIGNAL,
        "Funding flip",
        "Goes with the crowd when it changes the side that pays.",
        (number("percent", "Beyond", (0, 1), 0.005, "Smaller rates keep the side.", "%"),),
        group="funding",
        directional=True,
        # Three payments or more; in a day without any rate beyond the bound there is no side.
        days=1,
        sentence=lambda p: (
            f"the funding rate turns positive (long) or negative (short) by {p['percent']:g} %"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._beyond = float(params["percent"]) / 100.0
        self._crossing = Crossing()
        self._rate = 0.0
        self._value = 0

    def update(self, bar: Bar) -> int | None:
        self._rate = rate = bar.funding
        side = (rate > self._beyond) - (rate < -self._beyond)
        self._value = value = self._crossing.update(side)
        return value

    def detail(self) -> str:
        if isnan(self._rate):
            return _UNKNOWN
        verb = "turned" if self._value else "stays"
        side = ("undecided", "positive", "negative")[self._crossing.side]
        return f"funding {verb} {side} at {100 * self._rate:+.4f} %"


class OpenInterestChange:
    """1 while open interest grew by so much over n candles."""

    spec = ComponentSpec(
        "open_interest_change",
        PASS,
        "Open interest change",
        "Lets entries pass only while new positions are being opened.",
        (
            candles("period", "Over", (1, 500), 24, "Candles between the two readings."),
            number("percent", "At least", (-50, 100), 1, "Smallest change that passes.", "%"),
        ),
        group="funding",
        directional=False,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: (
            f"open interest changed by at least {p['percent']:g} % over {p['period']:g} candles"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._roc = Roc(int(params["period"]))
        self._percent = float(params["percent"])
        self._last = 0.0

    def update(self, bar: Bar) -> int | None:
        change = self._roc.update(bar.open_interest)
        if change is None:
            return None
        self._last = change
        return 1 if change >= self._percent else 0

    def detail(self) -> str:
        if isnan(self._last):
            return _NO_INTEREST
        return f"open interest changed by {self._last:+.2f} %, {self._percent:g} % passes"


class OpenInterestTrend:
    """1 while price and open interest grow together, -1 while the price falls as interest grows."""

    spec = ComponentSpec(
        "open_interest_trend",
        STATE,
        "Open interest trend",
        "Goes with a move that new positions carry, not the closing of old ones.",
        (
            candles("period", "Over", (1, 500), 24, "Candles between the readings."),
            number("interest", "Interest at least", (0, 100), 1, "Growth of open interest.", "%"),
            number("price", "Price at least", (0, 50), 0.5, "Change of the close.", "%"),
        ),
        group="funding",
        directional=True,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: (
            f"over {p['period']:g} candles open interest grew by {p['interest']:g} % while the "
            f"close rose (long) or fell (short) by {p['price']:g} %"
        ),
    )

    def __init__(self, params: Params) -> None:
        period = int(params["period"])
        self._interest, self._price = Roc(period), Roc(period)
        self._least, self._move = float(params["interest"]), float(params["price"])
        self._changes = (0.0, 0.0)

    def update(self, bar: Bar) -> int | None:
        interest, price = self._interest.update(bar.open_interest), self._price.update(bar.close)
        if interest is None or price is None:
            return None
        self._changes = (interest, price)
        if not interest >= self._least or price == 0:
            return 0
        return (price >= self._move and price > 0) - (price <= -self._move and price < 0)

    def detail(self) -> str:
        interest, price = self._changes
        if isnan(interest):
            return _NO_INTEREST
        return f"open interest changed by {interest:+.2f} %, the close by {price:+.2f} %"
