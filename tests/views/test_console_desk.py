"""The desk as a whole: replies, hours, quality, the one question, and who is shut out of it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.domain.support import moves, office
from app.extensions import db
from app.models import AuthorKind, DeskSetting, Notice, Ticket, TicketRating, User
from tests import site
from tests.pages import Pages
from tests.views.desk import HOME, asked, made, of, voice


@pytest.fixture
def ella(house):
    return made(house, "Ella")


@pytest.fixture
def operator(house, ella):
    pages = Pages(house)
    pages.become(ella.email)
    return pages


def test_a_reply_is_written_changed_put_away_and_used_again(operator):
    title = f"Greeting {datetime.now(UTC).timestamp()}"
    new = f"{HOME}/replies/new"
    operator.get(new)
    page = operator.post(new, 422, title=title, body="Hello {nmae}")
    assert "There is no field {nmae}" in page.text
    operator.post(new, title=title, body="Hello {name}")
    (address,) = operator.links(title)
    operator.get(address)
    operator.post(address, title=title, body="Good day {name}")
    page = operator.post(address.replace("/edit", "/archive"))
    assert title in page.by_id("archived").text
    page = operator.post(address.replace("/edit", "/restore"))
    assert "Good day {name}" in page.by_id("replies").text
    operator.get(f"{HOME}/replies/can_none/edit", 404)


def test_hours_are_kept_and_what_is_wrong_is_said_beside_its_field(operator, house):
    page = operator.get(f"{HOME}/hours")
    typed = {
        "zone": "Europe/Berlin",
        "weekdays": ["0", "1", "2", "3", "4", "5"],
        "opens": "08:00",
        "closes": "00:00",
        "holidays": "2026-12-25\n2026-12-26",
    } | {
        f"{priority}_{kind}": "2.5"
        for priority in ("urgent", "high", "normal", "low")
        for kind in ("first_response", "resolution")
    }
    for wrong, field in (
        ({"opens": "late"}, "opens"),
        ({"holidays": "Christmas"}, "holidays"),
        ({"low_resolution": "soon"}, "low_resolution"),
        ({"weekdays": []}, "weekdays"),
    ):
        page = operator.post(f"{HOME}/hours", 422, **(typed | wrong))
        assert page.by_id(f"{field}_error"), field
    operator.post(f"{HOME}/hours", **typed)
    with site.rows(house):
        found = office.now_open()
        assert (found.hours.zone, len(found.hours.holidays)) == ("Europe/Berlin", 2)
        db.session.delete(db.session.get(DeskSetting, office.ONLY))
    page = operator.get(f"{HOME}/hours")
    assert page.by_id("opens").get("value") == "09:00"


def test_quality_is_counted_for_each_span(operator):
    for days in (7, 30, 90, "x"):
        page = operator.get(f"{HOME}/quality?days={days}")
        assert "First answers" in page.text


def test_the_question_is_answered_once_and_looking_changes_nothing(house, operator):
    ticket = asked(house)
    with site.rows(house):
        row = db.session.get(Ticket, ticket.id)
        desk = voice(None, AuthorKind.OPERATOR)
        moves.resolve(row, voice=desk, now=datetime.now(UTC))
        told = select(Notice.path).where(Notice.key == f"rating {ticket.id}")
        address = db.session.scalar(told)
    somebody = Pages(house)
    for _ in range(2):
        assert "Did our answer help?" in somebody.get(address).text
    somebody.post(address, 200, good="perhaps")
    assert of(house, TicketRating, ticket)[0].rated_at is None
    somebody.post(address, 200, good="yes")
    assert of(house, TicketRating, ticket)[0].good is True
    somebody.get("/help", 303)
    somebody.get("/login")
    somebody.post(address, 409, good="no")
    assert "closed" in somebody.get(address).text
    assert "Asked whether it helped: yes." in operator.get(ticket.home).text


def test_who_is_no_operator_any_more_is_out_at_once_fragments_included(house):
    ticket, person = asked(house), made(house, "Faye")
    pages = Pages(house)
    pages.become(person.email)
    page = pages.get(ticket.home)
    pages.post(f"{ticket.home}/notes", body="canary in a note")
    with house.test_request_context():
        rules = [it for it in house.url_map.iter_rules() if it.rule.startswith("/operator")]
    with site.rows(house):
        db.session.get(User, person.id).operator = False
    token = pages.token()
    assert page
    for rule in rules:
        address = rule.build(
            {name: ticket.id if name == "ticket_id" else "x" for name in rule.arguments},
            append_unknown=False,
        )[1]
        for headers in ({}, {"HX-Request": "true"}):
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                fields = {"csrf_token": token} if method == "POST" else None
                answer = pages.client.open(address, method=method, data=fields, headers=headers)
                assert answer.status_code == 404, f"{method} {rule.rule}"
                assert b"canary" not in answer.data
