"""Previews of rules that are being written.

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OPEN = "(SELECT current_setting('plutarc.workspace', true))"


def moment():
    return sa.DateTime(timezone=True)


def document():
    return sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade():
    op.create_table(
        "preview",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("asked", document(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("holder", sa.String(40), nullable=False),
        sa.Column("heard_at", moment(), nullable=False),
        sa.Column("asked_at", moment(), nullable=False),
        sa.Column("asked_by", sa.String(40), nullable=True),
        sa.Column("fault", document(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["user.id"], name="fk_preview_asked_by", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_preview_workspace_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_preview"),
        sa.UniqueConstraint("workspace_id", "digest", name="uq_preview_workspace_id_digest"),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "preview", columns, unique=False)
    confine()


def downgrade():
    for name in INDEXES:
        op.drop_index(name, table_name="preview")
    op.drop_table("preview")


INDEXES = {
    "ix_preview_workspace_id": ["workspace_id"],
    "ix_preview_newest": ["workspace_id", "asked_at"],
    "ix_preview_old": ["asked_at"],
}


def confine():
    """A policy as in 0003; SQLite has none."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute('ALTER TABLE "preview" ENABLE ROW LEVEL SECURITY')
        op.execute('ALTER TABLE "preview" FORCE ROW LEVEL SECURITY')
        within = f"workspace_id = {OPEN} OR {OPEN} = '*'"
        op.execute(f'CREATE POLICY preview_all ON "preview" FOR ALL USING ({within})')
