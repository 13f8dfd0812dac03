"""Fills on paper: the best and the worst price each may well have had.

Revision: 0011, after 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0008"
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
