"""Certifications: testers and their keys, reports, and those made here.

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

WITHIN = "(SELECT current_setting('plutarc.workspace', true))"
OWN = sa.text("own AND revoked_at IS NULL")
AT_WORK = sa.text("state IN ('queued', 'running')")


def moment(name, *, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def text(name, length, *, nullable=False):
    return sa.Column(name, sa.String(length), nullable=nullable)


def document(name, *, nullable=False):
    return sa.Column(name, sa.JSON().with_variant(JSONB(), "postgresql"), nullable=nullable)


def content(name, *, nullable=False):
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def person(table, column):
    return sa.ForeignKeyConstraint(
        [column], ["user.id"], name=f"fk_{table}_{column}", ondelete="SET NULL"
    )


def upgrade():
    testers()
    reports()
    runs()
    confine()


def downgrade():
    for table in ("certification_run", "certification", "tester"):
        op.drop_table(table)


def testers():
    op.create_table(
        "tester",
        text("id", 40),
        text("name", 80),
        text("public_key", 44),
        text("note", 300),
        sa.Column("own", sa.Boolean(), nullable=False),
        content("sealed", nullable=True),
        text("created_by", 40, nullable=True),
        moment("created_at"),
        moment("revoked_at", nullable=True),
        person("tester", "created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_tester"),
        sa.UniqueConstraint("public_key", name="uq_tester_public_key"),
    )
    partly("uq_tester_own", "tester", ["own"], OWN)


def reports():
    op.create_table(
        "certification",
        text("id", 40),
        text("tester_id", 40),
        text("digest", 64),
        text("exchange", 24),
        text("environment", 24),
        text("runner_version", 20),
        moment("ended_at"),
        sa.Column("passed", sa.Boolean(), nullable=False),
        content("content"),
        text("received_by", 40, nullable=True),
        moment("received_at"),
        sa.ForeignKeyConstraint(["tester_id"], ["tester.id"], name="fk_certification_tester_id"),
        person("certification", "received_by"),
        sa.PrimaryKeyConstraint("id", name="pk_certification"),
        sa.UniqueConstraint("digest", name="uq_certification_digest"),
    )
    op.create_index("ix_certification_tester_id", "certification", ["tester_id"])
    place = ["exchange", "environment", "ended_at"]
    op.create_index("ix_certification_place", "certification", place)


def runs():
    op.create_table(
        "certification_run",
        text("id", 40),
        text("connection_id", 40),
        text("symbol", 40),
        document("lines"),
        text("token_hash", 64),
        content("report", nullable=True),
        text("certification_id", 40, nullable=True),
        text("state", 24),
        text("step", 40),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        text("holder", 40),
        moment("cancel_at", nullable=True),
        moment("heard_at"),
        moment("started_at", nullable=True),
        moment("ended_at", nullable=True),
        sa.Column("log", sa.Text(), nullable=False),
        document("fault", nullable=True),
        text("created_by", 40, nullable=True),
        moment("created_at"),
        text("workspace_id", 40),
        *belongs(),
        person("certification_run", "created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_certification_run"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_certification_run_workspace_id_id"),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "certification_run", columns)
    partly("uq_certification_run_at_work", "certification_run", ["connection_id"], AT_WORK)


INDEXES = {
    "ix_certification_run_workspace_id": ["workspace_id"],
    "ix_certification_run_newest": ["workspace_id", "connection_id", "created_at"],
    "ix_certification_run_state": ["state", "heard_at"],
}


def belongs():
    return (
        sa.ForeignKeyConstraint(
            ["workspace_id", "connection_id"],
            ["connection.workspace_id", "connection.id"],
            name="fk_certification_run_workspace_id_connection_id",
        ),
        sa.ForeignKeyConstraint(
            ["certification_id"],
            ["certification.id"],
            name="fk_certification_run_certification_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_certification_run_workspace_id",
            ondelete="RESTRICT",
        ),
    )


def partly(name, table, columns, where):
    op.create_index(name, table, columns, unique=True, sqlite_where=where, postgresql_where=where)


def confine():
    """A policy as in 0003; SQLite has none."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute('ALTER TABLE "certification_run" ENABLE ROW LEVEL SECURITY')
        op.execute('ALTER TABLE "certification_run" FORCE ROW LEVEL SECURITY')
        within = f"workspace_id = {WITHIN} OR {WITHIN} = '*'"
        op.execute(
            f'CREATE POLICY certification_run_all ON "certification_run" FOR ALL USING ({within})'
        )
