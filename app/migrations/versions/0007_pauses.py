"""Pauses say who and why; holds are of the whole installation alone.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OPEN = "(SELECT current_setting('plutarc.workspace', true))"
PAUSE = ("paused_at", "paused_by", "pause_rule", "pause_reason", "stop_reason")
WORKSPACE = "fk_hold_workspace_id"


def moment():
    return sa.DateTime(timezone=True)


def upgrade():
    with op.batch_alter_table("bot") as bot:
        bot.add_column(sa.Column("paused_at", moment(), nullable=True))
        bot.add_column(sa.Column("paused_by", sa.String(length=40), nullable=True))
        bot.add_column(sa.Column("pause_rule", sa.String(24), nullable=True))
        for reason in ("pause_reason", "stop_reason"):
            bot.add_column(
                sa.Column(reason, sa.String(length=300), nullable=False, server_default="")
            )
    policies("hold")
    op.execute("DELETE FROM hold WHERE workspace_id IS NOT NULL")
    op.drop_index("uq_hold_standing", table_name="hold")
    op.drop_index("ix_hold_workspace_id", table_name="hold")
    with op.batch_alter_table("hold") as hold:
        hold.drop_constraint(WORKSPACE, type_="foreignkey")
        hold.drop_column("workspace_id")
        hold.drop_column("place")
    stands = sa.text("lifted_at IS NULL")
    one = {"unique": True, "sqlite_where": stands, "postgresql_where": stands}
    op.create_index("uq_hold_standing", "hold", ["cause"], **one)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE POLICY hold_all ON hold FOR ALL USING ({OPEN} = '*')")
        op.execute("CREATE POLICY hold_read ON hold FOR SELECT USING (true)")


def downgrade():
    policies("hold", "read")
    op.drop_index("uq_hold_standing", table_name="hold")
    with op.batch_alter_table("hold") as hold:
        hold.add_column(sa.Column("workspace_id", sa.String(length=40), nullable=True))
        hold.add_column(
            sa.Column("place", sa.String(length=40), nullable=False, server_default="installation")
        )
        hold.create_foreign_key(WORKSPACE, "workspace", ["workspace_id"], ["id"])
    op.create_index("ix_hold_workspace_id", "hold", ["workspace_id"], unique=False)
    stands = sa.text("lifted_at IS NULL")
    one = {"unique": True, "sqlite_where": stands, "postgresql_where": stands}
    op.create_index("uq_hold_standing", "hold", ["place", "cause"], **one)
    if op.get_bind().dialect.name == "postgresql":
        condition = f"workspace_id IS NULL OR workspace_id = {OPEN} OR {OPEN} = '*'"
        op.execute(f"CREATE POLICY hold_all ON hold FOR ALL USING ({condition})")
    with op.batch_alter_table("bot") as bot:
        for column in PAUSE:
            bot.drop_column(column)


def policies(table, *more):
    """Take the policies off before what they name goes; SQLite has none."""
    if op.get_bind().dialect.name == "postgresql":
        for name in ("all", *more):
            op.execute(f"DROP POLICY {table}_{name} ON {table}")
