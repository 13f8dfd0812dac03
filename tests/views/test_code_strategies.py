"""Code strategies as pages: typed, checked, watched, saved, shown, compared, refused."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.domain import strategies
from app.extensions import db
from app.models import Backtest, BacktestState, DryRun, Strategy, Workspace
from app.web import code_pages
from tests import backtested, coded, site
from tests.factories import TESTER
from tests.runner.code.sources import CROSSING, rules_of
from tests.views.conftest import as_person

OTHER = CROSSING.replace("(3, 2, 50)", "(4, 2, 50)")


@pytest.fixture
def trader(pages, desk):
    return as_person(pages, desk, "trader")


@pytest.fixture
def open_here(monkeypatch):
    monkeypatch.setattr(code_pages, "allowed", lambda: True)


def made(house, desk, **more):
    with site.rows(house):
        workspace = db.session.get_one(Workspace, desk.id)
        row = coded.dry_run(workspace, datetime.now(UTC), **more)
        db.session.commit()
        return f"{desk.home}/strategies/code/{row.id}"


def typed(source=CROSSING):
    # A browser sends the ends of lines as it must.
    return {"name": "Crossing", "base": "0", "source": source.replace("\n", "\r\n")}


def test_switched_off_it_is_refused_with_its_reason(trader, desk, house):
    trader.get(f"{desk.home}/strategies/code")
    assert "ALLOW_CODE_STRATEGIES" in trader.page.text
    trader.post(f"{desk.home}/strategies/code", 422, **typed())
    assert "switched off on this installation" in trader.page.text
    with site.rows(house):
        assert db.session.scalars(select(DryRun)).all() == []


def test_typed_and_watched(trader, desk, house, open_here):
    trader.get(f"{desk.home}/strategies/code")
    assert "class Crossing(Strategy)" in trader.page.text
    trader.post(f"{desk.home}/strategies/code", **typed())
    with site.rows(house):
        found = db.session.scalars(select(DryRun)).one()
        assert (found.state, found.source) == (BacktestState.QUEUED, CROSSING)
        home = f"{desk.home}/strategies/code/{found.id}"
    trader.get(home)
    assert "run twice over the newest candles" in trader.page.text


def test_each_fault_stands_with_its_line_and_what_was_typed_stays(trader, desk, open_here):
    text = "import os\n" + CROSSING + "\nopen('x')\n"
    trader.post(f"{desk.home}/strategies/code", 422, **typed(text))
    assert "Line 1: os cannot be imported" in trader.page.text
    assert "There is no open here" in trader.page.text
    assert "open('x')" in trader.page.text


def test_what_passed_is_saved_shown_edited_and_compared(trader, desk, house, open_here):
    home = made(house, desk)
    trader.get(home)
    assert "It passed" in trader.page.text
    assert "the fast average is above" in trader.page.text
    trader.post(f"{home}/version")
    with site.rows(house):
        saved = db.session.scalar(select(Strategy).where(Strategy.name == "Crossing"))
        there, strategy = f"{desk.home}/strategies/{saved.id}", saved.id
    trader.get(there)
    assert "def on_candle(self, candle):" in trader.page.text
    second = made(house, desk, source=OTHER, strategy_id=strategy, base=1)
    trader.post(f"{second}/version", note="slower")
    trader.get(f"{there}/compare")
    assert 'parameters = {"fast": (4, 2, 50)' in trader.page.text
    trader.get(f"{there}/v/2/export")
    assert b"on_candle" in trader.response.get_data()
    trader.get(f"{desk.home}/strategies/code?strategy={strategy}")
    assert "Edit Crossing" in trader.page.text


def test_a_source_is_saved_over_a_version_that_was_shown_and_over_no_other(
    trader, desk, house, open_here
):
    home = made(house, desk)
    trader.get(home)
    trader.post(f"{home}/version")
    strategy = trader.at.rpartition("/")[2]
    theirs = made(house, desk, source=OTHER, strategy_id=strategy, base=1)
    slower = CROSSING.replace("0.99", "0.97")
    mine = made(house, desk, source=slower, strategy_id=strategy, base=1)
    trader.post(f"{theirs}/version", note="wider")
    trader.get(mine)
    page = trader.post(f"{mine}/version", 422, note="mine")
    assert "was published meanwhile: wider" in page.text
    assert page.by_class("source-lines")
    assert page.by_id("note").get("value") == "mine"
    page = trader.post(f"{mine}/version", note="mine", over="2")
    assert page.all("h1")[0].text.endswith("v3")


def test_a_dry_run_is_cancelled_and_checked_again(trader, desk, house, open_here):
    home = made(house, desk, state=BacktestState.QUEUED)
    assert "Cancel" in [node.text for node in trader.get(home).all("button")]
    page = trader.post(f"{home}/cancel")
    assert "It is cancelled." in page.text
    assert "It was cancelled." in page.text
    trader.post(f"{home}/version", 422)
    trader.get(f"{home}/edit")
    running = made(house, desk, state=BacktestState.RUNNING)
    page = trader.post(f"{running}/cancel")
    assert "It is being ended." in page.text


def test_what_failed_says_where_and_cannot_be_saved(trader, desk, house, open_here):
    fault = {"component": "code", "field": "line 19", "message": "on_candle, line 19: no"}
    home = made(house, desk, state=BacktestState.FAILED, fault=fault)
    trader.get(home)
    assert "It did not pass: code, line 19." in trader.page.text
    trader.post(f"{home}/version", 422)
    assert "has not passed its dry run" in trader.page.text
    trader.get(f"{home}/edit")
    assert "class Crossing" in trader.page.text


def test_a_file_with_a_source_is_tried_first(trader, desk, house, open_here):
    import io

    import yaml

    content = {"format": "plutarc strategy 1", "name": "Brought", "code": CROSSING}
    file = (io.BytesIO(yaml.safe_dump(content).encode()), "a.yaml")
    trader.post(f"{desk.home}/strategies/import", file=file)
    with site.rows(house):
        found = db.session.scalars(select(DryRun)).one()
        assert (found.name, found.source) == ("Brought", CROSSING)


def test_a_strategy_of_components_has_no_source_to_edit(trader, desk, house):
    with site.rows(house):
        strategy = db.session.scalars(select(Strategy.id)).first()
    trader.get(f"{desk.home}/strategies/code?strategy={strategy}", 404)


def test_switched_off_an_earlier_backtest_of_code_is_not_run_again(trader, desk, house):
    with site.rows(house):
        workspace = db.session.get_one(Workspace, desk.id)
        now = datetime.now(UTC)
        coded.dry_run(workspace, now)
        found = strategies.create(
            workspace, name="Class", rules=rules_of(CROSSING), author=None, by=TESTER, now=now
        )
        row = backtested.row(found.latest, now).id
        db.session.commit()
    trader.get(f"{desk.home}/backtests/{row}")
    trader.post(f"{desk.home}/backtests/{row}/rerun", 409)
    with site.rows(house):
        assert [it.id for it in db.session.scalars(select(Backtest))] == [row]
