"""Studies as pages: asked for, read, sorted, followed up; a result's candles and its repeats."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Backtest, BacktestKind, Strategy, StrategyVersion
from tests import backtested, site
from tests.views.conftest import as_person

FAST = "signals[0].params.fast"


def made(house, desk, **more):
    with site.rows(house):
        version = db.session.get_one(StrategyVersion, desk.version)
        found = backtested.row(version, datetime.now(UTC), **more).id
        db.session.commit()
    return f"{desk.home}/backtests/{found}"


def typed(desk, **more):
    return {
        "version": desk.version,
        "exchange": "practice",
        "symbols": [backtested.SYMBOL],
        "since": "2026-07-10 01:00",
        "until": "2026-07-10 10:00",
        "balance": "10000",
        "spread_percent": "0.02",
        "depth": "250000",
        "seed": "1",
        "path_1": FAST,
        "low_1": "3",
        "high_1": "7",
        "step_1": "2",
        "path_2": "",
        "path_3": "",
        "objective": "sharpe",
        **more,
    }


@pytest.fixture
def trader(pages, desk):
    return as_person(pages, desk, "trader")


def queued(house):
    with site.rows(house):
        found = db.session.scalars(select(Backtest)).one()
        return found.id, found.kind, found.asked


def test_a_sweep_is_asked_for(trader, house, desk):
    trader.get(f"{desk.home}/backtests/sweep?version={desk.version}")
    assert "now " in trader.page.text
    trader.post(f"{desk.home}/backtests/sweep", **typed(desk))
    found, kind, asked = queued(house)
    assert kind is BacktestKind.SWEEP
    assert asked["options"]["grid"] == [{"path": FAST, "values": [3, 5, 7]}]
    trader.get(f"{desk.home}/backtests/{found}")
    for words in ("Number 1 of this workspace", "3, 5, 7", "Sharpe ratio"):
        assert words in trader.page.text


def test_a_walk_forward_is_asked_for(trader, house, desk):
    lengths = {"in_sample": "0.1", "out_of_sample": "0.05", "anchored": "y"}
    trader.post(f"{desk.home}/backtests/walk-forward", **typed(desk, **lengths))
    _, kind, asked = queued(house)
    assert kind is BacktestKind.WALK_FORWARD
    assert asked["options"]["in_sample"] == 0.1
    assert asked["options"]["anchored"] is True


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"low_1": "x"}, "Write a number like 100"),
        ({"high_1": "99999"}, "goes from"),
        ({"path_1": ""}, "Not a valid choice"),
        ({"since": "yesterday"}, "2026-11-24 08:00"),
    ],
)
def test_what_does_not_do_is_said_beside_its_field_and_kept(trader, desk, more, words):
    trader.post(f"{desk.home}/backtests/sweep", 422, **typed(desk, note="mine", **more))
    assert words in trader.page.text
    assert 'value="mine"' in trader.response.text


@pytest.mark.parametrize("path", ["sweep", "walk-forward"])
def test_without_a_strategy_the_way_to_one_is_shown(pages, desk, house, path):
    with site.rows(house):
        for strategy in db.session.scalars(select(Strategy)):
            strategy.archived_at = datetime.now(UTC)
        db.session.commit()
    page = as_person(pages, desk, "trader").get(f"{desk.home}/backtests/{path}")
    assert f"{desk.home}/strategies/templates" in [it.get("href") for it in page.all("a")]


def test_a_version_of_nobody_is_refused(trader, desk):
    trader.post(f"{desk.home}/backtests/sweep", 422, **typed(desk, version="nope"))


def test_a_sweep_is_read_sorted_and_followed_up(trader, house, desk):
    home = made(house, desk, kind=BacktestKind.SWEEP)
    trader.get(home)
    text = trader.page.text
    for words in ("Combinations tried", "Better than luck", "Neighbours", "the best", "Pinned to"):
        assert words in text
    trader.get(f"{home}?sort=trades&order=up")
    rows = re.findall(r'aria-sort="(\w+)"', trader.response.text)
    assert rows == ["ascending"]
    trader.get(f"{home}?sort=nonsense&order=up&slice=99")
    trader.get(f"{home}/series")
    link = re.search(r'href="([^"]*/backtests/new[^"]*)"', _page(trader, home))[1]
    trader.get(link.replace("&amp;", "&"))
    assert "With other numbers" in trader.page.text


def _page(trader, home):
    trader.get(home)
    return trader.response.text


def test_one_combination_runs_alone_or_begins_a_draft(trader, house, desk):
    told = f"{FAST}=4"
    trader.post(f"{desk.home}/backtests/new", **{**typed(desk), "set": told})
    with site.rows(house):
        found = db.session.scalars(select(Backtest)).one()
        assert found.asked["values"] == {FAST: 4}
        strategy, number = found.version.strategy_id, found.version.number
    draft = f"{desk.home}/strategies/{strategy}/edit"
    trader.get(f"{draft}?version={number}&set={FAST}=4")
    assert "A draft with the numbers that were tried" in trader.page.text
    assert re.search(r'name="signals-0-fast"[^>]*value="4"', trader.response.text)
    trader.get(f"{draft}?version={number}&set=nonsense")
    assert "A draft with" not in trader.page.text


@pytest.mark.parametrize(
    ("kind", "offered"),
    [(BacktestKind.SINGLE, 1), (BacktestKind.SWEEP, 0), (BacktestKind.WALK_FORWARD, 0)],
)
def test_only_what_ran_as_the_version_stands_leads_to_a_bot(trader, house, desk, kind, offered):
    assert _page(trader, made(house, desk, kind=kind)).count(">Start on paper<") == offered


def test_a_walk_forward_is_read(trader, house, desk):
    home = made(house, desk, kind=BacktestKind.WALK_FORWARD)
    trader.get(home)
    for words in ("Out of sample, all windows", "What the choices kept", "efficiency", "Windows"):
        assert words in trader.page.text
    trader.get(f"{home}/series")
    assert '"equity":[{' in trader.response.text.replace(" ", "")


def test_a_result_has_its_candles_by_parts_and_its_trades_shuffled(trader, house, desk):
    home = made(house, desk)
    trader.get(home)
    for words in ("Trades on candles", "Monte Carlo of the trades", "What this does not say"):
        assert words in trader.page.text
    part = trader.fragment(f"{home}/candles?part=1&symbol={backtested.SYMBOL}")
    assert "Part 1 of" in part.text
    trader.get(f"{home}/candles?part=2", 303)
    trader.get(f"{home}?part=999&symbol=nope")


def test_results_of_before_say_what_to_do(trader, house, desk):
    said = backtested.answer(mode="single")
    trader.get(made(house, desk, said=said))
    assert "Run it again to see that" in trader.page.text


def test_a_repeat_shows_the_same_hash_and_another_says_why(trader, house, desk):
    home = made(house, desk)
    made(house, desk)
    trader.get(home)
    assert "the same bytes" in trader.page.text
    made(house, desk, said=backtested.answer(2))
    trader.get(home)
    assert "Not the same: the candles" in trader.page.text


def test_the_list_names_the_kinds_and_a_study_cannot_be_compared(trader, house, desk):
    made(house, desk, kind=BacktestKind.SWEEP)
    trader.get(f"{desk.home}/backtests")
    assert "Parameter sweep of 6" in trader.page.text
    assert 'name="backtest"' not in trader.response.text


def test_an_earlier_request_fills_the_form(trader, house, desk):
    home = made(house, desk, kind=BacktestKind.SWEEP, note="again")
    ident = home.rpartition("/")[2]
    trader.get(f"{desk.home}/backtests/sweep?version={desk.version}&like={ident}")
    assert re.search(r'name="high_1"[^>]*value="9"', trader.response.text)
    assert 'value="again"' in trader.response.text
    trader.get(f"{desk.home}/backtests/new?version={desk.version}&like={ident}")
    assert 'value="2026-07-10 01:00"' in trader.response.text
