"""A ticket in a real browser: seen by looking, answered without reloading, sent with files."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from app.domain.support import moves
from app.extensions import db
from app.models import Ticket
from tests import site, tickets

pytestmark = pytest.mark.browser


def on(house, ticket, verb, **named):
    with site.rows(house):
        verb(db.session.get(Ticket, ticket.id), now=datetime.now(UTC), **named)


def test_an_answer_arrives_while_another_one_is_being_typed(signed_in, house, ticket):
    signed_in.goto(ticket.url)
    expect(signed_in.locator(".unseen")).to_have_count(0)
    expect(signed_in.locator(".rail-wide .nav-count")).to_be_empty()
    signed_in.locator("#body").fill("I am just wri")
    on(house, ticket, tickets.answered, body="It runs again.")
    expect(signed_in.locator(".thread")).to_contain_text("It runs again.")
    expect(signed_in.locator(".toast")).to_contain_text("Support has answered")
    signed_in.keyboard.type("ting")
    expect(signed_in.locator("#body")).to_have_value("I am just writing")
    expect(signed_in.locator(".unseen")).to_have_count(0)
    on(house, ticket, moves.resolve, voice=tickets.desk_voice())
    expect(signed_in.locator(".thread")).to_contain_text("marked it solved")
    expect(signed_in.locator("[data-poll]")).to_have_count(0)


def test_what_is_refused_keeps_the_text_and_what_is_sent_can_be_saved(signed_in, ticket, tmp_path):
    signed_in.goto(ticket.url)
    log = tmp_path / "log \u00c4.txt"
    log.write_text("refused\n")
    signed_in.locator("#body").fill("See\nhere")
    many = [tmp_path / f"{number}.txt" for number in range(11)]
    for path in many:
        path.write_text("x")
    signed_in.locator("#files").set_input_files(many)
    signed_in.get_by_role("button", name="Send").click()
    expect(signed_in.locator(".error-summary")).to_contain_text("at most 10 files")
    expect(signed_in.locator("#body")).to_have_value("See\nhere")
    signed_in.locator("#files").set_input_files([log])
    signed_in.get_by_role("button", name="Send").click()
    expect(signed_in.locator(".toast")).to_contain_text("Sent")
    with signed_in.expect_download() as saving:
        signed_in.get_by_role("link", name=log.name).click()
    assert saving.value.suggested_filename == log.name
    assert saving.value.path().read_text() == "refused\n"


def test_a_ticket_is_opened_by_keyboard_alone(signed_in, desk):
    signed_in.goto(f"{desk.home}/tickets/new")
    signed_in.locator("#subject").focus()
    signed_in.keyboard.type("Clock")
    signed_in.keyboard.press("Tab")
    signed_in.keyboard.type("Some")
    signed_in.keyboard.press("Tab")
    signed_in.keyboard.type("It is late")
    signed_in.keyboard.press("Tab")
    signed_in.keyboard.press("ArrowDown")
    signed_in.keyboard.press("Tab")
    signed_in.keyboard.press("Tab")
    signed_in.keyboard.press("Enter")
    expect(signed_in.locator("h1")).to_have_text("Clock")
    expect(signed_in.locator(".facts")).to_contain_text("High")
