"""Backtests that try many combinations: what kind of run each is.

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade():
    kind = sa.Column("kind", sa.String(24), nullable=False, server_default="single")
    op.add_column("backtest", kind)


def downgrade():
    op.drop_column("backtest", "kind")
