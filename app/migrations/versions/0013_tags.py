"""Tags of strategies.

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

OPEN = "(SELECT current_setting('plutarc.workspace', true))"


def upgrade():
    op.create_table(
        "strategy_tag",
        sa.Column("strategy_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(30), nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "strategy_id"],
            ["strategy.workspace_id", "strategy.id"],
            name="fk_strategy_tag_workspace_id_strategy_id",
        ),
        sa.PrimaryKeyConstraint("strategy_id", "name", name="pk_strategy_tag"),
    )
    op.create_index("ix_strategy_tag_name", "strategy_tag", ["workspace_id", "name"], unique=False)
    confine()


def downgrade():
    op.drop_index("ix_strategy_tag_name", table_name="strategy_tag")
    op.drop_table("strategy_tag")


def confine():
    """A policy as in 0003; SQLite has none."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute('ALTER TABLE "strategy_tag" ENABLE ROW LEVEL SECURITY')
        op.execute('ALTER TABLE "strategy_tag" FORCE ROW LEVEL SECURITY')
        within = f"workspace_id = {OPEN} OR {OPEN} = '*'"
        op.execute(f'CREATE POLICY strategy_tag_all ON "strategy_tag" FOR ALL USING ({within})')
