"""Who may do what: 34 permissions, five nested roles, one pure function."""

from dataclasses import dataclass
from enum import StrEnum

from app.models.workspace import Membership, Role


class Permission(StrEnum):
    """Everything a member may be allowed, as ``noun.verb``."""

    WORKSPACE_UPDATE = "workspace.update"
    WORKSPACE_SECURITY = "workspace.security"
    WORKSPACE_DELETE = "workspace.delete"
    MEMBER_VIEW = "member.view"
    MEMBER_CHANGE_ROLE = "member.change_role"
    MEMBER_REMOVE = "member.remove"
    INVITATION_MANAGE = "invitation.manage"
    STRATEGY_VIEW = "strategy.view"
    STRATEGY_MANAGE = "strategy.manage"
    BOT_VIEW = "bot.view"
    BOT_CREATE = "bot.create"
    BOT_CONFIGURE = "bot.configure"
    BOT_START = "bot.start"
    BOT_STOP = "bot.stop"
    BOT_SCHEDULE = "bot.schedule"
    BOT_GO_LIVE = "bot.go_live"
    BOT_DELETE = "bot.delete"
    CONNECTION_VIEW = "connection.view"
    CONNECTION_MANAGE_TESTNET = "connection.manage_testnet"
    CONNECTION_MANAGE_LIVE = "connection.manage_live"
    POSITION_VIEW = "position.view"
    POSITION_CLOSE = "position.close"
    POSITION_PANIC_CLOSE = "position.panic_close"
    RISK_MANAGE = "risk.manage"
    BACKTEST_RUN = "backtest.run"
    ANALYTICS_VIEW = "analytics.view"
    ANALYTICS_EXPORT = "analytics.export"
    BILLING_VIEW = "billing.view"
    BILLING_MANAGE = "billing.manage"
    AUDIT_VIEW = "audit.view"
    AUDIT_EXPORT = "audit.export"
    TICKET_OPEN = "ticket.open"
    TICKET_VIEW_ALL = "ticket.view_all"
    API_TOKEN_MANAGE = "api_token.manage"  # noqa: S105 -- the name of a right, not a secret


class Guard(StrEnum):
    """What some permissions ask for beside the role."""

    REAUTH = "reauth"
    TWO_PERSON = "two_person"
    TYPED_NAME = "typed_name"


GUARDS: dict[Permission, frozenset[Guard]] = {
    Permission.WORKSPACE_SECURITY: frozenset({Guard.REAUTH}),
    Permission.WORKSPACE_DELETE: frozenset({Guard.REAUTH, Guard.TYPED_NAME}),
    Permission.MEMBER_CHANGE_ROLE: frozenset({Guard.REAUTH}),
    Permission.BOT_GO_LIVE: frozenset({Guard.REAUTH, Guard.TWO_PERSON}),
    Permission.BOT_DELETE: frozenset({Guard.TYPED_NAME}),
    Permission.CONNECTION_MANAGE_LIVE: frozenset({Guard.REAUTH}),
    Permission.RISK_MANAGE: frozenset({Guard.REAUTH, Guard.TWO_PERSON}),
    Permission.BILLING_MANAGE: frozenset({Guard.REAUTH}),
    Permission.AUDIT_EXPORT: frozenset({Guard.REAUTH}),
    Permission.API_TOKEN_MANAGE: frozenset({Guard.REAUTH}),
}

WHILE_SUSPENDED: frozenset[Permission] = frozenset(
    {
        # Reading.
        Permission.MEMBER_VIEW,
        Permission.STRATEGY_VIEW,
        Permission.BOT_VIEW,
        Permission.CONNECTION_VIEW,
        Permission.POSITION_VIEW,
        Permission.ANALYTICS_VIEW,
        Permission.BILLING_VIEW,
        Permission.AUDIT_VIEW,
        Permission.TICKET_VIEW_ALL,
        # Getting out of the market is refused to nobody who holds the right.
        Permission.BOT_STOP,
        Permission.POSITION_CLOSE,
        Permission.POSITION_PANIC_CLOSE,
        # Taking one's data along, paying, and asking for help: how a suspension ends.
        Permission.ANALYTICS_EXPORT,
        Permission.AUDIT_EXPORT,
        Permission.BILLING_MANAGE,
        Permission.TICKET_OPEN,
    }
)
"""What still works in a suspended workspace."""

