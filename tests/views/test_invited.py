"""The page behind an invitation link, as strangers, newcomers and the wrong people see it."""

import re
import secrets
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select, update

from app import create_app
from app.config import Config
from app.domain import invitations
from app.extensions import db
from app.models import (
    AuditEvent,
    Invitation,
    InvitationState,
    Mail,
    Membership,
    Role,
    User,
    Workspace,
)
from tests import factories, site
from tests.pages import Pages
from tests.views.conftest import as_person

PASSWORD = "quiet brass engine"
GUEST = "gwendolen.{}@example.com"


def person(house, name, *, verified=True):
    with house.app_context():
        made = factories.user(name)
        made.email_verified_at = datetime.now(UTC) if verified else None
        db.session.commit()
        found = SimpleNamespace(id=made.id, email=made.email)
        db.session.remove()
    return found


def ask_in(house, desk, email, role=Role.TRADER):
    """Paths of the mailed link and of the one to hand over."""
    with house.app_context():
        workspace = db.session.get(Workspace, desk.id)
        owner = select(Membership).where(
            Membership.workspace_id == desk.id, Membership.role == Role.OWNER
        )
        sent = invitations.create(
            workspace,
            email=email,
            role=role,
            inviter=db.session.scalars(owner).first(),
            link_to=lambda token: f"/invitations/{token}",
            by=factories.TESTER,
            now=datetime.now(UTC),
        )
        letter = select(Mail).where(Mail.workspace_id == desk.id, Mail.to_email == email)
        mailed = db.session.scalars(letter.order_by(Mail.created_at.desc())).first()
        found = SimpleNamespace(
            mailed=mailed.values["link"], handed=sent.link, id=sent.invitation.id
        )
        db.session.commit()
        db.session.remove()
    return found


def row(house, invitation_id):
    with house.app_context():
        found = db.session.get(Invitation, invitation_id)
        db.session.expunge(found)
        db.session.remove()
    return found


def role_of(house, desk, email):
    with house.app_context():
        query = (
            select(Membership.role)
            .join(User, User.id == Membership.user_id)
            .where(Membership.workspace_id == desk.id, User.email == email)
        )
        found = db.session.scalar(query)
        db.session.remove()
    return found


@pytest.fixture
def guest(house):
    return person(house, "Gwendolen")


def test_looking_changes_nothing_and_keeps_nothing(pages, house, desk, guest):
    links = ask_in(house, desk, guest.email)
    before = vars(row(house, links.id)).copy()
    for link in (links.mailed, links.handed):
        page = pages.get(link)
        pages.client.head(link)
        for act in ("accept", "decline", "switch", "sign-up"):
            assert pages.client.get(f"{link}/{act}").status_code == 405
        assert "Harbour Desk" in page.text
        assert pages.response.headers["Cache-Control"] == "no-store"
        assert pages.response.headers["X-Robots-Tag"] == "noindex"
        assert pages.response.headers["Referrer-Policy"] == "same-origin"
    after = vars(row(house, links.id))
    assert {k: v for k, v in after.items() if k[0] != "_"} == {
        k: v for k, v in before.items() if k[0] != "_"
    }


def test_the_invited_person_accepts(pages, house, desk, guest):
    links = ask_in(house, desk, guest.email)
    pages.become(guest.email)
    page = pages.get(links.handed)
    abilities = page.by_class("abilities")[0]
    assert len(abilities.all("li")) == 3
    assert "Not: take bots live" in abilities.text
    page = pages.post(f"{links.handed}/accept")
    assert pages.at == f"{desk.home}/"
    assert "as trader" in page.by_id("toasts").text
    assert role_of(house, desk, guest.email) is Role.TRADER
    assert "You are in" in pages.get(links.mailed).text
    pages.post(f"{links.handed}/accept", 409)


