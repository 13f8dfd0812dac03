"""Who may do what in sentences: what each permission allows, by noun, for the help page."""

from app.domain.access import MATRIX, Permission
from app.models.workspace import Role

MEANS: dict[Permission, str] = {
    Permission.WORKSPACE_UPDATE: "Change name, time zone and defaults.",
    Permission.WORKSPACE_SECURITY: "Set the rules on second factors and second persons. "
    "Only an owner may loosen one.",
    Permission.WORKSPACE_DELETE: "Delete it, once no bot is live and no position open.",
    Permission.MEMBER_VIEW: "See who belongs here in which role; e-mails from manager up.",
    Permission.MEMBER_CHANGE_ROLE: "Change roles below the own one; owners change all.",
    Permission.MEMBER_REMOVE: "Remove people with a role below the own one.",
    Permission.INVITATION_MANAGE: "Invite people to roles below the own one.",
    Permission.STRATEGY_VIEW: "Read rules, versions, signals and the decision log.",
    Permission.STRATEGY_MANAGE: "Make strategies and new versions of them.",
    Permission.BOT_VIEW: "See state, activity and address of each bot.",
    Permission.BOT_CREATE: "Make bots; they begin on paper or testnet.",
    Permission.BOT_CONFIGURE: "Change symbols, strategy version, mode, and lower limits.",
    Permission.BOT_START: "Start and resume.",
    Permission.BOT_STOP: "Stop, pause and drain. Nothing ever stands in the way of it.",
    Permission.BOT_SCHEDULE: "Change trading sessions, wake a bot or let it sleep.",
    Permission.BOT_GO_LIVE: "Switch to live. A trader may ask for it.",
    Permission.BOT_DELETE: "Delete a bot without position and orders.",
    Permission.CONNECTION_VIEW: "See exchange connections. Nobody sees their keys.",
    Permission.CONNECTION_MANAGE_TESTNET: "Add, replace and delete testnet keys.",
    Permission.CONNECTION_MANAGE_LIVE: "Add, replace and delete live keys.",
    Permission.POSITION_VIEW: "See positions, orders and trades.",
    Permission.POSITION_CLOSE: "Flatten one bot.",
    Permission.POSITION_PANIC_CLOSE: "Pause, cancel and flatten many bots at once.",
    Permission.RISK_MANAGE: "Raise limits; lowering them is bot.configure.",
    Permission.BACKTEST_RUN: "Try a strategy on the past.",
    Permission.ANALYTICS_VIEW: "See results.",
    Permission.ANALYTICS_EXPORT: "Take results out as files.",
    Permission.BILLING_VIEW: "See what bots cost.",
    Permission.BILLING_MANAGE: "Set budgets and who is told of costs.",
    Permission.AUDIT_VIEW: "Read the audit log, with addresses and e-mails.",
    Permission.AUDIT_EXPORT: "Take the audit log out as a file.",
    Permission.TICKET_OPEN: "Ask for support, and read the own tickets.",
    Permission.TICKET_VIEW_ALL: "Read the tickets of everybody here.",
    Permission.API_TOKEN_MANAGE: "Make tokens that may no more than their maker.",
}

_NOUNS = {"api_token": "API tokens", "analytics": "Analytics", "audit": "Audit log"}


def groups() -> list[tuple[str, list[Permission]]]:
    """Permissions by noun, in the order of the registry."""
    found: dict[str, list[Permission]] = {}
    for permission in Permission:
        found.setdefault(permission.partition(".")[0], []).append(permission)
    return [(_NOUNS.get(noun, noun.capitalize()), held) for noun, held in found.items()]


def totals() -> list[tuple[Role, int]]:
    """How many permissions each role holds, highest role first."""
    return [(role, len(MATRIX[role])) for role in reversed(Role)]
