import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.lifecycle import Reading, Tone
from app.web import formatting
from runner.protocol import Verdict

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
money = st.decimals("-1e9", "1e9", places=6, allow_nan=False)


@given(money, st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_a_number_reads_back_as_what_was_rounded(value, places):
    text = formatting.plain(value, places)
    back = Decimal(text.replace(",", "").replace(formatting.MINUS, "-"))
    assert abs(back - value) <= Decimal(5).scaleb(-places - 1)
    assert "-" not in text
    assert text.strip("−0.") or not text.startswith(formatting.MINUS)


@pytest.mark.parametrize(
    ("value", "text", "tone"),
    [("12.304", "+12.30", "good"), ("-3", "−3.00", "bad"), ("-0.001", "0.00", "flat")],
)
def test_a_result_has_sign_and_tone_and_its_exact_value(value, text, tone):
    shown = str(formatting.pnl(Decimal(value)))
    assert f">{text}<" in shown
    assert f"pnl-{tone}" in shown
    assert f'value="{value}"' in shown


def test_none_is_a_dash():
    for show in (formatting.amount, formatting.pnl, formatting.percent, formatting.moment):
        assert formatting.NONE in show(None)


def test_a_share_is_shown_in_percent():
    assert "+1.23" in formatting.percent(0.0123)


def test_a_unit_is_escaped():
    assert "<b>" not in formatting.amount(1, 2, "<b>")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (61, "1 min 1 s"),
        (600, "10 min"),
        (3600, "1 h"),
        (3660, "1 h 1 min"),
    ],
)
def test_lengths(seconds, text):
    assert formatting.duration(timedelta(seconds=seconds)) == text


def test_days_need_no_minutes():
    assert formatting.duration(timedelta(days=2, hours=3, minutes=9)) == "2 d 3 h"
    assert formatting.duration(timedelta(days=9, hours=3)) == "9 d"


def test_relative_times_look_both_ways():
    assert ">in 4 min<" in formatting.relative(NOW + timedelta(minutes=4), NOW)
    assert ">12 s ago<" in formatting.relative(NOW - timedelta(seconds=12), NOW)
    assert ">now<" in formatting.relative(NOW, NOW)
    assert 'datetime="2026-11-24T12:00:00Z"' in formatting.relative(NOW, NOW)


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (timedelta(minutes=3), "asleep (wakes 13:03:00)"),
        (timedelta(hours=5), "asleep (wakes 18:00)"),
        (timedelta(days=5, hours=20, minutes=52), "asleep (wakes Mon 09:52)"),
        (timedelta(days=7), "asleep (wakes 1 Dec)"),
    ],
)
def test_a_state_is_said_in_the_zone_of_its_schedule(gap, words):
    reading = Reading("asleep", Tone.NEUTRAL, when=NOW + gap)
    assert formatting.state_words(reading, NOW, "Europe/Berlin") == words


def test_a_state_without_a_moment_is_one_word():
    assert formatting.state_words(Reading("awake", Tone.GOOD), NOW, "UTC") == "awake"


def test_lost_contact_says_since_when():
    reading = Reading("lost contact", Tone.BAD, when=NOW - timedelta(seconds=40))
    assert formatting.state_words(reading, NOW, "UTC") == "lost contact (last word 40 s ago)"


def test_a_column_gets_the_decimals_its_values_need():
    values = [Decimal("63250.10"), Decimal("1.125"), None]
    assert formatting.decimals(values) == 3
    assert formatting.decimals(values, most=2) == 2
    assert formatting.decimals([], least=2) == 2
    assert formatting.decimals([Decimal("1E+3")]) == 0


@pytest.mark.parametrize(
    ("role", "value", "word"),
    [
        ("signal", 1, "long"),
        ("signal", -1, "short"),
        ("signal", 0, "quiet"),
        ("filter", 0, "blocks"),
        ("exit", 1, "fired"),
        ("signal", None, "warming up"),
    ],
)
def test_verdicts_are_said_in_words_of_their_role(role, value, word):
    assert formatting.verdict(Verdict("min_volatility", role, value, "")) == word


@pytest.mark.parametrize(
    ("value", "word"), [(1, "only long"), (-1, "only short"), (0, "neither side")]
)
def test_a_directional_filter_says_its_side(value, word):
    assert formatting.verdict(Verdict("ema_trend", "filter", value, "")) == word


def test_floats_are_taken_too():
    assert formatting.plain(math.pi, 2) == "3.14"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("funding_gate", "funding gate"),
        ("paused", "paused"),
        ("limit: daily loss … reached … no entries today", "daily loss"),
        ("daily loss … reached … no entries today", "daily loss"),
        ("limit: cooling down for … seconds after a losing trade", "cool-down"),
        ("limit: … of … positions open", "open positions"),
        ("limit: positions of … would touch the reserve of …", "balance reserve"),
        ("outside trading window", "“outside trading window”"),
    ],
)
def test_what_blocked_is_told_short(name, words):
    assert formatting.blocker(name) == words
