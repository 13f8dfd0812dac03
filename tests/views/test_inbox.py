"""A person's inbox, and the bell that counts it on every page."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.domain import inbox, notices
from app.extensions import db
from app.models import Membership, Notice, NoticeKind, User, Workspace
from tests import factories, site
from tests.pages import Pages
from tests.views.conftest import as_person


@pytest.fixture
def bo(house):
    """Somebody with one workspace beside their own."""
    with site.rows(house):
        person = factories.user("Bo")
        workspace = factories.organisation(person)
        return {"id": person.id, "email": person.email, "desk": workspace.id}


@pytest.fixture
def inside(house, bo):
    pages = Pages(house)
    pages.become(bo["email"])
    return pages


def tell(house, person, title, *, ago=0, **values):
    now = datetime.now(UTC) - timedelta(minutes=ago)
    with site.rows(house):
        notices.tell([person["id"]], title, key=title, now=now, **values)


def titles(page):
    return [node.text.removesuffix(" (unread)") for node in page.by_class("inbox-title")]


def unread(page):
    return [node.all("button")[0].text for node in page.by_class("inbox-unread")]


def bell(page):
    (found,) = page.by_class("bell")
    return found.get("aria-label")


def press(pages, title):
    """Open the entry with this title as its button does."""
    button = next(b for b in pages.page.by_class("inbox-title") if title in b.text)
    return pages.post(button.inside("form").get("action"), follow=False)


def test_empty(inside):
    page = inside.get("/account/inbox")
    assert "Nothing here" in page.text
    assert bell(page) == "Inbox"
    assert not [form for form in page.all("form") if "/read" in form.get("action")]


def test_unread_first_and_counted_on_every_page(house, bo, inside):
    tell(house, bo, "Older alarm", ago=5, kind=NoticeKind.ALARM, body="Look at it.")
    tell(house, bo, "Newer notice")
    page = inside.get("/account/inbox")
    assert titles(page) == ["Newer notice", "Older alarm"]
    assert "alarm" in page.text
    assert "Look at it." in page.text
    assert bell(inside.get("/help")) == "Inbox, 2 unread"
    inside.get("/account/inbox")
    press(inside, "Newer notice")
    page = inside.get("/account/inbox")
    assert titles(page) == ["Older alarm", "Newer notice"]
    assert unread(page) == ["Older alarm (unread)"]
    assert bell(page) == "Inbox, 1 unread"


def test_opening_marks_it_read_and_leads_to_its_page(house, bo, inside):
    tell(house, bo, "Look at your account", path="/account")
    inside.get("/account/inbox")
    press(inside, "Look at your account")
    assert inside.response.location == "/account"
    assert unread(inside.get("/account/inbox")) == []
    with site.rows(house):
        first = db.session.scalar(select(Notice.read_at).where(Notice.user_id == bo["id"]))
    press(inside, "Look at your account")
    with site.rows(house):
        assert db.session.scalar(select(Notice.read_at).where(Notice.user_id == bo["id"])) == first


@pytest.mark.parametrize("path", ["", "//evil.example", "https://evil.example", "/no/such/page"])
def test_a_path_that_is_no_page_of_ours_leads_back(house, bo, inside, path):
    tell(house, bo, "Strange", path=path)
    inside.get("/account/inbox")
    press(inside, "Strange")
    assert inside.response.location == "/account/inbox"


def test_one_workspace_alone(house, bo, inside):
    tell(house, bo, "About the desk", workspace_id=bo["desk"])
    tell(house, bo, "About me")
    page = inside.get(f"/account/inbox?workspace={bo['desk']}")
    assert titles(page) == ["About the desk"]
    assert "Harbour Desk" in page.text
    page = inside.post(f"/account/inbox/read?workspace={bo['desk']}")
    assert inside.at == "/account/inbox"
    assert unread(inside.get("/account/inbox")) == ["About me (unread)"]
    inside.post("/account/inbox/read")
    assert bell(inside.page) == "Inbox"
    inside.get("/account/inbox?workspace=ws_unknown", 404)


def test_nobody_opens_the_entry_of_another(house, bo, inside, pages, desk):
    tell(house, bo, "Private matter")
    with site.rows(house):
        number = db.session.scalar(select(Notice.id).where(Notice.user_id == bo["id"]))
    stranger = as_person(pages, desk, "owner")
    assert "Private matter" not in stranger.get("/account/inbox").text
    stranger.post(f"/account/inbox/{number}/open", 404)
    stranger.post("/account/inbox/read")
    assert unread(inside.get("/account/inbox")) == ["Private matter (unread)"]


def suspend(house, bo):
    gone = (Membership.user_id == bo["id"], Membership.workspace_id == bo["desk"])
    with site.rows(house):
        db.session.execute(update(Membership).where(*gone).values(suspended_at=factories.NOW))


def remove(house, bo):
    with site.rows(house):
        for row in db.session.scalars(
            select(Membership).where(
                Membership.user_id == bo["id"], Membership.workspace_id == bo["desk"]
            )
        ):
            db.session.delete(row)


def bury(house, bo):
    with site.rows(house):
        db.session.execute(
            update(Workspace).where(Workspace.id == bo["desk"]).values(deleted_at=factories.NOW)
        )


@pytest.mark.parametrize("fate", [suspend, remove, bury])
def test_who_is_out_of_a_workspace_sees_nothing_more_of_it(house, bo, inside, fate):
    tell(house, bo, "Desk alarm", workspace_id=bo["desk"])
    inside.get("/account/inbox")
    address = inside.page.by_class("inbox-title")[0].inside("form").get("action")
    fate(house, bo)
    page = inside.get("/account/inbox")
    assert titles(page) == []
    assert bell(page) == "Inbox"
    inside.post(address, 404)


def test_pages_and_the_count_have_an_end(house, bo, inside):
    with site.rows(house):
        for number in range(inbox.COUNTED + 5):
            notices.tell([bo["id"]], f"No {number}", key=f"n{number}", now=factories.NOW)
    page = inside.get("/account/inbox")
    assert len(titles(page)) == inbox.PAGE
    assert bell(page) == "Inbox, 99+ unread"
    seen = titles(page)
    while inside.links("Older"):
        seen += titles(inside.get(inside.links("Older")[0]))
    assert sorted(seen) == sorted(f"No {number}" for number in range(inbox.COUNTED + 5))
    assert len(titles(inside.get("/account/inbox?page=0"))) == inbox.PAGE
    assert "Nothing before that" in inside.get("/account/inbox?page=99").text


def test_the_same_thing_told_twice_is_one_entry(house, bo, inside):
    tell(house, bo, "Once")
    tell(house, bo, "Once")
    assert titles(inside.get("/account/inbox")) == ["Once"]


def test_what_was_read_leaves_no_trace_in_the_audit_log(house, bo, inside):
    from app.models import AuditEvent

    tell(house, bo, "Once")
    inside.get("/account/inbox")
    with site.rows(house):
        before = db.session.query(AuditEvent).count()
    press(inside, "Once")
    with site.rows(house):
        assert db.session.query(AuditEvent).count() == before
        assert db.session.get(User, bo["id"]) is not None