def test_the_invited_person_declines_with_or_without_an_account(pages, house, desk, guest):
    links = ask_in(house, desk, guest.email)
    pages.become(guest.email)
    pages.get(links.mailed)
    pages.post(f"{links.mailed}/decline")
    assert row(house, links.id).state is InvitationState.DECLINED
    again = ask_in(house, desk, guest.email)
    nobody = Pages(house)
    nobody.get(again.handed)
    nobody.post(f"{again.handed}/decline", 409)
    nobody.get(again.mailed)
    assert "was declined" in nobody.post(f"{again.mailed}/decline").text


def test_another_account_is_shown_both_addresses_masked_and_a_way_to_switch(
    pages, house, desk, guest
):
    links = ask_in(house, desk, guest.email)
    other = person(house, "Walter")
    pages.become(other.email)
    page = pages.get(links.mailed)
    facts = page.by_class("facts")[0].text
    assert re.search(r"g…\d@example.com.*w…\d@example.com", facts)
    for address in (guest.email, other.email):
        assert address not in pages.response.get_data(as_text=True)
    for act in ("accept", "decline"):
        page = pages.post(f"{links.mailed}/{act}", 409)
        assert "another address" in page.text
    pages.post(f"{links.mailed}/switch", follow=False)
    assert row(house, links.id).state is InvitationState.PENDING
    pages.get(pages.response.location)
    pages.post(
        f"/login?next={links.mailed}",
        follow=False,
        email=guest.email,
        password=factories.PASSWORD,
    )
    assert pages.response.location == links.mailed
    pages.get(links.mailed)
    pages.post(f"{links.mailed}/accept")
    assert role_of(house, desk, guest.email) is Role.TRADER
    assert role_of(house, desk, other.email) is None


def test_a_newcomer_signs_up_by_the_mailed_link_and_is_in_at_once(pages, house, desk):
    pages.client.environ_base["REMOTE_ADDR"] = "192.0.2.81"
    email = GUEST.format("mailed")
    links = ask_in(house, desk, email)
    page = pages.get(links.mailed)
    assert page.by_id("email").get("value") == email
    fields = {"name": "Gwen", "password": PASSWORD, "email": "else@example.com"}
    pages.post(f"{links.mailed}/sign-up", **fields)
    assert pages.at == f"{desk.home}/"
    assert role_of(house, desk, email) is Role.TRADER
    with house.app_context():
        newcomer = db.session.scalar(select(User).where(User.email == email))
        assert newcomer.verified
        assert len(newcomer.memberships) == 2
        db.session.remove()


def test_a_newcomer_with_a_link_handed_over_confirms_the_address_first(pages, house, desk):
    pages.client.environ_base["REMOTE_ADDR"] = "192.0.2.82"
    email = GUEST.format("handed")
    links = ask_in(house, desk, email)
    assert "confirm the address" in pages.get(links.handed).text
    page = pages.post(f"{links.handed}/sign-up", name="Gwen", password=PASSWORD)
    assert "A mail went to the invited address" in page.text
    assert letters_to(house, email) == ["invitation", "verify_email"]
    pages.become(email)
    assert "mailbox is yours" in pages.get(links.handed).text
    assert "mailbox is yours" in pages.post(f"{links.handed}/accept", 409).text
    assert role_of(house, desk, email) is None
    assert row(house, links.id).state is InvitationState.PENDING
    with house.app_context():
        db.session.execute(
            update(User).where(User.email == email).values(email_verified_at=datetime.now(UTC))
        )
        db.session.commit()
        db.session.remove()
    pages.get(links.handed)
    pages.post(f"{links.handed}/accept")
    assert role_of(house, desk, email) is Role.TRADER


def letters_to(house, email):
    with house.app_context():
        query = select(Mail.letter).where(Mail.to_email == email).order_by(Mail.created_at)
        found = list(db.session.scalars(query))
        db.session.remove()
    return found


