"""Every route, as every role: hidden buttons are no check, so each is pressed by those without."""

import re

import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.access import MATRIX, Permission
from app.extensions import db
from app.models import AuditEvent, Role
from app.web import guards
from tests import factories
from tests.views.conftest import as_person

KINDS = {"public", "signed_in", "member", "operator", "runner", "webhook", "api"}
VERBS = {
    "audit/checkpoints": "audit.export",
    "audit/export": "audit.export",
    "approvals/<approval_id>/approve": "bot.view",
    "approvals/<approval_id>/reject": "bot.view",
    "approvals/<approval_id>/cancel": "bot.view",
    "strategies/code": "strategy.manage",
    "strategies/code/<dry_run_id>/version": "strategy.manage",
    "backtests/new": "backtest.run",
    "backtests/sweep": "backtest.run",
    "backtests/walk-forward": "backtest.run",
    "backtests/<backtest_id>/cancel": "backtest.run",
    "backtests/<backtest_id>/rerun": "backtest.run",
    "backtests/<backtest_id>/delete": "backtest.run",
    "bots/<bot_id>/start": "bot.start",
    "bots/<bot_id>/stop": "bot.stop",
    "bots/<bot_id>/pause": "bot.stop",
    "bots/<bot_id>/resume": "bot.start",
    "bots/<bot_id>/retry": "bot.start",
    "bots/<bot_id>/flatten": "position.close",
    "bots/<bot_id>/write-off": "position.close",
    "bots/<bot_id>/alarms/<bot_alarm_id>/take": "bot.stop",
    "bots/<bot_id>/schedule": "bot.schedule",
    "bots/<bot_id>/wish": "bot.schedule",
    "bots/<bot_id>/mode": "bot.configure",
    "bots/<bot_id>/live": "bot.configure",
    "bots/<bot_id>/live/check": "bot.configure",
    "bots/<bot_id>/readiness": "backtest.run",
    "bots/<bot_id>/readiness/cancel": "backtest.run",
    "bots/<bot_id>/guide/opened": "bot.start",
    "bots/<bot_id>/guide/closed": "bot.start",
    "bots/<bot_id>/guide/hide": "bot.start",
    "bots/<bot_id>/guide/show": "bot.start",
    "bots/<bot_id>/edit": "bot.configure",
    "bots/<bot_id>/clone": "bot.create",
    "bots/<bot_id>/paper-reset": "bot.configure",
    "bots/<bot_id>/signals/secret": "bot.configure",
    "bots/<bot_id>/signals/revoke": "bot.configure",
    "bots/<bot_id>/signals/settings": "bot.configure",
    "bots/<bot_id>/signals/test": "bot.configure",
    "bots/<bot_id>/delete": "bot.delete",
    "bots/new": "bot.create",
    "billing/budget": "billing.manage",
    "billing/contacts": "billing.manage",
    "billing/contacts/<contact_id>/again": "billing.manage",
    "billing/contacts/<contact_id>/remove": "billing.manage",
    "connections/new": "connection.manage_testnet",
    "connections/practice": "connection.manage_testnet",
    "connections/<connection_id>/edit": "connection.manage_testnet",
    "connections/<connection_id>/activity": "connection.manage_testnet",
    "connections/<connection_id>/delete": "connection.manage_testnet",
    "connections/<connection_id>/certify": "connection.manage_testnet",
    "connections/certifications/<run_id>/cancel": "connection.manage_testnet",
    "leave": "member",
    "members/<member_id>/role": "member.change_role",
    "members/<member_id>/suspend": "member.remove",
    "members/<member_id>/restore": "member.remove",
    "members/<member_id>/remove": "member.remove",
    "ownership": "member.change_role",
    "ownership/<offer_id>/accept": "member",
    "ownership/<offer_id>/decline": "member",
    "ownership/<offer_id>/cancel": "member",
    "settings": "workspace.update",
    "settings/delete": "workspace.delete",
    "invitations": "invitation.manage",
    "invitations/<invitation_id>/resend": "invitation.manage",
    "invitations/<invitation_id>/revoke": "invitation.manage",
    "panic": "position.panic_close",
    "panic/<kill_id>/resume": "bot.start",
    "settings/defaults": "workspace.update",
    "settings/limits": "risk.manage",
    "settings/security": "workspace.security",
    "strategies/new": "strategy.manage",
    "strategies/import": "strategy.manage",
    "strategies/<strategy_id>/edit": "strategy.manage",
    "strategies/<strategy_id>/v/<int:number>/copy": "strategy.view",
    "strategies/<strategy_id>/v/<int:number>/duplicate": "strategy.manage",
    "strategies/<strategy_id>/archive": "strategy.manage",
    "strategies/<strategy_id>/preview": "strategy.manage",
    "strategies/<strategy_id>/tags": "strategy.manage",
    "strategies/<strategy_id>/restore": "strategy.manage",
    "trades/<trade_id>/note": "bot.configure",
    "tickets/new": "ticket.open",
    "tickets/hints": "ticket.open",
    "tickets/<ticket_id>/bundles": "ticket.open",
    "tickets/<ticket_id>/bundles/<bundle_id>/withdraw": "ticket.open",
    "tickets/<ticket_id>/access/<access_id>/grant": "ticket.open",
    "tickets/<ticket_id>/access/<access_id>/refuse": "ticket.open",
    "tickets/<ticket_id>/access/<access_id>/end": "ticket.open",
    "tickets/<ticket_id>/messages": "ticket.open",
    "tickets/<ticket_id>/messages/<message_id>/edit": "ticket.open",
    "tickets/<ticket_id>/need-help": "ticket.open",
    "tickets/<ticket_id>/reopen": "ticket.open",
    "tickets/<ticket_id>/seen": "ticket.open",
    "tickets/<ticket_id>/solve": "ticket.open",
}
NAMES = {"bot_id": "resting", "strategy_id": "strategy"}


