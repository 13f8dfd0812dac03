from tests import factories
from tests.pages import Pages


def test_name_and_theme_are_kept(owner):
    owner.get("/account")
    page = owner.post("/account", name="Olga N", theme="dark")
    assert page.all("html")[0].get("data-theme") == "dark"
    assert page.by_id("name").get("value") == "Olga N"


def test_an_unknown_theme_is_refused(owner):
    owner.get("/account")
    owner.post("/account", 422, name="Olga", theme="neon")


def test_another_session_is_ended_from_here(owner, desk, house):
    other = Pages(house)
    other.sign_in(desk.emails["owner"], factories.PASSWORD)
    page = owner.get("/account/sessions")
    newest = next(f.get("action") for f in page.all("form") if "revoke" in f.get("action"))
    owner.post(newest)
    other.get("/account", 303)
    owner.get("/account")


def test_nobody_ends_a_session_of_someone_else(owner, desk, house):
    other = Pages(house)
    other.sign_in(desk.emails["viewer"], factories.PASSWORD)
    owner.get("/account")
    owner.post("/account/sessions/ses_unknown/revoke", 404)


def test_the_switcher_changes_workspace_within_the_session(owner, desk):
    page = owner.get("/account")
    buttons = [b for b in page.all("button") if b.get("name") == "workspace"]
    personal = buttons[0].get("value")
    page = owner.post("/account/workspace", workspace=personal)
    assert owner.at == f"/w/{personal}/"
    assert "No bot yet" in page.text
    owner.post("/account/workspace", workspace=desk.id)
    assert owner.client.get("/").location == f"/w/{desk.id}/"


def test_nobody_switches_into_a_strange_workspace(owner):
    owner.get("/account")
    owner.post("/account/workspace", 404, workspace="ws_unknown")
