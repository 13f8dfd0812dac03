"""A file of candles is whole, is what its name says, or counts as missing."""

import json
from datetime import timedelta

import pytest

from runner.history.columns import of_candles
from runner.history.files import Damaged, Files, Month, Series, bounds, months
from tests.runner.history.hand_past import JULY, candle

SERIES = Series("practice", "BTC/USDT:USDT", "1m")
MONTH = "2026-07"


@pytest.fixture
def written(tmp_path):
    files = Files(tmp_path)
    first, last = bounds(MONTH)
    columns = of_candles(candle(JULY + timedelta(minutes=n)) for n in range(100))
    files.write(SERIES, MONTH, Month(columns, first, last, [(first + 6000, last)]))
    return files


def test_what_is_written_is_read(written):
    content = written.read(SERIES, MONTH)
    assert len(content.columns) == 100
    assert content.columns.candle(7) == candle(JULY + timedelta(minutes=7))
    assert (content.since, content.until) == bounds(MONTH)
    assert len(content.gaps) == 1


def test_what_was_never_written_is_missing(written):
    assert written.read(SERIES, "2026-08") is None
    assert written.read(Series("practice", "ETH/USDT:USDT", "1m"), MONTH) is None


@pytest.mark.parametrize("place", [3, 60, -1])
def test_a_changed_byte_is_found(written, place):
    path = written.path(SERIES, MONTH)
    raw = bytearray(path.read_bytes())
    raw[place] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(Damaged):
        written.read(SERIES, MONTH)


@pytest.mark.parametrize("name", ["since", "until", "gaps"])
def test_a_changed_bound_or_gap_is_found(written, name):
    """Or a run would take candles for missing that a venue has, and name no gap."""
    path = written.path(SERIES, MONTH)
    magic, head, body = path.read_bytes().split(b"\n", 2)
    told = json.loads(head)
    told[name] = [] if name == "gaps" else told[name] + 60
    path.write_bytes(b"\n".join((magic, json.dumps(told).encode(), body)))
    with pytest.raises(Damaged):
        written.read(SERIES, MONTH)


def test_a_file_of_before_bounds_were_pinned_is_read(written):
    path = written.path(SERIES, MONTH)
    magic, head, body = path.read_bytes().split(b"\n", 2)
    told = json.loads(head)
    del told["bounds"]
    path.write_bytes(b"\n".join((magic, json.dumps(told).encode(), body)))
    assert len(written.read(SERIES, MONTH).columns) == 100


def test_a_file_that_is_cut_off_or_renamed_is_found(written):
    path = written.path(SERIES, MONTH)
    other = written.path(SERIES, "2026-08")
    other.write_bytes(path.read_bytes())
    with pytest.raises(Damaged, match="other candles"):
        written.read(SERIES, "2026-08")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(Damaged):
        written.read(SERIES, MONTH)


def test_a_write_that_fails_leaves_what_was_there(written, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        written.write(SERIES, MONTH, Month(of_candles([candle(JULY)]), *bounds(MONTH), []))
    monkeypatch.undo()
    assert len(written.read(SERIES, MONTH).columns) == 100
    assert [p.name for p in written.path(SERIES, MONTH).parent.iterdir()] == [f"{MONTH}.candles"]


def test_no_two_symbols_share_a_folder():
    names = ["BTC/USDT:USDT", "BTC_USDT:USDT", "BTC-USDT:USDT", "../../etc", "BTC/USDT/USDT"]
    folders = {Series("x", name, "1m").folder for name in names}
    assert len(folders) == len(names)
    assert all(".." not in folder.parts for folder in folders)


def test_a_year_has_twelve_months_in_order():
    first, last = bounds("2026-01")[0], bounds("2026-12")[1]
    assert months(first, last) == [f"2026-{n:02}" for n in range(1, 13)]
