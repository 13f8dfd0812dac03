"""Ninety days as bars: the worst that lasted, shares of the measured time, incidents on top."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.status import components, history
from app.extensions import db
from app.models import Condition, Measurement
from tests.domain.status import desk

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = components.FLEET
HOUR = timedelta(hours=1)


def stretch(condition, began, ended, key=KEY):
    db.session.add(
        Measurement(component_key=key, condition=condition, began_at=began, ended_at=ended)
    )


def record(hits=(), now=NOW):
    db.session.flush()
    return history.records([KEY], hits, now)[KEY]


@pytest.fixture
def measured(app):
    components.ensure([KEY], NOW)


def test_nothing_measured_is_not_good(measured):
    found = record()
    assert len(found.days) == 90
    assert found.days[-1].date == NOW.date()
    assert {it.condition for it in found.days} == {Condition.UNKNOWN}
    assert found.share is None
    assert "Nothing was measured" in found.words


def test_a_stretch_over_midnight_is_cut_by_days(measured):
    midnight = NOW.replace(hour=0)
    stretch(Condition.OPERATIONAL, NOW - timedelta(days=2), midnight - HOUR)
    stretch(Condition.DOWN, midnight - HOUR, midnight + HOUR / 2)
    stretch(Condition.OPERATIONAL, midnight + HOUR / 2, None)
    found = record()
    assert [it.condition for it in found.days[-3:]] == [
        Condition.OPERATIONAL,
        Condition.DOWN,
        Condition.DOWN,
    ]
    assert [it.bad_minutes for it in found.days[-3:]] == [0, 60, 30]
    assert found.share == pytest.approx(1 - 1.5 / 48)
    assert "24 Nov (30 min), 23 Nov (60 min)" in found.words


def test_seconds_of_trouble_give_no_day_its_colour(measured):
    stretch(Condition.DOWN, NOW - HOUR, NOW - HOUR + timedelta(seconds=59))
    stretch(Condition.OPERATIONAL, NOW - HOUR + timedelta(seconds=59), None)
    assert record().days[-1].condition is Condition.OPERATIONAL


def test_unmeasured_time_counts_neither_way(measured):
    stretch(Condition.OPERATIONAL, NOW - 26 * HOUR, NOW - HOUR)
    stretch(Condition.UNKNOWN, NOW - HOUR, None)
    assert record().share == 1


@pytest.mark.parametrize(("hours", "said"), [(23, "less than a day"), (24, "worked 0.00 %")])
def test_a_share_of_a_few_minutes_is_not_told(measured, hours, said):
    stretch(Condition.DEGRADED, NOW - hours * HOUR, NOW)
    found = record()
    assert said in found.verdict
    assert (found.share is None) == (hours < 24)
    assert "Days with trouble: 24 Nov" in found.words


def test_an_incident_colours_what_measurement_did_not_see(measured):
    incident = desk.begin(desk.operator(), hits=[KEY], began_at=NOW - HOUR, now=NOW)
    stretch(Condition.OPERATIONAL, NOW - 40 * HOUR, None)
    found = record(hits=[incident])
    assert found.days[-1].condition is Condition.DEGRADED
    assert found.days[-1].bad_minutes == 60
    assert found.share == pytest.approx(39 / 40)


def test_time_is_never_counted_twice(measured):
    for _ in range(3):
        stretch(Condition.DEGRADED, NOW - HOUR, None)
    stretch(Condition.DOWN, NOW - HOUR / 2, None)
    spent = record().days[-1].spent
    assert spent[Condition.DEGRADED] == spent[Condition.DOWN] == 1800


@pytest.mark.parametrize(
    ("share", "said"), [(1, "100 %"), (0.99999, "99.99 %"), (0.5, "50.00 %"), (0, "0.00 %")]
)
def test_nothing_is_rounded_up_to_perfect(share, said):
    assert history.percent(share) == said
