"""A newcomer's first hour, without a manual: from a template to a bot on paper, by clicks alone."""

import re

import pytest
from playwright.sync_api import expect

from tests.waiting import PATIENCE

pytestmark = pytest.mark.browser


@pytest.fixture
def window(browser, installation):
    """A window on the whole house; what the console complains about fails the test."""
    context = browser.new_context(
        base_url=installation.base, viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(PATIENCE * 1000)
    expect.set_options(timeout=PATIENCE * 1000)
    page = context.new_page()
    said = []
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    expect.set_options(timeout=5000)
    assert not said


def shown(window):
    """Which preview the page shows."""
    return window.locator("[name=previewed]").input_value()


def changed(window, field, value):
    """Type a number and wait until the preview is of it."""
    before = shown(window)
    window.fill(field, value)
    expect(window.locator("[name=previewed]")).not_to_have_value(before)
    expect(window.locator("#preview.preview-old")).to_have_count(0)
    return window.locator("#preview .stats").inner_text()


def test_from_a_template_to_paper(window):
    window.goto("/signup")
    window.fill("#name", "Nell Newcomer")
    window.fill("#email", "nell@example.com")
    window.fill("#password", "four small green boats")
    window.click("button:has-text('Create account')")

    # The library tells how a template acts before anybody has made anything.
    window.get_by_role("link", name="Strategies").first.click()
    window.get_by_role("link", name="Open the library").click()
    window.get_by_role("link", name="EMA trend", exact=True).click()
    expect(window.locator(".candles-plot")).to_be_visible()
    expect(window.get_by_text("says nothing about profit")).to_be_visible()

    # It is duplicated and opens in the builder, with a preview of what it would have done.
    window.get_by_role("link", name="Duplicate and edit").click()
    window.fill("#name", "My trend")
    window.click("button:has-text('Create strategy')")
    expect(window.locator("h1")).to_have_text("Edit My trend")
    expect(window.locator("#preview .candles-plot")).to_be_visible()
    first = window.locator("#preview .stats").inner_text()

    # Two numbers are changed, and the preview changes with each.
    second = changed(window, "#signals-0-fast", "6")
    assert second != first
    third = changed(window, "#exits-0-percent", "0.4")
    assert third != second

    # A number that cannot be leaves the last good one, marked as old.
    window.fill("#exits-0-percent", "0")
    expect(window.locator("#preview.preview-old .candles-plot")).to_be_visible()
    expect(window.locator("#preview .bullets")).to_contain_text("Loss")
    window.fill("#exits-0-percent", "0.4")
    expect(window.locator("#preview.preview-old")).to_have_count(0)
    window.locator(".form-actions button:has-text('Publish version 2')").click()
    expect(window.locator("h1")).to_have_text("My trend v2")

    # The page says what comes next.
    window.get_by_role("link", name="Backtest this version").click()
    window.get_by_role("button", name="Run backtest").click()
    window.get_by_role("link", name="Start on paper").click()
    expect(window.locator("#strategy option:checked")).to_have_text("My trend v2")
    expect(window.locator("[name=mode][value=paper]")).to_be_checked()
    window.fill("#name", "Skiff")
    window.locator(".form-actions button:has-text('Create bot')").click()
    expect(window.locator("h1")).to_have_text("Skiff")
    assert window.locator(".page-title .mode").text_content() == "PAPER"
    expect(window.locator(".state .badge")).to_have_text(re.compile("^awake"))
