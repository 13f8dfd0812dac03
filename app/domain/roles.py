"""What each role may do, in three sentences read off the matrix."""

from app.domain.access import MATRIX, Permission
from app.models import Role

SENTENCES: tuple[tuple[str, frozenset[Permission]], ...] = (
    (
        "See bots, positions, results and who else is here",
        frozenset(
            {
                Permission.BOT_VIEW,
                Permission.POSITION_VIEW,
                Permission.ANALYTICS_VIEW,
                Permission.MEMBER_VIEW,
            }
        ),
    ),
    (
        "Build strategies, run bots on paper and testnet, close positions",
        frozenset(
            {
                Permission.STRATEGY_MANAGE,
                Permission.BOT_CREATE,
                Permission.BOT_START,
                Permission.POSITION_CLOSE,
                Permission.CONNECTION_MANAGE_TESTNET,
            }
        ),
    ),
    (
        "Take bots live, raise risk limits, invite people",
        frozenset({Permission.BOT_GO_LIVE, Permission.RISK_MANAGE, Permission.INVITATION_MANAGE}),
    ),
    (
        "Add live exchange keys, change roles and settings, read the audit log",
        frozenset(
            {
                Permission.CONNECTION_MANAGE_LIVE,
                Permission.MEMBER_CHANGE_ROLE,
                Permission.WORKSPACE_UPDATE,
                Permission.AUDIT_VIEW,
            }
        ),
    ),
    (
        "Manage billing, and delete the workspace",
        frozenset({Permission.BILLING_MANAGE, Permission.WORKSPACE_DELETE}),
    ),
)
SHOWN = 3


def summary(role: Role) -> list[tuple[str, bool]]:
    """Three sentences around where the role ends, each with whether the role may."""
    told = [(text, needed <= MATRIX[role]) for text, needed in SENTENCES]
    last = max(index for index, (_, may) in enumerate(told) if may)
    start = min(max(0, last - 1), len(told) - SHOWN)
    return told[start : start + SHOWN]
