"""Ceilings, defaults and protection of a workspace, as pages."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from app.extensions import db
from app.models import Approval, PositionRow, Workspace
from runner.protocol import Limits, to_plain
from tests import factories
from tests.site import rows
from tests.views.conftest import as_person


def workspace(house, desk):
    with rows(house):
        found = db.session.get_one(Workspace, desk.id)
        db.session.refresh(found)
        db.session.expunge(found)
    return found


def save(person, desk, part, status=303, **fields):
    person.get(f"{desk.home}/settings/{part}")
    return person.post(f"{desk.home}/settings/{part}", status, **fields)


def test_ceilings_are_saved_and_shown_and_what_trades_is_named(house, desk, pages):
    manager = as_person(pages, desk, "manager")
    page = save(manager, desk, "limits", 422, max_notional="1000")
    assert "Largest position” of “Tide”" in page.text
    assert page.by_id("max_notional").get("value") == "1000"
    page = save(manager, desk, "limits", modes=["paper"], symbols=["BTC/USDT:USDT"])
    boxes = [node for node in page.all("input") if node.get("name") == "modes"]
    assert {box.get("value") for box in boxes if "checked" in box.attributes} == {"paper"}
    assert workspace(house, desk).ceilings["symbols"] == ["BTC/USDT:USDT"]


def test_the_book_and_its_ceilings_stand_on_one_page(house, desk, owner):
    page = save(owner, desk, "limits", max_gross="5,000", max_net="4000", max_per_asset="3000")
    assert page.by_id("max_gross").get("value") == "5000"
    kept = workspace(house, desk).ceilings
    assert [kept[name] for name in ("max_gross", "max_net", "max_per_asset")] == [
        "5000",
        "4000",
        "3000",
    ]
    (card,) = [it for it in page.all("section") if it.get("aria-label") == "Book of paper in USDT"]
    assert "BTC" in card.text
    assert "Tide" in card.text
    assert "opposite" not in card.text


def test_bots_that_bet_against_each_other_are_named(house, desk, owner):
    with rows(house):
        bot_id = desk.resting.rpartition("/")[2]
        short = {"quantity": Decimal(-1), "mark_price": Decimal(100), "unrealised": Decimal(0)}
        keys = {"workspace_id": desk.id, "bot_id": bot_id, "symbol": "BTC/USDT:USDT"}
        db.session.add(PositionRow(**keys, **short, reported_at=datetime.now(UTC)))
    said = owner.get(f"{desk.home}/").by_class("notice")[0].text
    assert "Opposite positions in BTC" in said
    assert "Moon, Tide" in said
    assert "opposite" in owner.get(f"{desk.home}/settings/limits").by_id("book_paper_USDT").text


def test_a_wrong_ceiling_stands_beside_its_field(house, desk, owner):
    page = save(owner, desk, "limits", 422, max_daily_loss="lots")
    assert "above zero" in page.by_id("max_daily_loss_error").text


def test_higher_ceilings_wait_for_a_second_person_where_the_rule_holds(house, desk, pages):
    with rows(house):
        found = db.session.get_one(Workspace, desk.id)
        found.two_person, found.ceilings = True, {"modes": ["paper"]}
    manager = as_person(pages, desk, "manager")
    page = save(manager, desk, "limits", 422)
    assert page.by_id("reason_error")
    page = save(manager, desk, "limits", reason="We want testnet")
    assert "waits for another person" in page.text
    assert workspace(house, desk).ceilings == {"modes": ["paper"]}
    owner = as_person(pages, desk, "owner")
    with rows(house):
        waiting = db.session.scalars(select(Approval.id).where(Approval.workspace_id == desk.id))
        address = f"{desk.home}/approvals/{waiting.one()}"
    assert "Modes: paper → none" in owner.get(address).text
    owner.post(f"{address}/approve")
    assert workspace(house, desk).ceilings["modes"] is None


def test_a_bot_beyond_the_ceilings_is_refused_on_its_form(house, desk, owner):
    with rows(house):
        db.session.get_one(Workspace, desk.id).ceilings = {"symbols": ["BTC/USDT:USDT"]}
    owner.get(f"{desk.resting}/edit")
    fields = {"name": "Moon", "version": desk.version, "symbols": "ETH/USDT:USDT"}
    page = owner.post(f"{desk.resting}/edit", 422, **fields)
    assert "Symbols allowed here are BTC" in page.by_class("error-summary")[0].text


def test_a_new_bot_begins_with_the_defaults(house, desk, owner):
    save(
        owner,
        desk,
        "defaults",
        mode="testnet",
        exchange="practice",
        symbol="ETH/USDT:USDT",
        starting_balance="2500",
        zone="Europe/Berlin",
        max_daily_loss="40",
    )
    page = owner.get(f"{desk.home}/bots/new")
    chosen = [o.get("value") for o in page.all("option") if "selected" in o.attributes]
    assert {"ETH/USDT:USDT", "Europe/Berlin"} <= set(chosen)
    assert page.by_id("starting_balance").get("value") == "2500"
    assert page.by_id("max_daily_loss").get("value") == "40"
    (testnet,) = [n for n in page.all("input") if n.get("value") == "testnet"]
    assert "checked" in testnet.attributes


def test_a_new_bot_is_made_with_the_limits_typed(house, desk, owner):
    owner.get(f"{desk.home}/bots/new")
    owner.post(
        f"{desk.home}/bots/new",
        name="Bounded",
        strategy=desk.version,
        exchange="practice",
        symbol="BTC/USDT:USDT",
        mode="paper",
        starting_balance="1000",
        connection="",
        kind="always",
        zone="UTC",
        max_position_notional="300",
    )
    with rows(house):
        from app.models import Bot

        bot = db.session.scalars(select(Bot).where(Bot.name == "Bounded")).one()
        assert bot.limits == to_plain(Limits()) | {"max_position_notional": "300"}


def test_defaults_that_are_none_are_refused(house, desk, owner):
    fields = {"mode": "paper", "exchange": "practice", "symbol": "BTC/USDT:USDT", "zone": "UTC"}
    page = save(owner, desk, "defaults", 422, starting_balance="1", **fields)
    assert "Start with 10 to" in page.by_id("starting_balance_error").text


ALWAYS = {"managers_invite": "y"}


def test_tightening_is_at_once(house, desk, owner):
    with rows(house):
        factories.joined(db.session.get_one(Workspace, desk.id), factories.Role.ADMIN, "Ada")
    day = (datetime.now(UTC) + timedelta(days=20)).date()
    save(owner, desk, "security", two_person="y", factor=day.isoformat())
    found = workspace(house, desk)
    assert (found.two_person, found.managers_invite) == (True, False)
    assert found.factor_from.date() == day


def test_who_has_no_second_factor_is_named_before_it_is_demanded(desk, owner):
    page = owner.get(f"{desk.home}/settings/security")
    assert "4 members without a second factor now" in page.text
    assert "Trader" in page.text


def test_a_day_that_is_past_is_refused(desk, owner):
    page = save(owner, desk, "security", 422, **ALWAYS, factor="2020-01-01")
    assert "still to come" in page.by_id("factor_error").text
    page = save(owner, desk, "security", 422, **ALWAYS, factor="soon")
    assert "2027-01-31" in page.by_id("factor_error").text


def test_the_rule_needs_two_people_who_could_approve(house, desk, people, pages):
    with rows(house):
        lonely = factories.organisation(factories.user("Lonely"))
        email, home = lonely.memberships[0].user.email, f"/w/{lonely.id}"
    pages.become(email)
    pages.get(f"{home}/settings/security")
    page = pages.post(f"{home}/settings/security", 422, **ALWAYS, two_person="y")
    assert "two people who hold risk.manage" in page.text


def test_loosening_is_for_owners(house, desk, pages):
    with rows(house):
        found = db.session.get_one(Workspace, desk.id)
        found.managers_invite = False
        admin = factories.joined(found, role=factories.Role.ADMIN, name="Ada").email
    pages.become(admin)
    page = save(pages, desk, "security", 422, **ALWAYS)
    assert "Only an owner may loosen" in page.text
    save(as_person(pages, desk, "owner"), desk, "security", **ALWAYS)
    assert workspace(house, desk).managers_invite


def test_an_owner_ends_the_rule_with_an_admin(house, desk, pages):
    with rows(house):
        found = db.session.get_one(Workspace, desk.id)
        found.two_person = True
        admin = factories.joined(found, role=factories.Role.ADMIN, name="Ada").email
    owner = as_person(pages, desk, "owner")
    page = save(owner, desk, "security", reason="We are two again")
    assert "waits for another person" in page.text
    found = workspace(house, desk)
    assert found.two_person
    assert not found.managers_invite, "the rest of the form waits for nobody"
    pages.become(admin)
    page = pages.get(f"{desk.home}/approvals")
    (address,) = [a.get("href") for a in page.all("a") if "End the two-person rule" in a.text]
    pages.get(address)
    pages.post(f"{address}/approve")
    assert not workspace(house, desk).two_person
