"""What surrounds every page: navigation, workspace switcher, theme, and the workspace in urls."""

from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_login import current_user

from app import current
from app.domain import alarm_kinds, bot_alarms, factors, inbox
from app.domain.access import Permission, can
from app.domain.support import listing
from app.models import Membership, Ticket, Workspace
from app.web import access_pages, banner_pages, hold_pages, incident_pages, places, status_pages
from app.web.guards import allowed, own_memberships

# Text, icon, endpoint, blueprint prefix, permission.
NAVIGATION = (
    ("Dashboard", "home", "dashboard.show", "dashboard", Permission.BOT_VIEW),
    ("Bots", "bot", "bots.index", "bot", Permission.BOT_VIEW),
    ("Strategies", "strategy", "strategies.index", "strateg", Permission.STRATEGY_VIEW),
    ("Backtests", "clock", "backtests.index", "backtests", Permission.STRATEGY_VIEW),
    ("Trades", "updown", "trades.index", "trades", Permission.ANALYTICS_VIEW),
    ("Analytics", "chart", "analytics.index", "analytics", Permission.ANALYTICS_VIEW),
    ("Connections", "connection", "connections.index", "connections", Permission.CONNECTION_VIEW),
    ("Members", "people", "members.index", "member", Permission.MEMBER_VIEW),
    ("Approvals", "check", "approvals.index", "approvals", Permission.BOT_VIEW),
    ("Costs", "gauge", "billing.index", "billing", Permission.BILLING_VIEW),
    ("Support", "chat", "tickets.index", "ticket", Permission.TICKET_OPEN),
    ("Audit log", "audit", "audit_log.index", "audit_log", Permission.AUDIT_VIEW),
    (
        "Settings",
        "settings",
        "workspace_settings.show",
        "workspace_settings",
        Permission.WORKSPACE_UPDATE,
    ),
)

# Text, endpoint, and how the endpoints of the section begin.
ACCOUNT = (
    ("Profile", "account.show", "account."),
    ("Security", "account_security.show", ("account_security.", "account_factor.")),
    ("Sessions", "account_sessions.index", "account_sessions."),
    ("Telegram", "account_telegram.show", "account_telegram."),
    ("Inbox", "inbox.index", "inbox."),
    ("Your data", "account_data.show", "account_data."),
)


def init_app(app: Flask) -> None:
    """Give templates the frame's helpers and ``url_for`` the present workspace."""
    app.url_defaults(_same_workspace)
    app.jinja_env.globals.update(
        allowed=allowed,
        account_tabs=account_tabs,
        factor_wanted=factor_wanted,
        looked_at=access_pages.banner,
        desk_crumbs=desk_crumbs,
        banners=banner_pages.standing,
        app_name=app.config.get("APP_NAME", "plutarc"),
        sends_mail=lambda: current.config().mail_server is not None,
        current_member=lambda: g.get("member"),
        incident_choices=incident_pages.choices,
        navigation=lambda: NAVIGATION,
        open_incidents=status_pages.open_incidents,
        may=lambda member, permission: bool(can(member, permission)),
        own_memberships=own_memberships,
        region_shown=places.shown,
        alarm_title=alarm_kinds.title,
        alarm_cure=alarm_kinds.cure,
        ringing=ringing,
        standing_holds=hold_pages.standing,
        signup_open=lambda: current.config().signup == "open",
        shown_member=shown_member,
        theme=theme,
        unread=unread,
        unread_tickets=unread_tickets,
        is_here=is_here,
    )


def last_membership() -> Membership | None:
    """The membership of the workspace used last, else of the personal one.

    A workspace that is lost, deleted or closed to this person is none to open.
    """
    mine = [item for item in own_memberships() if item.suspended_at is None]
    last = current_user.last_workspace_id
    return next((item for item in mine if item.workspace_id == last), mine[0] if mine else None)


def shown_member() -> Membership | None:
    """The membership the frame is drawn for; pages outside workspaces keep the last one."""
    found: Membership | None = g.get("member")
    return found or last_membership()


def theme() -> str:
    """The theme the page is drawn in; ``auto`` leaves it to the device."""
    if g.get("broken") or not current_user.is_authenticated:
        return "auto"
    return str(current_user.theme)


def factor_wanted() -> Workspace | None:
    """The workspace of this page if it will insist, or does, on a factor that is missing."""
    found: Membership | None = g.get("member")
    if found is None or found.workspace.factor_from is None:
        return None
    return None if factors.confirmed(current_user) else found.workspace


def account_tabs() -> list[tuple[str, str, bool]]:
    """The pages of one's own account: text, address, whether it is this one."""
    return [
        (text, url_for(endpoint), (request.endpoint or "").startswith(section))
        for text, endpoint, section in ACCOUNT
        if endpoint in current_app.view_functions
    ]


def unread() -> int:
    """How many entries of the inbox are unread; the frame of every page shows it."""
    if "unread" not in g:
        g.unread = inbox.unread(current.user())
    found: int = g.unread
    return found


def unread_tickets() -> int:
    """How many of the person's tickets in the workspace shown hold something unseen."""
    member: Membership | None = g.get("member")
    if member is None or not can(member, Permission.TICKET_OPEN):
        return 0
    if "unread_tickets" not in g:
        g.unread_tickets = listing.unread(member)
    found: int = g.unread_tickets
    return found


def ringing() -> int:
    """How many alarms ring in the workspace shown."""
    member: Membership | None = g.get("member")
    if member is None or g.get("broken"):
        return 0
    if "ringing" not in g:
        g.ringing = bot_alarms.count(member.workspace_id)
    found: int = g.ringing
    return found


def desk_crumbs(ticket: Ticket) -> list[tuple[str, str]]:
    """The way back from a page beside a ticket, for operators."""
    return [
        ("Operator", url_for("console.index")),
        ("Tickets", url_for("console_tickets.index")),
        (ticket.ref, url_for("console_tickets.show", ticket_id=ticket.id)),
    ]


def is_here(section: str) -> bool:
    """Whether this page belongs to a section of the navigation."""
    return (request.blueprint or "").startswith(section)


def _same_workspace(endpoint: str, values: dict[str, Any]) -> None:
    """Links within a workspace need not name it."""
    member = g.get("member")
    if member is None or "workspace" in values:
        return
    if current_app.url_map.is_endpoint_expecting(endpoint, "workspace"):
        values["workspace"] = member.workspace_id
