"""Tasks: code strategies on machines without keys.

Revision: 0019, after 0018
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

WITHIN = "(SELECT current_setting('plutarc.workspace', true))"
OPEN = sa.text("state IN ('waiting', 'running')")
THERE = sa.text("gone_at IS NULL")


def moment(name, *, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def text(name, length):
    return sa.Column(name, sa.String(length), nullable=False)


def number(name):
    return sa.Column(name, sa.Integer(), nullable=False)


def upgrade():
    op.create_table(
        "code_task",
        text("id", 40),
        text("subject", 40),
        text("exchange", 40),
        number("runs"),
        number("seconds"),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        text("state", 24),
        text("step", 40),
        number("done"),
        number("of"),
        number("parts"),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("fault", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True),
        text("token", 64),
        text("token_hash", 64),
        text("boot_id", 64),
        moment("created_at"),
        moment("watched_at"),
        moment("heard_at"),
        moment("started_at", nullable=True),
        moment("ended_at", nullable=True),
        text("machine", 63),
        text("region", 40),
        text("zone", 40),
        sa.Column("leaving", sa.Boolean(), nullable=False),
        text("operation", 120),
        text("request_id", 36),
        number("attempt"),
        moment("try_at"),
        text("problem", 400),
        moment("inserted_at", nullable=True),
        moment("gone_at", nullable=True),
        text("workspace_id", 40),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_code_task_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_code_task"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_code_task_workspace_id_id"),
        sa.UniqueConstraint("machine", name="uq_code_task_machine"),
    )
    index()
    confine()


def downgrade():
    op.drop_table("code_task")


def index():
    op.create_index("ix_code_task_workspace_id", "code_task", ["workspace_id"], unique=False)
    op.create_index("ix_code_task_subject", "code_task", ["subject"], unique=False)
    partly("uq_code_task_open", ["workspace_id"], OPEN, unique=True)
    partly("ix_code_task_there", ["try_at"], THERE, unique=False)


def partly(name, columns, where, *, unique):
    op.create_index(
        name, "code_task", columns, unique=unique, sqlite_where=where, postgresql_where=where
    )


def confine():
    """A policy as in 0003; SQLite has none."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute('ALTER TABLE "code_task" ENABLE ROW LEVEL SECURITY')
        op.execute('ALTER TABLE "code_task" FORCE ROW LEVEL SECURITY')
        within = f"workspace_id = {WITHIN} OR {WITHIN} = '*'"
        op.execute(f'CREATE POLICY code_task_all ON "code_task" FOR ALL USING ({within})')
