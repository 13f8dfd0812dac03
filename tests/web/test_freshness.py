"""Who it is must be proved again, five minutes after the last proof, for what is marked so."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import request
from sqlalchemy import func, select, update

from app.domain import access
from app.domain.access import Guard, Permission
from app.extensions import db
from app.models import AuditEvent, LoginSession, Membership
from app.web import guards
from tests import factories, site
from tests.pages import Pages
from tests.views.test_routes import routes

RIGHTS = [right for right, asked in access.GUARDS.items() if Guard.REAUTH in asked]


def echo(workspace=None):
    """Answer what arrived."""
    fields = "|".join(f"{name}={value}" for name, value in request.form.items(multi=True))
    return fields, {"Content-Type": "text/plain"}


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """An application of its own with one door for each right that asks again, and two more."""
    app = site.build(tmp_path_factory.mktemp("gallery"))
    for right in RIGHTS:
        address = f"/w/<workspace>/doors/{right}"
        view = guards.requires(right)(echo)
        app.add_url_rule(address, f"door.{right}", view, methods=["GET", "POST"])
    app.add_url_rule("/account/door", "own", guards.signed_in(_own), methods=["GET", "POST"])
    return app


def _own():
    guards.demand_fresh()
    return echo()


@pytest.fixture
def inside(gallery):
    """An owner's pages; ``age`` makes the last proof older."""
    with gallery.app_context():
        owner = factories.user("Olga")
        workspace = factories.organisation(owner)
        db.session.commit()
        email, home = owner.email, f"/w/{workspace.id}/doors"
        db.session.remove()
    pages = Pages(gallery)
    pages.become(email)
    pages.home, pages.email = home, email
    return pages


def age(pages, minutes):
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    with pages.app.app_context():
        db.session.execute(update(LoginSession).values(confirmed_at=at))
        db.session.commit()
        db.session.remove()


@pytest.mark.parametrize("right", RIGHTS)
def test_each_marked_right_asks_again(inside, right):
    door = f"{inside.home}/{right}"
    inside.get("/help")
    assert inside.post(door, 200, note="a").startswith("note=a|")
    age(inside, 6)
    page = inside.post(door, 403, note="a")
    assert "Confirm it is you" in page.text
    inside.client.get(door)  # reading asks nothing
    assert inside.client.get(door).status_code == 200


def test_the_answer_carries_what_was_typed_but_no_secret(inside):
    door = f"{inside.home}/{Permission.RISK_MANAGE}"
    age(inside, 6)
    fields = {"note": ["a <b>", "c"], "api_key": "k" * 20, "secret": "s" * 20}
    page = inside.post(f"{door}?from=here", 403, **fields)
    hidden = [(n.get("name"), n.get("value")) for n in page.all("input")]
    assert ("note", "a <b>") in hidden
    assert ("note", "c") in hidden
    assert "kkkk" not in str(inside.response.data)
    assert "ssss" not in str(inside.response.data)
    assert "asked for them again" in page.text
    assert page.all("form")[0].get("action") == f"{door}?from=here"
    answer = inside.post(door, 200, note=["a <b>", "c"], confirm_password=factories.PASSWORD)
    assert "note=a <b>|note=c" in answer


def test_the_session_goes_on_under_a_new_token(inside):
    door = f"{inside.home}/{Permission.AUDIT_EXPORT}"
    inside.get("/help")
    cookie = inside.app.config["SESSION_COOKIE_NAME"]
    old = inside.client.get_cookie(cookie).value
    token = inside.token()
    age(inside, 6)
    inside.post(door, 200, confirm_password=factories.PASSWORD)
    assert inside.client.get_cookie(cookie).value != old
    inside.post(door, 200, csrf_token=token)  # other tabs keep their form tokens
    inside.client.set_cookie(cookie, old)
    assert inside.client.get("/account").status_code == 303


def test_a_wrong_password_changes_nothing_and_is_counted(inside):
    door = f"{inside.home}/{Permission.BOT_GO_LIVE}"
    inside.client.environ_base["REMOTE_ADDR"] = "192.0.2.81"
    age(inside, 6)
    for _ in range(10):
        page = inside.post(door, 403, note="a", confirm_password="wrong and long enough")
        assert "not your password" in page.text
    page = inside.post(door, 429, note="a", confirm_password=factories.PASSWORD)
    assert ("note", "a") in [(n.get("name"), n.get("value")) for n in page.all("input")]
    assert 1 <= int(inside.response.headers["Retry-After"]) <= 300
    with inside.app.app_context():
        denied = select(func.count()).where(
            AuditEvent.action == "account.confirm",
            AuditEvent.ip == "192.0.2.81",
            AuditEvent.outcome == "denied",
        )
        assert db.session.scalar(denied) == 10
        db.session.remove()


def test_htmx_is_sent_to_a_page_that_asks(inside):
    inside.get("/help")
    age(inside, 6)
    inside.client.environ_base["HTTP_REFERER"] = "http://localhost/help"
    inside.fragment(f"{inside.home}/{Permission.RISK_MANAGE}", 403, note="a")
    target = inside.response.headers["HX-Redirect"]
    page = inside.get(target)
    assert "Confirm it is you" in page.text
    inside.post(target, confirm_password=factories.PASSWORD)
    assert inside.at == "/help"


def test_a_view_can_ask_by_itself_also_before_a_form_is_shown(inside):
    age(inside, 6)
    page = inside.get("/account/door", 403)
    inside.post(
        page.all("form")[0].get("action"), follow=False, confirm_password=factories.PASSWORD
    )
    assert inside.response.location == "/account/door"
    assert inside.client.get("/account/door").status_code == 200


def test_who_lacks_the_right_is_told_that_first(inside):
    with inside.app.app_context():
        workspace = inside.home.split("/")[2]
        member = update(Membership).where(Membership.workspace_id == workspace)
        db.session.execute(member.values(role="viewer"))
        db.session.commit()
        db.session.remove()
    age(inside, 6)
    page = inside.post(f"{inside.home}/{Permission.RISK_MANAGE}", 403)
    assert "does not include risk.manage" in page.text


def test_no_route_of_the_house_that_is_marked_acts_for_a_stale_session(owner, house, desk):
    """Generated from the URL map: what is marked asks, and has changed nothing."""
    age(owner, 6)
    marked = [it for it in routes(house, desk) if it[0] != "GET" and it[2] in RIGHTS]
    assert {right for _, _, right in marked} >= {
        Permission.WORKSPACE_SECURITY,
        Permission.MEMBER_CHANGE_ROLE,
        Permission.RISK_MANAGE,
    }
    for _, address, _ in marked:
        before = events(house)
        page = owner.post(address, 403)
        assert "Confirm it is you" in page.text, address
        assert events(house) == before, address


def events(house):
    with house.app_context():
        found = db.session.scalar(select(func.count()).select_from(AuditEvent))
        db.session.remove()
    return found
