"""The status page as anybody sees it: whole, the same to all, and silent about tenants."""

import json
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

from app import tenancy
from app.domain import mail
from app.domain.status import components, facts, incidents, measure, spreading, subscribers
from app.domain.status.incidents import Report
from app.extensions import db
from app.models import Condition, IncidentState, Mail, StatusSubscriber, User
from app.web import status_pages
from tests import estate, factories, people, site
from tests.factories import TESTER
from tests.pages import Pages

MARKER = "qzx98q"
LOOK = {it.key: facts.WORKS for it in components.catalogue()} | {
    components.RUNNERS: facts.of_crowd(0, 0, ("", ""), "Too few bots are awake to tell.")
}
PATHS = ("/status", "/status/feed.atom", "/status/summary.json")


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    """An application of its own that sends mail: what is open here is open to everybody in it."""
    from app.mail_settings import read_server

    server = read_server("smtp://127.0.0.1:2525")
    return site.build(tmp_path_factory.mktemp("hall"), mail_server=server)


@pytest.fixture
def visitor(hall):
    """Somebody without an account, and nothing kept from the last test."""
    hall.extensions.pop("status_pages", None)
    return Pages(hall)


@pytest.fixture
def told(hall):
    """One incident that is over and one that is open, and what was measured."""
    now = datetime.now(UTC)
    with site.rows(hall):
        olga = factories.user("Olga")
        measure.keep(LOOK, now)
        old = Report(
            "Old trouble",
            Condition.DOWN,
            [components.MAIL],
            "Mail is late.",
            now - timedelta(days=3),
        )
        done = incidents.begin(old, operator=olga, by=TESTER, now=now - timedelta(days=3))
        incidents.tell(
            done,
            "Cured.",
            state=IncidentState.RESOLVED,
            answers=False,
            operator=olga,
            by=TESTER,
            now=now - timedelta(days=3, hours=-2),
        )
        fresh = Report(
            "Orders <b>are</b> slow",
            Condition.DEGRADED,
            [components.FLEET],
            "We look into it.\nMore in an hour.",
        )
        made = incidents.begin(fresh, operator=olga, by=TESTER, now=now)
        found = SimpleNamespace(done=done.id, open=made.id, olga=olga.id)
    hall.extensions.pop("status_pages", None)
    yield found
    with site.rows(hall):
        for it in incidents.current():
            incidents.tell(
                it,
                "Over.",
                state=IncidentState.RESOLVED,
                answers=False,
                operator=db.session.get_one(User, found.olga),
                by=TESTER,
                now=datetime.now(UTC),
            )


def test_without_anything_measured_nothing_is_called_good(tmp_path):
    page = Pages(site.build(tmp_path / "new")).get("/status")
    assert "Nothing is measured" in page.by_id("headline").text
    assert not page.by_class("badge-good")
    assert not page.by_class("bar-good")


def test_the_page_tells_what_is_open_what_was_and_how_each_part_does(visitor, told):
    page = visitor.get("/status")
    assert "do not work as they should" in page.by_id("headline").text
    assert "Orders <b>are</b> slow" in page.text
    assert "More in an hour." in page.text
    assert "Old trouble" in page.text
    assert "120 minutes" in page.text
    assert page.by_id("fleet").by_class("badge-warn")
    assert page.by_id("timetable").by_class("badge-good")
    assert "Too few bots are awake to tell." in page.by_id("runners").text
    bars = page.by_id("fleet").all("svg")[0]
    assert len(bars.all("rect")) == 90
    assert bars.get("aria-label").startswith("Starting and stopping bots: Measured for")
    assert f"/status/incidents/{told.open}" in visitor.links("Orders <b>are</b> slow")


def test_it_needs_no_cookie_and_sets_none(visitor, told):
    for path in (*PATHS, f"/status/incidents/{told.open}"):
        visitor.get(path)
        assert "Set-Cookie" not in visitor.response.headers
        assert visitor.response.headers["Cache-Control"] == "public, max-age=15"


def test_signed_in_it_is_the_same_page_and_kept_nowhere(hall, visitor, told):
    mine = visitor.get("/status").text
    with site.rows(hall):
        email = factories.user("Sam").email
    visitor.become(email)
    assert visitor.get("/status").text == mine
    assert visitor.response.headers["Cache-Control"] == "no-store"


def test_it_is_made_once_in_fifteen_seconds_and_anew_when_told(hall, visitor, told):
    visitor.get("/status")
    with site.rows(hall):
        olga = db.session.get_one(User, told.olga)
        report = Report("Unheard of", Condition.DOWN, [components.DESK], "It broke.")
        made = incidents.begin(report, operator=olga, by=TESTER, now=datetime.now(UTC)).id
    assert "Unheard of" not in visitor.get("/status").text
    with hall.app_context():
        status_pages.drop()
    assert "Unheard of" in visitor.get("/status").text
    assert made in visitor.links("Unheard of")[0]


def test_one_incident_has_a_page_of_its_own(visitor, told):
    page = visitor.get(f"/status/incidents/{told.done}")
    assert "Cured." in page.text
    assert "120 minutes" in page.text
    visitor.get("/status/incidents/inc_nothing", 404)


