"""Compute that sleeps: what is known of the cloud, an address's history, machines' money.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Rows of exactly one workspace.
OWNED = ("address_event", "billing_contact", "billing_terms", "budget", "budget_alert")
# What the platform alone reads.
FLEET = (
    "cloud_find",
    "cloud_region",
    "fleet_alarm",
    "fleet_notice",
    "fleet_upgrade",
    "machine_console",
    "sweep_run",
    "upgrade_step",
    "wake_lead",
    "zone_cooldown",
)
INDEXES = {
    "ix_bot_compute_phase_since": ("bot_compute", ["phase_since", "bot_id"]),
    "ix_cloud_operation_bot_id_started_at": ("cloud_operation", ["bot_id", "started_at"]),
}
ADDED = {
    "bot": ["keep_awake_until", "asleep_until"],
    "bot_address": ["lost_at"],
    "bot_compute": ["cause", "wanted_at", "turn_at", "priority", "renewal", "renewal_why"],
    "cloud_operation": ["cause", "zone", "operation"],
    "machine": ["zone", "machine_type", "cloud_id", "wanted_at", "inserted_at"],
}

OPEN = "(SELECT current_setting('plutarc.workspace', true))"


def moment():
    return sa.DateTime(timezone=True)


def document():
    return sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def amount():
    return sa.Numeric().with_variant(sa.String(60), "sqlite")


def confine(table, condition):
    """A policy as in 0003; SQLite has none."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        op.execute(f'CREATE POLICY {table}_all ON "{table}" FOR ALL USING ({condition})')


