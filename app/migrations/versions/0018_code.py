"""Dry runs of code strategies.

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

OPEN = "(SELECT current_setting('plutarc.workspace', true))"


def moment():
    return sa.DateTime(timezone=True)


def document():
    return sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade():
    op.create_table(
        "dry_run",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("strategy_id", sa.String(40), nullable=True),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("summary", sa.String(300), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
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
        sa.Column("told", document(), nullable=True),
        sa.Column("created_by", sa.String(40), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name="fk_dry_run_created_by", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_dry_run_workspace_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "strategy_id"],
            ["strategy.workspace_id", "strategy.id"],
            name="fk_dry_run_workspace_id_strategy_id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dry_run"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_dry_run_workspace_id_id"),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "dry_run", columns, unique=False)
    confine()


def downgrade():
    for name in INDEXES:
        op.drop_index(name, table_name="dry_run")
    op.drop_table("dry_run")


INDEXES = {
    "ix_dry_run_workspace_id": ["workspace_id"],
    "ix_dry_run_strategy_id": ["strategy_id"],
    "ix_dry_run_state": ["state", "heard_at"],
    "ix_dry_run_digest": ["workspace_id", "digest"],
}


def confine():
    """A policy as in 0003; SQLite has none."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute('ALTER TABLE "dry_run" ENABLE ROW LEVEL SECURITY')
        op.execute('ALTER TABLE "dry_run" FORCE ROW LEVEL SECURITY')
        within = f"workspace_id = {OPEN} OR {OPEN} = '*'"
        op.execute(f'CREATE POLICY dry_run_all ON "dry_run" FOR ALL USING ({within})')
