"""The operators' queue and tickets: finding, answering, noting, sorting, handing over."""

from datetime import UTC, datetime
from io import BytesIO

import pytest

from app.extensions import db
from app.models import (
    Draft,
    MessageFile,
    NoteFile,
    TicketHandling,
    TicketMessage,
    TicketNote,
    Workspace,
)
from tests import factories, site
from tests.pages import Pages
from tests.views.desk import HOME, asked, made, of, row


@pytest.fixture
def ada(house):
    return made(house, "Ada")


@pytest.fixture
def bea(house):
    return made(house, "Bea")


@pytest.fixture
def operator(house, ada):
    pages = Pages(house)
    pages.become(ada.email)
    return pages


@pytest.fixture
def ticket(house):
    return asked(house)


def test_the_queue_shows_what_needs_an_answer(operator, ticket):
    assert operator.get(HOME).by_id("tickets")
    page = operator.get(f"{HOME}?order=newest")
    assert f"{ticket.ref} The bot is stuck" in page.by_id("tickets").text
    operator.get(f"{HOME}?state=nonsense&order=drop&page=x&priority=1")
    assert ticket.ref in operator.fragment(f"{HOME}/rows?page=1&order=newest").text


def test_an_answer_reaches_the_owner_and_leaves_the_ticket_waiting(operator, house, ticket):
    operator.get(ticket.home)
    page = operator.post(f"{ticket.home}/answer", body="Try again.", seen=1, then="waiting_user")
    assert "Try again." in page.by_id("thread").text
    assert [it.body for it in of(house, TicketMessage, ticket)] == [
        "It does not trade.",
        "Try again.",
    ]
    assert row(house, ticket).state == "waiting_user"


def test_an_answer_can_solve_it(operator, house, ticket):
    operator.get(ticket.home)
    operator.post(f"{ticket.home}/answer", body="Done.", seen=1, then="resolved")
    assert row(house, ticket).state == "resolved"
    operator.post(f"{ticket.home}/answer", 422, body="x", seen=2, then="merged")


def test_a_note_stands_in_the_thread_as_one_and_is_edited_by_its_author_alone(
    operator, house, ticket, bea
):
    operator.get(ticket.home)
    page = operator.post(f"{ticket.home}/notes", body="He asked before.", key="one")
    (note,) = page.by_class("said-note")
    assert "Internal note, users never see this" in note.text
    assert "He asked before." in note.text
    (kept,) = of(house, TicketNote, ticket)
    operator.get(f"{ticket.home}/notes/{kept.id}/edit")
    page = operator.post(f"{ticket.home}/notes/{kept.id}/edit", body="Twice, in fact.")
    assert "Twice, in fact." in page.by_class("said-note")[0].text
    other = Pages(house)
    other.become(bea.email)
    other.get(f"{ticket.home}/notes/{kept.id}/edit", 404)
    other.get(ticket.home)
    other.post(f"{ticket.home}/notes/{kept.id}/edit", 422, body="No.")
    assert of(house, TicketNote, ticket)[0].body == "Twice, in fact."


def test_take_assign_and_give_back(operator, house, ticket, ada, bea):
    operator.get(ticket.home)
    page = operator.post(f"{ticket.home}/take")
    assert "assigned to Ada" in page.text
    operator.post(f"{ticket.home}/assign", assignee=bea.id)
    assert of(house, TicketHandling, ticket)[0].assignee_id == bea.id
    operator.post(f"{ticket.home}/take", 409)
    operator.get(ticket.home)
    operator.post(f"{ticket.home}/assign", assignee="")
    assert of(house, TicketHandling, ticket)[0].assignee_id is None
    operator.post(f"{ticket.home}/assign", 422, assignee=ticket.owner)


def test_sorting_and_tags(operator, house, ticket):
    operator.get(ticket.home)
    operator.post(f"{ticket.home}/sort", category="billing", priority="urgent")
    found = row(house, ticket)
    assert (found.category, found.priority) == ("billing", "urgent")
    operator.post(f"{ticket.home}/tags", tags="Refund, vip ,refund")
    assert "refund, vip" in operator.page.by_id("tags").get("value")
    assert ticket.ref in operator.get(f"{HOME}?tag=vip&workspace={ticket.workspace}").text
    operator.post(f"{ticket.home}/tags", 422, tags="<b>")


def test_links_are_made_and_taken_off(operator, house, ticket):
    other = asked(house, "Another one")
    operator.get(ticket.home)
    operator.post(f"{ticket.home}/link", other=other.id)
    assert "Another one" in operator.page.text
    assert "The bot is stuck" in operator.get(other.home).text
    operator.post(f"{other.home}/unlink", other=ticket.id)
    assert "Another one" not in operator.get(ticket.home).text
    operator.post(f"{ticket.home}/link", 422, other="T-999")


