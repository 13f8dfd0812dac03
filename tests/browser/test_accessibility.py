"""Every page in both themes: no serious fault that axe can find, no sideways scrolling at 360."""

from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select

from app.domain import mail, notices
from app.domain.support import drafts, notes, tags, tickets
from app.domain.support.said import Said
from app.models import (
    AlarmKind,
    AuthorKind,
    BotCompute,
    CloudRegion,
    FleetAlarm,
    Machine,
    MachineConsole,
    NoticeKind,
    Phase,
    Ticket,
    User,
)
from tests import factories, site
from tests.views import desk as console

pytestmark = pytest.mark.browser

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
GRAVE = ("serious", "critical")
BEFORE = {"/login": 200, "/signup": 200, "/forgot": 200, "/reset/spent": 410, "/verify/spent": 410}


def faults_of(page, rules=None):
    only = rules and {"runOnly": {"type": "rule", "values": rules}}
    found = Axe().run(page, options=only).response["violations"]
    return [
        f"{item['id']}: {node['target']} {node['failureSummary']}"
        for item in found
        if item["impact"] in GRAVE
        for node in item["nodes"]
    ]


def look(page, url, *, status=200):
    """Everything in light; in dark only what a theme changes, which is colours."""
    faults = []
    answer = page.goto(url)
    assert answer is None or answer.status == status, f"{url} answers {answer.status}"
    for theme, rules in (("light", None), ("dark", ["color-contrast"])):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        faults += [f"{url} {theme} {fault}" for fault in faults_of(page, rules)]
    page.set_viewport_size({"width": 360, "height": 780})
    wider = page.evaluate(WIDER)
    if wider > 0:
        faults.append(f"{url} is {wider} px too wide for 360")
    page.set_viewport_size({"width": 1280, "height": 900})
    return faults


def test_pages_of_the_workspace(signed_in, addresses):
    assert not [fault for url in addresses.plain for fault in look(signed_in, url)]


def test_pages_of_tickets(signed_in, addresses):
    assert not [fault for url in addresses.tickets for fault in look(signed_in, url)]


def test_pages_of_a_bot_with_a_story(signed_in, story, addresses):
    assert not [fault for tab in addresses.bot for fault in look(signed_in, story.bot + tab)]


def test_pages_of_research(signed_in, research):
    assert not [fault for url in research for fault in look(signed_in, url)]


def test_pages_before_signing_in(window):
    found = (look(window, url, status=status) for url, status in BEFORE.items())
    assert not [fault for faults in found for fault in faults]


def test_a_faulty_form(signed_in, desk):
    signed_in.goto(f"{desk.home}/bots/new")
    signed_in.locator(".form-actions button:has-text('Create bot')").click()
    expect(signed_in.locator(".error-summary")).to_be_focused()
    assert not faults_of(signed_in)


@pytest.fixture
def posted(house):
    """An operator with an unread alarm, and a letter that waits."""
    now = datetime.now(UTC)
    with site.rows(house) as session:
        person = factories.user("Opal")
        session.get(User, person.id).operator = True
        told = {"title": "Ether stopped", "body": "Look at it.", "kind": NoticeKind.ALARM}
        notices.tell([person.id], key="alarm", now=now, **told)
        letter = mail.post("mail_check", to="bo@example.org", now=now, console="https://x")
        session.flush()
        return person.email, letter.id


def test_inbox_and_console(window, posted):
    email, letter = posted
    window.goto("/login")
    window.fill("#email", email)
    window.fill("#password", factories.PASSWORD)
    window.click("button:has-text('Sign in')")
    window.wait_for_url("**/w/**")
    pages = (
        "/account/inbox",
        "/operator",
        "/operator/telegram",
        "/operator/mail",
        f"/operator/mail/{letter}",
    )
    pages += ("/operator/workspaces",)
    assert not [fault for url in pages for fault in look(window, url)]


@pytest.fixture
def fleet(house, desk):
    """Pages of the fleet: a bot that is awake, one that is blocked, a region that is shut."""
    now = datetime.now(UTC)
    opal = console.made(house, "Opal")
    with site.rows(house) as session:
        blocked = desk.resting.rpartition("/")[2]
        compute = session.get(BotCompute, blocked)
        compute.phase, compute.problem, compute.cause = Phase.BLOCKED, "Quota exceeded", "quota"
        compute.retry_at = now + timedelta(minutes=9)
        awake = desk.bot.rpartition("/")[2]
        machine = session.scalars(select(Machine).where(Machine.bot_id == awake)).one()
        machine.runner_version = "0.0.9"
        session.add(MachineConsole(machine_id=machine.id, text="kernel " * 99, read_at=now))
        quotas = {"STATIC_ADDRESSES": [8, 8], "CPUS": [1, 24]}
        shut = {"shut_until": now + timedelta(hours=1), "shut_detail": "Quota exceeded"}
        session.merge(CloudRegion(region="local", quotas=quotas, seen_at=now, **shut))
        told = {"message": "Look at it.", "since": now, "seen_at": now, "bot_id": blocked}
        session.add(FleetAlarm(kind=AlarmKind.BLOCKED, key=f"blocked {blocked}", **told))
        parts = ("", f"/bots/{blocked}", f"/bots/{awake}", f"/machines/{machine.id}")
        parts += ("/sweeps", "/upgrades", "/regions/local/shut")
        pages = [f"/operator/fleet{it}" for it in parts]
    return opal.email, [*pages, "/operator/maintenance"]


def test_the_fleet(window, fleet):
    email, pages = fleet
    window.goto("/login")
    window.fill("#email", email)
    window.fill("#password", factories.PASSWORD)
    window.click("button:has-text('Sign in')")
    window.wait_for_url("**/w/**")
    assert not [fault for url in pages for fault in look(window, url)]


def test_a_blocked_bot(signed_in, fleet, desk):
    assert not look(signed_in, desk.resting)


@pytest.fixture
def answering(house):
    """An operator with a draft at a ticket that holds a note, a tag and a second message."""
    now = datetime.now(UTC)
    asked, person = console.asked(house, "It stands still"), console.made(house, "Ines")
    with site.rows(house) as session:
        ticket, operator = session.get(Ticket, asked.id), session.get(User, person.id)
        voice = console.voice(person.id, AuthorKind.OPERATOR)
        tickets.post(ticket, Said("Which one?"), voice=voice, now=now)
        notes.add(ticket, "He asked before.", voice=voice, now=now)
        tags.put(ticket, ["vip"], voice=voice, now=now)
        drafts.save(ticket, operator, "Almost", now)
    return person.email, asked.home


def test_the_operators_desk(window, answering):
    email, home = answering
    window.goto("/login")
    window.fill("#email", email)
    window.fill("#password", factories.PASSWORD)
    window.click("button:has-text('Sign in')")
    window.wait_for_url("**/w/**")
    lists = ("", "?state=all", "/replies", "/replies/new", "/hours", "/quality")
    pages = [f"{console.HOME}{it}" for it in lists]
    pages += [f"{home}{it}" for it in ("", "/merge", "/close")] + ["/rate/spent"]
    assert not [fault for url in pages for fault in look(window, url)]
