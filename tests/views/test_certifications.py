"""Certifying with a connection's key, as pages: asked once, watched, read, handed out."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app import current
from app.extensions import db
from app.models import BacktestState, CertificationRun, Connection, Workspace
from runner.certify import envelope, outline
from tests import certified, factories
from tests.site import rows
from tests.views.conftest import as_person

ALL = len(outline.STEPS)


@pytest.fixture
def connection(house, desk):
    with rows(house):
        workspace = db.session.get_one(Workspace, desk.id)
        return factories.connection(workspace, current.sealer(), label="Main").id


@pytest.fixture
def page_of(desk, connection):
    return f"{desk.home}/connections/{connection}"


def made(house, connection, **more):
    with rows(house):
        found = db.session.get_one(Connection, connection)
        return certified.run(found, datetime.now(UTC), **more).id


def started(house):
    with rows(house):
        return db.session.scalar(select(CertificationRun.id))


def test_it_says_what_it_needs_and_asks_once(trader, house, page_of):
    trader.get(page_of)
    assert "None was made with this key yet." in trader.page.text
    page = trader.get(f"{page_of}/certify")
    for need in outline.needs("practice"):
        assert need[1:] in page.text
    assert "Nothing has been asked of the exchange yet" in page.text
    assert started(house) is None
    page = trader.post(f"{page_of}/certify", symbol=outline.SYMBOL)
    assert started(house) in trader.response.request.path
    assert f"0 of {ALL} steps" in page.text
    assert "End it" in page.text
    page = trader.get(page_of)
    assert "queued" in page.by_id("certifications").text
    assert (
        "is being certified already"
        in trader.post(f"{page_of}/certify", 422, symbol=outline.SYMBOL).text
    )


def test_a_symbol_that_is_none_is_said_beside_the_field(trader, house, page_of):
    trader.get(f"{page_of}/certify")
    page = trader.post(f"{page_of}/certify", 422, symbol="DOGE/USDT:USDT")
    assert page.by_id("symbol_error")
    assert started(house) is None


def test_a_live_connection_offers_none_and_refuses_one(owner, house, page_of, connection):
    with rows(house):
        db.session.get_one(Connection, connection).environment = "live"
    assert "Certify" not in owner.get(page_of).text
    page = owner.get(f"{page_of}/certify")
    assert "never with real money" in page.text
    assert not [form for form in page.all("form") if form.get("action") == ""]
    assert "never with real money" in owner.post(f"{page_of}/certify", 422).text
    assert started(house) is None


def test_who_may_see_no_connection_sees_none_of_it(viewer, desk, house, connection):
    run = made(house, connection, state=BacktestState.RUNNING)
    there = f"{desk.home}/connections/certifications/{run}"
    viewer.get(there, 403)
    viewer.post(f"{there}/cancel", 403)


def test_until_it_is_over_there_is_no_report(trader, desk, house, connection):
    run = made(house, connection, state=BacktestState.RUNNING)
    there = f"{desk.home}/connections/certifications/{run}"
    page = trader.get(there)
    assert f"3 of {ALL} steps" in page.text
    assert "Clock was seen" in page.text
    trader.get(f"{there}/report.json", 404)


def test_progress_is_polled_and_ends_with_the_whole_page(trader, desk, house, connection):
    run = made(house, connection, state=BacktestState.RUNNING)
    there = f"{desk.home}/connections/certifications/{run}"
    piece = trader.fragment(f"{there}/progress")
    assert f"3 of {ALL} steps" in piece.text
    trader.post(f"{there}/cancel")
    assert "It takes back its orders" in trader.fragment(f"{there}/progress").text
    with rows(house):
        db.session.get_one(CertificationRun, run).state = BacktestState.CANCELLED
    trader.fragment(f"{there}/progress", 204)
    assert trader.response.headers["HX-Redirect"].endswith(there)
    assert "Ended" in trader.get(there).text
    trader.post(f"{there}/cancel")  # a late click
    assert "Ended" in trader.get(there).text


def test_what_came_of_it_is_read_and_handed_out_signed(trader, desk, house, connection):
    run = made(house, connection)
    page = trader.get(f"{desk.home}/connections/certifications/{run}")
    assert "Certified" in page.text
    for title in outline.STEPS.values():
        assert title in page.text
    trader.get(f"{desk.home}/connections/certifications/{run}/report.json")
    content = trader.response.get_data()
    assert trader.response.headers["Content-Disposition"].startswith("attachment")
    assert envelope.is_signed(json.loads(content))


def test_another_workspace_has_none_of_it(pages, desk, house, connection):
    run = made(house, connection)
    stranger = as_person(pages, desk, "owner")
    with rows(house):
        other = factories.user("Other")
        home = other.memberships[0].workspace_id
        email = other.email
    stranger.become(email)
    stranger.get(f"/w/{home}/connections/certifications/{run}", 404)
    stranger.get(f"/w/{home}/connections/certifications/{run}/report.json", 404)
