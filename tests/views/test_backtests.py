"""Backtests as pages: asked for, watched, read, compared, run again, cancelled, deleted."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Backtest, BacktestState, StrategyVersion
from tests import backtested, site
from tests.views.conftest import as_person


def made(house, desk, **more):
    with site.rows(house):
        version = db.session.get_one(StrategyVersion, desk.version)
        row = backtested.row(version, datetime.now(UTC), **more)
        found = row.id
        db.session.commit()
    return f"{desk.home}/backtests/{found}"


def typed(desk, **more):
    usual = {"version": desk.version, "exchange": "practice", "symbols": [backtested.SYMBOL]}
    period = {"since": "2026-07-10 01:00", "until": "2026-07-10 10:00"}
    numbers = {"balance": "10000", "spread_percent": "0.02", "depth": "250000"}
    return {**usual, **period, **numbers, "funding_rate": "0", "seed": "1", **more}


@pytest.fixture
def trader(pages, desk):
    return as_person(pages, desk, "trader")


def test_asked_for_and_watched_and_cancelled(trader, house, desk):
    trader.get(f"{desk.home}/backtests/new?version={desk.version}")
    trader.post(f"{desk.home}/backtests/new", **typed(desk, note="why not"))
    with site.rows(house):
        found = db.session.scalars(select(Backtest)).one()
        assert (found.state, found.note) == (BacktestState.QUEUED, "why not")
        home = f"{desk.home}/backtests/{found.id}"
    trader.get(home)
    assert "Number 1 of this workspace" in trader.page.text
    assert "Practice market" in trader.page.by_class("facts")[0].text
    page = trader.post(f"{home}/cancel")
    assert "It is cancelled." in page.text
    assert "It was cancelled" in trader.post(f"{home}/cancel").text, "a second click is the first"


def test_cancelled_while_it_runs_and_after_it_ended(trader, house, desk):
    home = made(house, desk, state=BacktestState.RUNNING, said=None)
    page = trader.post(f"{home}/cancel")
    assert "It ends in a moment." in page.text
    assert "It is being ended." in page.text
    assert "Cancel" not in [node.text for node in page.all("button")]
    page = trader.post(f"{made(house, desk)}/cancel")
    assert "It had ended before you cancelled it." in page.text
    assert "What to doubt" in page.text


@pytest.mark.parametrize("state", [BacktestState.QUEUED, BacktestState.DONE])
def test_by_htmx_the_page_is_loaded_as_it_stands(trader, house, desk, state):
    home = made(house, desk, state=state, said=None)
    token = trader.get(home).all("input")[0].get("value")
    headers = {"HX-Request": "true"}
    answer = trader.client.post(f"{home}/cancel", data={"csrf_token": token}, headers=headers)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, home)
    answer = trader.client.get(f"{home}/progress", headers=headers)
    assert answer.headers["HX-Redirect"] == home


def test_a_field_that_does_not_do_says_so(trader, desk):
    trader.post(f"{desk.home}/backtests/new", 422, **typed(desk, since="yesterday", seed="x"))
    assert "2026-11-24 08:00" in trader.page.text
    trader.post(f"{desk.home}/backtests/new", 422, **typed(desk, until="2999-01-01 00:00"))
    assert "lies in the future" in trader.page.text


def test_a_result_is_read_taken_out_run_again_and_deleted(trader, house, desk):
    home = made(house, desk, note="first")
    trader.get(home)
    text = trader.page.text
    for words in ("What to doubt", "Net profit", "By month", "From candles to entries", "Pinned"):
        assert words in text
    trader.get(f"{home}/series")
    told = json.loads(trader.response.get_data())
    assert told["equity"]
    assert min(it["value"] for it in told["drawdown"]) < 0
    trader.get(f"{home}/result.json")
    assert trader.response.get_data() == backtested.answer()
    trader.post(f"{home}/rerun")
    trader.get(f"{desk.home}/backtests")
    assert "queued" in trader.page.text
    trader.post(f"{home}/delete")
    trader.get(home, 404)


def test_a_failed_one_shows_its_reason_and_its_log(trader, house, desk):
    fault = {"component": "ema_cross", "field": "params.fast", "message": "must be from 2 to 400"}
    home = made(house, desk, state=BacktestState.FAILED, fault=fault, log="Traceback and so on")
    trader.get(home)
    for words in ("ema_cross, params.fast", "must be from 2 to 400", "Traceback and so on"):
        assert words in trader.page.text


def test_up_to_four_stand_side_by_side_and_other_candles_are_named(trader, house, desk):
    homes = [made(house, desk), made(house, desk, said=backtested.answer(2))]
    ids = "&".join(f"backtest={it.rpartition('/')[2]}" for it in homes)
    trader.get(f"{desk.home}/backtests/compare?{ids}")
    assert "These ran on different candles" in trader.page.text
    trader.get(f"{desk.home}/backtests/compare")
    assert "Choose two to 4" in trader.page.text


def test_a_poll_ends_with_the_whole_page(trader, house, desk):
    home = made(house, desk, state=BacktestState.RUNNING, step="simulation", percent=40)
    assert "40 %" in trader.fragment(f"{home}/progress").text
    done = made(house, desk)
    trader.fragment(f"{done}/progress", 204)
    assert trader.response.headers["HX-Redirect"] == done
