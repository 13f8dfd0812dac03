"""Fills by the time they were made: one that is told late is found to be so at once.

Revision: 0007, after 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NAME, COLUMNS = "ix_fill_made", ["run_id", "symbol", "filled_at"]


def upgrade():
    op.create_index(NAME, "fill", COLUMNS)


def downgrade():
    op.drop_index(NAME, table_name="fill")