def test_a_link_handed_over_reads_the_same_for_known_and_unknown_addresses(house, desk):
    known = person(house, "Gwendolen").email
    unknown = known.replace("gwendolen", "guinevere")
    looks, answers = [], []
    for number, email in enumerate((known, unknown)):
        pages = Pages(house)
        pages.client.environ_base["REMOTE_ADDR"] = f"192.0.2.{90 + number}"
        link = ask_in(house, desk, email).handed
        pages.get(link)
        looks.append(plain(pages))
        pages.post(f"{link}/sign-up", name="Gwen", password=PASSWORD)
        answers.append(plain(pages))
    assert looks[0] == looks[1]
    assert answers[0] == answers[1]
    assert letters_to(house, known) == ["invitation", "account_exists"]
    assert letters_to(house, unknown) == ["invitation", "verify_email"]


def plain(pages):
    """The page without what differs between any two of them."""
    html = pages.response.get_data(as_text=True)
    return re.sub(r"[\w.-]{40,}|<time.*?</time>", "", html)


def test_a_bad_sign_up_keeps_what_was_typed_and_the_invitation(pages, house, desk):
    pages.client.environ_base["REMOTE_ADDR"] = "192.0.2.83"
    links = ask_in(house, desk, GUEST.format("bad"))
    pages.get(links.mailed)
    page = pages.post(f"{links.mailed}/sign-up", 422, name="Gwen", password="short")
    assert page.by_id("name").get("value") == "Gwen"
    assert page.by_class("error-summary")
    assert row(house, links.id).state is InvitationState.PENDING


def test_an_address_with_an_account_is_told_to_sign_in(pages, house, desk, guest):
    pages.client.environ_base["REMOTE_ADDR"] = "192.0.2.84"
    links = ask_in(house, desk, guest.email)
    pages.get(links.mailed)
    page = pages.post(f"{links.mailed}/sign-up", 422, name="Gwen", password=PASSWORD)
    assert "sign in instead" in page.text
    pages.become(guest.email)
    pages.get(links.mailed)
    pages.post(f"{links.mailed}/sign-up", 409, name="Gwen", password=PASSWORD)


def test_an_unknown_link_reads_like_a_page_that_never_was(pages, house, desk, guest):
    token = ask_in(house, desk, guest.email).handed.rpartition("/")[2]
    shown = set()
    for path in (f"/invitations/{token[:-1]}", "/invitations/x", f"/invitations/{'x' * 500}", "/x"):
        for act in ("", "/accept", "/decline", "/switch", "/sign-up"):
            if path == "/x" and act:
                continue
            pages.become(guest.email)
            if act in ("", "/switch"):
                pages.get(path, 404)
            else:
                pages.get("/help")
                pages.post(path + act, 404)
            shown.add(re.sub(r"req_\w+|[\w.-]{60,}", "", pages.response.get_data(as_text=True)))
    assert len(shown) == 1


def test_who_is_not_signed_in_comes_back_to_the_link(pages, house, desk, guest):
    links = ask_in(house, desk, guest.email)
    page = pages.get(links.handed)
    (target,) = pages.links("Sign in")
    pages.get(target)
    fields = {"email": guest.email, "password": factories.PASSWORD}
    pages.post(target, follow=False, **fields)
    assert pages.response.location == links.handed
    assert page.by_class("abilities")


def test_what_is_over_tells_nothing_of_the_workspace(pages, house, desk, guest):
    links = ask_in(house, desk, guest.email)
    owner = as_person(Pages(house), desk, "owner")
    owner.get(f"{desk.home}/invitations")
    owner.post(f"{desk.home}/invitations/{links.id}/resend", 200)
    page = pages.get(links.mailed)
    assert "replaced by a newer one" in page.text
    owner.get(f"{desk.home}/invitations")
    owner.post(f"{desk.home}/invitations/{links.id}/revoke")
    page = pages.get(links.mailed)
    assert "called off" in page.text
    for told in ("Harbour Desk", "Owner", "@example.com"):
        assert told not in page.text