def test_a_merge_is_shown_first_and_sends_the_owner_on(operator, house, ticket):
    other = asked(house, "The same again", owner=ticket)
    page = operator.get(f"{other.home}/merge?other={ticket.ref}")
    assert f"{other.ref} goes on in {ticket.ref}" in page.text
    assert row(house, other).state == "new"
    operator.post(f"{other.home}/merge", other=ticket.id)
    assert row(house, other).merged_into_id == ticket.id
    assert "It was merged" in operator.get(other.home).text
    stranger = asked(house)
    page = operator.get(f"{stranger.home}/merge?other={ticket.id}")
    assert "These cannot be merged" in page.text
    operator.post(f"{stranger.home}/merge", 422, other=ticket.id)


def test_hold_solve_close_and_reopen(operator, house, ticket):
    operator.get(ticket.home)
    operator.post(f"{ticket.home}/hold")
    assert row(house, ticket).state == "on_hold"
    operator.post(f"{ticket.home}/resolve")
    operator.post(f"{ticket.home}/reopen")
    assert row(house, ticket).state == "open"
    operator.get(f"{ticket.home}/close")
    operator.post(f"{ticket.home}/close", 422, reason=" ")
    operator.post(f"{ticket.home}/close", reason="Nobody can help here.")
    assert "Nobody can help here." in operator.get(ticket.home).text


def test_a_message_is_taken_out_and_its_place_stays(operator, house, ticket):
    (message,) = of(house, TicketMessage, ticket)
    operator.get(f"{ticket.home}/messages/{message.id}/redact")
    operator.post(f"{ticket.home}/messages/{message.id}/redact", 422, reason="")
    operator.post(f"{ticket.home}/messages/{message.id}/redact", reason="A key was in it.")
    page = operator.get(ticket.home)
    assert "Its text was taken out" in page.text
    assert "A key was in it." in page.text
    assert of(house, TicketMessage, ticket)[0].body == ""
    operator.post(f"{ticket.home}/messages/{message.id}/redact", 422, reason="Again.")


def test_who_asks_is_shown_with_the_state_of_the_bots_and_other_tickets(operator, house, ticket):
    with site.rows(house):
        workspace = db.session.get(Workspace, ticket.workspace)
        bot = factories.bot(workspace, now=datetime.now(UTC), name="Secret plan")
        bot_id = bot.id
    asked(house, "A second one", owner=ticket)
    page = operator.get(ticket.home)
    assert ticket.email in page.text
    assert bot_id in page.text
    assert "Secret plan" not in page.text
    assert "A second one" in page.text


def test_without_any_channel_the_console_says_that_nobody_is_rung(operator, ticket):
    for address in (HOME, ticket.home, "/operator"):
        assert "The desk rings nobody" in operator.get(address).text


def test_a_draft_survives_a_reload_and_goes_when_it_is_sent(operator, house, ticket):
    operator.get(ticket.home)
    operator.fragment(f"{ticket.home}/draft", 204, body="I am still typ")
    assert operator.get(ticket.home).by_id("answer").text == "I am still typ"
    operator.post(f"{ticket.home}/answer", body="I typed.", seen=1, then="open")
    assert of(house, Draft, ticket) == []
    assert operator.get(ticket.home).by_id("answer").text == ""


def test_files_go_with_answers_and_notes_and_come_back_under_their_own_addresses(
    operator, house, ticket, bea
):
    operator.get(ticket.home)
    sent = (BytesIO(b"for you"), "plan.txt")
    operator.post(f"{ticket.home}/answer", body="See.", seen=1, then="open", files=sent)
    operator.post(f"{ticket.home}/notes", body="", files=(BytesIO(b"for us"), "inside.txt"))
    with site.rows(house):
        public = db.session.query(MessageFile.id).filter_by(name="plan.txt").scalar()
        inside = db.session.query(NoteFile.id).filter_by(name="inside.txt").scalar()
    for address, content in (
        (f"{ticket.home}/files/{public}", b"for you"),
        (f"{ticket.home}/notes/files/{inside}", b"for us"),
    ):
        answer = operator.client.get(address)
        assert (answer.status_code, answer.data) == (200, content)
        assert answer.headers["Content-Disposition"].startswith("attachment")
    owner, away = Pages(house), asked(house)
    owner.become(ticket.email)
    owner.get(f"/w/{ticket.workspace}/tickets/{ticket.id}/files/{inside}", 404)
    operator.get(f"{away.home}/files/{public}", 404)
    operator.get(f"{away.home}/notes/files/{inside}", 404)


def test_a_taken_out_message_takes_its_files_along(operator, house, ticket):
    operator.get(ticket.home)
    sent = (BytesIO(b"secret"), "oops.txt")
    operator.post(f"{ticket.home}/answer", body="See.", seen=1, then="open", files=sent)
    message = of(house, TicketMessage, ticket)[-1]
    with site.rows(house):
        file = db.session.query(MessageFile).filter_by(message_id=message.id).one()
        address, key = f"{ticket.home}/files/{file.id}", file.storage_key
    operator.post(f"{ticket.home}/messages/{message.id}/redact", reason="Wrong person.")
    operator.get(address, 404)
    with house.test_request_context():
        from app import current

        assert current.storage().read(key) is None
