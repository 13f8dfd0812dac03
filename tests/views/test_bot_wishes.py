"""Waking, keeping awake and sleeping by hand, and what a schedule would do before it is saved."""

from datetime import timedelta

from sqlalchemy import select

from app import current
from app.extensions import db
from app.models import AuditEvent, Bot


def bot_at(house, url):
    with house.app_context():
        return db.session.get(Bot, url.split("/")[-1])


def actions(house, url):
    with house.app_context():
        query = select(AuditEvent.action).where(AuditEvent.target_id == url.split("/")[-1])
        return list(db.session.scalars(query.order_by(AuditEvent.seq)))


def test_kept_awake_then_asleep_then_neither(owner, desk, house):
    owner.post(f"{desk.resting}/start")
    owner.get(f"{desk.resting}/wish")
    owner.post(f"{desk.resting}/wish", what="wake", hours="3")
    bot = bot_at(house, desk.resting)
    assert bot.keep_awake_until is not None
    assert bot.asleep_until is None
    assert "Kept awake" in owner.get(f"{desk.resting}/wish").text
    with house.app_context():
        until = f"{current.now() + timedelta(days=2):%Y-%m-%d %H:%M}"
    owner.post(f"{desk.resting}/wish", what="sleep", until=until)
    bot = bot_at(house, desk.resting)
    assert bot.keep_awake_until is None
    assert bot.asleep_until is not None
    owner.post(f"{desk.resting}/wish", what="follow")
    bot = bot_at(house, desk.resting)
    assert (bot.keep_awake_until, bot.asleep_until) == (None, None)
    assert actions(house, desk.resting)[-3:] == ["bot.wake_now", "bot.sleep_now", "bot.follow"]


def test_a_stopped_bot_is_not_woken(owner, desk, house):
    owner.get(f"{desk.resting}/wish")
    page = owner.post(f"{desk.resting}/wish", 422, what="wake", hours="1")
    assert "start it first" in page.by_class("error-summary")[0].text
    assert bot_at(house, desk.resting).keep_awake_until is None


def test_a_moment_that_is_none_stands_beside_its_field(owner, desk):
    owner.post(f"{desk.resting}/start")
    owner.get(f"{desk.resting}/wish")
    for until in ("soon", "2001-01-01 10:00", "2099-01-01 10:00"):
        page = owner.post(f"{desk.resting}/wish", 422, what="awake", until=until)
        assert page.by_id("until_error").text
        assert page.by_id("until").get("value") == until
    page = owner.post(f"{desk.resting}/wish", 422, what="wake", hours="-2")
    assert "whole number" in page.by_id("hours_error").text


def test_a_preview_shows_the_week_and_saves_nothing(owner, desk, house):
    owner.get(f"{desk.resting}/schedule")
    before = bot_at(house, desk.resting).schedule
    rows = {
        "sessions-0-days": [str(day) for day in range(7)],
        "sessions-0-opens": "08:00",
        "sessions-0-closes": "12:00",
        "sessions-1-days": [str(day) for day in range(7)],
        "sessions-1-opens": "11:00",
        "sessions-1-closes": "13:00",
    }
    page = owner.post(
        f"{desk.resting}/schedule", 200, kind="custom", zone="UTC", preview="yes", **rows
    )
    assert "Sessions 1 and 2 overlap" in page.by_id("schedule_preview").text
    assert page.by_id("week")
    assert bot_at(house, desk.resting).schedule == before


def test_blackouts_and_the_end_are_saved_and_shown(owner, desk, house):
    owner.get(f"{desk.resting}/schedule")
    fields = {
        "kind": "markets",
        "zone": "Europe/Berlin",
        "markets": ["tokyo", "funding"],
        "funding_minutes": "20",
        "blackouts-0-first": "2031-12-24",
        "blackouts-0-last": "2031-12-26",
        "blackouts-0-note": "Zx98q holidays",
        "flatten": "y",
        "quiet_minutes": "10",
    }
    owner.post(f"{desk.resting}/schedule", **fields)
    stored = bot_at(house, desk.resting).schedule
    assert stored["flatten"] is True
    assert stored["quiet_minutes"] == 10
    assert stored["blackouts"] == [
        {"first": "2031-12-24", "last": "2031-12-26", "note": "Zx98q holidays"}
    ]
    page = owner.get(f"{desk.resting}/schedule")
    assert page.by_id("funding_minutes").get("value") == "20"
    assert page.by_id("blackouts-0-note").get("value") == "Zx98q holidays"
    assert "flat at the end" in owner.get(desk.resting).text


def test_a_schedule_that_never_opens_is_explained_and_not_saved(owner, desk, house):
    owner.get(f"{desk.resting}/schedule")
    before = bot_at(house, desk.resting).schedule
    fields = {"blackouts-0-first": "2020-01-01", "blackouts-0-last": "2099-12-31"}
    page = owner.post(f"{desk.resting}/schedule", 422, kind="always", zone="UTC", **fields)
    assert "never opens" in page.by_class("error-summary")[0].text
    assert bot_at(house, desk.resting).schedule == before
    fields |= {"kind": "always", "zone": "UTC", "preview": "yes"}
    page = owner.post(f"{desk.resting}/schedule", 200, **fields)
    assert "never opens" in page.text


def test_a_day_that_is_none_stands_beside_its_row(owner, desk):
    owner.get(f"{desk.resting}/schedule")
    fields = {"blackouts-0-first": "Christmas"}
    page = owner.post(f"{desk.resting}/schedule", 422, kind="always", zone="UTC", **fields)
    assert page.by_id("blackouts-0-first").get("aria-invalid") == "true"
