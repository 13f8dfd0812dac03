"""Row policies on PostgreSQL: the last net between two workspaces, under everything else.

A transaction says which workspace is open (``plutarc.workspace``; ``*`` is every one) and for whom
(``plutarc.user``), as ``app/tenancy.py`` does; without a word nothing is there. FORCE binds the
owner of the tables too. Superusers and roles with BYPASSRLS pass; ``doctor`` warns of them.

Revision: 0003, after 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Rows of exactly one workspace.
OWNED = (
    "approval",
    "bot",
    "bot_address",
    "bot_command",
    "bot_compute",
    "bot_order",
    "candle",
    "checkpoint",
    "cloud_operation",
    "connection",
    "decision",
    "equity_point",
    "fill",
    "invitation",
    "invitation_link",
    "machine",
    "ownership_offer",
    "position",
    "run",
    "runner_notice",
    "strategy",
    "strategy_version",
    "ticket",
    "ticket_message",
    "trade",
    "usage_interval",
)
# Rows of a workspace or of none: what belongs to none was never a workspace's to hide, and is
# written and read where none is open (sign-in, its throttle, letters to accounts).
SHARED = ("audit_event", "mail", "outbox")
CHAINS = ("audit_head", "audit_checkpoint")
OTHERS = ("membership", "notice", "ticket_note", "workspace")

# A scalar subquery is read once for a statement and not once for each row.
OPEN = "(SELECT current_setting('plutarc.workspace', true))"
PERSON = "(SELECT current_setting('plutarc.user', true))"


def within(column):
    return f"{column} = {OPEN} OR {OPEN} = '*'"


def policies():
    """Table, what the policy is for, and its condition."""
    for table in OWNED:
        yield table, "ALL", within("workspace_id")
    for table in SHARED:
        yield table, "ALL", f"workspace_id IS NULL OR {within('workspace_id')}"
    for table in CHAINS:
        # Chains of accounts and of the platform belong to no workspace either.
        yield table, "ALL", f"left(chain, 3) <> 'ws_' OR {within('chain')}"
    yield "membership", "ALL", within("workspace_id")
    yield "membership", "SELECT", f"user_id = {PERSON}"
    yield "workspace", "ALL", within("id")
    mine = "SELECT 1 FROM membership m WHERE m.workspace_id = workspace.id AND m.user_id"
    yield "workspace", "SELECT", f"EXISTS ({mine} = {PERSON})"
    # An inbox is its person's; what a workspace tells is seen while that workspace is open.
    yield "notice", "ALL", f"user_id = {PERSON} OR {within('workspace_id')}"
    yield "ticket_note", "ALL", f"{OPEN} = '*'"


def upgrade():
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in (*OWNED, *SHARED, *CHAINS, *OTHERS):
        op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
    for table, verb, condition in policies():
        name = f"{table}_{verb.lower()}"
        op.execute(f'CREATE POLICY {name} ON "{table}" FOR {verb} USING ({condition})')


def downgrade():
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, verb, _ in policies():
        op.execute(f'DROP POLICY {table}_{verb.lower()} ON "{table}"')
    for table in (*OWNED, *SHARED, *CHAINS, *OTHERS):
        op.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        op.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