def routes(house, desk):
    """Method, address and right of every route that asks for one."""
    for rule in house.url_map.iter_rules():
        guard = rule.endpoint != "static" and guards.guard_of(house, rule.endpoint)
        if not guard or guard in KINDS:
            continue
        ids = {
            name: getattr(desk, NAMES.get(name, ""), "/x").rpartition("/")[2]
            for name in rule.arguments
        }
        numbers = {"number": 1, "year": 2026}
        ids |= {"workspace": desk.id}
        ids |= {name: value for name, value in numbers.items() if name in rule.arguments}
        with house.test_request_context():
            address = rule.build(ids, append_unknown=False)[1]
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield method, address, Permission(guard)


def knock(pages, method, address, status):
    if method == "GET":
        pages.get(address, status)
    else:
        pages.post(address, status)


@pytest.mark.parametrize("role", ["viewer", "trader", "manager"])
def test_who_lacks_the_right_is_refused_by_every_route_and_it_is_kept(pages, house, desk, role):
    person = as_person(pages, desk, role)
    held = MATRIX[Role(role)]
    refused = [it for it in routes(house, desk) if it[2] not in held]
    for method, address, right in refused:
        knock(person, method, address, 403)
        assert right.value in person.page.text
    with house.app_context():
        denied = select(AuditEvent).where(
            AuditEvent.chain == desk.id, AuditEvent.action == "access.denied"
        )
        assert len(db.session.scalars(denied).all()) == len(refused)
        db.session.remove()


def test_to_a_stranger_a_foreign_workspace_reads_like_one_that_never_was(pages, house, desk):
    with house.app_context():
        email = factories.user("Stranger").email
        db.session.commit()
        db.session.remove()
    pages.become(email)
    for method, address, _ in list(routes(house, desk)):
        knock(pages, method, address, 404)
        foreign = without_number(pages.response)
        knock(pages, method, address.replace(desk.id, "ws_00000000000000000000000000"), 404)
        assert without_number(pages.response) == foreign


def test_each_verb_asks_for_its_own_right(house):
    asked = {
        rule.rule.removeprefix("/w/<workspace>/"): guards.guard_of(house, rule.endpoint)
        for rule in house.url_map.iter_rules()
        if "POST" in rule.methods and rule.rule.startswith("/w/")
    }
    assert asked == VERBS


def without_number(response):
    """The page without what differs between any two of them."""
    return re.sub(r"req_\w+|ws_\w+|[\w.-]{60,}", "", response.get_data(as_text=True))


def test_what_belongs_to_a_workspace_is_under_its_name(house, desk):
    for rule in house.url_map.iter_rules():
        if rule.endpoint != "static":
            asks = guards.guard_of(house, rule.endpoint) not in KINDS - {"member"}
            assert asks == rule.rule.startswith("/w/<workspace>/"), rule.rule


def test_a_route_without_a_guard_stops_the_process():
    bare = Flask(__name__)
    bare.add_url_rule("/open", "open", lambda: "")
    with pytest.raises(RuntimeError, match="/open"):
        guards.check_every_route(bare)


def test_a_right_that_nobody_has_heard_of_stops_the_process():
    with pytest.raises(ValueError, match=r"bot\.fly"):
        guards.requires("bot.fly")
