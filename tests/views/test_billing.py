"""What machines cost, as pages: the statement, the budget, who is told, and the operator's side."""

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.domain import bots, fleet_costs, forecast, months, statements, terms
from app.domain.terms import Terms
from app.extensions import db
from app.models import (
    AuditEvent,
    BillingContact,
    BotAddress,
    Budget,
    BudgetAlert,
    IdlePayer,
    Mail,
    Resource,
    UsageInterval,
    WakeLead,
    Workspace,
)
from tests import factories, site
from tests.pages import Pages
from tests.views.crew import Crew, sign_in
from tests.views.test_bots import NEW

REGION = "us-central1"
HOUR = timedelta(hours=1)
MONTH = months.of(datetime.now(UTC)).previous
"""A month that is over: what its pages say does not run on while a test looks."""


@pytest.fixture
def crew(house):
    return Crew(house)


@pytest.fixture
def place(house, crew):
    """What tests only look at, or leave as it was."""
    return furnish(house, crew)


def furnish(house, crew):
    """Two bots with a month behind them: ten hours of an address, four of them with a machine."""
    with site.rows(house):
        workspace = db.session.get_one(Workspace, crew.id)
        now = datetime.now(UTC)
        first, second = (factories.bot(workspace, now=now, name=name) for name in ("Moon", "=Sun"))
        for bot in (first, second):
            bot.region = REGION
            _used(bot, Resource.ADDRESS, MONTH.start, MONTH.start + 10 * HOUR)
            _used(bot, Resource.MACHINE, MONTH.start + HOUR, MONTH.start + 5 * HOUR)
        found = SimpleNamespace(home=f"{crew.home}/billing", moon=first.id, sun=second.id)
    found.month = f"{found.home}/{MONTH}"
    return found


def _used(bot, resource, start, end):
    about = {"workspace_id": bot.workspace_id, "bot_id": bot.id, "region": REGION}
    generation = 1 if resource is Resource.MACHINE else None
    span = {"started_at": start, "ended_at": end, "generation": generation}
    if resource is Resource.MACHINE:
        machine = {"machine_type": "e2-micro", "ip": "203.0.113.9", "token_hash": "0" * 64}
        db.session.add(
            statements.Machine(
                **about | machine, generation=1, name=bot.id, created_at=start, gone_at=end
            )
        )
    db.session.add(UsageInterval(**about, resource=resource, **span))


@pytest.fixture
def owner(house, crew):
    return sign_in(Pages(house), crew, "Olga")


@pytest.fixture
def admin(house, crew):
    return sign_in(Pages(house), crew, "Adam")


@pytest.fixture
def operator(house):
    with site.rows(house):
        person = factories.user("Opal")
        person.operator = True
        email = person.email
    pages = Pages(house)
    pages.become(email)
    return pages


def stats(page):
    return {
        node.all("dt")[0].text: node.by_class("stat-value")[0].text for node in page_stats(page)
    }


def page_stats(page):
    return page.by_class("stat")


def last_letter(house, letter):
    with site.rows(house):
        query = select(Mail).where(Mail.letter == letter).order_by(Mail.created_at.desc())
        found = db.session.scalars(query.limit(1)).first()
        db.session.expunge(found)
    return found


def test_the_statement_shows_each_bot_and_who_pays_the_idle_address(admin, place):
    page = admin.get(place.month)
    # 4 h of machine, disk and address; six idle hours cost nothing: the operator pays them.
    assert stats(page)["Total"] == "$0.12"
    rows = page.by_id("bills").all("tr")[1:]
    assert [row.all("th")[0].text for row in rows] == ["=Sun", "Moon"]
    assert "Paid by the operator: $0.12" in page.text
    assert "Those of the price book." in page.text
    page = admin.get(f"{place.month}/bots/{place.moon}")
    lines = [row.text for row in page.by_id("lines").all("tr")[1:]]
    assert len(lines) == 5
    assert sum("paid by the operator" in line for line in lines) == 2
    assert "Is its sleep worth it?" in page.text
    assert "No trade was closed" in page.text


