"""Fills on paper: the best and the worst price each may well have had.

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BAND = ("optimistic", "pessimistic")


def upgrade():
    for name in BAND:
        amount = sa.Numeric().with_variant(sa.String(60), "sqlite")
        op.add_column("fill", sa.Column(name, amount, nullable=True))


def downgrade():
    for name in BAND:
        op.drop_column("fill", name)
