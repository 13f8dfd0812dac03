"""Results as pages: one mode at a time, each figure with its meaning, nothing made up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.extensions import db
from app.models import Bot, EquityDay
from runner.protocol import Mode
from tests import factories, site

DAY = timedelta(days=1)


@pytest.fixture
def harvest(house, desk):
    """A bot with four closed trades on paper and one, very good, on a testnet."""
    now = datetime.now(UTC)
    with site.rows(house):
        bot = db.session.get_one(Bot, desk.resting.rpartition("/")[2])
        run = factories.run(bot, Mode.PAPER, now=now - 40 * DAY)
        for days, result in ((35, 10), (20, -4), (10, 6), (2, -2)):
            opened = now - days * DAY
            factories.trade(run, 100, 100 + result, 0, opened, opened + DAY / 2)
        keys = {"workspace_id": bot.workspace_id, "bot_id": bot.id, "run_id": run.id}
        for days, value in ((40, 1000), (34, 1010), (19, 1006), (9, 1012), (1, 1010)):
            worth = dict.fromkeys(("first", "low", "last"), Decimal(value))
            at = now - days * DAY
            db.session.add(EquityDay(**keys, day=at.date(), last_at=at, **worth))
        tested = factories.run(bot, Mode.TESTNET, now=now - DAY)
        factories.trade(tested, 100, 9000, closed=now - DAY / 2)
        db.session.commit()
    return f"{desk.home}/analytics"


def figure(page, name):
    """What stands beside a figure's name, and its meaning."""
    for stat in page.by_class("stat"):
        (title,) = stat.all("dt")
        if title.text == name:
            return stat.text
    raise AssertionError(f"no {name} on the page")


def test_figures_of_paper_with_their_meaning(owner, harvest):
    page = owner.get(f"{harvest}?mode=paper")
    assert "10.00" in figure(page, "Net profit")
    assert "50.00" in figure(page, "Win rate")
    assert "2.67" in figure(page, "Profit factor")
    told = figure(page, "Profit factor")
    assert "Sum of all winning results" in told
    assert "Sample: 4" in told
    assert "1.00" in figure(page, "Return")
    assert "9000" not in page.text
    assert "What paper trading does not model" in page.text


def test_testnet_is_plumbing(owner, harvest):
    page = owner.get(f"{harvest}?mode=testnet")
    assert "Plumbing, not performance" in page.text
    assert "8,900.00" in figure(page, "Net profit")
    undefined = figure(page, "Profit factor")
    assert "No trade was lost" in undefined
    assert "\u2013" in undefined


def test_without_a_mode_the_most_serious_that_ran_is_shown(owner, harvest):
    (tab,) = [it for it in owner.get(harvest).all("a") if it.get("aria-current") == "page"][-1:]
    assert tab.text == "Testnet"


def test_a_mode_without_runs_says_what_to_do(owner, harvest):
    page = owner.get(f"{harvest}?mode=live")
    assert "Nothing to measure in live yet" in page.text
    assert "Start a bot" in page.text


def test_a_period_counts_from_a_midnight(owner, harvest):
    page = owner.get(f"{harvest}?mode=paper&range=30d")
    assert "Sample: 3" in figure(page, "Win rate")
    assert "0.00" in figure(page, "Net profit")
    owner.get(f"{harvest}?mode=paper&range=strange&currency=none")


def test_bots_and_strategies_have_pages_of_their_own(owner, desk, harvest):
    bot = desk.resting.rpartition("/")[2]
    page = owner.get(f"{harvest}/bots/{bot}?mode=paper")
    assert "Analytics of Moon" in page.text
    strategy = desk.strategy.rpartition("/")[2]
    assert "Sample: 4" in figure(
        owner.get(f"{harvest}/strategies/{strategy}?mode=paper"), "Win rate"
    )
    other = desk.bot.rpartition("/")[2]
    assert "10.00" not in owner.get(f"{harvest}/bots/{other}?mode=paper").text


@pytest.mark.parametrize("part", ["", "/bots/{bot}", "/strategies/{strategy}"])
def test_lines_for_the_charts(owner, desk, harvest, part):
    part = part.format(
        bot=desk.resting.rpartition("/")[2], strategy=desk.strategy.rpartition("/")[2]
    )
    owner.get(f"{harvest}{part}/series?mode=paper")
    told = owner.response.get_json()
    assert told["equity"][-1]["value"] == 10
    assert len(told["equity"]) == len(told["drawdown"]) == 40
    assert told["drawdown"][-1]["value"] == pytest.approx(-0.198, abs=1e-3)


def test_the_heat_map_says_in_words_what_it_shows(owner, harvest):
    page = owner.get(f"{harvest}?mode=paper")
    (heat,) = page.by_class("heat")
    assert len(heat.all("td")) == 168
    assert heat.text.count("1 trade,") == 4
    assert heat.text.count("no trade") >= 160
