"""What a new bot's maker sees: the week as it is typed, and the address as soon as it is there."""

import pytest
from playwright.sync_api import expect

from tests.views.test_births import address

pytestmark = pytest.mark.browser


def test_the_week_follows_what_is_typed_and_nothing_is_lost(signed_in, desk):
    signed_in.goto(f"{desk.home}/bots/new")
    signed_in.fill("#name", "Skiff")
    signed_in.click("text=Own sessions")
    for row, hours in enumerate((("08:00", "12:00"), ("11:00", "13:00"))):
        signed_in.locator(".session").nth(row).get_by_label("Mon").check()
        signed_in.fill(f"#sessions-{row}-opens", hours[0])
        signed_in.fill(f"#sessions-{row}-closes", hours[1])
    signed_in.fill("#name", "Skiff II")
    preview = signed_in.locator("#schedule_preview")
    expect(preview).to_contain_text("Sessions 1 and 2 overlap")
    expect(preview.locator(".week-day")).to_have_count(7)
    expect(signed_in.locator("#name")).to_have_value("Skiff II")
    signed_in.locator(".form-actions button:has-text('Create bot')").click()
    expect(signed_in.locator("h1")).to_have_text("Skiff II")


def test_the_address_appears_while_the_key_is_being_typed(signed_in, house, desk):
    signed_in.goto(desk.resting)
    signed_in.goto(f"{desk.home}/connections/new?bot={desk.resting.rpartition('/')[2]}")
    part = signed_in.locator("#key_addresses")
    expect(part).to_contain_text("being reserved")
    signed_in.fill("#label", "Mine")
    address(house, desk.resting, ip="127.64.201.1")
    expect(part).to_contain_text("127.64.201.1", timeout=60_000)
    expect(part.get_by_role("button", name="Copy the address of Moon")).to_be_visible()
    expect(signed_in.locator("#label")).to_have_value("Mine")
    assert part.get_attribute("hx-get") is None
