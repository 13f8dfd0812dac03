"""Signals from outside, and paper balances that begin anew.

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OPEN = "(SELECT current_setting('plutarc.workspace', true))"
TABLES = ("signal_hook", "signal")
INDEXES = {
    "ix_signal_hook_workspace_id": ("signal_hook", ["workspace_id"]),
    "ix_signal_workspace_id": ("signal", ["workspace_id"]),
    "ix_signal_newest": ("signal", ["bot_id", "received_at"]),
    "ix_signal_state": ("signal", ["bot_id", "state"]),
}


def moment():
    return sa.DateTime(timezone=True)


def document():
    return sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade():
    op.add_column("bot", sa.Column("paper_reset_at", moment(), nullable=True))
    op.create_table(
        "signal_hook",
        sa.Column("bot_id", sa.String(40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("hint", sa.String(4), nullable=False),
        sa.Column("max_age", sa.Integer(), nullable=False),
        sa.Column("sources", document(), nullable=False),
        sa.Column("aliases", document(), nullable=False),
        sa.Column("created_by", sa.String(40), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("rotated_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name="fk_signal_hook_created_by", ondelete="SET NULL"
        ),
        *owned("signal_hook"),
        sa.PrimaryKeyConstraint("bot_id", name="pk_signal_hook"),
    )
    op.create_table(
        "signal",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("bot_id", sa.String(40), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("key", sa.String(64), nullable=True),
        sa.Column("symbol", sa.String(40), nullable=False),
        sa.Column("action", sa.String(24), nullable=True),
        sa.Column("said", document(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("sent_at", moment(), nullable=True),
        sa.Column("received_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_at", moment(), nullable=False),
        sa.Column("machine_id", sa.String(40), nullable=True),
        sa.Column("delivered_at", moment(), nullable=True),
        sa.Column("decided_at", moment(), nullable=True),
        sa.Column("outcome", sa.String(24), nullable=True),
        sa.Column("verdicts", document(), nullable=False),
        sa.Column("order_id", sa.String(60), nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        *owned("signal"),
        sa.PrimaryKeyConstraint("id", name="pk_signal"),
        sa.UniqueConstraint("bot_id", "key", name="uq_signal_bot_id_key"),
    )
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns, unique=False)
    confine()


def downgrade():
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table_name=table)
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("bot", "paper_reset_at")


def owned(table):
    """Whose row it is: the bot's, and through it the workspace's."""
    return (
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=f"fk_{table}_workspace_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name=f"fk_{table}_workspace_id_bot_id",
        ),
    )


def confine():
    """Policies as in 0003; SQLite has none."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for table in TABLES:
        op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        within = f"workspace_id = {OPEN} OR {OPEN} = '*'"
        op.execute(f'CREATE POLICY {table}_all ON "{table}" FOR ALL USING ({within})')
