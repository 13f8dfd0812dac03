import sqlite3
from contextlib import closing

import pytest
from argon2 import PasswordHasher
from flask import current_app

from app.domain import accounts
from tests import factories


def test_sign_up_leads_to_a_personal_workspace(pages):
    pages.get("/signup")
    email = "ada-new@example.com"
    pages.post(
        "/signup", follow=False, name="Ada Byron", email=email, password="quiet brass engine"
    )
    page = pages.client.get("/", follow_redirects=True)
    assert page.status_code == 200
    assert "Ada&#39;s workspace" in page.get_data(as_text=True)


def test_a_bad_sign_up_keeps_what_was_typed(pages):
    pages.get("/signup")
    page = pages.post("/signup", 422, name="Ada", email="no-address", password="short")
    assert page.by_id("name").get("value") == "Ada"
    assert page.by_id("email").get("value") == "no-address"
    assert page.by_id("password").get("value") is None
    assert page.by_class("error-summary")


def test_an_unknown_address_and_a_wrong_password_read_the_same(pages, desk):
    answers = []
    for email in ("nobody@example.com", desk.emails["owner"]):
        pages.get("/login")
        page = pages.post("/login", 422, email=email, password="a wrong password")
        answers.append(page.by_class("error-summary")[0].text)
    assert answers[0] == answers[1]


def test_after_sign_out_the_cookie_is_worth_nothing(owner, desk):
    owner.get("/account")
    cookie = owner.app.config["SESSION_COOKIE_NAME"]
    stolen = owner.client.get_cookie(cookie).value
    owner.post("/logout")
    owner.client.set_cookie(cookie, stolen)
    owner.get(f"{desk.home}/", 303)


def test_strangers_to_the_site_come_back_to_the_page_they_wanted(pages, desk):
    pages.get(f"{desk.home}/bots", 303)
    target = pages.response.location
    assert "next=" in target
    pages.get(target)
    pages.post(target, follow=False, email=desk.emails["owner"], password=factories.PASSWORD)
    assert pages.response.location == f"{desk.home}/bots"


def test_a_next_address_of_another_site_is_ignored(pages, desk):
    for bad in (
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/nowhere",
        "javascript:1",
    ):
        pages.get("/login", query_string={"next": bad})
        email = desk.emails["owner"]
        url = f"/login?next={bad}"
        pages.post(url, follow=False, email=email, password=factories.PASSWORD)
        assert pages.response.location == "/"
        pages.get("/account")
        pages.post("/logout")


def test_an_expired_session_sends_htmx_to_sign_in(pages, desk):
    headers = {"HX-Request": "true", "Referer": f"http://localhost{desk.bot}"}
    answer = pages.client.get(f"{desk.bot}/state", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/login?next=")
    assert desk.bot.split("/")[-1] in answer.headers["HX-Redirect"]
    assert not answer.get_data()


def test_a_form_without_its_token_is_refused(owner, desk):
    page = owner.post(f"{desk.resting}/start", 400, token=False)
    assert "out of date" in page.text


def test_a_form_from_another_site_is_refused(owner, desk):
    token = owner.token()
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        data = {"csrf_token": token}
        answer = owner.client.post(f"{desk.resting}/start", data=data, headers=headers)
        assert answer.status_code == 403


class Watchful(PasswordHasher):
    """A hasher that looks, while it hashes, whether others could write."""

    free = None

    def verify(self, known, password):
        self.look()
        return super().verify(known, password)

    def hash(self, password, *, salt=None):
        self.look()
        return super().hash(password, salt=salt)

    def look(self):
        path = current_app.extensions["plutarc"].var_dir / "plutarc.db"
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        self.free = True


@pytest.fixture
def watchful(monkeypatch):
    hasher = Watchful(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(accounts, "HASHER", hasher)
    return hasher


def test_others_can_write_while_a_sign_in_is_hashed(owner, desk, watchful):
    """Also for somebody whose cookie makes the request look for a session first."""
    owner.get("/account")
    owner.post("/login", follow=False, email=desk.emails["owner"], password=factories.PASSWORD)
    assert watchful.free


def test_others_can_write_while_a_sign_up_is_hashed(owner, watchful):
    owner.get("/account")
    fields = {"name": "Eve", "email": "eve-new@example.com", "password": "quiet brass engine"}
    owner.post("/signup", follow=False, **fields)
    assert watchful.free


def test_too_many_tries_are_told_to_wait(pages):
    pages.client.environ_base["REMOTE_ADDR"] = "192.0.2.77"
    pages.get("/login")
    for _ in range(10):
        pages.post("/login", 422, email="nobody-77@example.com", password="a wrong password")
    page = pages.post("/login", 429, email="nobody-77@example.com", password="a wrong password")
    assert "Wait a few minutes" in page.by_class("error-summary")[0].text
    assert page.by_id("email").get("value") == "nobody-77@example.com"
    assert 1 <= int(pages.response.headers["Retry-After"]) <= 300
