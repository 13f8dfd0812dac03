from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Bot, LimitBreach, Run
from runner.protocol import OnBreach
from tests import site


def test_it_counts_bots_positions_and_results_by_mode(owner, desk):
    page = owner.get(f"{desk.home}/")
    figures = page.by_class("stats")[0].text
    assert "1 of 2" in figures
    assert "1 paper" in figures
    assert "PAPER" in figures
    assert "TESTNET" not in figures


def test_each_bot_has_state_position_and_result(owner, desk):
    page = owner.get(f"{desk.home}/")
    rows = {row.all("a")[0].text: row.text for row in page.by_class("bot")}
    assert "awake" in rows["Tide"]
    assert "long 0.015" in rows["Tide"]
    assert "flat" in rows["Moon"]


def test_the_feed_shows_no_address_and_no_mail(viewer, desk):
    page = viewer.get(f"{desk.home}/")
    feed = page.by_class("timeline")[0].text
    assert "@" not in feed
    assert "127.0.0.1" not in feed


def test_the_board_is_polled_and_unchanged_is_204(owner, desk):
    owner.get(f"{desk.home}/")
    board = owner.fragment(f"{desk.home}/board").by_id("board")
    assert board.get("hx-trigger") == "every 2s"
    owner.fragment(board.get("hx-get"), 204)


def test_an_empty_workspace_says_what_to_do(owner, desk):
    page = owner.get("/account")
    buttons = [b for b in page.all("button") if b.get("name") == "workspace"]
    personal = buttons[0].get("value")
    page = owner.get(f"/w/{personal}/")
    assert page.by_class("empty")
    assert f"/w/{personal}/bots/new" in [a.get("href") for a in page.all("a")]


def passed(house, desk, **values):
    """The bot of the desk has passed a limit."""
    bot_id = desk.bot.rpartition("/")[2]
    with site.rows(house):
        run = db.session.scalars(select(Run).where(Run.bot_id == bot_id)).first()
        what = {
            "limit": "max_drawdown",
            "value": Decimal(120),
            "bound": Decimal(100),
            "policy": OnBreach.PAUSE,
            "text": "drawdown 120.00 reached 100",
            "at": datetime.now(UTC),
        }
        place = {"workspace_id": run.workspace_id, "bot_id": bot_id, "run_id": run.id}
        db.session.add(LimitBreach(**place, **what | values))


@pytest.mark.parametrize(
    ("policy", "paused", "said"),
    [
        (OnBreach.PAUSE, False, "It enters again after midnight UTC"),
        (OnBreach.PAUSE, True, "enters again once you resume it after that"),
        (OnBreach.STOP, False, "Start it to let it enter again"),
    ],
)
def test_a_daily_loss_says_what_lets_the_bot_enter_again(owner, house, desk, policy, paused, said):
    passed(house, desk, policy=policy, over_at=datetime.now(UTC) + timedelta(hours=1))
    with site.rows(house):
        db.session.get_one(Bot, desk.bot.rpartition("/")[2]).paused = paused
    boxes = owner.get(desk.bot).by_class("trouble")  # one more says who paused it
    assert said in " ".join(box.text for box in boxes)


def test_a_limit_that_was_passed_is_said_here_and_on_the_page_of_its_bot(owner, house, desk):
    passed(house, desk)
    said = owner.get(f"{desk.home}/").by_class("notice")[0].text
    assert "1 bot passed a limit and enters nothing" in said
    assert "Tide" in said
    state = owner.get(desk.bot).by_class("trouble")[0].text
    assert "Limit passed: Largest drawdown" in state
    assert "Drawdown 120.00 reached 100" in state
    assert "Resume it to let it enter again" in state
    assert not owner.get(desk.resting).by_class("trouble")
