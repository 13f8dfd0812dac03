"""Readiness for real money: checks of a bot against a backtest, and guides people were shown.

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

OPEN = "(SELECT current_setting('plutarc.workspace', true))"
PERSON = "(SELECT current_setting('plutarc.user', true))"


def moment():
    return sa.DateTime(timezone=True)


def document():
    return sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade():
    add_checks()
    op.create_table(
        "guide_progress",
        sa.Column("user_id", sa.String(40), nullable=False),
        sa.Column("guide", sa.String(24), nullable=False),
        sa.Column("opened_at", moment(), nullable=True),
        sa.Column("closed_at", moment(), nullable=True),
        sa.Column("hidden_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_guide_progress_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "guide", name="pk_guide_progress"),
    )
    confine("readiness_check", f"workspace_id = {OPEN} OR {OPEN} = '*'")
    confine("guide_progress", f"user_id = {PERSON} OR {OPEN} = '*'")


def downgrade():
    op.drop_table("guide_progress")
    for name in INDEXES:
        op.drop_index(name, table_name="readiness_check")
    op.drop_table("readiness_check")


def add_checks():
    op.create_table(
        "readiness_check",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("bot_id", sa.String(40), nullable=False),
        sa.Column("strategy_version_id", sa.String(40), nullable=False),
        sa.Column("symbols", document(), nullable=False),
        sa.Column("mode", sa.String(24), nullable=False),
        sa.Column("since", moment(), nullable=True),
        sa.Column("until", moment(), nullable=True),
        sa.Column("parity", document(), nullable=True),
        sa.Column("drift", document(), nullable=True),
        sa.Column("pinned", document(), nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(40), nullable=False),
        sa.Column("cancel_at", moment(), nullable=True),
        sa.Column("heard_at", moment(), nullable=False),
        sa.Column("started_at", moment(), nullable=True),
        sa.Column("ended_at", moment(), nullable=True),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("fault", document(), nullable=True),
        sa.Column("created_by", sa.String(40), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name="fk_readiness_check_created_by", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_readiness_check_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_readiness_check_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "strategy_version_id"],
            ["strategy_version.workspace_id", "strategy_version.id"],
            name="fk_readiness_check_workspace_id_strategy_version_id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_readiness_check"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_readiness_check_workspace_id_id"),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "readiness_check", columns, unique=False)


INDEXES = {
    "ix_readiness_check_workspace_id": ["workspace_id"],
    "ix_readiness_check_strategy_version_id": ["strategy_version_id"],
    "ix_readiness_check_newest": ["bot_id", "created_at"],
    "ix_readiness_check_state": ["state", "heard_at"],
}


def confine(table, within):
    """A policy as in 0003; SQLite has none."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        op.execute(f'CREATE POLICY {table}_all ON "{table}" FOR ALL USING ({within})')
