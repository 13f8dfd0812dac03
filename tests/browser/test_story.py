"""What a newcomer clicks in the first minutes."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_from_sign_up_to_a_bot_that_changes_its_mode(window):
    window.goto("/login")
    window.click("text=Create one")
    window.fill("#name", "Nell Newcomer")
    window.fill("#email", "nell@example.com")
    window.fill("#password", "four small green boats")
    window.click("button:has-text('Create account')")
    expect(window.locator(".toast")).to_contain_text("personal workspace")

    window.click("text=Make the first bot")
    window.select_option("#strategy", label="Fast EMA demo")
    window.fill("#name", "Skiff")
    expect(window.locator("#starting_balance")).to_have_value("10000")
    window.click("text=Own sessions")
    window.select_option("#zone", "Europe/Berlin")
    for day in ("Mon", "Fri"):
        window.locator(".session").first.get_by_label(day).check()
    window.fill("#sessions-0-opens", "09:00")
    window.fill("#sessions-0-closes", "17:30")
    window.locator(".form-actions button:has-text('Create bot')").click()

    expect(window.locator("h1")).to_have_text("Skiff")
    expect(window.get_by_text("Mon Fri 09:00–17:30 (Europe/Berlin)")).to_be_visible()
    expect(window.locator(".state .badge")).to_have_text("waking")
    assert window.locator(".page-title .mode").text_content() == "PAPER"

    window.get_by_role("button", name="Pause").click()
    expect(window.locator(".toast")).to_contain_text("opens nothing new")
    expect(window.get_by_role("button", name="Resume")).to_be_visible()
    window.get_by_role("button", name="Stop").click()
    expect(window.get_by_role("button", name="Start")).to_be_visible()

    window.get_by_role("link", name="Connections").first.click()
    window.get_by_role("button", name="Use a practice account").first.click()
    expect(window.locator(".toast")).to_contain_text("play money")
    window.get_by_role("link", name="Bots", exact=True).first.click()
    window.get_by_role("link", name="Skiff").click()
    window.get_by_role("link", name="Mode", exact=True).click()
    window.locator("[name=mode][value=testnet]").check()
    window.select_option("#connection", index=1)
    window.get_by_role("button", name="Switch mode").click()
    expect(window.locator(".page-title .mode")).to_have_text("TESTNET")
    expect(window.get_by_text("Fast EMA demo v1").first).to_be_visible()


def test_a_question_is_asked_before_a_position_is_closed(signed_in, desk):
    signed_in.goto(desk.bot)
    signed_in.get_by_role("button", name="Flatten").click()
    dialog = signed_in.locator("dialog")
    expect(dialog).to_contain_text("Close the position of Tide at market?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    signed_in.get_by_role("button", name="Flatten").click()
    dialog.get_by_role("button", name="Flatten").click()
    expect(signed_in.locator(".toast")).to_contain_text("told to close")


def test_the_chart_is_drawn_and_the_log_unfolds_and_stays(signed_in, story):
    signed_in.goto(story.bot)
    expect(signed_in.locator("[data-chart=candles][data-drawn]")).to_be_visible()
    expect(signed_in.locator("[data-chart=equity][data-drawn]")).to_be_visible()
    assert signed_in.locator("#tv-attr-logo").count() == 1
    first = signed_in.locator("details.decision").first
    first.locator("summary").click()
    with signed_in.expect_response(re.compile(r"/live/overview")):
        pass
    expect(first.locator(".verdicts")).to_be_visible()
    expect(first).to_contain_text("EMA")


def test_a_toast_says_that_the_server_cannot_be_reached(window, desk):
    from tests import factories

    window.goto("/login")
    window.fill("#email", desk.emails["owner"])
    window.fill("#password", factories.PASSWORD)
    window.click("button:has-text('Sign in')")
    window.goto(desk.resting)
    window.route("**/start", lambda route: route.abort())
    window.get_by_role("button", name="Start").click()
    expect(window.locator(".toast-bad")).to_contain_text("cannot be reached")


def test_without_script_everything_still_works(browser, address, desk):
    from tests import factories

    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login")
    page.fill("#email", desk.emails["owner"])
    page.fill("#password", factories.PASSWORD)
    page.click("button:has-text('Sign in')")
    page.goto(desk.resting)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert "follows its schedule" in page.locator(".toast").text_content()
    context.close()
