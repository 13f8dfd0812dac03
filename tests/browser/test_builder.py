"""A newcomer builds a strategy of their own: from a template, one component at a time."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_on_a_phone_the_preview_is_one_step_away_from_each_number(signed_in, desk):
    window = signed_in
    window.set_viewport_size({"width": 360, "height": 740})
    window.goto(f"{desk.strategy}/edit")
    window.locator("#exits-0-percent").scroll_into_view_if_needed()
    there = window.get_by_role("link", name="See the preview")
    expect(there).to_be_in_viewport()
    expect(window.locator("#preview_title")).not_to_be_in_viewport()
    there.click()
    expect(window.locator("#preview_title")).to_be_in_viewport()
    window.get_by_role("link", name="Back to the rules").click()
    expect(window.locator("#timeframe")).to_be_in_viewport()


def test_a_template_becomes_ones_own(signed_in, desk):
    window = signed_in
    window.goto(f"{desk.home}/strategies/new?template=ema_trend")
    window.click("button:has-text('Create strategy')")
    expect(window.locator("h1")).to_have_text("Edit EMA trend")
    window.get_by_role("link", name="Cancel").click()
    window.get_by_role("button", name="Duplicate").click()
    expect(window.locator("h1")).to_have_text("Edit Copy of EMA trend")

    window.fill("#signals-0-fast", "9")
    window.click("#pick_filters")
    window.locator("#find").press_sequentially("aroon")
    expect(window.locator("#picker_list li")).to_have_count(1)
    window.click("#picker_list button")
    expect(window.locator("#picker")).to_have_count(0)
    expect(window.locator("#filters-1-on")).to_be_checked()
    window.click("#up_filters-1")
    expect(window.locator("#section_filters .part").first).to_have_id("part_filters-1")
    expect(window.locator("#signals-0-fast")).to_have_value("9")

    window.select_option("#sizing", "atr_risk")
    expect(window.locator("#atr_period")).to_be_visible()
    window.fill("#exits-0-percent", "0")
    window.click("#look")
    expect(window.locator("#exits-0-percent_error")).to_be_visible()
    expect(window.locator(".builder-words")).to_contain_text("1 thing to put right")
    window.fill("#exits-0-percent", "2")
    window.click("#look")
    expect(window.locator(".builder-words")).to_contain_text("9-candle EMA")

    # The return key publishes what is typed; it takes no step.
    window.fill("#note", "faster, with Aroon")
    window.press("#signals-0-slow", "Enter")
    expect(window.locator("h1")).to_have_text("Copy of EMA trend v2")
    window.get_by_role("link", name="Compare").click()
    expect(window.locator("#differences")).to_contain_text("12 candles")
    expect(window.locator("#differences")).to_contain_text("9 candles")
