"""Every page, as every role: shown, refused with the missing right named, or not there at all."""

import pytest

from tests.views.conftest import as_person

OPEN = ("/", "/bots", "{bot}", "{bot}/orders", "{bot}/history")
TRADERS = (
    "/bots/new",
    "{bot}/decisions",
    "{bot}/edit",
    "{bot}/schedule",
    "{bot}/mode",
    "/strategies",
    "/strategies/templates",
    "/strategies/new?template=ema_trend",
    "{strategy}",
    "{strategy}/v/1",
    "{strategy}/edit",
    "{strategy}/compare",
    "/strategies?archived=yes",
    "/strategies/import",
    "/connections",
    "/connections/new",
)
MANAGERS = ("{bot}/delete",)
OWNERS = ("/audit",)


def address(desk, pattern):
    if pattern.startswith("{"):
        return pattern.format(bot=desk.bot, strategy=desk.strategy)
    return desk.home + pattern


@pytest.mark.parametrize("pattern", [*OPEN, *TRADERS, *MANAGERS, *OWNERS])
def test_the_owner_sees_it(owner, desk, pattern):
    owner.get(address(desk, pattern))
    assert owner.response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("pattern", OPEN)
def test_a_viewer_sees_it(viewer, desk, pattern):
    viewer.get(address(desk, pattern))


@pytest.mark.parametrize("pattern", [*TRADERS, *MANAGERS, *OWNERS])
def test_a_viewer_is_told_which_right_is_missing(viewer, desk, pattern):
    page = viewer.get(address(desk, pattern), 403)
    assert "does not include" in page.text


@pytest.mark.parametrize("pattern", [*MANAGERS, *OWNERS])
def test_a_trader_is_told_which_right_is_missing(trader, desk, pattern):
    trader.get(address(desk, pattern), 403)


def test_to_a_stranger_nothing_exists(pages, desk, house):
    with house.app_context():
        from app.extensions import db
        from tests import factories

        email = factories.user("Stranger").email
        db.session.commit()
        db.session.remove()
    pages.sign_in(email, factories.PASSWORD)
    for pattern in (*OPEN, *TRADERS, *MANAGERS, *OWNERS, "{bot}/state", "{bot}/series"):
        pages.get(address(desk, pattern), 404)


@pytest.mark.parametrize("pattern", [*OPEN, "{bot}/decisions"])
def test_it_is_shown_after_a_session_too(owner, story, pattern):
    owner.get(address(story, pattern))


@pytest.mark.parametrize("path", ["/account", "/help", "/styleguide"])
def test_pages_outside_workspaces(owner, path):
    owner.get(path)


def test_a_viewer_sees_no_strategy_and_no_buttons(viewer, desk):
    page = viewer.get(desk.bot)
    assert not page.by_class("decision")
    assert not [form for form in page.all("form") if form.get("action").startswith(desk.bot)]


def test_errors_say_what_to_do_and_under_which_number(owner):
    page = owner.get("/nowhere", 404)
    assert "req_" in page.text
    owner.get("/logout", 405)


def test_a_role_needs_its_membership(pages, desk):
    manager = as_person(pages, desk, "manager")
    manager.get(f"{desk.bot}/delete")
