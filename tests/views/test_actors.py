"""Every route and method as every actor, as a page and as a fragment; drawn from the URL map."""

import pytest
from sqlalchemy import select

from app.domain.access import MATRIX, WHILE_SUSPENDED, Permission
from app.extensions import db
from app.models import AuditEvent, Membership, Role, User, Workspace
from app.web import guards
from tests import factories, people
from tests.declared import ELSEWHERE, PAGES
from tests.routes import AWAY, FINER, FORMS, Visitor, keep_nothing, knocks

CLOSED = frozenset({401, 403, 404, 405})


@pytest.fixture
def village(house):
    """The people and their workspaces, made once; nothing that a test does to them is kept."""
    with house.app_context():
        return people.settle()


def expected(actor, guard):
    """What the guard and the matrix promise: open, sign in, forbidden, or nothing there."""
    if guard == "public":
        return "open"
    if actor.name == "anonymous":
        return "sign in"
    if guard == "signed_in":
        return "open"
    if guard == "operator":
        return "open" if actor.name == "operator" else "nothing there"
    if actor.role is None or actor.place == "gone":
        return "nothing there"
    if actor.person == "suspended":
        return "membership suspended"
    if guard == "member":
        return "open"
    right = Permission(guard)
    if right not in MATRIX[actor.role]:
        return "forbidden"
    return "open" if actor.place == "desk" or right in WHILE_SUSPENDED else "workspace suspended"


def seen(answer, knock, *, fragment):
    """What an answer is, in the same words."""
    code, body = answer.status_code, answer.get_data(as_text=True)
    onward = answer.headers.get("HX-Redirect", answer.location or "")
    if knock.endpoint in AWAY and code in (204, 303):
        return "open"
    if code == 401 or (code == 303 and onward.startswith("/login?") and not fragment):
        return "sign in" if onward or 'name="password"' in body else f"401: {body[-600:]}"
    if code == 404:
        return "nothing there"
    if code == 403 and "Your membership in" in body:
        return "membership suspended"
    if code == 403 and "is suspended, so" in body:
        return "workspace suspended"
    if code == 403 and "Your role" in body:
        named = knock.endpoint in FINER or knock.guard in body
        return "forbidden" if named else f"forbidden without {knock.guard}: {body[-600:]}"
    if code == 403:
        return "refused"
    return "open" if code not in CLOSED and code < 500 else f"{code}: {body[-600:]}"


def samples(village, actor):
    """Ids that belong to who asks, by the argument they fill."""
    return {"session_id": village.sessions.get(actor.person, "ses_of_nobody")}


@pytest.mark.parametrize("actor", people.ACTORS, ids=lambda actor: actor.name)
def test_every_route_answers_each_actor_as_the_matrix_says(house, village, actor, monkeypatch):
    keep_nothing(monkeypatch)
    visitor = Visitor(house, village.tokens.get(actor.person))
    home = village.homes.get(actor.person)
    wrong = []
    for knock in knocks(house, village.places[actor.place], **samples(village, actor)):
        if knock.guard == "webhook":
            continue  # no session opens these: each door's own test forges its proof
        fields = FORMS.get(knock.endpoint, lambda *_: {})(actor, home)
        for fragment in (False, True):
            answer = visitor.knock(knock, fields, fragment=fragment)
            found = seen(answer, knock, fragment=fragment)
            promised = expected(actor, knock.guard)
            if promised == "open":
                promised = FINER.get(knock.endpoint, {}).get(actor.name, promised)
            if found != promised:
                wrong.append(f"{knock}{' as a fragment' * fragment}: {promised}, but {found}")
    assert not wrong, "\n".join(wrong)


def test_every_page_and_every_route_outside_workspaces_is_declared(house):
    pages, elsewhere = {}, {}
    for rule in house.url_map.iter_rules():
        guard = guards.guard_of(house, rule.endpoint) or "public"
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            inside = rule.rule.removeprefix("/w/<workspace>/")
            if inside == rule.rule:
                elsewhere[f"{method} {rule.rule}"] = guard
            elif method == "GET":
                pages[inside] = guard
    assert pages == PAGES, "Say in tests/declared.py whom these pages are for"
    assert elsewhere == ELSEWHERE, "Say in tests/declared.py whom these routes are for"


def hold(house, desk, **values):
    """Change the trader's membership, as some other request might."""
    with house.app_context():
        query = select(Membership).join(User).where(User.email == desk.emails["trader"])
        member = db.session.scalar(query.where(Membership.workspace_id == desk.id))
        for name, value in values.items():
            setattr(member, name, value)
        db.session.commit()
        db.session.remove()


def test_another_role_counts_from_the_very_next_request(trader, house, desk):
    trader.get(f"{desk.home}/strategies")
    hold(house, desk, role=Role.VIEWER)
    trader.get(f"{desk.home}/strategies", 403)
    hold(house, desk, role=Role.TRADER)
    trader.get(f"{desk.home}/strategies")


def test_a_suspended_member_is_told_so_and_the_attempt_is_kept(trader, house, desk):
    hold(house, desk, suspended_at=factories.NOW)
    page = trader.get(f"{desk.home}/bots", 403)
    assert "Your membership in Harbour Desk is suspended" in page.text
    hold(house, desk, suspended_at=None)
    trader.get(f"{desk.home}/bots")
    with house.app_context():
        denied = select(AuditEvent.reason).where(AuditEvent.workspace_id == desk.id)
        kept = db.session.scalars(denied.where(AuditEvent.action == "access.denied")).all()
        db.session.remove()
    assert kept == ["membership suspended"]


def test_in_a_suspended_workspace_bots_can_be_stopped_and_not_started(owner, house, desk):
    with house.app_context():
        db.session.get(Workspace, desk.id).suspended_at = factories.NOW
        db.session.commit()
        db.session.remove()
    owner.get(desk.bot)
    owner.post(f"{desk.bot}/start", 403)
    assert "Harbour Desk is suspended" in owner.page.text
    owner.post(f"{desk.bot}/flatten")
    owner.post(f"{desk.bot}/stop")
