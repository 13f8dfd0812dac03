"""Asking for more risk and answering, as pages."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Approval, AuditEvent, Bot, LoginSession, Workspace
from tests.site import rows
from tests.views.conftest import as_person

LIMIT = {"max_position_notional": "500"}
HIGHER = {"max_position_notional": "900"}


@pytest.fixture
def bound(house, desk):
    """A bot with a limit, in a workspace under the two-person rule."""
    with rows(house):
        db.session.get_one(Bot, bot_id(desk)).limits = dict(LIMIT)
        db.session.get_one(Workspace, desk.id).two_person = True
    return desk


def bot_id(desk):
    return desk.resting.rpartition("/")[2]


def limits(house, desk):
    with rows(house):
        return db.session.get_one(Bot, bot_id(desk)).limits["max_position_notional"]


def edit(person, desk, status=303, **changes):
    person.get(f"{desk.resting}/edit")
    fields = {"name": "Moon", "version": desk.version, "symbols": "BTC/USDT:USDT"}
    return person.post(f"{desk.resting}/edit", status, **(fields | LIMIT | changes))


def request_of(house, desk):
    with rows(house):
        query = select(Approval.id).where(Approval.workspace_id == desk.id)
        return f"{desk.home}/approvals/{db.session.scalars(query).one()}"


def grow_stale(house, email):
    """Let every session of this person be a confirmed one of long ago."""
    with rows(house):
        for session in db.session.scalars(select(LoginSession)):
            if session.user.email == email:
                session.confirmed_at = datetime(2020, 1, 1, tzinfo=UTC)


def test_a_trader_asks_and_a_manager_approves(house, bound, pages):
    trader = as_person(pages, bound, "trader")
    page = edit(trader, bound, **HIGHER, reason="Calm market")
    assert "waits for another person" in page.text
    assert limits(house, bound) == "500"
    page = trader.get(request_of(house, bound))
    assert "500 → 900" in page.text
    assert "another person has to answer" in page.text
    manager = as_person(pages, bound, "manager")
    page = manager.get(f"{bound.home}/approvals")
    assert "for you to answer" in page.text
    manager.get(request_of(house, bound))
    page = manager.post(f"{request_of(house, bound)}/approve")
    assert "Approved, and done." in page.text
    assert limits(house, bound) == "900"


def test_a_request_without_a_reason_is_asked_for_one_and_keeps_what_was_typed(house, bound, trader):
    page = edit(trader, bound, 422, **HIGHER)
    assert page.by_id("reason_error")
    assert page.by_id("max_position_notional").get("value") == "900"


def test_the_other_changes_of_the_form_wait_for_nobody(house, bound, trader):
    edit(trader, bound, name="New moon", max_daily_loss="30", **HIGHER, reason="Calm market")
    with rows(house):
        bot = db.session.get_one(Bot, bot_id(bound))
        assert (bot.name, bot.limits["max_daily_loss"]) == ("New moon", "30")
        assert bot.limits["max_position_notional"] == "500"


def test_the_edit_page_shows_what_waits(house, bound, trader):
    edit(trader, bound, **HIGHER, reason="Calm market")
    page = trader.get(f"{bound.resting}/edit")
    assert "has asked for a raised or removed limit already" in page.text


def test_without_the_rule_a_manager_raises_at_once_and_a_trader_asks(house, desk, pages):
    with rows(house):
        db.session.get_one(Bot, bot_id(desk)).limits = dict(LIMIT)
    manager = as_person(pages, desk, "manager")
    assert not manager.get(f"{desk.resting}/edit").by_id("reason")
    page = edit(manager, desk, **HIGHER)
    assert "Saved." in page.text
    assert limits(house, desk) == "900"
    trader = as_person(pages, desk, "trader")
    edit(trader, desk, max_position_notional="1000", reason="Calm market")
    assert limits(house, desk) == "900"


def test_a_raise_wants_to_know_again_who_it_is_and_a_lower_limit_does_not(house, desk, pages):
    with rows(house):
        db.session.get_one(Bot, bot_id(desk)).limits = dict(LIMIT)
    manager = as_person(pages, desk, "manager")
    grow_stale(house, desk.emails["manager"])
    manager.get(f"{desk.resting}/edit")
    edit(manager, desk, 403, **HIGHER)
    assert limits(house, desk) == "500"
    edit(manager, desk, max_position_notional="400")
    assert limits(house, desk) == "400"


def test_approving_wants_to_know_again_who_it_is(house, bound, pages):
    edit(as_person(pages, bound, "trader"), bound, **HIGHER, reason="Calm market")
    manager = as_person(pages, bound, "manager")
    grow_stale(house, bound.emails["manager"])
    address = request_of(house, bound)
    manager.get(address)
    manager.post(f"{address}/approve", 403)
    assert limits(house, bound) == "500"


@pytest.mark.parametrize("verb", ["approve", "reject"])
@pytest.mark.parametrize("role", ["trader", "viewer"])
def test_who_lacks_the_right_is_refused_by_name_and_it_is_kept(house, bound, pages, verb, role):
    edit(as_person(pages, bound, "manager"), bound, **HIGHER, reason="Calm market")
    person, address = as_person(pages, bound, role), request_of(house, bound)
    page = person.get(address)
    assert "risk.manage" in page.text
    page = person.post(f"{address}/{verb}", 403)
    assert "risk.manage" in page.text
    with rows(house):
        query = select(AuditEvent.reason).where(
            AuditEvent.chain == bound.id, AuditEvent.action == "access.denied"
        )
        assert "risk.manage" in db.session.scalars(query).one()


def test_nobody_approves_their_own(house, bound, owner):
    edit(owner, bound, **HIGHER, reason="Calm market")
    address = request_of(house, bound)
    page = owner.get(address)
    assert not [f for f in page.all("form") if f.get("action").endswith("/approve")]
    page = owner.post(f"{address}/approve", 409)
    assert "asked for this yourself" in page.text
    assert limits(house, bound) == "500"


def test_rejecting_says_why_and_taking_back_is_for_who_asked(house, bound, pages):
    edit(as_person(pages, bound, "trader"), bound, **HIGHER, reason="Calm market")
    owner, address = as_person(pages, bound, "owner"), request_of(house, bound)
    owner.get(address)
    owner.post(f"{address}/cancel", 409)
    page = owner.post(f"{address}/reject", answer="Not before the weekend")
    assert "Rejected" in page.text
    assert "Not before the weekend" in owner.get(address).text
    trader = as_person(pages, bound, "trader")
    trader.get(address)
    trader.post(f"{address}/cancel", 409)


def test_taking_back(house, bound, trader):
    edit(trader, bound, **HIGHER, reason="Calm market")
    page = trader.get(request_of(house, bound))
    page = trader.post(f"{request_of(house, bound)}/cancel")
    assert "Taken back." in page.text
    assert "Nothing waits" in page.text


def test_what_changed_meanwhile_is_said_before_and_after(house, bound, pages):
    edit(as_person(pages, bound, "trader"), bound, **HIGHER, reason="Calm market")
    manager, address = as_person(pages, bound, "manager"), request_of(house, bound)
    edit(manager, bound, symbols="ETH/USDT:USDT")
    assert "can no longer be approved" in manager.get(address).text
    page = manager.post(f"{address}/approve")
    assert "It is void" in page.text
    assert limits(house, bound) == "500"


def test_an_unknown_request_is_404(owner, desk):
    owner.get(f"{desk.home}/approvals/apr_none", 404)


def test_going_live_is_not_switched_to(trader, desk):
    trader.get(f"{desk.resting}/mode")
    page = trader.post(f"{desk.resting}/mode", 422, mode="live", connection="", reason="Now")
    assert re.search("Going live is asked for", page.by_class("error-summary")[0].text)
