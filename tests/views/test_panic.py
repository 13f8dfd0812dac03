"""The kill switch, as pages."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import commands
from app.extensions import db
from app.models import Bot, BotCommand, Kill, LoginSession, Machine, ProtectionRow, Workspace
from runner.protocol import CommandDone, CommandKind, Mode, ProtectionState
from tests import factories
from tests.site import rows
from tests.views.conftest import as_person
from tests.views.test_approvals import grow_stale
from tests.views.test_dashboard import passed


def number_of(desk):
    return desk.bot.rpartition("/")[2]


def press(person, desk, **fields):
    """As the page is sent that nobody changed anything on."""
    page = person.get(f"{desk.home}/panic")
    (token,) = [node.get("value") for node in page.all("input") if node.get("name") == "press"]
    return person.post(f"{desk.home}/panic", press=token, act="flatten", whom="all", **fields)


def open_commands(house, desk):
    with rows(house):
        query = select(BotCommand.id, BotCommand.kind).where(
            BotCommand.bot_id == number_of(desk), BotCommand.done_at.is_(None)
        )
        return list(db.session.execute(query))


def flat(house, desk):
    """Its runner says that it is."""
    with rows(house):
        for order in db.session.scalars(
            select(BotCommand).where(BotCommand.bot_id == number_of(desk))
        ):
            report = CommandDone(order.id, order.kind, "done", "flat")
            commands.done(order.bot_id, report, datetime.now(UTC))


@pytest.mark.parametrize(
    "path", ["/", "/bots", "/strategies", "/connections", "/members", "/approvals", "/tickets"]
)
def test_every_page_of_a_workspace_leads_to_it(desk, trader, path):
    trader.get(f"{desk.home}{path}")
    (address,) = trader.links("Panic")
    assert address == f"{desk.home}/panic"
    (link,) = trader.page.by_class("panic")
    assert link.text.strip() == "Panic"


def test_who_may_not_press_it_is_not_shown_it(desk, viewer):
    assert not viewer.get(f"{desk.home}/").by_class("panic")


def test_a_trader_flattens_everything_with_one_press(house, desk, trader):
    page = trader.get(f"{desk.home}/panic")
    boxes = [node for node in page.all("input") if node.get("name") == "bots"]
    assert [box.get("value") for box in boxes] == [number_of(desk)]
    assert all("checked" in box.attributes for box in boxes)
    page = press(trader, desk, reason="The market is wild")
    assert "0 of 1 flat, 1 told" in page.text
    assert "The market is wild" in page.text
    assert CommandKind.FLATTEN in {order.kind for order in open_commands(house, desk)}
    flat(house, desk)
    part = trader.fragment(trader.page.by_id("progress").get("hx-get"), 286)
    assert "1 of 1 flat" in part.text
    assert part.by_id("progress").get("hx-get") is None


def test_one_bot_is_chosen_by_its_own_page(house, desk, trader):
    trader.get(desk.bot)
    (address,) = trader.links("Panic: this bot")
    page = trader.get(address)
    (chosen,) = [
        node.get("value")
        for node in page.all("input")
        if node.get("name") == "whom" and "checked" in node.attributes
    ]
    assert chosen == "some"
    page = trader.post(address, act="pause", whom="some", bots=[number_of(desk)])
    assert "for one bot" in page.text
    assert {order.kind for order in open_commands(house, desk)} == {CommandKind.PAUSE_ENTRIES}


def test_pressed_twice_reloaded_and_by_two_it_is_told_once(house, desk, trader, pages):
    page = press(trader, desk)
    first = [order.id for order in open_commands(house, desk)]
    assert len(first) == 3
    token = "same"
    for _ in range(2):
        trader.get(f"{desk.home}/panic")
        trader.post(f"{desk.home}/panic", press=token, act="flatten", whom="all")
    as_person(pages, desk, "manager")
    press(pages, desk)
    assert "Pressed by Manager" in pages.page.text
    assert [order.id for order in open_commands(house, desk)] == first
    with rows(house):
        query = select(Kill).where(Kill.workspace_id == desk.id)
        assert len(list(db.session.scalars(query))) == 3
    assert page


def test_unreachable_says_what_protects_it_and_what_to_do_by_hand(house, desk, trader):
    press(trader, desk)
    now = datetime.now(UTC)
    with rows(house):
        bot = db.session.get_one(Bot, number_of(desk))
        machine = db.session.scalars(select(Machine).where(Machine.bot_id == bot.id)).one()
        bot.mode = Mode.TESTNET
        machine.synced_at = now - timedelta(minutes=3)
        db.session.add(
            ProtectionRow(
                workspace_id=desk.id,
                bot_id=bot.id,
                symbol=bot.symbols[0],
                state=ProtectionState.VERIFIED,
                quantity=Decimal(1),
                verified_at=now - timedelta(minutes=3, seconds=14),
                why="",
                reported_at=now,
            )
        )
        kill = db.session.scalars(select(Kill.id).where(Kill.workspace_id == desk.id)).one()
    page = trader.get(f"{desk.home}/panic/{kill}")
    old = "a protective stop was last seen at the venue 3 min"
    assert f"0 of 1 flat, 1 unreachable: {old}" in page.text
    assert "By hand: sign in at Practice market" in page.text
    assert page.by_id("progress").get("hx-get")


def test_that_it_lifts_passed_limits_too_is_said(house, desk, trader):
    passed(house, desk)
    page = press(trader, desk)
    assert "Passed limits keep Tide from entering as well" in page.text


def test_those_it_paused_enter_again_when_somebody_says_so(house, desk, trader):
    page = press(trader, desk)
    with rows(house):
        assert db.session.get_one(Bot, number_of(desk)).paused
    (form,) = [it for it in page.all("form") if "/resume" in (it.get("action") or "")]
    page = trader.post(form.get("action"))
    assert "Passed limits" not in page.text
    assert "1 bot may enter again" in page.text
    assert "No bot is paused by this" in page.text
    with rows(house):
        assert not db.session.get_one(Bot, number_of(desk)).paused


def test_it_asks_no_password_however_old_the_session(house, desk, pages):
    trader = as_person(pages, desk, "trader")
    grow_stale(house, desk.emails["trader"])
    press(trader, desk)
    with rows(house):
        old = select(LoginSession.confirmed_at).order_by(LoginSession.created_at.desc()).limit(1)
        assert db.session.scalars(old).one().year == 2020


def test_a_suspended_workspace_is_not_kept_from_it(house, desk, trader):
    with rows(house):
        db.session.get_one(Workspace, desk.id).suspended_at = datetime.now(UTC)
    assert "0 of 1 flat" in press(trader, desk).text


def test_a_bot_that_is_none_does_no_harm_and_none_at_all_is_said(desk, trader):
    trader.get(f"{desk.home}/panic")
    fields = {"act": "flatten", "whom": "some"}
    page = trader.post(f"{desk.home}/panic", bots=["bot_none", number_of(desk)], **fields)
    assert "0 of 1 flat" in page.text
    trader.get(f"{desk.home}/panic")
    page = trader.post(f"{desk.home}/panic", 422, **fields)
    assert "Tick at least one" in page.text
    assert "Choose what to do" in trader.post(f"{desk.home}/panic", 422).text


def test_where_nothing_trades_there_is_nothing_to_press(pages, house):
    with rows(house):
        workspace = factories.organisation(factories.user("Quiet"))
        home, email = f"/w/{workspace.id}", workspace.memberships[0].user.email
    pages.become(email)
    assert "Nothing to flatten" in pages.get(f"{home}/panic").text
    assert not pages.page.by_class("btn-danger-solid")
