"""An operator holds the entries of all bots; everybody reads why."""

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import AuditEvent
from tests import factories, site
from tests.pages import Pages
from tests.views import desk as console

PAGE = "/operator/holds"
TEXT = "The exchange is away."


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    return site.build(tmp_path_factory.mktemp("office"))


def somebody(office, name):
    with site.rows(office):
        person = factories.user(name)
        email, place = person.email, person.memberships[0].workspace_id
    pages = Pages(office)
    pages.become(email)
    return pages, place


def test_everybody_reads_it_until_it_is_lifted(office):
    operator = Pages(office)
    operator.become(console.made(office, "Opal").email)
    person, place = somebody(office, "Sam")
    operator.get(PAGE)
    assert "Say why" in operator.post(PAGE, 422).text
    operator.get(PAGE)
    operator.post(PAGE, text=TEXT)
    for path in (f"/w/{place}/", f"/w/{place}/bots", "/account"):
        assert TEXT in person.get(path).text
    person.get(PAGE, 404)
    page = operator.get(PAGE)
    assert "Opal" in page.by_id("holds").text
    (form,) = [it for it in page.all("form") if "/lift" in (it.get("action") or "")]
    operator.post(form.get("action"))
    assert TEXT not in person.get(f"/w/{place}/").text
    operator.post(form.get("action"), 409)
    with site.rows(office):
        query = select(AuditEvent.action).where(AuditEvent.action.like("hold.%"))
        found = db.session.scalars(query.order_by(AuditEvent.seq)).all()
    assert found == ["hold.impose", "hold.lift"]
