"""A newcomer is led through a position on the bot's own page, on a phone and without script."""

import pytest
from playwright.sync_api import expect

from tests import factories

pytestmark = pytest.mark.browser
WIDTHS = (360, 1440)


def sign_in(page, desk):
    page.goto("/login")
    page.fill("#email", desk.emails["owner"])
    page.fill("#password", factories.PASSWORD)
    page.click("button:has-text('Sign in')")
    page.wait_for_url("**/w/**")


@pytest.mark.parametrize("width", WIDTHS)
def test_it_names_what_is_on_the_page_and_goes_on_when_told(signed_in, desk, width):
    signed_in.set_viewport_size({"width": width, "height": 800})
    signed_in.goto(desk.bot)
    guide = signed_in.locator(".guide")
    expect(guide).to_contain_text("Guide, step 2 of 3")
    expect(guide).to_contain_text("in at")
    marks = signed_in.locator(".guide-mark")
    expect(marks).to_have_count(4)
    for mark in marks.all():
        expect(mark).to_be_visible()
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not signed_in.evaluate(wide)
    guide.get_by_role("button", name="I have seen it").click()
    expect(signed_in.locator(".toast")).to_contain_text("what is left when it has closed")
    expect(guide.get_by_role("button", name="Put the guide away")).to_be_visible()
    guide.get_by_role("button", name="Put the guide away").click()
    expect(guide).to_have_count(0)
    signed_in.reload()
    expect(guide).to_have_count(0)


def test_without_script_each_step_is_a_form(browser, address, desk):
    context = browser.new_context(
        base_url=address, java_script_enabled=False, viewport={"width": 360, "height": 800}
    )
    page = context.new_page()
    sign_in(page, desk)
    page.goto(desk.bot)
    page.get_by_role("button", name="I have seen it").click()
    expect(page.locator(".guide")).to_be_visible()
    expect(page.locator(".guide")).not_to_contain_text("Protective stop.")
    page.goto(f"{desk.bot}/live")
    expect(page.get_by_text("You have not followed a paper position")).to_be_visible()
    page.goto(desk.bot)
    page.get_by_role("button", name="Put the guide away").click()
    expect(page.locator(".guide")).to_have_count(0)
    page.goto(f"{desk.bot}/live")
    page.get_by_role("button", name="Show the guide").click()
    expect(page.locator(".guide")).to_be_visible()
    context.close()
