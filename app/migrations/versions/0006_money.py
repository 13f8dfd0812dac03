"""Money safety: flows of money, stops at the venue, limits passed.

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Rows of exactly one workspace.
OWNED = ("cash_flow", "limit_breach", "protection")

# The same, of the kill switch and of alarms; holds may belong to no workspace.
SAFETY = ("bot_alarm", "kill", "kill_bot")
LIVE_KEY = "fk_bot_workspace_id_live_connection_id"
GOLIVE = (
    "live_connection_id",
    "disaster_stop_percent",
    "on_end",
    "grace_minutes",
    "approved_revision",
)

OPEN = "(SELECT current_setting('plutarc.workspace', true))"


def moment():
    return sa.DateTime(timezone=True)


def amount():
    return sa.Numeric().with_variant(sa.String(60), "sqlite")


def row_number():
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def document():
    return sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def confine(table, condition):
    """A policy as in 0003; SQLite has none."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        op.execute(f'CREATE POLICY {table}_all ON "{table}" FOR ALL USING ({condition})')


def of_bot(table):
    return sa.ForeignKeyConstraint(
        ["workspace_id", "bot_id"],
        ["bot.workspace_id", "bot.id"],
        name=f"fk_{table}_workspace_id_bot_id",
    )


def of_run(table):
    return sa.ForeignKeyConstraint(
        ["workspace_id", "run_id"],
        ["run.workspace_id", "run.id"],
        name=f"fk_{table}_workspace_id_run_id",
    )


