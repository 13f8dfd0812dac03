"""Asking in, as the members of a workspace see it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.domain import workspaces
from app.extensions import db
from app.models import AuditEvent, Invitation, LoginSession, Mail, Role, User, Workspace
from tests import factories
from tests.views.conftest import as_person


@pytest.fixture
def manager(pages, desk):
    return as_person(pages, desk, "manager")


def invitations_of(house, desk):
    with house.app_context():
        query = select(Invitation).where(Invitation.workspace_id == desk.id)
        found = list(db.session.scalars(query))
        db.session.expunge_all()
        db.session.remove()
    return found


def invite(pages, desk, email, role="trader", status=200):
    pages.get(f"{desk.home}/invitations")
    return pages.post(f"{desk.home}/invitations", status, email=email, role=role)


def link_of(page):
    return page.by_id("link").get("value")


def test_the_answer_shows_the_link_once_and_nothing_keeps_it(owner, house, desk):
    page = invite(owner, desk, "guest@example.com")
    link = link_of(page)
    assert link.startswith("http://127.0.0.1:8000/invitations/")
    assert owner.response.headers["Cache-Control"] == "no-store"
    assert "sends no mail" in page.text
    page = owner.get(f"{desk.home}/invitations")
    assert link.rpartition("/")[2] not in owner.response.get_data(as_text=True)
    assert "guest@example.com" in page.by_id("invitations").text


def test_the_mail_holds_another_link_than_the_page(owner, house, desk):
    link = link_of(invite(owner, desk, "guest@example.com"))
    with house.app_context():
        letter = db.session.scalar(select(Mail).where(Mail.workspace_id == desk.id))
        assert letter.to_email == "guest@example.com"
        assert letter.values["link"].startswith("http://127.0.0.1:8000/invitations/")
        assert letter.values["link"] != link
        db.session.remove()


def test_who_is_asked_in_to_give_roles_is_asked_in_with_fresh_proof(owner, house, desk):
    with house.app_context():
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        db.session.execute(update(LoginSession).values(confirmed_at=long_ago))
        db.session.commit()
        db.session.remove()
    page = invite(owner, desk, "chief@example.com", role="admin", status=403)
    assert "Confirm it is you" in page.text
    assert invitations_of(house, desk) == []
    invite(owner, desk, "guest@example.com", role="manager")


def test_sending_the_form_again_sends_nothing_again(owner, house, desk):
    invite(owner, desk, "guest@example.com")
    page = invite(owner, desk, "guest@example.com", status=422)
    assert "open invitation" in page.by_class("error-summary")[0].text
    assert page.by_id("email").get("value") == "guest@example.com"
    assert len(invitations_of(house, desk)) == 1


def test_inviting_a_member_says_that_nothing_was_sent(owner, house, desk):
    page = invite(owner, desk, desk.emails["trader"], "admin", 422)
    assert "Nothing was sent" in page.by_class("error-summary")[0].text
    assert invitations_of(house, desk) == []


def test_a_bad_address_keeps_what_was_typed(owner, desk):
    page = invite(owner, desk, "no-address", "viewer", 422)
    assert page.by_id("email").get("value") == "no-address"
    chosen = [node.get("value") for node in page.all("input") if "checked" in node.attributes]
    assert chosen == ["viewer"]


def test_an_owner_and_a_manager_are_offered_what_they_may_give(house, desk, pages):
    for role, offered in (
        ("owner", ["viewer", "trader", "manager", "admin", "owner"]),
        ("manager", ["viewer", "trader"]),
    ):
        page = as_person(pages, desk, role).get(f"{desk.home}/invitations")
        radios = [node for node in page.all("input") if node.get("name") == "role"]
        assert [node.get("value") for node in radios] == offered
    page = pages.post(f"{desk.home}/invitations", 422, email="guest@example.com", role="admin")
    assert page.by_class("error-summary")


def test_sending_again_and_revoking(owner, house, desk):
    first = link_of(invite(owner, desk, "guest@example.com"))
    (invitation,) = invitations_of(house, desk)
    path = f"{desk.home}/invitations/{invitation.id}"
    owner.get(f"{desk.home}/invitations")
    second = link_of(owner.post(f"{path}/resend", 200))
    assert second != first
    owner.get(f"{desk.home}/invitations")
    page = owner.post(f"{path}/revoke")
    assert "revoked" in page.by_id("invitations").text
    owner.post(f"{path}/revoke", 409)
    owner.post(f"{path}/resend", 409)


def test_a_manager_is_refused_by_name_what_an_owner_sent_and_it_is_kept(pages, house, desk):
    invite(as_person(pages, desk, "owner"), desk, "guest@example.com", "admin")
    (invitation,) = invitations_of(house, desk)
    manager = as_person(pages, desk, "manager")
    page = manager.get(f"{desk.home}/invitations")
    assert "Revoke" not in page.by_id("invitations").text
    for act in ("resend", "revoke"):
        page = manager.post(f"{desk.home}/invitations/{invitation.id}/{act}", 403)
        assert "roles below your own" in page.text
        manager.get(f"{desk.home}/invitations")
    with house.app_context():
        denied = select(AuditEvent).where(
            AuditEvent.chain == desk.id, AuditEvent.action == "access.denied"
        )
        assert len(db.session.scalars(denied).all()) == 2
        db.session.remove()


def test_where_managers_do_not_invite_they_read_so(manager, house, desk):
    with house.app_context():
        db.session.get(Workspace, desk.id).managers_invite = False
        db.session.commit()
        db.session.remove()
    page = manager.get(f"{desk.home}/invitations")
    assert "managers do not invite" in page.text
    assert page.by_id("email") is None
    manager.post(f"{desk.home}/invitations", 422, email="guest@example.com", role="viewer")
    assert invitations_of(house, desk) == []


def test_a_personal_workspace_offers_no_form(pages, house, desk, people):
    with house.app_context():
        own = workspaces.memberships(db.session.get(User, people["owner"][0]))[0]
        home = f"/w/{own.workspace_id}/invitations"
        assert own.workspace.personal
        db.session.remove()
    page = as_person(pages, desk, "owner").get(home)
    assert "one member" in page.text
    pages.post(home, 422, email="guest@example.com", role="viewer")


def test_an_invitation_of_another_workspace_does_not_exist(owner, house, desk, people):
    with house.app_context():
        elsewhere = factories.organisation(db.session.get(User, people["owner"][0]))
        db.session.commit()
        other = f"/w/{elsewhere.id}/invitations"
        db.session.remove()
    invite(owner, desk, "guest@example.com")
    (invitation,) = invitations_of(house, desk)
    for act in ("resend", "revoke"):
        owner.get(other)
        owner.post(f"{other}/{invitation.id}/{act}", 404)
    assert invitations_of(house, desk)[0].sent == 1


def test_the_twenty_first_of_a_day_is_told_to_wait(house, pages, desk):
    now = datetime.now(UTC)
    with house.app_context():
        eager = factories.user("Eager")
        workspace = factories.organisation(eager, now=now)
        for number in range(20):
            db.session.add(
                Invitation(
                    workspace_id=workspace.id,
                    email=f"guest{number}@example.com",
                    email_key=f"guest{number}@example.com",
                    role=Role.VIEWER,
                    invited_by=eager.id,
                    created_at=now - timedelta(hours=1),
                    expires_at=now + timedelta(days=6),
                )
            )
        db.session.commit()
        email, home = eager.email, f"/w/{workspace.id}/invitations"
        db.session.remove()
    pages.become(email)
    pages.get(home)
    page = pages.post(home, 429, email="one.more@example.com", role="viewer")
    assert "within a day" in page.by_class("error-summary")[0].text
    assert page.by_id("email").get("value") == "one.more@example.com"
    assert 22 * 3600 < int(pages.response.headers["Retry-After"]) <= 23 * 3600
