"""What is kept of each look: stretches without overlap, no flicker, and gaps that stay gaps."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.status import components, measure
from app.domain.status.facts import WORKS, Finding
from app.extensions import db
from app.models import Component, Condition, Measurement
from tests.factories import NOW

BAD = Finding(Condition.DOWN, "Nothing moves.")
KEY = components.FLEET
MINUTE = timedelta(minutes=1)


def look(*findings, key=KEY, start=NOW):
    """One look a minute; returns when the next one is due."""
    for number, finding in enumerate(findings):
        measure.keep({key: finding}, start + number * MINUTE)
    db.session.commit()
    return start + len(findings) * MINUTE


def stretches(key=KEY):
    query = select(Measurement).where(Measurement.component_key == key)
    return [
        (it.condition, it.began_at, it.ended_at)
        for it in db.session.scalars(query.order_by(Measurement.began_at))
    ]


def standing(key=KEY):
    return db.session.get(Component, key, populate_existing=True)


def test_the_first_look_counts_and_further_ones_extend_it(app):
    look(WORKS, WORKS, WORKS)
    assert stretches() == [(Condition.OPERATIONAL, NOW, None)]
    assert standing().measured_at == NOW + 2 * MINUTE
    assert standing().since == NOW


def test_one_bad_look_changes_nothing(app):
    look(WORKS, BAD, WORKS, BAD, WORKS)
    assert stretches() == [(Condition.OPERATIONAL, NOW, None)]


def test_two_bad_looks_in_a_row_do_and_two_good_ones_end_it(app):
    look(WORKS, BAD, BAD, WORKS, WORKS)
    assert stretches() == [
        (Condition.OPERATIONAL, NOW, NOW + 2 * MINUTE),
        (Condition.DOWN, NOW + 2 * MINUTE, NOW + 4 * MINUTE),
        (Condition.OPERATIONAL, NOW + 4 * MINUTE, None),
    ]
    assert standing().since == NOW + 4 * MINUTE


def test_two_different_bad_looks_are_no_agreement(app):
    worse = Finding(Condition.DEGRADED, "Slow.")
    look(WORKS, BAD, worse, BAD, WORKS)
    assert [it[0] for it in stretches()] == [Condition.OPERATIONAL]


@pytest.mark.parametrize("key", [components.FLEET, components.TIMETABLE])
def test_while_nobody_looked_nothing_is_called_good(app, key):
    look(WORKS, key=key)
    later = NOW + timedelta(hours=2)
    look(WORKS, key=key, start=later)
    assert stretches(key) == [
        (Condition.OPERATIONAL, NOW, NOW),
        (Condition.UNKNOWN, NOW, later),
        (Condition.OPERATIONAL, later, None),
    ]


def test_what_was_not_looked_at_lately_is_not_known(app):
    look(WORKS)
    soon, late = NOW + timedelta(minutes=3), NOW + timedelta(minutes=5)
    shown = [
        next(it.condition for it in components.standings(now, {}) if it.key == KEY)
        for now in (soon, late)
    ]
    assert shown == [Condition.OPERATIONAL, Condition.UNKNOWN]


def test_an_open_incident_outweighs_what_is_measured_and_never_brightens_it(app):
    look(WORKS)
    look(BAD, key=components.DESK)
    hit = {KEY: Condition.DEGRADED, components.DESK: Condition.DEGRADED}
    shown = {it.key: it.condition for it in components.standings(NOW, hit)}
    assert shown[KEY] is Condition.DEGRADED
    assert shown[components.DESK] is Condition.DOWN


def test_only_what_no_page_shows_is_dropped(app):
    look(WORKS, BAD, BAD)
    measure.forget(NOW + timedelta(days=399))
    assert len(stretches()) == 2
    measure.forget(NOW + timedelta(days=401))
    assert [it[0] for it in stretches()] == [Condition.DOWN]