def let_read(table):
    """What everybody is shown: when their bots wake, what is announced."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f'CREATE POLICY {table}_read ON "{table}" FOR SELECT USING (true)')


def partial(name, table, columns, condition):
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def lay_indexes():
    """For counting what is on its way, and for what is late or under way."""
    op.create_index("ix_bot_compute_phase_phase_since", "bot_compute", ["phase", "phase_since"])
    op.create_index("ix_machine_created_at", "machine", ["created_at"])
    partial("ix_bot_compute_wanted", "bot_compute", ["wanted_at"], "wanted_at IS NOT NULL")
    condition = "state IN ('intended', 'pending')"
    partial("ix_cloud_operation_open", "cloud_operation", ["bot_id"], condition)


def upgrade():
    lay_tables()
    widen_tables()
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns, unique=False)
    for table in OWNED:
        confine(table, f"workspace_id = {OPEN} OR {OPEN} = '*'")
    for table in FLEET:
        confine(table, f"{OPEN} = '*'")
    let_read("wake_lead")
    let_read("fleet_notice")
    lay_indexes()


def downgrade():
    for name, (table, _columns) in INDEXES.items():
        op.drop_index(name, table_name=table)
    for table, index in (
        ("cloud_operation", "ix_cloud_operation_open"),
        ("bot_compute", "ix_bot_compute_wanted"),
        ("machine", "ix_machine_created_at"),
        ("bot_compute", "ix_bot_compute_phase_phase_since"),
    ):
        op.drop_index(index, table)
    for table, columns in ADDED.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column)
    first = ("machine_console", "upgrade_step")
    for table in (*first, *(it for it in (*OWNED, *FLEET) if it not in first)):
        op.drop_table(table)


def widen_tables():
    with op.batch_alter_table("bot") as batch:
        batch.add_column(sa.Column("keep_awake_until", moment(), nullable=True))
        batch.add_column(sa.Column("asleep_until", moment(), nullable=True))

    with op.batch_alter_table("bot_address") as batch:
        batch.add_column(sa.Column("lost_at", moment(), nullable=True))

    with op.batch_alter_table("bot_compute") as batch:
        batch.add_column(
            sa.Column("cause", sa.String(length=24), nullable=False, server_default="")
        )
        batch.add_column(sa.Column("wanted_at", moment(), nullable=True))
        batch.add_column(sa.Column("turn_at", moment(), nullable=True))
        batch.add_column(sa.Column("priority", sa.Integer(), nullable=False, server_default="2"))
        batch.add_column(sa.Column("renewal", sa.String(24), nullable=True))
        batch.add_column(
            sa.Column("renewal_why", sa.String(length=200), nullable=False, server_default="")
        )

    with op.batch_alter_table("cloud_operation") as batch:
        batch.add_column(
            sa.Column("cause", sa.String(length=24), nullable=False, server_default="")
        )
        batch.add_column(sa.Column("zone", sa.String(length=40), nullable=False, server_default=""))
        batch.add_column(
            sa.Column("operation", sa.String(length=120), nullable=False, server_default="")
        )

    with op.batch_alter_table("machine") as batch:
        batch.add_column(sa.Column("zone", sa.String(length=40), nullable=False, server_default=""))
        batch.add_column(
            sa.Column("machine_type", sa.String(length=60), nullable=False, server_default="")
        )
        batch.add_column(
            sa.Column("cloud_id", sa.String(length=40), nullable=False, server_default="")
        )
        batch.add_column(sa.Column("wanted_at", moment(), nullable=True))
        batch.add_column(sa.Column("inserted_at", moment(), nullable=True))


def lay_tables():
    op.create_table(
        "cloud_region",
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("zones", document(), nullable=False),
        sa.Column("quotas", document(), nullable=False),
        sa.Column("seen_at", moment(), nullable=True),
        sa.Column("shut_until", moment(), nullable=True),
        sa.Column("shut_cause", sa.String(length=24), nullable=False),
        sa.Column("shut_detail", sa.String(length=400), nullable=False),
        sa.Column("slow_until", moment(), nullable=True),
        sa.PrimaryKeyConstraint("region", name="pk_cloud_region"),
    )
    op.create_table(
        "sweep_run",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("machines", sa.Integer(), nullable=False),
        sa.Column("addresses", sa.Integer(), nullable=False),
        sa.Column("disks", sa.Integer(), nullable=False),
        sa.Column("finds", sa.Integer(), nullable=False),
        sa.Column("refused", sa.String(length=400), nullable=False),
        sa.Column("detail", document(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sweep_run"),
    )
    op.create_index("ix_sweep_run_at", "sweep_run", ["at"], unique=False)
    op.create_table(
        "wake_lead",
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("machine_type", sa.String(length=60), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("measured_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("region", "machine_type", name="pk_wake_lead"),
    )
    op.create_table(
        "zone_cooldown",
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.Column("since", moment(), nullable=False),
        sa.Column("until", moment(), nullable=False),
        sa.Column("detail", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("region", "zone", name="pk_zone_cooldown"),
    )
    op.create_table(
        "billing_contact",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("asked_at", moment(), nullable=False),
        sa.Column("verified_at", moment(), nullable=True),
        sa.Column("told_month", sa.String(length=7), nullable=False),
        sa.Column("added_by", sa.String(length=40), nullable=True),
        sa.Column("added_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["user.id"], name="fk_billing_contact_added_by"),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_billing_contact_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_billing_contact"),
        sa.UniqueConstraint(
            "workspace_id", "email_key", name="uq_billing_contact_workspace_id_email_key"
        ),
    )
    op.create_index(
        "ix_billing_contact_workspace_id", "billing_contact", ["workspace_id"], unique=False
    )
    op.create_index(
        "ix_billing_contact_token_hash", "billing_contact", ["token_hash"], unique=False
    )
    op.create_table(
        "billing_terms",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("from_month", sa.String(length=7), nullable=False),
        sa.Column("markup_percent", amount(), nullable=False),
        sa.Column("idle_payer", sa.String(24), nullable=False),
        sa.Column("max_bots", sa.Integer(), nullable=True),
        sa.Column("max_machines", sa.Integer(), nullable=True),
        sa.Column("max_spend", amount(), nullable=True),
        sa.Column("spent_month", sa.String(length=7), nullable=False),
        sa.Column("spent_seen_at", moment(), nullable=True),
        sa.Column("changed_at", moment(), nullable=False),
        sa.Column("changed_by", sa.String(length=40), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["user.id"], name="fk_billing_terms_changed_by"),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_billing_terms_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_billing_terms"),
        sa.UniqueConstraint(
            "workspace_id", "from_month", name="uq_billing_terms_workspace_id_from_month"
        ),
    )
    op.create_index(
        "ix_billing_terms_workspace_id", "billing_terms", ["workspace_id"], unique=False
    )
    op.create_table(
        "budget",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("amount", amount(), nullable=False),
        sa.Column("changed_at", moment(), nullable=False),
        sa.Column("changed_by", sa.String(length=40), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["user.id"], name="fk_budget_changed_by"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_budget_workspace_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_budget"),
        sa.UniqueConstraint("workspace_id", name="uq_budget_workspace_id"),
    )
    op.create_index("ix_budget_workspace_id", "budget", ["workspace_id"], unique=False)
    op.create_table(
        "budget_alert",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("amount", amount(), nullable=False),
        sa.Column("spent", amount(), nullable=False),
        sa.Column("told_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_budget_alert_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_budget_alert"),
        sa.UniqueConstraint(
            "workspace_id", "month", "percent", name="uq_budget_alert_workspace_id_month_percent"
        ),
    )
    op.create_index("ix_budget_alert_workspace_id", "budget_alert", ["workspace_id"], unique=False)
    op.create_table(
        "cloud_find",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("first_seen", moment(), nullable=False),
        sa.Column("last_seen", moment(), nullable=False),
        sa.Column("sightings", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=True),
        sa.Column("operation", sa.String(length=120), nullable=False),
        sa.Column("try_at", moment(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("detail", sa.String(length=400), nullable=False),
        sa.Column("decided_by", sa.String(length=40), nullable=True),
        sa.Column("decided_at", moment(), nullable=True),
        sa.Column("gone_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(["decided_by"], ["user.id"], name="fk_cloud_find_decided_by"),
        sa.PrimaryKeyConstraint("id", name="pk_cloud_find"),
    )
    op.create_index("ix_cloud_find_state", "cloud_find", ["state"], unique=False)
    op.create_index(
        "uq_cloud_find_there",
        "cloud_find",
        ["kind", "name", "region", "zone"],
        unique=True,
        sqlite_where=sa.text("gone_at IS NULL"),
        postgresql_where=sa.text("gone_at IS NULL"),
    )
    op.create_table(
        "fleet_alarm",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=True),
        sa.Column("message", sa.String(length=400), nullable=False),
        sa.Column("since", moment(), nullable=False),
        sa.Column("seen_at", moment(), nullable=False),
        sa.Column("cleared_at", moment(), nullable=True),
        sa.Column("taken_by", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["taken_by"], ["user.id"], name="fk_fleet_alarm_taken_by"),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_alarm"),
    )
    op.create_index(
        "uq_fleet_alarm_open",
        "fleet_alarm",
        ["key"],
        unique=True,
        sqlite_where=sa.text("cleared_at IS NULL"),
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.create_table(
        "fleet_notice",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("starts_at", moment(), nullable=False),
        sa.Column("ends_at", moment(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=True),
        sa.Column("withdrawn_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name="fk_fleet_notice_created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_notice"),
    )
    op.create_table(
        "fleet_upgrade",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("policy", sa.String(24), nullable=False),
        sa.Column("at_once", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("why", sa.String(length=400), nullable=False),
        sa.Column("started_by", sa.String(length=40), nullable=True),
        sa.Column("started_at", moment(), nullable=False),
        sa.Column("ended_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(["started_by"], ["user.id"], name="fk_fleet_upgrade_started_by"),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_upgrade"),
    )
    op.create_index(
        "uq_fleet_upgrade_open",
        "fleet_upgrade",
        ["version"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "upgrade_step",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("upgrade_id", sa.String(length=40), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("asked_at", moment(), nullable=False),
        sa.Column("ended_at", moment(), nullable=True),
        sa.Column("outcome", sa.String(24), nullable=True),
        sa.ForeignKeyConstraint(
            ["upgrade_id"], ["fleet_upgrade.id"], name="fk_upgrade_step_upgrade_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_upgrade_step"),
    )
    op.create_index(
        "ix_upgrade_step_upgrade_id_ended_at",
        "upgrade_step",
        ["upgrade_id", "ended_at"],
        unique=False,
    )
    op.create_index("ix_upgrade_step_bot_id", "upgrade_step", ["bot_id"], unique=False)
    op.create_table(
        "address_event",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_address_event_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_address_event_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_address_event"),
    )
    op.create_index("ix_address_event_bot_id_at", "address_event", ["bot_id", "at"], unique=False)
    op.create_index(
        "ix_address_event_workspace_id", "address_event", ["workspace_id"], unique=False
    )
    op.create_table(
        "machine_console",
        sa.Column("machine_id", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("read_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machine.id"], name="fk_machine_console_machine_id"
        ),
        sa.PrimaryKeyConstraint("machine_id", name="pk_machine_console"),
    )
