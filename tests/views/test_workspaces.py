from datetime import UTC, datetime

from sqlalchemy import select

from app.domain import workspaces
from app.extensions import db
from app.models import AuditEvent, Bot, Mail, Role, Strategy, User, Workspace
from tests import factories
from tests.pages import Pages
from tests.views.conftest import as_person


def found(house, name):
    with house.app_context():
        query = (
            select(Workspace).where(Workspace.name == name).order_by(Workspace.created_at.desc())
        )
        workspace = db.session.scalars(query).first()
        row = workspace and (workspace.id, workspace.slug)
        db.session.remove()
    return row


def test_an_organisation_is_founded_and_opens(owner, house):
    owner.get("/workspaces/new")
    page = owner.post("/workspaces/new", name="Night  Desk", slug="night-desk-1")
    made, slug = found(house, "Night Desk")
    assert (owner.at, slug) == (f"/w/{made}/members", "night-desk-1")
    assert "Night Desk" in page.by_class("switcher")[0].text
    owner.post(f"/w/{made}/settings", name="Night Desk", slug="night-desk-1", zone="Asia/Tokyo")


def test_a_taken_slug_is_said_beside_its_field_with_a_free_one(owner, house):
    owner.get("/workspaces/new")
    owner.post("/workspaces/new", name="First", slug="dawn-desk")
    owner.get("/workspaces/new")
    page = owner.post("/workspaces/new", 422, name="Second", slug="dawn-desk")
    assert page.by_id("slug_error").text == "dawn-desk is taken. dawn-desk-2 is free."
    assert page.by_id("name").get("value") == "Second"
    owner.post("/workspaces/new", name="Second", slug="dawn-desk-2")


def test_a_slug_that_does_not_do_is_said_with_an_example(owner):
    owner.get("/workspaces/new")
    for slug in ("ab", "Upper", "a b", "-edge", "two--hyphens", "x" * 41, "ünder"):
        page = owner.post("/workspaces/new", 422, name="Some", slug=slug)
        assert "lower-case letters, digits and single hyphens" in page.by_id("slug_error").text


def test_who_has_not_confirmed_the_address_founds_nothing(pages, house):
    with house.app_context():
        person = factories.user("Una")
        person.email_verified_at, email = None, person.email
        db.session.commit()
        db.session.remove()
    pages.become(email)
    assert "Confirm your e-mail" in pages.get("/workspaces/new").text
    pages.post("/workspaces/new", 422, name="Una's", slug="")


def test_settings_are_kept_and_audited_once(owner, desk, house):
    page = owner.get(f"{desk.home}/settings")
    slug = page.by_id("slug").get("value")
    owner.post(f"{desk.home}/settings", name="Tide Desk", slug=slug, zone="Europe/Vienna")
    owner.post(f"{desk.home}/settings", name="Tide Desk", slug=slug, zone="Europe/Vienna")
    owner.post(f"{desk.home}/settings", 422, name="Tide Desk", slug=slug, zone="Mars/Base")
    assert len(events(house, desk.id, "workspace.update")) == 1


def events(house, workspace_id, action):
    with house.app_context():
        query = select(AuditEvent).where(
            AuditEvent.chain == workspace_id, AuditEvent.action == action
        )
        rows = list(db.session.scalars(query))
        db.session.remove()
    return rows


def test_it_is_not_deleted_while_a_bot_may_trade(owner, desk):
    page = owner.get(f"{desk.home}/settings/delete")
    assert "Tide" in page.by_class("notice")[0].text
    page = owner.post(f"{desk.home}/settings/delete", 422, name="Harbour Desk")
    assert "Tide: it is started, so stop it first" in page.text
    owner.get(desk.home + "/")


