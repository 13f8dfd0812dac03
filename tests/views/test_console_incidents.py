"""Incidents as operators handle them."""

from datetime import UTC, datetime

import pytest

from app.domain.status import incidents, ties
from app.extensions import db
from app.models import AuditEvent, Ticket
from tests import factories, site
from tests.domain.status import desk as scene
from tests.pages import Pages

NEW = {"title": "Orders are slow", "impact": "degraded", "ago": "20", "body": "We look into it."}


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """An application of its own: an open incident is shown to everybody in it."""
    return site.build(tmp_path_factory.mktemp("office"))


@pytest.fixture
def operator(office):
    with site.rows(office):
        email = scene.operator().email
    pages = Pages(office)
    pages.become(email)
    return pages


@pytest.fixture
def ticket(office):
    with site.rows(office):
        return scene.ticket(datetime.now(UTC)).id


def opened(operator, **values):
    operator.get("/operator/incidents/new")
    operator.post("/operator/incidents/new", **(NEW | {"components": "fleet"} | values))
    return operator.at


def test_opening_telling_and_looking_back(operator, office):
    at = opened(operator)
    page = operator.get(at)
    assert "20 minutes" in page.text
    assert "We look into it." in page.text
    operator.get("/operator/incidents")
    assert at in operator.links("Orders are slow")
    operator.get(at)
    seen = _value(operator.page, "seen")
    operator.post(at, state="monitoring", body="Cured, we watch it.", seen=seen)
    page = operator.post(at, 422, state="resolved", body="Over.", seen=seen)
    assert "Somebody else has just told something" in page.text
    operator.get(at)
    page = operator.post(at, state="resolved", body="Over.", seen=_value(operator.page, "seen"))
    draft = page.all("textarea")[0].text
    assert "It lasted 20 minutes" in draft
    assert "Tickets: none." in draft
    page = operator.post(f"{at}/look-back", body=draft, seen=_value(page, "seen"))
    assert "What we change" in page.text
    with site.rows(office):
        told = db.session.scalars(
            db.select(AuditEvent.action).where(AuditEvent.target_id == at.rpartition("/")[2])
        ).all()
    assert told == ["incident.open", "incident.tell", "incident.tell", "incident.tell"]


def test_what_does_not_do_comes_back_with_all_that_was_typed(operator):
    operator.get("/operator/incidents/new")
    page = operator.post("/operator/incidents/new", 422, **NEW)
    assert "Choose what it hits." in page.text
    assert page.all("textarea")[0].text == NEW["body"]
    page = operator.post("/operator/incidents/new", 422, **(NEW | {"ago": "-1"}))
    assert "0 to 10,080" in page.text
    at = opened(operator)
    operator.get(at)
    operator.post(at, 422, state="monitoring", body=" ")
    operator.post(at, 422, state="exploded", body="x")


def test_tickets_are_gathered_from_the_incident(operator, office, ticket):
    at = opened(operator)
    page = operator.get(at)
    offered = [it for it in page.all("input") if it.get("name") == "ticket"]
    assert ticket in [it.get("value") for it in offered]
    operator.post(f"{at}/tickets", ticket=ticket)
    page = operator.get(at)
    assert "1 in all" in page.by_id("incident_tickets").text
    assert f"/operator/tickets/{ticket}" in [a.get("href") for a in page.all("a")]
    operator.post(f"{at}/tickets", 404, ticket="tkt_nothing")


def test_a_ticket_is_tied_and_let_go_from_its_own_page(operator, office, ticket):
    at = opened(operator)
    address, incident = f"/operator/tickets/{ticket}/incident", at.rpartition("/")[2]
    operator.get(at)
    operator.post(address, 303, follow=False, incident_id=incident)
    assert operator.response.location == f"/operator/tickets/{ticket}"
    assert tied(office, ticket) == incident
    piece = operator.fragment(address, incident_id="none")
    assert tied(office, ticket) is None
    assert incident in [it.get("value") for it in piece.all("option")]
    piece = operator.fragment(address, incident_id=incident)
    assert "Orders are slow" in piece.text
    operator.post(address, 422, incident_id="")
    operator.post(address, 404, incident_id="inc_nothing")
    operator.post("/operator/tickets/tkt_nothing/incident", 404, incident_id="none")


def test_it_goes_on_the_page_at_once(operator):
    opened(operator, title="Visible at once")
    assert "Visible at once" in operator.get("/status").text
    assert "Visible at once" in operator.get("/help").text


def test_to_others_there_are_no_such_pages(office, operator, ticket):
    at = opened(operator)
    with site.rows(office):
        email = factories.user("Sam").email
    pages = Pages(office)
    pages.become(email)
    for path in ("/operator/incidents", "/operator/incidents/new", at):
        pages.get(path, 404)
    pages.post(f"/operator/tickets/{ticket}/incident", 404, incident_id="none")


def tied(office, ticket):
    with site.rows(office):
        return db.session.get_one(Ticket, ticket).incident_id


def _value(page, name):
    (field,) = [it for it in page.all("input") if it.get("name") == name]
    return field.get("value")


def test_what_the_page_counts_is_what_the_rows_say(office, operator, ticket):
    at = opened(operator)
    operator.get(at)
    operator.post(f"{at}/tickets", ticket=ticket)
    with site.rows(office):
        found = incidents.find(at.rpartition("/")[2])
        assert len(ties.tied(found)) == found.tickets == 1