def test_advice_goes_by_the_wake_lead_that_the_region_has_taught(house, admin, place, monkeypatch):
    config, bounds = house.extensions["plutarc"], {"longest_lead": timedelta(minutes=15)}
    tempo = replace(config.tempo, **bounds, flat_for=timedelta(minutes=5), machine_type="taught")
    monkeypatch.setitem(house.extensions, "plutarc", replace(config, tempo=tempo))
    page = f"{place.month}/bots/{place.moon}"
    taught = {"region": REGION, "machine_type": "taught", "seconds": 720}
    assert "A pause of 17 min or less" not in admin.get(page).text
    with site.rows(house):
        db.session.add(WakeLead(**taught, samples=9, measured_at=datetime.now(UTC)))
    try:
        assert "A pause of 17 min or less" in admin.get(page).text
    finally:
        with site.rows(house):
            db.session.query(WakeLead).filter_by(**taught).delete()


def test_what_the_file_adds_up_to_is_what_the_page_says(house, admin, place, crew):
    admin.get(f"{place.month}/statement.csv")
    rows = list(csv.DictReader(io.StringIO(admin.response.get_data(as_text=True))))
    total = sum((Decimal(row["usd"]) for row in rows), Decimal(0))
    with site.rows(house):
        workspace = db.session.get_one(Workspace, crew.id)
        told = statements.of_workspace(workspace, MONTH, datetime.now(UTC))
        assert statements.dollars(told.total) == total
    assert {row["bot"] for row in rows} == {"'=Sun", "Moon"}
    for row in rows:
        exact = Decimal(row["usd_per_hour"]) * Decimal(row["hours"])
        assert abs(exact - Decimal(row["usd"])) < Decimal("0.000002")


def test_months_are_walked_and_the_future_is_not_there(admin, place):
    page = admin.get(place.home, 303)
    page = admin.follow()
    assert page.by_id("budget_title")
    assert admin.links(MONTH.title) == [place.month]
    admin.get(f"{place.home}/{months.of(datetime.now(UTC)).next}", 404)
    admin.get(f"{place.home}/2026-13", 404)
    admin.get(f"{place.month}/bots/bot_nobody", 404)


@pytest.mark.parametrize(("name", "seen"), [("Mia", 403), ("Tim", 403), ("Vera", 403)])
def test_who_may_not_see_costs(house, crew, place, name, seen):
    pages = sign_in(Pages(house), crew, name)
    for address in (place.month, f"{place.month}/statement.csv", f"{place.home}/budget"):
        page = pages.get(address, seen)
        assert "billing." in page.text


def test_an_admin_sees_costs_and_sets_no_budget(admin, place):
    admin.get(place.home, 303)
    admin.follow()
    assert admin.links("Set one") == []
    admin.get(f"{place.home}/budget", 403)
    admin.post(f"{place.home}/budget", 403, amount="5")
    admin.post(f"{place.home}/contacts", 403, email="x@example.com")


def test_the_owner_sets_changes_and_drops_the_budget(house, owner, place, crew):
    owner.get(f"{place.home}/budget")
    page = owner.post(f"{place.home}/budget", 422, amount="lots")
    assert "above zero" in page.by_id("amount_error").text
    page = owner.post(f"{place.home}/budget", amount="1,250.50")
    assert "$0.00 of $1,250.50 spent, 0 %" in page.text
    owner.get(place.home, 303)
    page = owner.follow()
    assert "$0.00 of $1,250.50" in page.text
    assert owner.links("Change")
    owner.get(f"{place.home}/budget")
    page = owner.post(f"{place.home}/contacts", 422, email="nobody")
    assert Decimal(page.by_id("amount").get("value")) == Decimal("1250.5")
    page = owner.post(f"{place.home}/budget", amount="")
    assert "No budget is set" in page.text
    assert crew.rows(Budget, Budget.workspace_id == crew.id) == []
    assert len(crew.events("billing.budget")) == 2
    assert page.by_id("beyond") is None
    assert page.by_id("alerts") is None
    with site.rows(house):
        about = {"workspace_id": crew.id, "month": "2026-01", "amount": Decimal(9)}
        told = {"percent": 80, "spent": Decimal("7.5"), "told_at": datetime.now(UTC)}
        db.session.add(BudgetAlert(**about, **told))
    rows = owner.get(f"{place.home}/budget").by_id("alerts").all("tr")
    assert [cell.text for cell in rows[1].all("td")][:3] == ["80 %", "$7.50", "$9.00"]


