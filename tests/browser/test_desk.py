"""The operators' desk by its keys, and who sees whom there."""

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.views.desk import HOME, asked, made

pytestmark = pytest.mark.browser


@pytest.fixture
def office(window, house):
    """A window of an operator, and two tickets whose subjects no other one has."""
    person = made(house, "Kay")
    found = [asked(house, f"Heron {number} of {person.id[-6:]}") for number in (1, 2)]
    window.goto("/login")
    window.fill("#email", person.email)
    window.fill("#password", factories.PASSWORD)
    window.click("button:has-text('Sign in')")
    window.wait_for_url("**/w/**")
    window.goto(f"{HOME}?text=of+{person.id[-6:]}&sort=oldest")
    return window, found


def press(window, *keys):
    for key in keys:
        window.keyboard.press(key)


def test_the_queue_is_walked_and_a_ticket_answered_by_keys(office):
    window, tickets = office
    lines = window.locator("[data-step]")
    expect(lines).to_have_count(2)
    press(window, "j")
    expect(lines.nth(0)).to_be_focused()
    press(window, "j")
    expect(lines.nth(1)).to_be_focused()
    press(window, "k", "Enter")
    window.wait_for_url("**/operator/tickets/tkt_*")
    opened = window.url
    press(window, "a")
    expect(window.locator("main")).to_contain_text("assigned to Kay")
    window.wait_for_load_state()
    press(window, "r")
    expect(window.locator("#answer")).to_be_focused()
    window.keyboard.type("jar of nuts")
    expect(window.locator("#answer")).to_have_value("jar of nuts")
    press(window, "Escape")
    window.locator("h1").click()
    press(window, "n")
    expect(window.locator("#note")).to_be_focused()
    window.locator("h1").click()
    press(window, "?")
    expect(window.locator("#keys")).to_have_attribute("open", "")
    press(window, "u")
    window.wait_for_url("**/operator/tickets")
    assert any(ticket.id in opened for ticket in tickets)


def test_keys_leave_other_pages_alone(signed_in, desk):
    signed_in.goto(f"{desk.home}/tickets")
    press(signed_in, "j", "r", "?")
    assert signed_in.url.endswith("/tickets")
    expect(signed_in.locator("script[src*='desk.js']")).to_have_count(0)