def told_by_a_runner(table):
    return (
        sa.Column("number", row_number(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        of_bot(table),
        of_run(table),
        sa.PrimaryKeyConstraint("number", name=f"pk_{table}"),
    )


def upgrade():
    lay_tables()
    lay_golive()
    for table in OWNED:
        confine(table, f"workspace_id = {OPEN} OR {OPEN} = '*'")
    lay_safety()


def downgrade():
    lift_safety()
    for index in ("standing", "due"):
        op.drop_index(f"ix_limit_breach_{index}", table_name="limit_breach")
    for table in ("cash_flow", "limit_breach"):
        op.drop_index(f"ix_{table}_newest", table_name=table)
    for table in OWNED:
        op.drop_table(table)
    lift_golive()


def lay_golive():
    """A bot's live key and what protects it there; which account the venue says a key is of."""
    with op.batch_alter_table("bot") as bot:
        bot.add_column(sa.Column("live_connection_id", sa.String(length=40), nullable=True))
        bot.add_column(sa.Column("disaster_stop_percent", amount(), nullable=True))
        bot.add_column(
            sa.Column("on_end", sa.String(24), nullable=False, server_default="protected")
        )
        bot.add_column(sa.Column("grace_minutes", sa.Integer(), nullable=True))
        bot.add_column(sa.Column("approved_revision", sa.String(length=64), nullable=True))
        bot.create_foreign_key(
            LIVE_KEY, "connection", ["workspace_id", "live_connection_id"], ["workspace_id", "id"]
        )
    op.add_column("connection", sa.Column("venue_account", sa.String(length=64), nullable=True))
    op.create_index("ix_connection_venue_account", "connection", ["venue_account"], unique=False)


def lift_golive():
    op.drop_index("ix_connection_venue_account", table_name="connection")
    op.drop_column("connection", "venue_account")
    with op.batch_alter_table("bot") as bot:
        bot.drop_constraint(LIVE_KEY, type_="foreignkey")
        for column in GOLIVE:
            bot.drop_column(column)


def lay_tables():
    op.create_table(
        "cash_flow",
        sa.Column("flow_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("amount", amount(), nullable=False),
        sa.Column("currency", sa.String(length=16), nullable=False),
        sa.Column("symbol", sa.String(length=40), nullable=True),
        sa.Column("at", moment(), nullable=False),
        *told_by_a_runner("cash_flow"),
        sa.UniqueConstraint("run_id", "flow_id", name="uq_cash_flow_run_id_flow_id"),
    )
    op.create_index("ix_cash_flow_newest", "cash_flow", ["bot_id", "number"], unique=False)
    op.create_table(
        "protection",
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("symbol", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("stop_id", sa.String(length=60), nullable=True),
        sa.Column("price", amount(), nullable=True),
        sa.Column("quantity", amount(), nullable=True),
        sa.Column("verified_at", moment(), nullable=True),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("reported_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        of_bot("protection"),
        sa.PrimaryKeyConstraint("bot_id", "symbol", name="pk_protection"),
    )
    op.create_table(
        "limit_breach",
        sa.Column("limit", sa.String(length=40), nullable=False),
        sa.Column("value", amount(), nullable=False),
        sa.Column("bound", amount(), nullable=False),
        sa.Column("policy", sa.String(24), nullable=False),
        sa.Column("symbol", sa.String(length=40), nullable=True),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.Column("over_at", moment(), nullable=True),
        sa.Column("followed_at", moment(), nullable=True),
        *told_by_a_runner("limit_breach"),
    )
    op.create_index("ix_limit_breach_newest", "limit_breach", ["bot_id", "number"], unique=False)
    standing = ["workspace_id", "over_at"]
    op.create_index("ix_limit_breach_standing", "limit_breach", standing, unique=False)
    due = sa.text("followed_at IS NULL")
    op.create_index(
        "ix_limit_breach_due", "limit_breach", ["number"], sqlite_where=due, postgresql_where=due
    )


def by_a_person(table, column):
    return sa.ForeignKeyConstraint(
        [column], ["user.id"], name=f"fk_{table}_{column}", ondelete="SET NULL"
    )


def one_at_a_time(name, table, columns, condition):
    op.create_index(
        name,
        table,
        columns,
        unique=True,
        sqlite_where=sa.text(condition),
        postgresql_where=sa.text(condition),
    )


def lay_safety():
    lay_kills()
    op.create_table(
        "hold",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=True),
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=24), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("imposed_by", sa.String(length=40), nullable=True),
        sa.Column("since", moment(), nullable=False),
        sa.Column("lifted_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_hold_workspace_id"),
        by_a_person("hold", "imposed_by"),
        sa.PrimaryKeyConstraint("id", name="pk_hold"),
    )
    op.create_index("ix_hold_workspace_id", "hold", ["workspace_id"], unique=False)
    one_at_a_time("uq_hold_standing", "hold", ["place", "cause"], "lifted_at IS NULL")
    op.create_table(
        "bot_alarm",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("text", sa.String(length=400), nullable=False),
        sa.Column("first_at", moment(), nullable=False),
        sa.Column("last_at", moment(), nullable=False),
        sa.Column("ended_at", moment(), nullable=True),
        sa.Column("taken_by", sa.String(length=40), nullable=True),
        sa.Column("taken_at", moment(), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        of_bot("bot_alarm"),
        by_a_person("bot_alarm", "taken_by"),
        sa.PrimaryKeyConstraint("id", name="pk_bot_alarm"),
    )
    one_at_a_time("uq_bot_alarm_rings", "bot_alarm", ["bot_id", "code"], "ended_at IS NULL")
    newest = ["workspace_id", "first_at"]
    op.create_index("ix_bot_alarm_newest", "bot_alarm", newest, unique=False)
    for table in SAFETY:
        confine(table, f"workspace_id = {OPEN} OR {OPEN} = '*'")
    confine("hold", f"workspace_id IS NULL OR workspace_id = {OPEN} OR {OPEN} = '*'")


def lay_kills():
    op.create_table(
        "kill",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("act", sa.String(24), nullable=False),
        sa.Column("scope", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("press", sa.String(length=110), nullable=False),
        sa.Column("pressed_by", sa.String(length=40), nullable=True),
        sa.Column("at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        by_a_person("kill", "pressed_by"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_kill_workspace_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_kill"),
        sa.UniqueConstraint("press", name="uq_kill_press"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_kill_workspace_id_id"),
    )
    op.create_index("ix_kill_workspace_id", "kill", ["workspace_id"], unique=False)
    op.create_table(
        "kill_bot",
        sa.Column("kill_id", sa.String(length=40), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("command_id", sa.String(length=40), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        of_bot("kill_bot"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "kill_id"],
            ["kill.workspace_id", "kill.id"],
            name="fk_kill_bot_workspace_id_kill_id",
        ),
        sa.PrimaryKeyConstraint("kill_id", "bot_id", name="pk_kill_bot"),
    )
    op.create_index("ix_kill_bot_bot_id", "kill_bot", ["bot_id"], unique=False)


def lift_safety():
    for table in ("hold", "kill_bot", "kill", "bot_alarm"):
        op.drop_table(table)
