"""Whatever was decided comes back to the letter, and costs a few bytes a candle."""

import zlib
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.decisions import block
from app.domain.decisions.block import Damaged, packed, unpacked
from app.domain.decisions.columns import Pages, add_texts, read_columns, read_texts
from app.domain.decisions.judged import Judged
from runner.protocol import Verdict
from tests.factories import NOW

numbers = st.lists(st.integers(-(2**61), 2**61), max_size=30)
odd = st.sampled_from(
    ["-0.00", "+0.5", "-0.5", "007", "1e-05", "6.3e+04", "1.", ".5", "2026-11-24", "1.2.3", "a1"]
)
figures = st.decimals(-(10**9), 10**9, places=3, allow_nan=False).map(str)
said = st.lists(st.one_of(odd, figures, st.sampled_from(["close", "rose", "%", "±", "日"])))
texts = st.lists(said.map(" ".join), max_size=12)


@given(numbers)
@example([5])
@example([7, 7, 7])
@example([0, 60, 120, 180])
@example([-1, 2**61, 3])
@settings(max_examples=150, deadline=None)
def test_a_column_comes_back(column):
    pages = Pages()
    pages.add(column)
    assert list(read_columns(pages.heads, pages.body())) == [column]


@given(texts)
@example(["EMA 60152.6 and 60091", "EMA 60152 and 60091.55", "warming up"])
@example(["999999999999999 0.000000000001", "1 1"])
@settings(max_examples=150, deadline=None)
def test_a_text_comes_back_to_the_letter(told):
    pages = Pages()
    patterns = add_texts(pages, told)
    assert read_texts(read_columns(pages.heads, pages.body()), patterns) == told


def test_numbers_are_no_patterns():
    pages = Pages()
    told = [f"fast {60_000 + n / 10} is {n:+d} from {n % 7}.50 %" for n in range(1, 200)]
    assert len(add_texts(pages, told)) == 1


def decided(number, **values):
    detail = f"fast EMA stays above slow EMA ({60_150 + number / 10:.6g} and {60_091 + number})"
    row = Judged(
        candle_at=NOW + number * timedelta(minutes=1),
        close=Decimal("60146.80") + number,
        action="none",
        reason="no signal reached the threshold 1 (score 0)",
        verdicts=(
            Verdict("ema_cross", "signal", 0, detail),
            Verdict("min_volatility", "filter", None, "warming up"),
        ),
        code=5,
    )
    return replace(row, **values)


def test_rows_come_back_whole():
    rows = [
        decided(0),
        decided(1, verdicts=(), code=2, reason="2 candles are missing before this one: …"),
        decided(2, action="enter_long", code=9, direction=1, close=Decimal("0.00000012")),
        decided(7, code=7, direction=-1, blocker=1),
        decided(8, code=8, direction=1, blocked="paused", close=Decimal(10**18)),
        decided(9, verdicts=(*decided(9).verdicts, Verdict("time_stop", "exit", 1, "4 of 4"))),
    ]
    again = unpacked(packed(rows))
    assert list(again) == rows
    assert [str(row.close) for row in again] == [str(row.close) for row in rows]


def test_a_candle_costs_a_few_bytes():
    rows = [decided(number) for number in range(120)]
    assert len(packed(rows)) < 10 * len(rows)


def test_a_time_is_kept_to_the_microsecond():
    row = decided(0, candle_at=NOW + timedelta(microseconds=1))
    assert unpacked(packed([row, decided(3)]))[0].candle_at == row.candle_at


def test_a_piece_of_the_migration_is_understood():
    said = [{"component": "adx", "role": "gate", "value": 0, "detail": "ADX is 3, 5 passes"}]
    old = [NOW.isoformat(), "60146.80", "none", "score 1, but adx blocks: ADX is 3, 5", said]
    piece = block.PLAIN + zlib.compress(block.json.dumps([old]).encode())
    (row,) = unpacked(piece)
    assert (row.candle_at, row.close, row.code, row.blocked_by) == (
        NOW,
        Decimal("60146.80"),
        7,
        "adx",
    )


@pytest.mark.parametrize(
    "piece",
    [
        b"",
        b"\x01",
        b"\x02" + zlib.compress(b"x"),
        packed([decided(0)])[:-3],
        block.PACKED + zlib.compress(b"\x04\x00\x00\x00null"),
        block.PACKED + zlib.compress(b"\x01"),
        block.PACKED + zlib.compress(b'\x1a\x00\x00\x00{"columns":[],"texts":[]}.'),
        block.PLAIN + zlib.compress(b"[[1]]"),
    ],
)
def test_a_damaged_piece_is_named(piece):
    with pytest.raises(Damaged):
        unpacked(piece)