def test_the_feed_is_atom_and_says_when_nothing_is_new(visitor, told):
    answer = visitor.client.get("/status/feed.atom")
    assert answer.content_type == "application/atom+xml; charset=utf-8"
    entries = ET.fromstring(answer.data).findall("{http://www.w3.org/2005/Atom}entry")
    assert len(entries) >= 2
    known = {"If-None-Match": answer.headers["ETag"]}
    again = visitor.client.get("/status/feed.atom", headers=known)
    assert (again.status_code, again.data) == (304, b"")


def test_the_summary_is_json(visitor, told):
    found = json.loads(visitor.client.get("/status/summary.json").data)
    by_key = {it["key"]: it["condition"] for it in found["components"]}
    assert by_key["fleet"] == "degraded"
    assert told.open in {it["id"] for it in found["incidents"]}


def test_who_is_signed_in_sees_a_banner_while_it_is_open(hall, visitor, told):
    with site.rows(hall):
        email = factories.user("Sam").email
    visitor.become(email)
    page = visitor.get("/help")
    assert f"/status/incidents/{told.open}" in visitor.links("See how it stands")
    assert "Orders <b>are</b> slow" in page.text
    assert "/status" in visitor.links("The status page")


def test_nothing_of_any_tenant_is_on_it(tmp_path):
    """Every text that a person wrote in a workspace full of everything holds the marker."""
    app = site.build(tmp_path / "full")
    now = datetime.now(UTC)
    with app.app_context():
        village = people.settle(MARKER, places=["desk"])
        with tenancy.everywhere("measured as the timetable does"):
            measure.keep(facts.look(True, now), now)
        db.session.commit()
        place = village.places["desk"]
        hidden = {value for value in vars(place).values() if re.match(r"[a-z]+_", str(value))}
        hidden -= {place.incident}
        db.session.remove()
    visitor = Pages(app)
    for path in (*PATHS, f"/status/incidents/{place.incident}"):
        visitor.get(path)
        body = visitor.response.get_data(as_text=True)
        assert MARKER not in body
        assert not [it for it in hidden if it in body]
    assert estate.TOKEN not in body


def letter_link(hall, name):
    with site.rows(hall):
        query = db.select(Mail).where(Mail.letter == name, Mail.to_email == "sue@example.org")
        values = db.session.scalars(query).first().values
    return re.sub(r"^https?://[^/]+", "", values.get("link") or values["leave"])


def listener(hall, email):
    with site.rows(hall):
        query = db.select(StatusSubscriber).where(StatusSubscriber.email == email)
        found = db.session.scalar(query)
        return found and (found.confirmed_at is not None, found.ended_at is not None)


def test_subscribing_and_leaving_by_the_links_of_the_letters(hall, visitor, told):
    visitor.get("/status/subscribe")
    page = visitor.post("/status/subscribe", email="sue@example.org", website="")
    assert "Look into your mailbox" in page.text
    link = letter_link(hall, "status_confirm")
    assert "sue@example.org" in visitor.get(link).text
    assert listener(hall, "sue@example.org") == (False, False)
    assert "on the list" in visitor.post(link, 200).text
    visitor.get("/login")
    visitor.post(link, 410)
    assert listener(hall, "sue@example.org") == (True, False)

    with site.rows(hall):
        where = hall.extensions["plutarc"].base_url
        now = datetime.now(UTC)
        olga = db.session.get_one(User, told.olga)
        update = incidents.tell(
            incidents.find(told.open),
            "Cause found.",
            state=IncidentState.IDENTIFIED,
            answers=False,
            operator=olga,
            by=TESTER,
            now=now,
        )
        assert spreading.step(update.id, where, now)
    leave = letter_link(hall, "status_update")
    visitor.get(leave)
    assert listener(hall, "sue@example.org") == (True, False)
    body = {"List-Unsubscribe": "One-Click"}
    answer = hall.test_client().post(leave, data=body)  # a mail program: no cookie, no token
    assert answer.status_code == 200
    assert listener(hall, "sue@example.org") == (True, True)
    visitor.get(leave[:-1] + "x", 410)


def test_the_answer_is_the_same_for_every_address_and_programs_are_caught(hall, visitor):
    with site.rows(hall):
        now = datetime.now(UTC)
        subscribers.ask("known@example.org", link_to=str, by=TESTER, now=now)
        token = db.session.scalar(db.select(Mail.values).order_by(Mail.created_at.desc()))["link"]
        subscribers.confirm(token, now)
        before = len(db.session.scalars(db.select(Mail.id)).all())
    answers = []
    for fields in (
        {"email": "known@example.org"},
        {"email": "fresh@example.org"},
        {"email": "bot@example.org", "website": "https://spam.example"},
    ):
        visitor.get("/status/subscribe")
        answers.append(visitor.post("/status/subscribe", **fields).text)
    assert len(set(answers)) == 1
    with site.rows(hall):
        assert len(db.session.scalars(db.select(Mail.id)).all()) == before + 1
    visitor.get("/status/subscribe")
    assert "no e-mail address" in visitor.post("/status/subscribe", 422, email="x").text


def test_without_mail_it_says_so(house):
    pages = Pages(house)
    assert "sends no mail" in pages.get("/status/subscribe").text
    pages.get("/login")
    pages.post("/status/subscribe", 409, email="a@example.org")
    with site.rows(house):
        assert mail is not None
        assert not db.session.scalar(db.select(Mail.id).where(Mail.letter == "status_confirm"))
