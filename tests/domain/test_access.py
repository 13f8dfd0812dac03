"""The matrix, cell by cell."""

import csv
import io

from app.domain import access_guide
from app.domain.access import MATRIX, WHILE_SUSPENDED, Permission, can, may_enter, roles_with
from app.models import Membership, Role, Workspace
from tests.factories import NOW

ROLES = [Role.OWNER, Role.ADMIN, Role.MANAGER, Role.TRADER, Role.VIEWER]
TABLE = """\
workspace.update,1,1,0,0,0
workspace.security,1,1,0,0,0
workspace.delete,1,0,0,0,0
member.view,1,1,1,1,1
member.change_role,1,1,0,0,0
member.remove,1,1,1,0,0
invitation.manage,1,1,1,0,0
strategy.view,1,1,1,1,0
strategy.manage,1,1,1,1,0
bot.view,1,1,1,1,1
bot.create,1,1,1,1,0
bot.configure,1,1,1,1,0
bot.start,1,1,1,1,0
bot.stop,1,1,1,1,0
bot.schedule,1,1,1,1,0
bot.go_live,1,1,1,0,0
bot.delete,1,1,1,0,0
connection.view,1,1,1,1,0
connection.manage_testnet,1,1,1,1,0
connection.manage_live,1,1,0,0,0
position.view,1,1,1,1,1
position.close,1,1,1,1,0
position.panic_close,1,1,1,1,0
risk.manage,1,1,1,0,0
backtest.run,1,1,1,1,0
analytics.view,1,1,1,1,1
analytics.export,1,1,1,1,0
billing.view,1,1,0,0,0
billing.manage,1,0,0,0,0
audit.view,1,1,0,0,0
audit.export,1,1,0,0,0
ticket.open,1,1,1,1,1
ticket.view_all,1,1,0,0,0
api_token.manage,1,1,1,1,0
"""


def test_every_cell():
    rows = list(csv.reader(io.StringIO(TABLE)))
    assert [row[0] for row in rows] == [permission.value for permission in Permission]
    for name, *cells in rows:
        for role, cell in zip(ROLES, cells, strict=True):
            assert (Permission(name) in MATRIX[role]) == (cell == "1"), (name, role)


def test_totals_are_34_32_24_19_5():
    assert [len(MATRIX[role]) for role in ROLES] == [34, 32, 24, 19, 5]


def test_roles_are_nested():
    for lower, higher in zip(list(Role), list(Role)[1:], strict=False):
        assert MATRIX[lower] < MATRIX[higher]


def test_a_refusal_names_the_permission_and_the_way_out():
    member = Membership(role=Role.VIEWER, workspace=Workspace(name="Desk"))
    verdict = can(member, Permission.BOT_START)
    assert not verdict
    assert "bot.start" in verdict.reason
    assert "trader" in verdict.reason
    assert not can(None, Permission.BOT_VIEW)
    assert roles_with(Permission.BILLING_MANAGE) == [Role.OWNER]


def member(role=Role.OWNER, *, suspended=False, **workspace):
    desk = Workspace(name="Desk", **workspace)
    return Membership(role=role, workspace=desk, suspended_at=NOW if suspended else None)


def test_a_suspended_member_may_nothing_and_reads_what_to_do():
    kept_out = member(suspended=True)
    assert not any(can(kept_out, right) for right in Permission)
    assert "suspended" in may_enter(kept_out).reason
    assert "Ask one of its owners" in can(kept_out, Permission.BOT_STOP).reason
    assert may_enter(member())


def test_a_deleted_workspace_gives_no_reason():
    gone = member(deleted_at=NOW)
    assert not any(can(gone, right) or can(gone, right).reason for right in Permission)
    assert not may_enter(gone)
    assert not may_enter(None)


def test_in_a_suspended_workspace_reading_stopping_closing_export_and_billing_work():
    works = {right.value for right in Permission if can(member(suspended_at=NOW), right)}
    reading = {"member", "strategy", "bot", "connection", "position", "analytics", "billing"}
    reading = {f"{noun}.view" for noun in reading | {"audit"}} | {"ticket.view_all"}
    leaving = {"bot.stop", "position.close", "position.panic_close"}
    taking = {"analytics.export", "audit.export", "billing.manage", "ticket.open"}
    assert works == reading | leaving | taking == {right.value for right in WHILE_SUSPENDED}
    refused = can(member(suspended_at=NOW), Permission.BOT_START).reason
    assert "Desk is suspended" in refused
    assert "bot.start" in refused
    assert "Your role" in can(member(Role.VIEWER, suspended_at=NOW), Permission.BOT_STOP).reason


def test_the_guide_says_what_each_permission_means():
    assert list(access_guide.MEANS) == list(Permission)
    assert sum(len(held) for _, held in access_guide.groups()) == 34
    assert [count for _, count in access_guide.totals()] == [34, 32, 24, 19, 5]