def test_a_month_that_will_not_fit_is_said_in_time(house, monkeypatch):
    crew = Crew(house)
    place = furnish(house, crew)
    owner = sign_in(Pages(house), crew, "Olga")
    monkeypatch.setattr(forecast, "of_month", lambda *_: 12_340_000)
    owner.get(f"{place.home}/budget")
    page = owner.post(f"{place.home}/budget", amount="12.33")
    assert "By the month's end it will be $12.34" in page.by_id("beyond").text
    owner.get(place.home, 303)
    assert owner.follow().by_id("beyond")
    owner.get(f"{place.home}/budget")
    assert owner.post(f"{place.home}/budget", amount="12.34").by_id("beyond") is None
    monkeypatch.setattr(forecast, "of_month", lambda *_: None)
    assert owner.get(f"{place.home}/budget").by_id("beyond") is None


def test_an_address_is_asked_confirms_and_takes_itself_off(house, owner, place, crew):
    owner.get(f"{place.home}/budget")
    page = owner.post(f"{place.home}/contacts", 422, email="nobody")
    assert "no e-mail address" in page.by_id("email_error").text
    page = owner.post(f"{place.home}/contacts", email="bills@example.com", name="Bo")
    assert "asked" in page.by_id("contacts").text
    link = last_letter(house, "billing_confirm").values["link"].partition("://")[2]
    link = link[link.index("/") :]
    visitor = Pages(house)
    assert "bills@example.com" in visitor.get(link).text
    assert "no-store" in visitor.response.headers["Cache-Control"]
    token = visitor.token()
    page = visitor.post(link, 200, csrf_token=token)
    assert "You are on the list" in page.text
    visitor.get(link, 410)
    visitor.post(link, 410, token=False, csrf_token=token)
    assert "confirmed" in owner.get(f"{place.home}/budget").by_id("contacts").text
    assert owner.links("Ask again") == []
    (contact,) = crew.rows(BillingContact, BillingContact.workspace_id == crew.id)
    leave = f"/billing/leave/{contact.id}"
    assert "told of the costs" in visitor.get(leave).text
    answer = visitor.client.post(leave, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    visitor.get(leave, 410)
    assert crew.rows(BillingContact, BillingContact.workspace_id == crew.id) == []
    assert len(crew.events("billing.contact_leave")) == 1


def test_an_address_is_asked_again_and_removed(house, owner, place, crew):
    owner.get(f"{place.home}/budget")
    owner.post(f"{place.home}/contacts", email="other@example.com", name="")
    (contact,) = crew.rows(BillingContact, BillingContact.workspace_id == crew.id)
    page = owner.post(f"{place.home}/contacts/{contact.id}/again")
    assert "asked once more" in page.text
    page = owner.post(f"{place.home}/contacts/{contact.id}/remove")
    assert "No address yet." in page.text
    owner.post(f"{place.home}/contacts/{contact.id}/remove", 404)


def test_a_new_bot_s_form_says_what_its_address_costs(house, owner, crew):
    page = owner.get(f"{crew.home}/bots/new")
    assert "By the price book a machine and its address cost nothing here" in page.text


def test_the_schedule_page_says_what_sleep_saves(house, owner, place, crew):
    address = f"{crew.home}/bots/{place.moon}/schedule"
    page = owner.get(address)
    assert "Awake all the time, it costs $2.48 a week." in page.text
    assert "the operator pays that" in page.text
    fields = {"zone": "UTC", "kind": "always", "preview": "yes"}
    piece = owner.fragment(address, **fields)
    assert "$2.48 a week" in piece.text


MISTYPED = {
    "markup_percent": ("much", "12,5", "1_0", "NaN", "1e1"),
    "max_bots": ("-1", "1,5", "2.0"),
    "max_spend": ("x", "12,5", "1_000", "0"),
}


def test_the_operator_agrees_on_terms_and_the_statement_follows(house, operator):
    crew = Crew(house)
    place = furnish(house, crew)
    address = f"/operator/workspaces/{crew.id}/terms"
    operator.get(f"/operator/workspaces/{crew.id}")
    assert operator.links("Terms") == [address]
    page = operator.get(address)
    assert "the house's own terms hold" in page.text
    good = {"markup_percent": "25", "idle_payer": "workspace"}
    for field, values in MISTYPED.items():
        for value in values:
            page = operator.post(address, 422, **(good | {field: value}))
            assert page.by_id(f"{field}_error")
    page = operator.post(address, **good, max_bots="2", max_machines="", max_spend="99.5")
    assert "25 %" in page.by_id("terms").text
    (event,) = crew.events("billing.terms")
    assert event.actor_label.startswith("opal")
    with site.rows(house):
        agreed = terms.of(crew.id, months.of(datetime.now(UTC)))
        assert agreed == Terms(Decimal(25), IdlePayer.WORKSPACE, 2, None, Decimal("99.5"))
        assert terms.of(crew.id, MONTH).markup_percent == 0
    owner = sign_in(Pages(house), crew, "Olga")
    owner.get(place.home, 303)
    page = owner.follow()
    assert "25" not in page.by_id("terms_title").parent.parent.text.partition("Price book")[0]
    assert "what the operator adds to the price book is in them" in page.text
    assert "Paid by this workspace" in page.text
    assert "nearly reached" in page.text
    used = [it.text for it in page.by_id("uses").by_class("quota")]
    assert used == ["Bots100 %2 of 2", "Spending this month0 %$0.00 of $99.50"]
    assert "Paid by the operator" in owner.get(place.month).text
    page = owner.get(f"{crew.home}/bots/new")
    page = owner.post(f"{crew.home}/bots/new", 422, **(NEW | {"name": "Third"}))
    assert "has the 2 bots that it may have" in page.text
    page = operator.post(address, **(good | {"markup_percent": "10", "max_spend": "1,250.50"}))
    assert "10 %" in page.by_id("terms").text
    assert "$1,250.50" in page.by_id("terms").text


def test_the_operator_sees_cost_charge_margin_and_leaks(house, operator, monkeypatch):
    monkeypatch.setattr(fleet_costs, "PAGE", 1000)  # the other tests' workspaces are there as well
    crew = Crew(house)
    place = furnish(house, crew)
    with site.rows(house):
        workspace = db.session.get_one(Workspace, crew.id)
        bot = bots.find(workspace, place.moon)
        db.session.add(
            BotAddress(
                bot_id=bot.id,
                workspace_id=crew.id,
                name=f"{bot.id}-ip",
                region=REGION,
                ip="203.0.113.77",
            )
        )
        lost = bots.find(workspace, place.sun)
        _used_now(lost)
    operator.get("/operator/costs", 303)
    page = operator.follow()
    leaks = page.by_id("leaks").text
    assert place.sun in leaks
    assert place.moon not in leaks
    page = operator.get(f"/operator/costs/{MONTH}")
    (row,) = (it for it in page.by_id("costs").all("tr")[1:] if crew.id in str(_hrefs(it)))
    cells = [cell.text for cell in row.all("td")]
    assert cells[2:6] == ["1", "$0.24", "$0.12", "−$0.12"]
    operator.get("/operator/costs/2999-01", 404)
    operator.get("/operator/costs/2999-01/sums", 404)


def test_the_fleet_s_sums_are_the_same_whatever_page_is_shown(house, operator, monkeypatch):
    for _ in range(2):
        furnish(house, Crew(house))
    costs = f"/operator/costs/{MONTH}"
    monkeypatch.setattr(fleet_costs, "PAGE", 1000)
    whole = operator.get(costs).by_id("sums").text
    monkeypatch.setattr(fleet_costs, "PAGE", 1)
    first, second = operator.get(costs), operator.get(f"{costs}?page=2")
    assert _hrefs(first.by_id("costs")) != _hrefs(second.by_id("costs"))
    now = [[stats(page)[name] for name in ("Workspaces", "Leaks")] for page in (first, second)]
    assert now[0] == now[1]
    assert int(now[0][0]) >= 2
    assert "Page 1 of " in first.text
    assert "Next 1" in first.text
    assert "Previous 1" in second.text
    asked = first.by_id("cost_sums").get("hx-get")
    assert asked == second.by_id("cost_sums").get("hx-get") == f"{costs}/sums"
    assert operator.get(asked).by_id("sums").text == whole, "without JavaScript too"
    assert operator.fragment(asked).by_id("sums").text == whole


def _used_now(bot):
    about = {"workspace_id": bot.workspace_id, "bot_id": bot.id, "region": REGION}
    now = datetime.now(UTC)
    db.session.add(UsageInterval(**about, resource=Resource.ADDRESS, started_at=now))


def _hrefs(row):
    return [a.get("href") for a in row.all("a")]


def test_the_letters_name_no_id_of_a_contact_in_the_log(house, crew):
    with site.rows(house):
        query = select(AuditEvent).where(
            AuditEvent.chain == crew.id, AuditEvent.action.startswith("billing.contact")
        )
        for event in db.session.scalars(query):
            assert not re.search(r"bco_", f"{event.target_id} {event.changes}")
