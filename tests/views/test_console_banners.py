"""Announced maintenance: on every page, for everybody, until it is over or taken back."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app import tenancy
from app.domain import banners
from app.domain.errors import Conflict, Invalid
from app.extensions import db
from app.models import AuditEvent, FleetNotice
from tests import factories, site
from tests.pages import Pages
from tests.views import desk as console

PAGE = "/operator/maintenance"
TEXT = "The database moves; bots trade on."


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    return site.build(tmp_path_factory.mktemp("office"))


def written(moment):
    return f"{moment:%Y-%m-%d %H:%M}"


def test_it_is_on_every_page_until_it_is_withdrawn(office):
    operator, somebody = Pages(office), Pages(office)
    operator.become(console.made(office, "Opal").email)
    with site.rows(office):
        person = factories.user("Sam")
        email, home = person.email, f"/w/{person.memberships[0].workspace_id}/"
    somebody.become(email)
    now = datetime.now(UTC)
    begins, ends = written(now + timedelta(hours=2)), written(now + timedelta(hours=3))
    operator.get(PAGE)
    page = operator.post(PAGE, text=TEXT, starts=begins, ends=ends)
    assert "announced" in page.by_id("banners").text
    for path in (home, "/account", "/help", "/operator"):
        who = operator if path == "/operator" else somebody
        (banner,) = who.get(path).by_class("maintenance")
        assert "Maintenance is announced" in banner.text
        assert TEXT in banner.text
        assert len([it for it in banner.all("time") if it.get("data-time")]) == 2
    for path in ("/login", "/status"):
        assert Pages(office).get(path).by_class("maintenance")
    with site.rows(office):
        made = db.session.scalars(select(FleetNotice)).one()
        number, made.starts_at = made.id, now - timedelta(minutes=1)
    office.extensions.pop("status_pages", None)
    assert "is under way" in somebody.get(home).by_class("maintenance")[0].text
    operator.post(f"{PAGE}/{number}/withdraw")
    assert not somebody.get(home).by_class("maintenance")
    operator.post(f"{PAGE}/{number}/withdraw", 409)
    with site.rows(office):
        query = select(AuditEvent.action).where(AuditEvent.target_id == number)
        found = db.session.scalars(query.order_by(AuditEvent.seq)).all()
    assert found == ["banner.announce", "banner.withdraw"]


def test_what_was_typed_comes_back_with_what_is_wrong(office):
    operator = Pages(office)
    operator.become(console.made(office, "Opal").email)
    operator.get(PAGE)
    page = operator.post(PAGE, 422, text=TEXT, starts="tomorrow", ends="2030-01-01")
    assert "taken for UTC" in page.text
    assert page.all("textarea")[0].text == TEXT
    operator.post(f"{PAGE}/ban_nothing/withdraw", 404)
    operator.become(factories_email(office))
    operator.get(PAGE, 404)


def factories_email(office):
    with site.rows(office):
        return factories.user("Sam").email


NOW = factories.NOW
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "starts", "ends", "field"),
    [
        (" ", NOW, NOW + HOUR, "text"),
        ("x" * 301, NOW, NOW + HOUR, "text"),
        ("x", NOW - DAY, NOW, "ends"),
        ("x", NOW + HOUR, NOW + HOUR, "ends"),
        ("x", NOW, NOW + 15 * DAY, "ends"),
        ("x", NOW + 91 * DAY, NOW + 92 * DAY, "starts"),
    ],
)
def test_what_makes_no_sense_is_refused(app, text, starts, ends, field):
    person = factories.user("Opal")
    with pytest.raises(Invalid) as refusal:
        banners.announce(text, starts, ends, operator=person, by=factories.TESTER, now=NOW)
    assert refusal.value.field == field


def test_one_is_read_in_any_workspace_and_over_with_its_time(app):
    person = factories.user("Opal")
    workspace = factories.organisation(person)
    values = {"operator": person, "by": factories.TESTER, "now": NOW}
    made = banners.announce("x", NOW + HOUR, NOW + 2 * HOUR, **values)
    db.session.commit()
    tenancy.enter(workspace.id)
    (shown,) = banners.standing(NOW)
    assert (shown.id, shown.under_way(NOW), shown.under_way(NOW + HOUR)) == (made.id, False, True)
    assert banners.standing(NOW + 2 * HOUR) == []
    tenancy.open_everything("the operator again")
    with pytest.raises(Conflict):
        banners.withdraw(made, by=factories.TESTER, now=NOW + 2 * HOUR)
