from datetime import UTC, datetime

from app.domain import workspaces
from app.extensions import db
from app.models import Role, User, Workspace
from tests import factories


def another(house, people, role):
    """A second workspace of the trader, in which they have this role."""
    now = datetime.now(UTC)
    with house.app_context():
        workspace = factories.organisation(now=now)
        workspace.name = "Night Watch"
        trader = db.session.get(User, people["trader"][0])
        workspaces.add_member(workspace, trader, role, by=factories.TESTER, now=now)
        db.session.commit()
        made = workspace.id
        db.session.remove()
    return made


def test_a_strategy_is_taken_along(trader, desk, house, people):
    there = another(house, people, Role.TRADER)
    page = trader.get(f"{desk.strategy}/v/1/copy")
    offered = [o.get("value") for o in page.by_id("workspace").all("option")]
    assert there in offered
    assert desk.id not in offered
    page = trader.post(f"{desk.strategy}/v/1/copy", workspace=there, name="Taken along")
    assert trader.at.startswith(f"/w/{there}/strategies/")
    assert "of Harbour Desk, by Trader" in page.text


def test_where_one_may_make_none_it_goes_nowhere(trader, desk, house, people):
    there = another(house, people, Role.VIEWER)
    trader.get(f"{desk.strategy}/v/1/copy")
    for wanted in (there, "ws_unknown", desk.id):
        page = trader.post(f"{desk.strategy}/v/1/copy", 422, workspace=wanted, name="Kept")
        assert page.by_id("workspace_error")
        assert page.by_id("name").get("value") == "Kept"


def test_where_a_second_factor_is_demanded_nothing_goes_without_one(trader, desk, house, people):
    there = another(house, people, Role.TRADER)
    with house.app_context():
        db.session.get(Workspace, there).factor_from = factories.NOW
        db.session.commit()
        db.session.remove()
    page = trader.get(f"{desk.strategy}/v/1/copy")
    assert there not in [o.get("value") for o in page.by_id("workspace").all("option")]
    page = trader.post(f"{desk.strategy}/v/1/copy", 422, workspace=there, name="Kept")
    assert page.by_id("workspace_error")