def test_sign_ups_from_one_address_are_counted_and_told_to_wait(house, desk):
    pages = Pages(house)
    pages.client.environ_base["REMOTE_ADDR"] = "192.0.2.85"
    taken = desk.emails["owner"]
    for _ in range(10):
        pages.get("/signup")
        pages.post("/signup", 422, name="Eve", email=taken, password=PASSWORD)
    page = pages.post("/signup", 429, name="Eve", email="eve-85@example.com", password=PASSWORD)
    assert "Too many accounts" in page.by_class("error-summary")[0].text
    assert page.by_id("email").get("value") == "eve-85@example.com"
    assert 3500 < int(pages.response.headers["Retry-After"]) <= 3600
    links = ask_in(house, desk, GUEST.format("throttled"))
    pages.get(links.mailed)
    page = pages.post(f"{links.mailed}/sign-up", 429, name="Eve", password=PASSWORD)
    assert page.by_id("name").get("value") == "Eve"
    with house.app_context():
        tries = select(func.count(AuditEvent.id)).where(AuditEvent.ip == "192.0.2.85")
        assert db.session.scalar(tries) == 10
        db.session.remove()


@pytest.fixture
def anywhere(engine_url, keys, tmp_path):
    """A web on each database; on PostgreSQL as the role that every row policy binds."""
    settings = {"DATABASE_URL": engine_url, "SEAL_PUBLIC_KEY": keys.public}
    settings |= {"SECRET_KEY": secrets.token_hex(32), "VAR_DIR": str(tmp_path)}
    built = create_app(Config.from_environment(settings, "web"), "web")
    yield built
    with built.app_context():
        db.session.remove()
        db.engine.dispose()


def test_from_asking_to_belonging_under_row_policies(anywhere):
    owner = person(anywhere, "Olga")
    with anywhere.app_context():
        made = factories.organisation(db.session.get(User, owner.id), now=datetime.now(UTC))
        desk = SimpleNamespace(id=made.id, home=f"/w/{made.id}")
        db.session.commit()
        db.session.remove()
    host, newcomer, other = Pages(anywhere), Pages(anywhere), Pages(anywhere)
    host.become(owner.email)
    host.get(f"{desk.home}/invitations")
    page = host.post(f"{desk.home}/invitations", 200, email="nora@example.com", role="viewer")
    handed = urlsplit(page.by_id("link").get("value")).path
    with anywhere.app_context():
        letter = db.session.scalar(select(Mail).where(Mail.letter == "invitation"))
        mailed = urlsplit(letter.values["link"]).path
        db.session.remove()
    other.become(person(anywhere, "Walter").email)
    other.get(handed)
    other.post(f"{handed}/accept", 409)
    newcomer.get(mailed)
    newcomer.post(f"{mailed}/sign-up", name="Nora", password=PASSWORD)
    assert newcomer.at == f"{desk.home}/"
    assert role_of(anywhere, desk, "nora@example.com") is Role.VIEWER
    assert "accepted" in host.get(f"{desk.home}/invitations").by_id("invitations").text
    assert "was accepted" in other.get(mailed).text


@pytest.mark.parametrize("signup", ["invite", "closed"])
def test_accounts_by_invitation_alone_or_not_at_all(tmp_path, signup):
    house = site.build(tmp_path, signup=signup)
    with house.app_context():
        owner = factories.user("Olga")
        desk = SimpleNamespace(id=factories.organisation(owner).id)
        db.session.commit()
        db.session.remove()
    pages = Pages(house)
    assert "Create one" not in pages.get("/login").text
    told = {"invite": "by invitation", "closed": "whoever runs this server"}
    assert told[signup] in pages.get("/signup", 403).text
    pages.get("/login")
    pages.post("/signup", 403, name="Eve", email="eve@example.com", password=PASSWORD)
    links = ask_in(house, desk, "eve@example.com")
    page = pages.get(links.mailed)
    if signup == "closed":
        assert page.by_id("password") is None
        pages.get(links.mailed)
        pages.post(f"{links.mailed}/sign-up", 403, name="Eve", password=PASSWORD)
    else:
        pages.post(f"{links.mailed}/sign-up", name="Eve", password=PASSWORD)
    joined = role_of(house, desk, "eve@example.com")
    assert joined is (Role.TRADER if signup == "invite" else None)
    with house.app_context():
        db.engine.dispose()
