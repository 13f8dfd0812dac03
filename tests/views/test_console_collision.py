"""Two operators at one ticket: the second sees what came first, and nothing typed is lost."""

import pytest

from app.models import Draft, TicketMessage
from tests.pages import Pages
from tests.views.desk import asked, made, of


@pytest.fixture
def people(house):
    return made(house, "Cleo"), made(house, "Dora")


@pytest.fixture
def both(house, people):
    found = []
    for person in people:
        pages = Pages(house)
        pages.become(person.email)
        found.append(pages)
    return found


@pytest.fixture
def ticket(house):
    return asked(house)


def bodies(house, ticket):
    return [it.body for it in of(house, TicketMessage, ticket)][1:]


def field(page, name):
    (node,) = [it for it in page.all("input") if it.get("name") == name and it.get("value")]
    return node.get("value")


def test_the_second_answer_waits_until_the_first_was_read(both, house, ticket):
    cleo, dora = both
    for pages in both:
        pages.get(ticket.home)
    cleo.post(f"{ticket.home}/answer", body="Do this.", seen=1, then="waiting_user")
    page = dora.post(f"{ticket.home}/answer", 409, body="Do that.", seen=1, then="open")
    assert bodies(house, ticket) == ["Do this."]
    assert "Do this." in page.by_id("newer").text
    assert page.by_id("answer").text == "Do that."
    assert [it.text for it in page.all("button") if it.get("name") == "anyway"] == ["Send anyway"]
    # Sending again after reading does, for the form now says what was read.
    dora.post(f"{ticket.home}/answer", body="Do that.", seen=field(page, "seen"), then="open")
    assert bodies(house, ticket) == ["Do this.", "Do that."]


def test_one_may_send_anyway_and_a_third_message_asks_again(both, house, ticket):
    cleo, dora = both
    for pages in both:
        pages.get(ticket.home)
    cleo.post(f"{ticket.home}/answer", body="One.", seen=1, then="open")
    page = dora.post(f"{ticket.home}/answer", 409, body="Mine.", seen=1, then="open")
    cleo.post(f"{ticket.home}/answer", body="Two.", seen=2, then="open")
    dora.post(f"{ticket.home}/answer", 409, body="Mine.", seen=field(page, "seen"), then="open")
    dora.post(f"{ticket.home}/answer", body="Mine.", seen=1, then="open", anyway="yes")
    assert bodies(house, ticket) == ["One.", "Two.", "Mine."]


def test_a_draft_survives_a_refused_answer_and_is_not_a_colleague_s(both, house, ticket):
    cleo, dora = both
    cleo.get(ticket.home)
    dora.get(ticket.home)
    dora.fragment(f"{ticket.home}/draft", 204, body="Almost done")
    cleo.post(f"{ticket.home}/answer", body="First.", seen=1, then="open")
    dora.post(f"{ticket.home}/answer", 409, body="Almost done.", seen=1, then="open")
    assert [it.body for it in of(house, Draft, ticket)] == ["Almost done"]
    assert dora.get(ticket.home).by_id("answer").text == "Almost done"
    assert cleo.get(ticket.home).by_id("answer").text == ""


def test_the_same_form_sent_twice_is_one_answer(both, house, ticket):
    cleo, _ = both
    cleo.get(ticket.home)
    for _ in range(2):
        cleo.post(f"{ticket.home}/answer", body="Once.", seen=1, then="open", key="key_one")
    assert bodies(house, ticket) == ["Once."]


def test_a_colleague_is_seen_looking_and_typing(both, ticket, people):
    cleo, dora = both
    cleo.get(ticket.home)
    dora.get(ticket.home)
    assert cleo.fragment(f"{ticket.home}/presence", mode="typing").text == ""
    seen = dora.fragment(f"{ticket.home}/presence", mode="looking").text
    assert seen == f"{people[0].name} is typing an answer."
    seen = cleo.fragment(f"{ticket.home}/presence", mode="nonsense").text
    assert seen == f"{people[1].name} is looking at it."


def test_a_newer_message_shows_by_itself_and_only_when_there_is_one(both, ticket):
    cleo, dora = both
    dora.get(ticket.home)
    address = f"{ticket.home}/newer?seen=1&known=1"
    dora.fragment(address, 204)
    cleo.get(ticket.home)
    cleo.post(f"{ticket.home}/answer", body="Here.", seen=1, then="open")
    piece = dora.fragment(address)
    assert "Here." in piece.text
    dora.fragment(f"{ticket.home}/newer?seen=1&known=2", 204)


def test_a_canned_reply_is_put_behind_what_was_typed(both, house, ticket):
    cleo, _ = both
    cleo.get("/operator/tickets/replies/new")
    cleo.post("/operator/tickets/replies/new", title=f"Hi {ticket.id[-6:]}", body="Bye {name}.")
    (address,) = cleo.links(f"Hi {ticket.id[-6:]}")
    reply = address.split("/")[-2]
    typed = {"body": "I looked.", "reply": reply}
    piece = cleo.fragment(f"{ticket.home}/insert", **typed)
    assert piece.by_id("answer").text == "I looked. Bye Uma."
    cleo.post(f"{ticket.home}/insert", **typed)
    assert cleo.page.by_id("answer").text == "I looked. Bye Uma."
    cleo.post(f"{ticket.home}/insert", 422, body="I looked.", reply="")
