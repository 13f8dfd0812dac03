"""Panic, as a page."""

import re

from sqlalchemy import select

from app.extensions import db
from app.models import Bot, BotCommand, LoginSession
from runner.protocol import CommandKind
from tests import factories
from tests.site import rows
from tests.views.conftest import as_person
from tests.views.test_approvals import grow_stale


def test_a_trader_flattens_everything_from_the_dashboard(house, desk, trader):
    page = trader.get(f"{desk.home}/")
    (address,) = trader.links("Panic")
    page = trader.get(address)
    boxes = [node for node in page.all("input") if node.get("name") == "bots"]
    assert [box.get("value") for box in boxes] == [desk.bot.rpartition("/")[2]]
    assert all("checked" in box.attributes for box in boxes)
    page = trader.post(address, bots=[box.get("value") for box in boxes])
    assert "1 bot told to cancel entries" in page.text
    with rows(house):
        bot = db.session.get_one(Bot, boxes[0].get("value"))
        open_ones = select(BotCommand.kind).where(
            BotCommand.bot_id == bot.id, BotCommand.done_at.is_(None)
        )
        assert CommandKind.FLATTEN in set(db.session.scalars(open_ones))
        assert bot.paused


def test_it_asks_no_password_however_old_the_session(house, desk, pages):
    trader = as_person(pages, desk, "trader")
    grow_stale(house, desk.emails["trader"])
    trader.get(f"{desk.home}/panic")
    trader.post(f"{desk.home}/panic", bots=[desk.bot.rpartition("/")[2]])
    with rows(house):
        old = select(LoginSession.confirmed_at).order_by(LoginSession.created_at.desc()).limit(1)
        assert db.session.scalars(old).one().year == 2020


def test_a_bot_that_is_none_does_no_harm_and_none_at_all_is_said(desk, trader):
    trader.get(f"{desk.home}/panic")
    page = trader.post(f"{desk.home}/panic", bots=["bot_none", desk.bot.rpartition("/")[2]])
    assert "1 bot told" in page.text
    trader.get(f"{desk.home}/panic")
    page = trader.post(f"{desk.home}/panic", 422)
    assert re.search("Tick at least one", page.text)


def test_where_nothing_trades_there_is_nothing_to_press(pages, house):
    with rows(house):
        workspace = factories.organisation(factories.user("Quiet"))
        home, email = f"/w/{workspace.id}", workspace.memberships[0].user.email
    pages.become(email)
    assert "Nothing to flatten" in pages.get(f"{home}/panic").text
    assert not pages.get(f"{home}/").by_class("btn-danger")
