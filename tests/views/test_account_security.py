"""Password, address, second factor and sessions of one's own account, as pages."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update

from app.domain import totp
from app.extensions import db
from app.gateways.locker import Locker
from app.models import LoginSession, Mail, TotpFactor, User, Workspace
from tests import factories
from tests.pages import Pages

NEW = "nine loud lanterns"
SECURITY = "/account/security"
APP = f"{SECURITY}/app"


@pytest.fixture
def person(house):
    """Somebody whom no other test knows."""
    with house.app_context():
        made = factories.user("Ines")
        db.session.commit()
        found = SimpleNamespace(id=made.id, email=made.email)
        db.session.remove()
    return found


@pytest.fixture
def inside(pages, person):
    pages.become(person.email)
    pages.get(SECURITY)
    return pages


def stale(house, person):
    change(
        house,
        update(LoginSession)
        .where(LoginSession.user_id == person.id)
        .values(confirmed_at=datetime.now(UTC) - timedelta(minutes=6)),
    )


def change(house, statement):
    with house.app_context():
        db.session.execute(statement)
        db.session.commit()
        db.session.remove()


def letters(house, to):
    with house.app_context():
        query = select(Mail).where(Mail.to_email == to).order_by(Mail.created_at, Mail.id)
        found = [(mail.letter, dict(mail.values)) for mail in db.session.scalars(query)]
        db.session.remove()
    return found


def link(house, to, letter):
    """The path of the newest link of a kind that went to an address."""
    address = [values["link"] for name, values in letters(house, to) if name == letter][-1]
    assert address.startswith("http://127.0.0.1:8000/")
    return urlsplit(address).path


def fresh_code(house, person, later=0):
    """A code that was not used yet: steps are counted back so that tests need not wait."""
    with house.app_context():
        factor = db.session.get(TotpFactor, person.id)
        factor.last_step = min(factor.last_step, totp.step_at(datetime.now(UTC)) - 2)
        seed = Locker([house.extensions["plutarc"].secret_key]).open(
            "second factor", person.id, factor.sealed
        )
        db.session.commit()
        db.session.remove()
    return totp.code(seed, totp.step_at(datetime.now(UTC)) + later)


def enrol(pages, house, person):
    pages.post(APP)
    page = pages.post(f"{APP}/confirm", 200, code=fresh_code(house, person))
    return [node.text for node in page.by_class("codes")[0].all("code")]


def test_a_new_password_asks_who_it_is_and_ends_other_sessions(inside, house, person):
    other = Pages(house)
    other.become(person.email)
    page = inside.post(f"{SECURITY}/password", 422, password="short")
    assert page.by_class("error-summary")
    stale(house, person)
    page = inside.post(f"{SECURITY}/password", 403, password=NEW)
    assert NEW not in inside.response.get_data(as_text=True)
    page = inside.post(f"{SECURITY}/password", 422, confirm_password=factories.PASSWORD)
    assert "Choose a password" in page.text
    inside.post(f"{SECURITY}/password", password=NEW)
    other.get("/account", 303)
    inside.get("/account")
    Pages(house).sign_in(person.email, NEW)


def test_a_forgotten_password_is_set_by_a_mailed_link(pages, house, person):
    pages.get("/forgot")
    told = pages.post("/forgot", 200, email=person.email).text
    pages.get("/forgot")
    unknown = pages.post("/forgot", 200, email="nobody@example.com").text
    assert told.replace(person.email, "") == unknown.replace("nobody@example.com", "")
    path = link(house, person.email, "password_reset")
    pages.get(path)
    page = pages.post(path, 422, password="1234567890")
    assert "first passwords" in page.text
    pages.post(path, follow=False, password=NEW)
    assert pages.response.location == "/login"
    pages.get("/account", 303)
    pages.get("/login")
    pages.post(path, 410, password="other quiet words")
    pages.sign_in(person.email, NEW)


def test_a_link_that_never_was_helps_on(pages):
    for path in ("/reset/x", "/verify/x", "/email/x", "/email/undo/x"):
        assert "no longer good" in pages.get(path, 410).text
        pages.get("/login")
        assert "no longer good" in pages.post(path, 410, password=NEW).text


def test_signing_up_sends_a_letter_that_confirms_the_address(pages, house):
    pages.get("/signup")
    email = "fresh-one@example.com"
    fields = {"name": "Fay", "email": email, "password": "quiet brass engine"}
    page = pages.post("/signup", **fields)
    assert "Confirm your address" in page.text
    path = link(house, email, "verify_email")
    pages.get(path)
    page = pages.post(path)
    assert "address is confirmed" in page.text
    assert "Confirm your address" not in pages.get("/account").text


def test_the_letter_is_sent_again_but_not_without_end(inside, house, person):
    change(house, update(User).where(User.id == person.id).values(email_verified_at=None))
    for _ in range(5):
        inside.get(SECURITY)
        inside.post("/account/verification")
    inside.post("/account/verification", 429)
    assert int(inside.response.headers["Retry-After"]) > 0


def test_an_address_is_changed_through_both_mailboxes(inside, house, person):
    inside.post(f"{SECURITY}/email", email="ines.new@example.com")
    path = link(house, "ines.new@example.com", "email_change")
    other = Pages(house)
    other.get(path)
    other.post(path, follow=False)
    assert "ines.new@example.com" in inside.get(SECURITY).text
    undo = link(house, person.email, "account_changed")
    other.get(undo)
    other.post(undo, follow=False)
    inside.get(SECURITY, 303)
    other.get("/login")
    other.post("/login", 422, email=person.email, password=factories.PASSWORD)
    reset = link(house, person.email, "password_reset")
    other.get(reset)
    other.post(reset, password="nine loud lanterns")
    other.sign_in(person.email, "nine loud lanterns")


def test_a_second_factor_from_enrolling_to_signing_in(inside, house, person):
    inside.post(APP)
    page = inside.get(APP)
    assert page.by_class("qr")
    page = inside.post(f"{APP}/confirm", 422, code="000000")
    assert page.by_class("error-summary")
    codes = enrol(inside, house, person)
    assert len(codes) == 10
    assert inside.response.headers["Cache-Control"] == "no-store"
    assert "10 of 10" in inside.get(SECURITY).text
    assert codes[0] not in inside.response.get_data(as_text=True)
    inside.get(APP, 303)
    door = Pages(house)
    door.get("/login")
    page = door.post("/login?next=/help", 200, email=person.email, password=factories.PASSWORD)
    assert "Your second factor" in page.text
    assert door.client.get("/account").status_code == 303
    door.get("/login/code")
    door.post("/login/code?next=/help", 422, code="000000")
    code = fresh_code(house, person)
    door.post("/login/code?next=/help", follow=False, code=code)
    assert door.response.location == "/help"
    again = Pages(house)
    again.get("/login")
    again.post("/login", 200, email=person.email, password=factories.PASSWORD)
    again.post("/login/code", 422, code=code)
    again.post("/login/code", code=codes[3])
    assert "9 of 10" in again.get(SECURITY).text
    assert "recovery code" in again.get("/account/sessions").text


def test_the_code_alone_opens_nothing(pages, house, inside, person):
    enrol(inside, house, person)
    door = Pages(house)
    door.get("/login")
    page = door.post("/login/code", 422, code=fresh_code(house, person))
    assert "Sign in" in page.text
    door.post("/login", 200, email=person.email, password=factories.PASSWORD)
    change(house, update(User).where(User.id == person.id).values(password_hash="another"))
    page = door.post("/login/code", 422, code=fresh_code(house, person))
    assert "took too long" in page.text


def test_fresh_proof_asks_for_every_factor_and_takes_no_recovery_code(inside, house, person):
    codes = enrol(inside, house, person)
    stale(house, person)
    page = inside.post(f"{APP}/remove", 403)
    assert page.by_id("confirm_code")
    both = {"confirm_password": factories.PASSWORD}
    inside.post(f"{APP}/remove", 403, **both)
    inside.post(f"{APP}/remove", 403, **both, confirm_code=codes[0])
    inside.post(f"{APP}/remove", **both, confirm_code=fresh_code(house, person))
    assert "Add an authenticator app" in inside.page.text


def test_a_reset_does_not_get_round_the_second_factor(inside, house, person):
    enrol(inside, house, person)
    door = Pages(house)
    door.get("/forgot")
    door.post("/forgot", 200, email=person.email)
    path = link(house, person.email, "password_reset")
    door.get(path)
    door.post(path, password=NEW)
    page = door.post("/login", 200, email=person.email, password=NEW)
    assert "Your second factor" in page.text


def test_a_workspace_that_insists_lets_nobody_in_without_but_never_holds_up_a_stop(
    house, desk, owner
):
    soon = datetime.now(UTC) + timedelta(days=3)
    here = update(Workspace).where(Workspace.id == desk.id)
    change(house, here.values(factor_from=soon))
    assert "asks for a second factor from" in owner.get(desk.home + "/").text
    change(house, here.values(factor_from=datetime.now(UTC) - timedelta(seconds=1)))
    owner.get(desk.home + "/", 303)
    assert urlsplit(owner.response.location).path == SECURITY
    assert "asks for a second factor" in owner.follow().text
    page = owner.get(desk.bot)
    assert "second factor" in page.text
    owner.post(f"{desk.bot}/pause")
    owner.get(SECURITY)
    owner.post(f"{desk.bot}/flatten", follow=False)
    owner.get(SECURITY)
    page = owner.post(f"{desk.resting}/start", 403)
    assert "authenticator app" in page.text
    owner.fragment(f"{desk.home}/board", 403)


def test_sessions_are_listed_and_ended_with_fresh_proof(inside, house, person):
    other, third = Pages(house), Pages(house)
    for pages in (other, third):
        pages.sign_in(person.email, factories.PASSWORD)
    page = inside.get("/account/sessions")
    assert page.text.count("this one") == 1
    stale(house, person)
    inside.post("/account/sessions/others/revoke", 403)
    other.get("/account")
    inside.post("/account/sessions/others/revoke", confirm_password=factories.PASSWORD)
    other.get("/account", 303)
    third.get("/account", 303)
    inside.get("/account")


def test_a_new_device_is_told_once(house, person):
    def come(agent, ip):
        pages = Pages(house)
        pages.client.environ_base |= {"HTTP_USER_AGENT": agent, "REMOTE_ADDR": ip}
        pages.sign_in(person.email, factories.PASSWORD)

    def told():
        return sum("new device" in str(values) for _, values in letters(house, person.email))

    come("Chrome/1 Linux", "198.51.100.7")
    assert told() == 0
    come("Chrome/2 Linux", "198.51.100.99")
    assert told() == 0
    come("Firefox/3 Windows", "198.51.100.7")
    assert told() == 1
    come("Chrome/2 Linux", "203.0.113.5")
    assert told() == 2
    come("Firefox/4 Windows", "198.51.100.8")
    assert told() == 2


def test_nothing_signed_in_is_kept_by_browsers(inside, person):
    for path in ("/account", SECURITY, "/account/sessions", "/help"):
        inside.get(path)
        assert inside.response.headers["Cache-Control"] == "no-store"
    inside.post("/logout", follow=False)
    assert '"cache"' in inside.response.headers["Clear-Site-Data"]


def test_links_in_letters_ignore_the_host_of_the_request(house, person):
    pages = Pages(house)
    pages.get("/forgot")
    token = pages.token()
    answer = pages.client.post(
        "/forgot", data={"csrf_token": token, "email": person.email}, base_url="http://localhost"
    )
    assert answer.status_code == 200
    assert link(house, person.email, "password_reset").startswith("/reset/")
    assert re.fullmatch(r"/reset/[\w-]{43}", link(house, person.email, "password_reset"))