_ADDED: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset(
        {
            Permission.MEMBER_VIEW,
            Permission.BOT_VIEW,
            Permission.POSITION_VIEW,
            Permission.ANALYTICS_VIEW,
            Permission.TICKET_OPEN,
        }
    ),
    Role.TRADER: frozenset(
        {
            Permission.STRATEGY_VIEW,
            Permission.STRATEGY_MANAGE,
            Permission.BOT_CREATE,
            Permission.BOT_CONFIGURE,
            Permission.BOT_START,
            Permission.BOT_STOP,
            Permission.BOT_SCHEDULE,
            Permission.CONNECTION_VIEW,
            Permission.CONNECTION_MANAGE_TESTNET,
            Permission.POSITION_CLOSE,
            Permission.POSITION_PANIC_CLOSE,
            Permission.BACKTEST_RUN,
            Permission.ANALYTICS_EXPORT,
            Permission.API_TOKEN_MANAGE,
        }
    ),
    Role.MANAGER: frozenset(
        {
            Permission.MEMBER_REMOVE,
            Permission.INVITATION_MANAGE,
            Permission.BOT_GO_LIVE,
            Permission.BOT_DELETE,
            Permission.RISK_MANAGE,
        }
    ),
    Role.ADMIN: frozenset(
        {
            Permission.WORKSPACE_UPDATE,
            Permission.WORKSPACE_SECURITY,
            Permission.MEMBER_CHANGE_ROLE,
            Permission.CONNECTION_MANAGE_LIVE,
            Permission.BILLING_VIEW,
            Permission.AUDIT_VIEW,
            Permission.AUDIT_EXPORT,
            Permission.TICKET_VIEW_ALL,
        }
    ),
    Role.OWNER: frozenset({Permission.WORKSPACE_DELETE, Permission.BILLING_MANAGE}),
}


def _matrix() -> dict[Role, frozenset[Permission]]:
    """Each role holds what it adds and all that the roles before it hold."""
    held: frozenset[Permission] = frozenset()
    matrix = {}
    for role in Role:
        held |= _ADDED[role]
        matrix[role] = held
    return matrix


MATRIX: dict[Role, frozenset[Permission]] = _matrix()

NEVER_WAITS = frozenset(
    {Permission.BOT_STOP, Permission.POSITION_CLOSE, Permission.POSITION_PANIC_CLOSE}
)
"""What makes things safer asks for no second factor."""


@dataclass(frozen=True)
class Verdict:
    """Whether it is allowed; ``reason`` is what a member may read when it is not."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.allowed


def may_enter(member: Membership | None) -> Verdict:
    """Whether the workspace is open to ``member`` at all, whatever they may do there.

    Outsiders, and everybody once the workspace is deleted, learn no reason.
    """
    if member is None or member.workspace.deleted_at is not None:
        return Verdict(allowed=False)
    if member.suspended_at is None:
        return Verdict(allowed=True)
    return Verdict(
        allowed=False,
        reason=f"Your membership in {member.workspace.name} is suspended. "
        "Ask one of its owners to restore it.",
    )


def can(member: Membership | None, permission: Permission) -> Verdict:
    """Decide whether ``member`` holds ``permission`` in the workspace of the membership."""
    entrance = may_enter(member)
    if member is None or not entrance:
        return entrance
    name = member.workspace.name
    if permission not in MATRIX[member.role]:
        return Verdict(
            allowed=False,
            reason=f"Your role {member.role} does not include {permission}. "
            f"Ask an owner of {name} for a role that does: {', '.join(roles_with(permission))}.",
        )
    if member.workspace.suspended_at is None or permission in WHILE_SUSPENDED:
        return Verdict(allowed=True)
    return Verdict(
        allowed=False,
        reason=f"{name} is suspended, so {permission} is refused. Reading, stopping, closing, "
        "export and billing still work. Ask whoever runs this server to resume it.",
    )


def may_hand_out(member: Membership, role: Role) -> Verdict:
    """Whether ``member`` may invite to, give, or take away ``role``: only roles below their own.

    Owners may, including owner.
    """
    ranks = list(Role)
    if member.role is Role.OWNER or ranks.index(role) < ranks.index(member.role):
        return Verdict(allowed=True)
    return Verdict(
        allowed=False,
        reason=f"As {member.role} you decide about roles below your own; {role} is not. "
        f"Ask an owner of {member.workspace.name}.",
    )


def may_loosen(member: Membership) -> Verdict:
    """Whether ``member`` may weaken what protects the workspace; strengthening asks for less."""
    if member.role is Role.OWNER and can(member, Permission.WORKSPACE_SECURITY):
        return Verdict(allowed=True)
    return Verdict(
        allowed=False,
        reason=f"Only an owner may loosen the security of {member.workspace.name}; tightening it "
        f"needs {Permission.WORKSPACE_SECURITY}. Ask an owner.",
    )


def may_take_over(member: Membership) -> Verdict:
    """Whether the ownership may pass to ``member`` now, whom it is offered to."""
    if member.workspace.suspended_at is None:
        return Verdict(allowed=True)
    name = member.workspace.name
    return Verdict(
        allowed=False,
        reason=f"{name} is suspended, so its ownership stays where it is. "
        "Ask whoever runs this server to resume it.",
    )


def may_invite(member: Membership, role: Role) -> Verdict:
    """Whether ``member`` may ask somebody in as ``role``; a workspace can keep managers from it."""
    verdict = can(member, Permission.INVITATION_MANAGE)
    if not verdict:
        return verdict
    if member.role is Role.MANAGER and not member.workspace.managers_invite:
        return Verdict(
            allowed=False,
            reason=f"In {member.workspace.name} managers do not invite. Ask an admin or an owner.",
        )
    return may_hand_out(member, role)


def needs_proof(role: Role) -> bool:
    """Whether asking somebody in as ``role`` needs a fresh proof, as giving the role does."""
    return Permission.MEMBER_CHANGE_ROLE in MATRIX[role]


def roles_with(permission: Permission) -> list[Role]:
    """The roles that hold ``permission``, lowest first."""
    return [role for role in Role if permission in MATRIX[role]]
