"""Blackouts, presets, wishes of the day, and what is said before saving."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from app.domain import schedule, schedule_rules, schedule_text
from app.domain.errors import Invalid
from app.domain.schedule import ALWAYS, Blackout, Schedule, Session
from runner.protocol import Window

EVERY_DAY = tuple(range(7))
DAILY = Schedule("Europe/Berlin", (Session(EVERY_DAY, time(22), time(2)),))
LEAD, GAP = timedelta(minutes=5), timedelta(minutes=30)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def said(plan, now="2026-11-23T12:00"):
    found = schedule_text.findings(plan, utc(now), wake_lead=LEAD, least_gap=GAP)
    return " ".join(item.text for item in found)


def test_a_blackout_takes_whole_local_days():
    plan = replace(DAILY, blackouts=(Blackout(date(2026, 11, 25), date(2026, 11, 25)),))
    found = schedule.windows(plan, utc("2026-11-24T12:00"), utc("2026-11-27T00:00"))
    assert found == [
        Window(utc("2026-11-24T21:00"), utc("2026-11-24T23:00")),
        Window(utc("2026-11-25T23:00"), utc("2026-11-26T01:00")),
        Window(utc("2026-11-26T21:00"), utc("2026-11-27T01:00")),
    ]


def test_a_blackout_ends_what_never_ended():
    plan = replace(ALWAYS, blackouts=(Blackout(date(2026, 11, 25), date(2026, 11, 26), "rest"),))
    assert schedule.is_open(plan, utc("2026-11-24T23:59"))
    assert not schedule.is_open(plan, utc("2026-11-25T00:00"))
    assert schedule.next_opening(plan, utc("2026-11-25T00:00")) == utc("2026-11-27T00:00")
    assert schedule.closing(plan, utc("2026-11-24T10:00")) == utc("2026-11-25T00:00")


def test_an_old_row_reads_and_a_new_one_reads_back():
    old = {"zone": "UTC", "sessions": []}
    assert schedule.from_plain(old) == ALWAYS
    assert ALWAYS.to_plain() == old
    plan = Schedule(
        "Asia/Tokyo",
        (schedule_rules.MARKETS["london"],),
        (Blackout(date(2026, 1, 1), date(2026, 1, 2), "new year"),),
        flatten=True,
        quiet_minutes=5,
        least_sleep=90,
    )
    assert schedule.from_plain(plan.to_plain()) == plan


def test_a_market_keeps_its_own_clock():
    plan = Schedule("UTC", (schedule_rules.MARKETS["new_york"],))
    assert schedule.windows(plan, utc("2026-07-06T00:00"), utc("2026-07-07T00:00")) == [
        Window(utc("2026-07-06T13:30"), utc("2026-07-06T20:00"))
    ]
    assert schedule_rules.markets(plan) == ["new_york"]


@pytest.mark.parametrize("minutes", [1, 15, 60, 180])
def test_around_funding(minutes):
    plan = Schedule("Asia/Tokyo", tuple(schedule_rules.around_funding(minutes)))
    found = schedule.windows(plan, utc("2026-11-24T04:00"), utc("2026-11-24T12:00"))
    length = timedelta(minutes=minutes)
    noon = utc("2026-11-24T08:00")
    assert found == [Window(noon - length, noon + length)]
    assert schedule_rules.funding_minutes(plan) == minutes
    assert schedule_rules.markets(plan) == ["funding"]


def test_wishes_add_and_take():
    now = utc("2026-11-24T10:00")
    end = now + timedelta(days=1)
    sessions = [Window(utc("2026-11-24T21:00"), utc("2026-11-25T01:00"))]

    def wished(awake=None, asleep=None):
        return schedule.wished(DAILY, now, end, keep_awake_until=awake, asleep_until=asleep)

    assert wished() == sessions
    assert wished(awake=now) == sessions
    noon = utc("2026-11-24T12:00")
    assert wished(awake=noon) == [Window(now, noon), *sessions]
    late = utc("2026-11-24T22:00")
    assert wished(awake=late) == [Window(now, sessions[0].closes)]
    assert wished(asleep=late) == [Window(late, sessions[0].closes)]


def test_after_a_long_stop_only_now_counts():
    stopped, now = utc("2026-10-01T00:00"), utc("2026-10-31T12:00")
    assert now - stopped >= timedelta(days=30)
    found = schedule.windows(DAILY, now, now + schedule.HORIZON)
    assert all(window.closes > now for window in found)
    assert not schedule.is_open(DAILY, now)


def test_what_is_said_before_saving():
    overlapping = Schedule(
        "UTC",
        (Session(EVERY_DAY, time(8), time(12)), Session(EVERY_DAY, time(11), time(13))),
    )
    assert "1 and 2 overlap" in said(overlapping)
    touching = Schedule(
        "UTC",
        (Session(EVERY_DAY, time(8), time(12)), Session(EVERY_DAY, time(12), time(13))),
    )
    assert "touch" in said(touching)
    close = Schedule(
        "UTC",
        (Session(EVERY_DAY, time(8), time(12)), Session(EVERY_DAY, time(12, 20), time(13))),
    )
    assert "20 min are too short" in said(close)
    assert "clocks of Europe/Berlin go back" in said(DAILY, "2026-10-20T00:00")
    assert "nothing is ever entered" in said(replace(DAILY, quiet_minutes=240))
    month = Blackout(date(2026, 11, 1), date(2026, 12, 31))
    assert "no session in the next 14 days" in said(replace(DAILY, blackouts=(month,)))
    ages = Blackout(date(2026, 1, 1), date(2099, 12, 31))
    assert "never opens" in said(replace(DAILY, blackouts=(ages,)))
    assert said(ALWAYS) == ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quiet_minutes": 1441}, "quiet_minutes"),
        ({"least_sleep": 29}, "least_sleep"),
        ({"blackouts": [Blackout(date(2026, 1, 1), date(2026, 1, 1))] * 31}, "blackouts"),
    ],
)
def test_bounds_name_the_field(changes, field):
    plain = {"blackouts": [], "flatten": False, "quiet_minutes": 0, "least_sleep": None}
    with pytest.raises(Invalid) as refusal:
        schedule_rules.ending(DAILY, **(plain | changes), shortest=GAP)
    assert refusal.value.field == field


def test_a_gap_worth_sleeping_is_never_below_the_compute():
    assert replace(DAILY, least_sleep=60).gap(GAP) == timedelta(hours=1)
    assert replace(DAILY, least_sleep=None).gap(GAP) == GAP
