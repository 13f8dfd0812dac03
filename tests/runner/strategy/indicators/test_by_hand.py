"""Indicators against values worked by hand from their definitions."""

import pytest

from runner.strategy.indicators import Atr, Donchian, Ema, Rsi


def test_ema_is_seeded_with_the_mean():
    ema = Ema(3)
    seen = [ema.update(x) for x in (1, 2, 6, 7, 1)]
    # mean(1, 2, 6) = 3; alpha = 1/2: 3 + (7-3)/2 = 5; 5 + (1-5)/2 = 3
    assert seen == [None, None, 3.0, 5.0, 3.0]


def test_rsi_by_wilder():
    rsi = Rsi(2)
    seen = [rsi.update(x) for x in (10, 12, 11, 13, 13)]
    # changes +2 -1 +2 0: gain 1, loss .5 -> 66.7; gain 1.5, loss .25 -> 85.7; halved -> same
    assert seen[:2] == [None, None]
    assert seen[2:] == pytest.approx([100 * 1 / 1.5, 100 * 1.5 / 1.75, 100 * 0.75 / 0.875])


def test_rsi_of_a_flat_market_is_zero():
    rsi = Rsi(2)
    assert [rsi.update(5) for _ in range(4)] == [None, None, 0.0, 0.0]


def test_atr_counts_gaps_and_skips_the_first_candle():
    atr = Atr(2)
    seen = [atr.update(*c) for c in ((10, 8, 9), (12, 11, 11), (11, 10, 10), (15, 14, 15))]
    # true ranges: -, max(1, 3, 2) = 3, max(1, 0, 1) = 1, max(1, 5, 4) = 5
    assert seen == [None, None, 2.0, 3.5]
    assert atr.value == 3.5


def test_donchian_spans_the_last_candles_only():
    channel = Donchian(2)
    channel.update(9, 1)
    assert channel.channel is None
    channel.update(5, 3)
    assert channel.channel == (9, 1)
    channel.update(6, 4)
    assert channel.channel == (6, 3)
