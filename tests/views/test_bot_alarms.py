"""Alarms on the pages of a workspace."""

from datetime import UTC, datetime

import pytest

from app.domain import bot_alarms
from app.extensions import db
from app.models import Bot
from tests.site import rows


@pytest.fixture
def rung(house, desk):
    with rows(house):
        bot = db.session.get_one(Bot, desk.bot.rpartition("/")[2])
        bot_alarms.ring(bot, "foreign", "An <order> is not ours.", datetime.now(UTC))
    return desk


def test_it_stands_on_top_of_bot_and_dashboard_and_in_the_menu(rung, viewer):
    for path in (rung.bot, f"{rung.home}/"):
        page = viewer.get(path)
        assert "Something on the account of Tide is not its own" in page.text
        assert "An <order> is not ours." in page.text
        assert (page.by_id("alarms_title") is None) == (path == rung.bot)
    assert page.by_class("nav-alarms")[0].text == ",1alarm"
    assert not viewer.get(f"{rung.home}/strategies", 403).by_class("trouble")


def test_somebody_takes_it_and_everybody_sees_who(rung, trader, house):
    page = trader.get(rung.bot)
    (form,) = [it for it in page.all("form") if "/take" in (it.get("action") or "")]
    page = trader.post(form.get("action"))
    assert "Trader looks after it since" in page.text
    trader.post(form.get("action"), 409)


def test_once_it_is_over_no_page_shows_it(rung, viewer, house):
    with rows(house):
        bot_alarms.end(rung.bot.rpartition("/")[2], ["foreign"], datetime.now(UTC))
    page = viewer.get(f"{rung.home}/")
    assert "not its own" not in page.text
    assert not page.by_class("nav-alarms")
