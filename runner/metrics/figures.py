"""Figures of closed trades, from their sums."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt

from runner.metrics.facts import Figure, Period
from runner.metrics.intervals import win_rate
from runner.metrics.student import interval, p_value
from runner.metrics.tally import Tally

NO_TRADE = "No trade was closed in this period."
NO_WIN = "No trade was won in this period."
NO_LOSS = "No trade was lost in this period."
ONE_TRADE = "It takes two closed trades."
SAME = "All trades had the same result, so there is no spread to measure by."


@dataclass
class Sheet:
    """Figures of one period as they are written down."""

    period: Period
    found: dict[str, Figure] = field(default_factory=dict)

    def add(  # a line of the sheet has this many cells
        self,
        key: str,
        name: str,
        unit: str,
        value: float | None,
        sample: int,
        definition: str,
        reason: str = "",
    ) -> None:
        """Write one down; the reason is kept only where there is no value."""
        why = reason if value is None else ""
        self.found[key] = Figure(name, value, unit, definition, self.period, sample, why)


def trade_figures(sums: Tally, period: Period) -> dict[str, Figure]:
    """All that closed trades alone tell."""
    sheet = Sheet(period)
    _results(sheet, sums)
    _sizes(sheet, sums)
    _certainty(sheet, sums)
    _times(sheet, sums)
    return sheet.found


def cost_figures(sums: Tally, period: Period) -> dict[str, Figure]:
    """What trading cost, by kind. Costs are positive; funding received makes it negative."""
    sheet, n = Sheet(period), sums.count
    sheet.add(
        *("fees", "Fees", "money", sums.fees, n),
        "What venues charged for the fills of the trades closed in the period.",
    )
    sheet.add(
        *("funding", "Funding paid", "money", -sums.funding, n),
        "Funding paid less funding received while the trades were open; negative when received.",
    )
    sheet.add(
        *("slippage", "Slippage", "money", sums.slippage if sums.slipped else None, sums.slipped),
        "What fills cost against the price at the decision: of buys above it, of sells below it, "
        "times quantity. It is part of the result already.",
        "No trade of the period has a known price at its decision.",
    )
    sheet.add(
        *("volume", "Volume", "money", sums.volume, n),
        "Notional of all entries and exits of the trades closed in the period.",
    )
    sheet.add(
        *("cost_share", "Fees of volume", "percent"),
        100 * sums.fees / sums.volume if sums.volume else None,
        *(n, "Fees divided by volume.", NO_TRADE),
    )
    return sheet.found


def _results(sheet: Sheet, it: Tally) -> None:
    n = it.count
    sheet.add(
        *("net_profit", "Net profit", "money", it.net if n else None, n),
        "Sum of the results of all trades closed in the period, after fees and funding.",
        NO_TRADE,
    )
    sheet.add(
        *("trades", "Closed trades", "count", n, n),
        "Trades that went from flat to flat and were closed in the period.",
    )
    sheet.add(
        *("win_rate", "Win rate", "percent", 100 * it.wins / n if n else None, n),
        "Trades with a net result above zero, of all closed trades.",
        NO_TRADE,
    )
    sheet.add(
        *("profit_factor", "Profit factor", "ratio"),
        it.profit / -it.loss if it.loss else None,
        *(n, "Sum of all winning results divided by the sum of all losing ones."),
        NO_LOSS if n else NO_TRADE,
    )
    sheet.add(
        *("expectancy", "Expectancy", "money", it.mean if n else None, n),
        "Mean net result of a closed trade.",
        NO_TRADE,
    )


def _sizes(sheet: Sheet, it: Tally) -> None:
    won = it.profit / it.wins if it.wins else None
    lost = it.loss / it.losses if it.losses else None
    sheet.add(
        *("average_win", "Average win", "money", won, it.wins),
        "Mean result of the winning trades.",
        NO_WIN,
    )
    sheet.add(
        *("average_loss", "Average loss", "money", lost, it.losses),
        "Mean result of the losing trades.",
        NO_LOSS,
    )
    sheet.add(
        *("payoff", "Payoff ratio", "ratio", won / -lost if won and lost else None),
        *(it.wins + it.losses, "Average win divided by average loss, without sign."),
        NO_WIN if not it.wins else NO_LOSS,
    )
    sheet.add(
        *("largest_win", "Largest win", "money", it.largest_win if it.wins else None, it.wins),
        "The best net result of one trade.",
        NO_WIN,
    )
    sheet.add(
        *("largest_loss", "Largest loss", "money"),
        it.largest_loss if it.losses else None,
        *(it.losses, "The worst net result of one trade.", NO_LOSS),
    )


def _certainty(sheet: Sheet, it: Tally) -> None:
    """How far the mean result may be luck."""
    n = it.count
    spread = it.deviation if n > 1 else 0.0
    # Sums of squares leave a speck behind where all results were equal.
    measured = spread > 1e-9 * max(abs(it.mean), 1e-12) if n > 1 else False
    t = it.mean / spread * sqrt(n) if measured else None
    why = SAME if n > 1 else ONE_TRADE
    low, high = interval(n, it.mean, spread) if measured else (None, None)
    sheet.add(
        *("sqn", "System quality number", "ratio", t, n),
        "Mean result divided by the standard deviation of results, times the square root of the "
        "number of trades.",
        why,
    )
    sheet.add(
        *("p_value", "p-value of the mean trade", "ratio"),
        p_value(t, n - 1) if t is not None else None,
        n,
        "Two-sided Student's t-test: how often trades with no edge at all would show a mean result "
        "at least this far from zero. Small is good; it takes trades to be independent.",
        why,
    )
    for key, name, value in (("mean_low", "lower", low), ("mean_high", "upper", high)):
        sheet.add(
            *(key, f"Mean trade, {name} bound", "money", value, n),
            "The mean result of a trade lies between the bounds with 95 % confidence (t interval). "
            "If zero lies between them, the trades do not show an edge.",
            why,
        )
    shares = win_rate(it.wins, n) if n else (None, None)
    for key, name, share in (("wins_low", "lower", shares[0]), ("wins_high", "upper", shares[1])):
        sheet.add(
            *(key, f"Win rate, {name} bound", "percent"),
            None if share is None else 100 * share,
            n,
            "The true win rate lies between the bounds with 95 % confidence (Wilson's score "
            "interval), if trades are independent.",
            NO_TRADE,
        )


def _times(sheet: Sheet, it: Tally) -> None:
    n = it.count
    length = sheet.period.seconds
    for key, name, count, total, why in (
        ("holding", "Holding time", n, it.seconds, NO_TRADE),
        ("holding_wins", "Holding time of winners", it.wins, it.win_seconds, NO_WIN),
        ("holding_losses", "Holding time of losers", it.losses, it.loss_seconds, NO_LOSS),
    ):
        mean = total / count if count else None
        sheet.add(
            *(key, name, "seconds", mean, count),
            "Mean time from the first fill of a trade to its last one.",
            why,
        )
    sheet.add(
        *("exposure", "Exposure", "percent", 100 * it.seconds / length if length > 0 else None, n),
        "Time in the market: holding times of the closed trades added up, divided by the period. "
        "Above 100 % where several positions were open at once.",
        "The period has no length.",
    )
    for key, name, value in (
        ("win_streak", "Longest winning streak", it.win_streak),
        ("loss_streak", "Longest losing streak", it.loss_streak),
    ):
        sheet.add(
            *(key, name, "count", value if n else None, n),
            "Trades in a row by their closing; a result of exactly zero ends a row.",
            NO_TRADE,
        )
