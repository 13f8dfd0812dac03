"""A period is fetched once; gaps are asked for twice, and what stays empty is named."""

import asyncio
from datetime import timedelta

import pytest

from runner.errors import Operational, Temporary
from runner.history.files import Files, Series
from runner.history.reading import fetch, load
from tests.runner.history.hand_past import JULY, HandPast, candle

SERIES = Series("practice", "BTC/USDT:USDT", "1m")
LATER = JULY + timedelta(days=90)
MINUTE = timedelta(minutes=1)


def _seconds(moment):
    return int(moment.timestamp())


def _fetch(past, files, since, until, now=LATER):
    period = (_seconds(since), _seconds(until))
    return asyncio.run(fetch(past, files, SERIES, period, now, lambda *_: None))


def _load(files, since, until):
    return load(files, SERIES, _seconds(since), _seconds(until))


def test_a_period_over_two_months_comes_whole_and_is_asked_for_once(tmp_path):
    past, files = HandPast(), Files(tmp_path)
    since, until = JULY - timedelta(days=2), JULY + timedelta(days=1)
    _fetch(past, files, since, until)
    history = _load(files, since, until)
    assert len(history.columns) == 3 * 1440
    assert history.gaps == ()
    assert history.columns.candle(2880) == candle(JULY)
    asked = len(past.requests)
    _fetch(past, files, since, until)
    assert len(past.requests) == asked


def test_what_is_fetched_grows_at_both_ends(tmp_path):
    past, files = HandPast(), Files(tmp_path)
    middle = JULY + timedelta(days=10)
    _fetch(past, files, middle, middle + timedelta(hours=1))
    _fetch(past, files, middle - timedelta(hours=2), middle + timedelta(hours=3))
    assert sum(limit for _, limit in past.requests) == 5 * 60
    assert (
        len(_load(files, middle - timedelta(hours=2), middle + timedelta(hours=3)).columns) == 300
    )


def test_a_gap_is_mended_by_asking_again(tmp_path):
    forgotten = [JULY + MINUTE * n for n in (30, 31, 77)]
    files = Files(tmp_path)
    _fetch(HandPast(forgets=forgotten), files, JULY, JULY + timedelta(hours=2))
    history = _load(files, JULY, JULY + timedelta(hours=2))
    assert (len(history.columns), history.gaps) == (120, ())


def test_what_the_venue_never_had_is_named(tmp_path):
    never = [JULY + MINUTE * n for n in (10, 11, 12, 119)]
    files = Files(tmp_path)
    _fetch(HandPast(never=never), files, JULY, JULY + timedelta(hours=2))
    history = _load(files, JULY, JULY + timedelta(hours=2))
    begin = _seconds(JULY)
    assert history.gaps == ((begin + 600, begin + 780), (begin + 7140, begin + 7200))
    assert (history.missing, len(history.columns)) == (4, 116)


def test_the_newest_candles_may_come_late(tmp_path):
    files, now = Files(tmp_path), JULY + timedelta(hours=2)
    known = _fetch(HandPast(until=now - 2 * MINUTE), files, JULY, now, now)
    assert known == _seconds(now - 2 * MINUTE)
    assert _fetch(HandPast(), files, JULY, now, now + MINUTE) == _seconds(now)
    assert _load(files, JULY, now).gaps == ()


def test_a_candle_that_is_still_open_is_not_history(tmp_path):
    files, now = Files(tmp_path), JULY + timedelta(minutes=10, seconds=30)
    assert _fetch(HandPast(), files, JULY, JULY + timedelta(days=1), now) == _seconds(JULY) + 600


def test_a_damaged_month_is_fetched_anew(tmp_path):
    files, until = Files(tmp_path), JULY + timedelta(hours=1)
    _fetch(HandPast(), files, JULY, until)
    digest = _load(files, JULY, until).digest
    files.path(SERIES, "2026-07").write_bytes(b"nonsense")
    with pytest.raises(Operational, match="fetch them first"):
        _load(files, JULY, until)
    _fetch(HandPast(), files, JULY, until)
    assert _load(files, JULY, until).digest == digest


def test_an_interruption_keeps_the_months_that_are_there(tmp_path):
    class Cut(HandPast):
        async def past(self, symbol, timeframe, since, limit):
            if since >= JULY:
                raise Temporary("gone")
            return await super().past(symbol, timeframe, since, limit)

    files, since = Files(tmp_path), JULY - timedelta(hours=5)
    with pytest.raises(Temporary):
        _fetch(Cut(), files, since, JULY + timedelta(hours=5))
    assert len(_load(files, since, JULY).columns) == 300
    with pytest.raises(Operational, match="2026-07"):
        _load(files, since, JULY + timedelta(hours=1))


def test_a_gap_changes_the_digest(tmp_path):
    digests = set()
    for number, never in enumerate([(), [JULY + MINUTE]]):
        files = Files(tmp_path / str(number))
        _fetch(HandPast(never=never), files, JULY, JULY + timedelta(hours=1))
        digests.add(_load(files, JULY, JULY + timedelta(hours=1)).digest)
    assert len(digests) == 2


def test_a_gap_at_the_end_changes_it_though_every_candle_is_the_same(tmp_path):
    files, end = Files(tmp_path), JULY + timedelta(hours=1)
    _fetch(HandPast(never=[end - MINUTE]), files, JULY, end)
    short, long = _load(files, JULY, end - MINUTE), _load(files, JULY, end)
    assert short.columns.digest == long.columns.digest
    assert short.digest != long.digest
