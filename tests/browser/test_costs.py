"""The pages about costs, of a workspace and of the fleet, in a real browser."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from app.domain import addresses, bots, fleet_alarms, months, terms
from app.domain.terms import Terms
from app.models import (
    AddressEventKind,
    AlarmKind,
    BillingContact,
    BotAddress,
    Budget,
    BudgetAlert,
    CloudRegion,
    IdlePayer,
    Resource,
    UsageInterval,
    User,
    Workspace,
)
from tests import factories, site
from tests.browser.test_accessibility import look
from tests.views import desk as console

pytestmark = pytest.mark.browser


def used(session, bot, start, hours):
    """An address for so many hours, and a machine for a part of them."""
    about = {"workspace_id": bot.workspace_id, "bot_id": bot.id, "region": "us-central1"}
    parts = ((Resource.ADDRESS, 0, hours), (Resource.MACHINE, 1, hours / 4))
    for resource, begin, length in parts:
        begins = start + timedelta(hours=begin)
        span = {"started_at": begins, "ended_at": begins + timedelta(hours=length)}
        session.add(UsageInterval(**about, resource=resource, **span))


def told(session, workspace, now):
    """A budget with a history, addresses that are asked and confirmed, bounds almost reached."""
    own = {"workspace_id": workspace.id}
    session.add(Budget(**own, amount=Decimal(9), changed_at=now))
    for month, percent in (("2026-01", 50), (f"{now:%Y-%m}", 80)):
        alert = {"amount": Decimal(9), "spent": Decimal("7.5"), "told_at": now}
        session.add(BudgetAlert(**own, month=month, percent=percent, **alert))
    for number, verified in enumerate((None, now)):
        email = f"accounting-of-a-long-department-{number}@subsidiary.example.com"
        row = {"email": email, "email_key": email, "asked_at": now, "added_at": now}
        session.add(BillingContact(**own, name="Anna Bills", verified_at=verified, **row))
    bounds = {"max_bots": 3, "max_machines": 40, "max_spend": Decimal(900)}
    wanted = Terms(Decimal(10), IdlePayer.OPERATOR, **bounds)
    terms.agree(workspace, wanted, author=None, by=factories.TESTER, now=now)


@pytest.fixture
def costs(house, desk):
    """A month of a workspace, eleven more beside it, and a fleet with something to look after."""
    now = datetime.now(UTC)
    opal, month = console.made(house, "Opal"), months.of(now)
    with site.rows(house) as session:
        workspace = session.get(Workspace, desk.id)
        bot_id = desk.resting.rpartition("/")[2]
        bot = bots.find(workspace, bot_id)
        used(session, bot, month.previous.start, 40)
        used(session, bot, month.start, 1)
        told(session, workspace, now)
        for _ in range(11):
            bot = factories.bot(factories.organisation(), now=now)
            used(session, bot, month.previous.start, 9)
        row = session.get(BotAddress, desk.bot.rpartition("/")[2])
        for kind in (AddressEventKind.RESERVED, AddressEventKind.SEEN_BY_GATE):
            addresses.note(row, kind, row.ip, now)
        addresses.lost(row, "the cloud has none", now)
        session.merge(CloudRegion(region="local", quotas={"CPUS": [23, 24]}, seen_at=now))
        key = f"late {bot_id}"
        alarm = fleet_alarms.raise_alarm(AlarmKind.LATE_WAKE, key, "It is late.", now, bot_id)
        by = {"by": factories.TESTER, "now": now}
        fleet_alarms.take(alarm, session.get(User, opal.id), **by)
    return SimpleNamespace(
        home=f"{desk.home}/billing", month=month, bot_id=bot_id, operator=opal.email
    )


def test_pages_of_a_workspace(signed_in, costs):
    month = f"{costs.home}/{costs.month}"
    before = f"{costs.home}/{costs.month.previous}"
    pages = (month, before, f"{before}/bots/{costs.bot_id}", f"{costs.home}/budget")
    faults = [fault for url in pages for fault in look(signed_in, url)]
    assert not faults + look(signed_in, "/billing/leave/nobody", status=410)


def test_pages_of_the_operator(window, costs):
    window.goto("/login")
    window.fill("#email", costs.operator)
    window.fill("#password", factories.PASSWORD)
    window.click("button:has-text('Sign in')")
    window.wait_for_url("**/w/**")
    over = costs.month.previous  # its sums do not run on between two looks
    first, second = (f"/operator/costs/{over}?page={number}" for number in (1, 2))
    added_up = []
    window.on("request", lambda it: added_up.append(it.url) if it.url.endswith("/sums") else None)
    window.goto(first)
    expect(window.locator("#sums")).to_be_visible()
    sums = window.locator("#sums").inner_text()
    window.get_by_role("link", name="Next 10").click()
    expect(window.get_by_text("Page 2 of")).to_be_visible()
    window.wait_for_url("**page=2")
    expect(window.locator("#sums")).to_have_text(sums, use_inner_text=True)
    assert len(added_up) == 1, "once for a month, however many pages are turned"
    pages = (first, second, "/operator/fleet", f"/operator/fleet/bots/{costs.bot_id}")
    assert not [fault for url in pages for fault in look(window, url)]
