"""Nothing typed is lost when a session has ended: it comes back after signing in, to its owner."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import g
from sqlalchemy import select, update

from app.domain import accounts
from app.extensions import db
from app.models import LoginSession, Strategy
from app.web import held
from tests import factories, site

TYPED = {"name": "Slow tide", "summary": "a <b> & c"}


def expire(house, email):
    """End all sessions of a person, as time does."""
    with house.app_context():
        mine = (
            select(LoginSession.id)
            .join(LoginSession.user)
            .where(LoginSession.user.has(email=email))
        )
        past = datetime.now(UTC) - accounts.IDLE
        db.session.execute(
            update(LoginSession).where(LoginSession.id.in_(mine)).values(seen_at=past)
        )
        db.session.commit()
        db.session.remove()


def hidden(page):
    return [(n.get("name"), n.get("value")) for n in page.all("input") if n.get("type") == "hidden"]


def field(page, name):
    return next(value for key, value in hidden(page) if key == name)


def names(house, workspace):
    with house.app_context():
        query = select(Strategy.name).where(Strategy.workspace_id == workspace)
        found = list(db.session.scalars(query))
        db.session.remove()
    return found


@pytest.fixture
def ended(owner, desk, house):
    """The owner typed a strategy for so long that the session ended, and sends it."""
    owner.get(f"{desk.home}/strategies/new")
    expire(house, desk.emails["owner"])
    owner.target = f"{desk.home}/strategies/new?template=ema_trend"
    owner.post(owner.target, 401, **TYPED)
    return owner


def signed_in(pages, email, status=200):
    action = pages.page.all("form")[0].get("action")
    sealed = field(pages.page, "held")
    return pages.post(
        action, status, follow=False, email=email, password=factories.PASSWORD, held=sealed
    )


def test_it_is_shown_and_sent_after_signing_in(ended, desk, house):
    assert "Sign in" in ended.page.text
    assert "Slow tide" not in ended.page.text
    page = signed_in(ended, desk.emails["owner"])
    assert "Slow tide" in page.text
    assert names(house, desk.id).count("Slow tide") == 0
    form = page.all("form")[0]
    assert form.get("action") == ended.target
    fields = dict(hidden(page))
    assert TYPED.items() <= fields.items()
    ended.post(form.get("action"), **fields)
    assert names(house, desk.id).count("Slow tide") == 1


def test_a_wrong_password_in_between_loses_nothing(ended, desk):
    sealed = field(ended.page, "held")
    action = ended.page.all("form")[0].get("action")
    page = ended.post(action, 422, email=desk.emails["owner"], password="a wrong one", held=sealed)
    assert field(page, "held") == sealed
    assert "Slow tide" in signed_in(ended, desk.emails["owner"]).text


def test_somebody_else_gets_nothing_of_it(ended, desk):
    signed_in(ended, desk.emails["trader"], 303)
    page = ended.follow()
    assert "Slow tide" not in page.text
    assert "was not yours" in page.text


def test_what_was_changed_or_is_old_does_not_open(house, desk, people):
    with house.test_request_context("/x", method="POST", data={"note": "n"}):
        owner = db.session.get(accounts.User, people["owner"][0])
        text = held.hold(owner.id, "/help")
        assert held.take(text, owner).fields == [("note", "n")]
        for bad in (text[:-4], "B" + text[1:], text[:40] + text[41:], "", "é", "a" * 80):
            assert held.take(bad, owner) is None
        g.now = datetime.now(UTC) + held.KEEPS + timedelta(seconds=1)
        assert held.take(text, owner) is None
        db.session.remove()


def test_it_survives_a_restart_and_a_changed_key(tmp_path, house):
    keys = ("k" * 20 + "0123456789abcdef", "j" * 20 + "0123456789abcdef")
    before = site.build(tmp_path / "a", secret_key=keys[0])
    after = site.build(tmp_path / "b", secret_key=keys[1], older_secret_keys=(keys[0],))
    other = site.build(tmp_path / "c", secret_key=keys[1])
    person = accounts.User(id="usr_a")
    with before.test_request_context("/x", method="POST", data={"note": "n"}):
        text = held.hold("usr_a", "/help")
    with after.test_request_context():
        assert held.take(text, person).fields == [("note", "n")]
    with other.test_request_context():
        assert held.take(text, person) is None


def test_secrets_files_and_what_is_too_long_are_not_held(ended, desk, house):
    ended.become(desk.emails["owner"])
    ended.get(f"{desk.home}/connections/new")
    expire(house, desk.emails["owner"])
    ended.post(f"{desk.home}/connections/new", 401, label="Mine", api_key="k" * 20, secret="s" * 20)
    page = signed_in(ended, desk.emails["owner"])
    assert {"api_key", "secret"}.isdisjoint(dict(hidden(page)))
    assert "asked for them again" in page.text
    expire(house, desk.emails["owner"])
    page = ended.post(f"{desk.home}/strategies/new", 401, name="x" * held.LARGEST)
    assert "too long" in page.text


def test_htmx_is_sent_to_sign_in_and_its_form_waits_there(owner, desk, house):
    owner.get(desk.resting)
    expire(house, desk.emails["owner"])
    owner.client.environ_base["HTTP_REFERER"] = f"http://localhost{desk.resting}"
    owner.fragment(f"{desk.resting}/start", 401, note="typed")
    page = owner.get(owner.response.headers["HX-Redirect"])
    assert field(page, "held")
    page = signed_in(owner, desk.emails["owner"])
    assert page.all("form")[0].get("action") == f"{desk.resting}/start"
    assert ("note", "typed") in hidden(page)


def test_without_any_session_a_page_of_ours_gets_its_form_back(owner, desk):
    owner.get(f"{desk.home}/strategies/new")
    token = owner.token()
    owner.post("/logout", follow=False)
    own = {"Sec-Fetch-Site": "same-origin"}
    data = TYPED | {"csrf_token": token}
    answer = owner.client.post(f"{desk.home}/strategies/new", data=data, headers=own)
    owner._seen(answer, 401)
    assert "Slow tide" in signed_in(owner, desk.emails["owner"]).text
    answer = owner.client.post(f"{desk.home}/strategies/new", data=data, headers=own)
    page = owner._seen(answer, 400)
    assert "has not been sent" in page.text
    assert TYPED.items() <= dict(hidden(page)).items()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ],
)
def test_a_form_of_another_site_never_comes_back_as_ours(owner, desk, headers):
    owner.get("/help")
    for leave in (False, True):
        if leave:
            owner.post("/logout", follow=False)
        answer = owner.client.post(f"{desk.home}/strategies/new", data=TYPED, headers=headers)
        assert answer.status_code == 400
        assert "Slow tide" not in answer.get_data(as_text=True)
