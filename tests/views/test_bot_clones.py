"""The pages that clone a bot and reset its paper balance."""

from datetime import UTC, datetime

from app.extensions import db
from app.models import Bot, Wish
from tests import site


def test_a_clone_opens_stopped_and_says_what_it_did_not_get(trader, desk, house):
    page = trader.get(f"{desk.resting}/clone")
    assert "Clone Moon" in page.text
    assert "a testnet key. It has none." in page.text
    page = trader.post(f"{desk.resting}/clone", name="Moon two")
    assert "Moon two is created, stopped and on paper." in page.text
    with site.rows(house):
        made = db.session.query(Bot).filter_by(name="Moon two").one()
        assert made.wish is Wish.REST
        assert made.mode == "paper"


def test_a_clone_without_a_name_keeps_the_page(trader, desk):
    trader.get(f"{desk.resting}/clone")
    assert "Give it a name" in trader.post(f"{desk.resting}/clone", 422, name=" ").text


def test_who_only_looks_is_offered_neither(viewer, desk):
    page = viewer.get(desk.resting)
    links = [link.get("href") for link in page.all("a")]
    assert f"{desk.resting}/clone" not in links
    assert f"{desk.resting}/paper-reset" not in links


def test_a_reset_asks_first_and_says_what_stays(trader, desk, house):
    page = trader.get(f"{desk.resting}/paper-reset")
    assert "every trade so far" in page.text
    page = trader.post(f"{desk.resting}/paper-reset", starting_balance="2,500")
    assert "Moon begins anew with 2,500 USDT." in page.text
    with site.rows(house):
        bot = db.session.query(Bot).filter_by(name="Moon").order_by(Bot.created_at.desc()).first()
        assert bot.starting_balance == 2500
        assert bot.paper_reset_at is not None


def test_bad_balances_are_said_beside_the_field_and_kept(trader, desk):
    for typed, words in (("", "10 to"), ("lots", "Write a number"), ("5", "10 to")):
        trader.get(f"{desk.resting}/paper-reset")
        page = trader.post(f"{desk.resting}/paper-reset", 422, starting_balance=typed)
        assert words in page.text


def test_a_bot_in_a_position_is_told_to_flatten_first(trader, desk):
    page = trader.get(f"{desk.bot}/paper-reset")
    assert "flatten it first" in page.text
    page = trader.post(f"{desk.bot}/paper-reset", 422, starting_balance="100")
    assert "Resetting the paper balance needs a bot without position" in page.text


def test_trades_of_before_are_labelled(trader, story, house):
    bot_id = story.bot.rpartition("/")[2]
    assert "before the reset" not in trader.get(f"{story.home}/trades?bot={bot_id}").text
    with site.rows(house):
        db.session.get(Bot, bot_id).paper_reset_at = datetime.now(UTC)
        db.session.commit()
    page = trader.get(f"{story.home}/trades?bot={bot_id}")
    assert "before the reset" in page.text
    assert "before the reset" in trader.get(f"{story.bot}/orders").text