def test_a_deleted_workspace_is_gone_and_its_log_is_kept(pages, house, people):
    home, workspace_id, bot = _resting_place(house, people)
    pages.become(people["owner"][1])
    pages.get(f"{home}/settings/delete")
    page = pages.post(f"{home}/settings/delete", 422, name="wrong")
    assert page.by_id("name_error")
    pages.post(f"{home}/settings/delete", name="Harbour Desk")
    pages.get(f"{home}/", 404)
    pages.get("/account")
    assert not [b for b in pages.page.all("button") if b.get("value") == workspace_id]
    pages.post("/account/workspace", 404, workspace=workspace_id)
    (event,) = events(house, workspace_id, "workspace.delete")
    assert {"field": "bots", "before": 1, "after": 0} in event.changes
    assert len(events(house, workspace_id, "bot.delete")) == 1
    with house.app_context():
        assert db.session.get(Bot, bot).wish.value == "gone"
        told = select(Mail.to_email).where(
            Mail.workspace_id == workspace_id, Mail.letter == "workspace_deleted"
        )
        assert set(db.session.scalars(told)) == {people["owner"][1], people["viewer"][1]}
        db.session.remove()


def _resting_place(house, people):
    now = datetime.now(UTC)
    with house.app_context():
        owner, viewer = (db.session.get(User, people[role][0]) for role in ("owner", "viewer"))
        workspace = factories.organisation(owner, now=now)
        workspaces.add_member(workspace, viewer, Role.VIEWER, by=factories.TESTER, now=now)
        bot = factories.bot(workspace, now=now).id
        db.session.commit()
        made = f"/w/{workspace.id}", workspace.id, bot
        db.session.remove()
    return made


def test_two_tabs_in_two_workspaces_write_each_to_its_own(owner, desk, house, people):
    elsewhere, other, _ = _resting_place(house, people)
    first, second = Pages(house), Pages(house)
    first.client = second.client = owner.client  # two tabs of one browser, one login session
    first.get(f"{desk.home}/strategies/new?template=ema_trend")
    second.get(f"{elsewhere}/strategies/new?template=ema_trend")
    second.post("/account/workspace", workspace=other)
    first.post(f"{desk.home}/strategies/new?template=ema_trend", name="From the first tab")
    first.post("/account/workspace", workspace=desk.id)
    second.post(f"{elsewhere}/strategies/new?template=ema_trend", name="From the second tab")
    with house.app_context():
        query = select(Strategy.name, Strategy.workspace_id).where(Strategy.name.like("From the%"))
        kept = {row.name: row.workspace_id for row in db.session.execute(query)}
        db.session.remove()
    assert kept == {"From the first tab": desk.id, "From the second tab": other}


def test_the_switcher_lists_every_workspace_with_its_role(viewer, desk, house, people):
    elsewhere, other, _ = _resting_place(house, people)
    page = viewer.get(f"{desk.home}/")
    (form,) = [f for f in page.all("form") if f.get("action") == "/account/workspace"]
    buttons = {b.get("value"): b for b in form.all("button")}
    assert {desk.id, other} <= set(buttons)
    assert "viewer" in buttons[other].text
    assert buttons[desk.id].get("aria-current") == "true"
    assert [a.get("href") for a in form.all("a")] == ["/workspaces/new"]
    viewer.post("/account/workspace", workspace=other)
    assert viewer.at == f"{elsewhere}/"


def test_the_operator_suspends_with_a_reason_and_gives_back(desk, house):
    operator = Pages(house)
    with house.app_context():
        person = factories.user("Opal")
        person.operator, email = True, person.email
        db.session.commit()
        db.session.remove()
    operator.become(email)
    assert "Harbour Desk" in operator.get("/operator/workspaces?find=harbour").text
    assert "None is called that" in operator.get("/operator/workspaces?find=nothing%25").text
    place = f"/operator/workspaces/{desk.id}"
    operator.get(place)
    operator.post(f"{place}/suspend", 422, reason="")
    operator.post(f"{place}/suspend", reason="The bill is unpaid.")
    owner = as_person(Pages(house), desk, "owner")
    assert "is suspended" in owner.get(f"{desk.home}/").by_class("notice")[0].text
    owner.get(f"{desk.home}/settings", 403)
    owner.get(desk.bot)
    owner.post(f"{desk.bot}/stop")
    operator.post(f"{place}/suspend", 422, reason="Again.")
    operator.post(f"{place}/resume")
    operator.post(f"{place}/resume", 409)
    owner.get(f"{desk.home}/settings")
    (event,) = events(house, desk.id, "workspace.suspend")
    assert (event.reason, event.actor_label) == ("The bill is unpaid.", email)
    owner.get("/operator/workspaces", 404)
    owner.post(f"{place}/suspend", 404, reason="Mine now.")
