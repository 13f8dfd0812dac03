"""Backtests.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

OPEN = "(SELECT current_setting('plutarc.workspace', true))"


def moment():
    return sa.DateTime(timezone=True)


def document():
    return sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade():
    op.create_table(
        "backtest",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("strategy_version_id", sa.String(40), nullable=False),
        sa.Column("note", sa.String(120), nullable=False),
        sa.Column("asked", document(), nullable=False),
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
        sa.Column("figures", document(), nullable=True),
        sa.Column("digest", sa.String(64), nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("created_by", sa.String(40), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name="fk_backtest_created_by", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_backtest_workspace_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "strategy_version_id"],
            ["strategy_version.workspace_id", "strategy_version.id"],
            name="fk_backtest_workspace_id_strategy_version_id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_backtest"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_backtest_workspace_id_id"),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "backtest", columns, unique=False)
    confine()


def downgrade():
    for name in INDEXES:
        op.drop_index(name, table_name="backtest")
    op.drop_table("backtest")


INDEXES = {
    "ix_backtest_workspace_id": ["workspace_id"],
    "ix_backtest_strategy_version_id": ["strategy_version_id"],
    "ix_backtest_newest": ["workspace_id", "created_at"],
    "ix_backtest_state": ["state", "heard_at"],
}


def confine():
    """A policy as in 0003; SQLite has none."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute('ALTER TABLE "backtest" ENABLE ROW LEVEL SECURITY')
        op.execute('ALTER TABLE "backtest" FORCE ROW LEVEL SECURITY')
        within = f"workspace_id = {OPEN} OR {OPEN} = '*'"
        op.execute(f'CREATE POLICY backtest_all ON "backtest" FOR ALL USING ({within})')
