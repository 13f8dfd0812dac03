"""The public page of exchanges, and the operators' page behind it."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from sqlalchemy import select

from app.domain.certification import reports
from app.domain.venues import VENUES
from app.extensions import db
from app.models import AuditEvent, Certification
from app.web import status_pages
from runner.certify import envelope, outline
from tests import certified, factories, site
from tests.pages import Pages
from tests.views import desk as console

PAGE = "/operator/certifications"


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    from app.mail_settings import read_server

    server = read_server("smtp://127.0.0.1:2525")
    return site.build(tmp_path_factory.mktemp("office"), mail_server=server)


@pytest.fixture
def visitor(office):
    with office.app_context():
        status_pages.drop()
    return Pages(office)


@pytest.fixture
def operator(office):
    pages = Pages(office)
    pages.become(console.made(office, "Opal").email)
    return pages


@pytest.fixture
def grace(office):
    private = certified.key()
    with site.rows(office):
        certified.pinned(private, datetime.now(UTC))
    return private


def taken(office, private, **more):
    with site.rows(office):
        return certified.taken(private, datetime.now(UTC), **more).id


def words(page, title):
    """The words of one check, by column."""
    (row,) = [it for it in page.by_class("proofs")[0].all("tr") if title in it.text]
    return [cell.text.strip() for cell in row.all("td")]


def test_without_a_report_every_cell_says_never_proven_and_how_to_prove_it(visitor):
    page = visitor.get("/exchanges")
    for title in outline.STEPS.values():
        assert set(words(page, title)) == {"never proven"}
    assert "Help us prove" in page.text
    assert "No certification is made with real money" in page.text
    for name, venue in VENUES.items():
        page = visitor.get(f"/exchanges/{name}")
        certifiable = "testnet" in venue.modes
        assert (outline.command(name) in page.text) is certifiable
        assert ("It cannot be certified" in page.text) is not certifiable
    visitor.get("/exchanges/nowhere", 404)
    visitor.get("/exchanges/reports/cer_none", 404)


def test_a_report_gives_its_words_and_a_page(visitor, office, grace):
    verdicts = {"stop": "failed", "post_only": "not_offered"}
    found = taken(office, grace, verdicts=verdicts)
    page = visitor.get("/exchanges")
    at = list(VENUES).index("bybit")
    assert words(page, "Stop triggered")[at].startswith("passed")
    assert words(page, "Stop placed, verified")[at].startswith("failed")
    assert words(page, "Post-only")[at].startswith("not offered")
    assert words(page, "Stop triggered")[0] == "never proven"
    assert "Grace of Nairobi" in page.by_id("places").text
    page = visitor.get(f"/exchanges/reports/{found}")
    assert "not certified" in page.text
    assert "Clock was seen" in page.text
    assert "belongs to this report" in page.text
    assert "Grace of Nairobi" in visitor.get("/exchanges/bybit").text


def test_the_file_is_what_came_and_verifies(visitor, office, grace):
    found = taken(office, grace)
    visitor.get(f"/exchanges/reports/{found}/report.json")
    plain = envelope.opened(visitor.response.get_data())
    assert envelope.is_signed(plain)
    assert plain["public_key"] == envelope.public_of(grace)


def test_expired_and_revoked_are_words_of_their_own(visitor, office, grace, monkeypatch):
    found = taken(office, grace)
    monkeypatch.setattr(reports, "__version__", "0.2.0")
    page = visitor.get("/exchanges/bybit")
    assert "expired" in page.by_id("checks_of_1").text
    assert "Expired" in visitor.get(f"/exchanges/reports/{found}").text


def test_the_contact_door_knows_the_exchange(visitor, office):
    visitor.get("/exchanges/bybit")
    (address,) = visitor.links("Write to us")
    page = visitor.get(address)
    assert page.by_id("subject").get("value") == "I can prove Bybit"
    assert "test environment of Bybit" in page.by_id("body").text
    with site.rows(office):
        email = factories.user("Somebody").email
    visitor.become(email)
    visitor.get(address, 303)
    page = visitor.follow()
    assert "/tickets/new" in visitor.at
    assert page.by_id("subject").get("value") == "I can prove Bybit"


def test_an_operator_pins_takes_in_and_revokes(operator, visitor, office):
    private = certified.key()
    operator.get(PAGE)
    page = operator.post(f"{PAGE}/testers", 422, name="Grace", public_key="no key")
    assert page.by_id("public_key_error")
    assert page.by_id("name").get("value") == "Grace"
    public = envelope.public_of(private)
    page = operator.post(f"{PAGE}/testers", name="Grace", public_key=public, note="met")
    assert envelope.fingerprint(public) in page.by_id("testers").text

    content = certified.content(private, certified.report(datetime.now(UTC)))
    page = operator.post(f"{PAGE}/reports", content=content.decode())
    assert "Report on Bybit" in page.text
    assert "Grace" in visitor.get("/exchanges").text
    operator.get(PAGE)
    page = operator.post(f"{PAGE}/reports", file=(BytesIO(content), "report.json"))
    assert "here already" in operator.response.get_data(as_text=True)

    (form,) = [it for it in page.all("form") if "/revoke" in (it.get("action") or "")]
    page = operator.post(form.get("action"))
    assert "revoked" in page.by_id("testers").text
    operator.post(form.get("action"), 409)
    assert "revoked" in visitor.get("/exchanges").by_class("proofs")[0].text
    with site.rows(office):
        rows = db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.seq)).all()
    acts = [it for it in rows if it.split(".")[0] in ("tester", "certification")]
    assert acts == ["tester.pin", "certification.accept", "tester.revoke"]


def test_what_is_no_report_comes_back_with_what_was_pasted(operator, office):
    operator.get(PAGE)
    page = operator.post(f"{PAGE}/reports", 422, content='{"report": 1}')
    assert "It is no report of a certification" in page.by_id("content_error").text
    assert page.by_id("content").text == '{"report": 1}'
    page = operator.post(f"{PAGE}/reports", 422)
    assert page.by_id("content_error")
    stranger = certified.content(certified.key(), certified.report(datetime.now(UTC)))
    page = operator.post(f"{PAGE}/reports", 422, content=stranger.decode())
    assert "not pinned here" in page.by_id("content_error").text
    late = certified.report(datetime.now(UTC) + timedelta(days=1))
    assert json.loads(stranger)["report"] != late
    with site.rows(office):
        assert db.session.scalar(select(Certification.id)) is None


def test_nobody_but_operators_sees_it(visitor, office):
    with site.rows(office):
        email = factories.user("Somebody").email
    visitor.become(email)
    visitor.get(PAGE, 404)
    visitor.post(f"{PAGE}/reports", 404)
    visitor.post(f"{PAGE}/testers", 404)
