"""Backtests that try many combinations: what kind of run each is.

Revision: 0015, after 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade():
    kind = sa.Column("kind", sa.String(24), nullable=False, server_default="single")
    op.add_column("backtest", kind)


def downgrade():
    op.drop_column("backtest", "kind")
