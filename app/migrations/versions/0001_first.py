"""Everything that the first parts stand on.

Tenant keys on every row a workspace owns, with foreign keys that carry the workspace; machine
generations; the outbox; usage intervals; the audit log and its chains; notes apart from messages.

Revision: 0001, after None
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def moment():
    return sa.DateTime(timezone=True)


def amount():
    return sa.Numeric().with_variant(sa.String(60), "sqlite")


def row_number():
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def document():
    return sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade():
    op.create_table(
        "audit_head",
        sa.Column("chain", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("chain", name="pk_audit_head"),
    )
    op.create_table(
        "leadership",
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column("holder", sa.String(length=60), nullable=False),
        sa.Column("until", moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leadership"),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("theme", sa.String(length=8), nullable=False),
        sa.Column("last_workspace_id", sa.String(length=40), nullable=True),
        sa.Column("operator", sa.Boolean(), nullable=False),
        sa.Column("suspended_at", moment(), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_user"),
        sa.UniqueConstraint("email_key", name="uq_user_email_key"),
    )
    op.create_table(
        "workspace",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.Column("last_ticket_number", sa.Integer(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspace"),
        sa.UniqueConstraint("slug", name="uq_workspace_slug"),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=True),
        sa.Column("chain", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("occurred_at", moment(), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("outcome", sa.String(24), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=True),
        sa.Column("actor_label", sa.String(length=254), nullable=False),
        sa.Column("target_id", sa.String(length=40), nullable=True),
        sa.Column("target_label", sa.String(length=254), nullable=False),
        sa.Column("changes", document(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("request_id", sa.String(length=40), nullable=True),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("payload_hash", sa.String(length=64), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_audit_event_workspace_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_audit_event"),
        sa.UniqueConstraint("chain", "seq", name="uq_audit_event_chain_seq"),
    )
    op.create_index("ix_audit_event_actor_id", "audit_event", ["actor_id"], unique=False)
    op.create_index("ix_audit_event_occurred_at", "audit_event", ["occurred_at"], unique=False)
    op.create_index("ix_audit_event_target_id", "audit_event", ["target_id"], unique=False)
    op.create_index(
        "ix_audit_event_workspace", "audit_event", ["workspace_id", "seq"], unique=False
    )
    op.create_table(
        "connection",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("exchange", sa.String(length=24), nullable=False),
        sa.Column("environment", sa.String(24), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("key_hint", sa.String(length=8), nullable=False),
        sa.Column("account_digest", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("checked_at", moment(), nullable=True),
        sa.Column("findings", document(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("deleted_at", moment(), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name="fk_connection_created_by", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_connection_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_connection"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_connection_workspace_id_id"),
    )
    op.create_index("ix_connection_account_digest", "connection", ["account_digest"], unique=False)
    op.create_index("ix_connection_workspace_id", "connection", ["workspace_id"], unique=False)
    op.create_table(
        "login_session",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("seen_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.Column("revoked_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_login_session_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_login_session"),
        sa.UniqueConstraint("token_hash", name="uq_login_session_token_hash"),
    )
    op.create_index("ix_login_session_user_id", "login_session", ["user_id"], unique=False)
    op.create_table(
        "membership",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_membership_user_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_membership_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_membership"),
        sa.UniqueConstraint("workspace_id", "user_id", name="uq_membership_workspace_id_user_id"),
    )
    op.create_index("ix_membership_user_id", "membership", ["user_id"], unique=False)
    op.create_index("ix_membership_workspace_id", "membership", ["workspace_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("number", row_number(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=True),
        sa.Column("queue", sa.String(length=24), nullable=False),
        sa.Column("job", sa.String(length=60), nullable=False),
        sa.Column("arguments", document(), nullable=False),
        sa.Column("not_before", moment(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("sent_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_outbox_workspace_id"),
        sa.PrimaryKeyConstraint("number", name="pk_outbox"),
    )
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["not_before"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "strategy",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("summary", sa.String(length=300), nullable=False),
        sa.Column("template", sa.String(length=40), nullable=True),
        sa.Column("archived_at", moment(), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_strategy_workspace_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_strategy"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_strategy_workspace_id_id"),
    )
    op.create_index("ix_strategy_workspace_id", "strategy", ["workspace_id"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("opened_by", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("category", sa.String(24), nullable=False),
        sa.Column("priority", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["opened_by"], ["user.id"], name="fk_ticket_opened_by"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_ticket_workspace_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_ticket_workspace_id_id"),
        sa.UniqueConstraint("workspace_id", "number", name="uq_ticket_workspace_id_number"),
    )
    op.create_index("ix_ticket_workspace_id", "ticket", ["workspace_id"], unique=False)
    op.create_table(
        "strategy_version",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("strategy_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rules", document(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name="fk_strategy_version_created_by", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "strategy_id"],
            ["strategy.workspace_id", "strategy.id"],
            name="fk_strategy_version_workspace_id_strategy_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_strategy_version_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_strategy_version"),
        sa.UniqueConstraint("strategy_id", "number", name="uq_strategy_version_strategy_id_number"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_strategy_version_workspace_id_id"),
    )
    op.create_index(
        "ix_strategy_version_strategy_id", "strategy_version", ["strategy_id"], unique=False
    )
    op.create_index(
        "ix_strategy_version_workspace_id", "strategy_version", ["workspace_id"], unique=False
    )
    op.create_table(
        "ticket_message",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.String(length=40), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name="fk_ticket_message_author_id"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "ticket_id"],
            ["ticket.workspace_id", "ticket.id"],
            name="fk_ticket_message_workspace_id_ticket_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_ticket_message_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_message"),
        sa.UniqueConstraint("ticket_id", "seq", name="uq_ticket_message_ticket_id_seq"),
    )
    op.create_index(
        "ix_ticket_message_workspace_id", "ticket_message", ["workspace_id"], unique=False
    )
    op.create_table(
        "ticket_note",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("author_id", sa.String(length=40), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name="fk_ticket_note_author_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_note_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_note"),
    )
    op.create_index("ix_ticket_note_ticket_id", "ticket_note", ["ticket_id"], unique=False)
    op.create_table(
        "bot",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("exchange", sa.String(length=24), nullable=False),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("mode", sa.String(24), nullable=False),
        sa.Column("wish", sa.String(24), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("symbols", document(), nullable=False),
        sa.Column("strategy_version_id", sa.String(length=40), nullable=False),
        sa.Column("testnet_connection_id", sa.String(length=40), nullable=True),
        sa.Column("limits", document(), nullable=False),
        sa.Column("schedule", document(), nullable=False),
        sa.Column("starting_balance", amount(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("deleted_at", moment(), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name="fk_bot_created_by", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "strategy_version_id"],
            ["strategy_version.workspace_id", "strategy_version.id"],
            name="fk_bot_workspace_id_strategy_version_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "testnet_connection_id"],
            ["connection.workspace_id", "connection.id"],
            name="fk_bot_workspace_id_testnet_connection_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_bot_workspace_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_bot"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_bot_workspace_id_id"),
    )
    op.create_index("ix_bot_workspace_id", "bot", ["workspace_id"], unique=False)
    op.create_table(
        "bot_address",
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("reserved_at", moment(), nullable=True),
        sa.Column("released_at", moment(), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_bot_address_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_bot_address_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("bot_id", name="pk_bot_address"),
        sa.UniqueConstraint("name", name="uq_bot_address_name"),
    )
    op.create_index("ix_bot_address_workspace_id", "bot_address", ["workspace_id"], unique=False)
    op.create_index(
        "uq_bot_address_ip_kept",
        "bot_address",
        ["ip"],
        unique=True,
        sqlite_where=sa.text("released_at IS NULL AND ip <> '127.0.0.1'"),
        postgresql_where=sa.text("released_at IS NULL AND ip <> '127.0.0.1'"),
    )
    op.create_table(
        "bot_command",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("arguments", document(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("done_at", moment(), nullable=True),
        sa.Column("outcome", sa.String(length=200), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_bot_command_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_bot_command_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_bot_command"),
    )
    op.create_index("ix_bot_command_bot_id", "bot_command", ["bot_id"], unique=False)
    op.create_index("ix_bot_command_workspace_id", "bot_command", ["workspace_id"], unique=False)
    op.create_table(
        "bot_compute",
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("phase", sa.String(24), nullable=False),
        sa.Column("phase_since", moment(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("flat_since", moment(), nullable=True),
        sa.Column("problem", sa.String(length=400), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("retry_at", moment(), nullable=True),
        sa.Column("due_at", moment(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_bot_compute_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_bot_compute_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("bot_id", name="pk_bot_compute"),
    )
    op.create_index("ix_bot_compute_due_at", "bot_compute", ["due_at"], unique=False)
    op.create_index("ix_bot_compute_workspace_id", "bot_compute", ["workspace_id"], unique=False)
    op.create_table(
        "candle",
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("symbol", sa.String(length=40), nullable=False),
        sa.Column("timeframe", sa.String(length=8), nullable=False),
        sa.Column("opened_at", moment(), nullable=False),
        sa.Column("open", amount(), nullable=False),
        sa.Column("high", amount(), nullable=False),
        sa.Column("low", amount(), nullable=False),
        sa.Column("close", amount(), nullable=False),
        sa.Column("volume", amount(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_candle_workspace_id_bot_id",
        ),
        sa.PrimaryKeyConstraint("bot_id", "symbol", "timeframe", "opened_at", name="pk_candle"),
    )
    op.create_table(
        "cloud_operation",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("detail", sa.String(length=400), nullable=False),
        sa.Column("started_at", moment(), nullable=False),
        sa.Column("finished_at", moment(), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_cloud_operation_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_cloud_operation_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_cloud_operation"),
        sa.UniqueConstraint("request_id", name="uq_cloud_operation_request_id"),
    )
    op.create_index("ix_cloud_operation_bot_id", "cloud_operation", ["bot_id"], unique=False)
    op.create_index(
        "ix_cloud_operation_workspace_id", "cloud_operation", ["workspace_id"], unique=False
    )
    op.create_table(
        "machine",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("running_at", moment(), nullable=True),
        sa.Column("observed_at", moment(), nullable=True),
        sa.Column("dead_at", moment(), nullable=True),
        sa.Column("proven_flat", sa.Boolean(), nullable=False),
        sa.Column("gone_at", moment(), nullable=True),
        sa.Column("end_reason", sa.String(length=200), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=True),
        sa.Column("boot_id", sa.String(length=64), nullable=True),
        sa.Column("claim_hash", sa.String(length=64), nullable=True),
        sa.Column("claimed_at", moment(), nullable=True),
        sa.Column("runner_version", sa.String(length=20), nullable=False),
        sa.Column("preflight", document(), nullable=True),
        sa.Column("preflight_at", moment(), nullable=True),
        sa.Column("synced_at", moment(), nullable=True),
        sa.Column("report_sent_at", moment(), nullable=True),
        sa.Column("ack_seq", sa.Integer(), nullable=False),
        sa.Column("position_state", sa.String(24), nullable=False),
        sa.Column("open_orders", sa.Integer(), nullable=False),
        sa.Column("drained", sa.Boolean(), nullable=False),
        sa.Column("health", document(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_machine_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_machine_workspace_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_machine"),
        sa.UniqueConstraint("bot_id", "generation", name="uq_machine_bot_id_generation"),
        sa.UniqueConstraint("name", name="uq_machine_name"),
    )
    op.create_index("ix_machine_bot_id", "machine", ["bot_id"], unique=False)
    op.create_index("ix_machine_workspace_id", "machine", ["workspace_id"], unique=False)
    op.create_index(
        "uq_machine_one_per_bot",
        "machine",
        ["bot_id"],
        unique=True,
        sqlite_where=sa.text("gone_at IS NULL"),
        postgresql_where=sa.text("gone_at IS NULL"),
    )
    op.create_table(
        "position",
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("symbol", sa.String(length=40), nullable=False),
        sa.Column("quantity", amount(), nullable=False),
        sa.Column("entry_price", amount(), nullable=True),
        sa.Column("mark_price", amount(), nullable=False),
        sa.Column("unrealised", amount(), nullable=False),
        sa.Column("reported_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_position_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_position_workspace_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("bot_id", "symbol", name="pk_position"),
    )
    op.create_index("ix_position_workspace_id", "position", ["workspace_id"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("mode", sa.String(24), nullable=False),
        sa.Column("strategy_version_id", sa.String(length=40), nullable=False),
        sa.Column("symbols", document(), nullable=False),
        sa.Column("connection_id", sa.String(length=40), nullable=True),
        sa.Column("starting_balance", amount(), nullable=False),
        sa.Column("started_at", moment(), nullable=False),
        sa.Column("ended_at", moment(), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_run_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "connection_id"],
            ["connection.workspace_id", "connection.id"],
            name="fk_run_workspace_id_connection_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "strategy_version_id"],
            ["strategy_version.workspace_id", "strategy_version.id"],
            name="fk_run_workspace_id_strategy_version_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_run_workspace_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_run_workspace_id_id"),
    )
    op.create_index("ix_run_bot_id", "run", ["bot_id"], unique=False)
    op.create_index("ix_run_workspace_id", "run", ["workspace_id"], unique=False)
    op.create_table(
        "usage_interval",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("resource", sa.String(24), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=True),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("started_at", moment(), nullable=False),
        sa.Column("ended_at", moment(), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_usage_interval_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_usage_interval_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_usage_interval"),
    )
    op.create_index("ix_usage_interval_bot_id", "usage_interval", ["bot_id"], unique=False)
    op.create_index(
        "ix_usage_interval_workspace_id", "usage_interval", ["workspace_id"], unique=False
    )
    op.create_index(
        "uq_usage_interval_open",
        "usage_interval",
        ["bot_id", "resource"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "bot_order",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("venue_id", sa.String(length=64), nullable=True),
        sa.Column("symbol", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("purpose", sa.String(length=24), nullable=False),
        sa.Column("quantity", amount(), nullable=False),
        sa.Column("price", amount(), nullable=True),
        sa.Column("filled", amount(), nullable=False),
        sa.Column("average", amount(), nullable=True),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("decided_at", moment(), nullable=False),
        sa.Column("updated_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("number", row_number(), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_bot_order_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "run_id"],
            ["run.workspace_id", "run.id"],
            name="fk_bot_order_workspace_id_run_id",
        ),
        sa.PrimaryKeyConstraint("number", name="pk_bot_order"),
        sa.UniqueConstraint("run_id", "client_id", name="uq_bot_order_run_id_client_id"),
    )
    op.create_index("ix_bot_order_newest", "bot_order", ["bot_id", "number"], unique=False)
    op.create_table(
        "checkpoint",
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("state", document(), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "run_id"],
            ["run.workspace_id", "run.id"],
            name="fk_checkpoint_workspace_id_run_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_checkpoint_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("run_id", name="pk_checkpoint"),
    )
    op.create_index("ix_checkpoint_workspace_id", "checkpoint", ["workspace_id"], unique=False)
    op.create_table(
        "decision",
        sa.Column("symbol", sa.String(length=40), nullable=False),
        sa.Column("candle_at", moment(), nullable=False),
        sa.Column("close", amount(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("verdicts", document(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("number", row_number(), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_decision_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "run_id"],
            ["run.workspace_id", "run.id"],
            name="fk_decision_workspace_id_run_id",
        ),
        sa.PrimaryKeyConstraint("number", name="pk_decision"),
        sa.UniqueConstraint(
            "run_id", "symbol", "candle_at", name="uq_decision_run_id_symbol_candle_at"
        ),
    )
    op.create_index("ix_decision_newest", "decision", ["bot_id", "number"], unique=False)
    op.create_table(
        "equity_point",
        sa.Column("at", moment(), nullable=False),
        sa.Column("equity", amount(), nullable=False),
        sa.Column("balance", amount(), nullable=False),
        sa.Column("unrealised", amount(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("number", row_number(), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_equity_point_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "run_id"],
            ["run.workspace_id", "run.id"],
            name="fk_equity_point_workspace_id_run_id",
        ),
        sa.PrimaryKeyConstraint("number", name="pk_equity_point"),
        sa.UniqueConstraint("run_id", "at", name="uq_equity_point_run_id_at"),
    )
    op.create_table(
        "fill",
        sa.Column("trade_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(24), nullable=False),
        sa.Column("price", amount(), nullable=False),
        sa.Column("quantity", amount(), nullable=False),
        sa.Column("fee", amount(), nullable=False),
        sa.Column("fee_currency", sa.String(length=12), nullable=False),
        sa.Column("liquidity", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("filled_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("number", row_number(), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_fill_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "run_id"],
            ["run.workspace_id", "run.id"],
            name="fk_fill_workspace_id_run_id",
        ),
        sa.PrimaryKeyConstraint("number", name="pk_fill"),
        sa.UniqueConstraint("run_id", "trade_id", name="uq_fill_run_id_trade_id"),
    )
    op.create_index("ix_fill_newest", "fill", ["bot_id", "number"], unique=False)
    op.create_table(
        "runner_notice",
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("message", sa.String(length=400), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("number", row_number(), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_runner_notice_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "run_id"],
            ["run.workspace_id", "run.id"],
            name="fk_runner_notice_workspace_id_run_id",
        ),
        sa.PrimaryKeyConstraint("number", name="pk_runner_notice"),
    )
    op.create_index("ix_runner_notice_newest", "runner_notice", ["bot_id", "number"], unique=False)
    op.create_table(
        "trade",
        sa.Column("symbol", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(24), nullable=False),
        sa.Column("entered", amount(), nullable=False),
        sa.Column("entry_notional", amount(), nullable=False),
        sa.Column("exited", amount(), nullable=False),
        sa.Column("exit_notional", amount(), nullable=False),
        sa.Column("fees", amount(), nullable=False),
        sa.Column("exit_reason", sa.String(length=200), nullable=False),
        sa.Column("opened_at", moment(), nullable=False),
        sa.Column("closed_at", moment(), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("number", row_number(), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_trade_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "run_id"],
            ["run.workspace_id", "run.id"],
            name="fk_trade_workspace_id_run_id",
        ),
        sa.PrimaryKeyConstraint("number", name="pk_trade"),
    )
    op.create_index("ix_trade_closed", "trade", ["workspace_id", "closed_at"], unique=False)
    op.create_index("ix_trade_newest", "trade", ["bot_id", "number"], unique=False)
    op.create_index(
        "uq_trade_open",
        "trade",
        ["run_id", "symbol"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def downgrade():
    op.drop_index(
        "uq_trade_open",
        table_name="trade",
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.drop_index("ix_trade_newest", table_name="trade")
    op.drop_index("ix_trade_closed", table_name="trade")
    op.drop_table("trade")
    op.drop_index("ix_runner_notice_newest", table_name="runner_notice")
    op.drop_table("runner_notice")
    op.drop_index("ix_fill_newest", table_name="fill")
    op.drop_table("fill")
    op.drop_table("equity_point")
    op.drop_index("ix_decision_newest", table_name="decision")
    op.drop_table("decision")
    op.drop_index("ix_checkpoint_workspace_id", table_name="checkpoint")
    op.drop_table("checkpoint")
    op.drop_index("ix_bot_order_newest", table_name="bot_order")
    op.drop_table("bot_order")
    op.drop_index(
        "uq_usage_interval_open",
        table_name="usage_interval",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index("ix_usage_interval_workspace_id", table_name="usage_interval")
    op.drop_index("ix_usage_interval_bot_id", table_name="usage_interval")
    op.drop_table("usage_interval")
    op.drop_index("ix_run_workspace_id", table_name="run")
    op.drop_index("ix_run_bot_id", table_name="run")
    op.drop_table("run")
    op.drop_index("ix_position_workspace_id", table_name="position")
    op.drop_table("position")
    op.drop_index(
        "uq_machine_one_per_bot",
        table_name="machine",
        sqlite_where=sa.text("gone_at IS NULL"),
        postgresql_where=sa.text("gone_at IS NULL"),
    )
    op.drop_index("ix_machine_workspace_id", table_name="machine")
    op.drop_index("ix_machine_bot_id", table_name="machine")
    op.drop_table("machine")
    op.drop_index("ix_cloud_operation_workspace_id", table_name="cloud_operation")
    op.drop_index("ix_cloud_operation_bot_id", table_name="cloud_operation")
    op.drop_table("cloud_operation")
    op.drop_table("candle")
    op.drop_index("ix_bot_compute_workspace_id", table_name="bot_compute")
    op.drop_index("ix_bot_compute_due_at", table_name="bot_compute")
    op.drop_table("bot_compute")
    op.drop_index("ix_bot_command_workspace_id", table_name="bot_command")
    op.drop_index("ix_bot_command_bot_id", table_name="bot_command")
    op.drop_table("bot_command")
    op.drop_index(
        "uq_bot_address_ip_kept",
        table_name="bot_address",
        sqlite_where=sa.text("released_at IS NULL AND ip <> '127.0.0.1'"),
        postgresql_where=sa.text("released_at IS NULL AND ip <> '127.0.0.1'"),
    )
    op.drop_index("ix_bot_address_workspace_id", table_name="bot_address")
    op.drop_table("bot_address")
    op.drop_index("ix_bot_workspace_id", table_name="bot")
    op.drop_table("bot")
    op.drop_index("ix_ticket_note_ticket_id", table_name="ticket_note")
    op.drop_table("ticket_note")
    op.drop_index("ix_ticket_message_workspace_id", table_name="ticket_message")
    op.drop_table("ticket_message")
    op.drop_index("ix_strategy_version_workspace_id", table_name="strategy_version")
    op.drop_index("ix_strategy_version_strategy_id", table_name="strategy_version")
    op.drop_table("strategy_version")
    op.drop_index("ix_ticket_workspace_id", table_name="ticket")
    op.drop_table("ticket")
    op.drop_index("ix_strategy_workspace_id", table_name="strategy")
    op.drop_table("strategy")
    op.drop_index(
        "ix_outbox_unsent",
        table_name="outbox",
        sqlite_where=sa.text("sent_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.drop_table("outbox")
    op.drop_index("ix_membership_workspace_id", table_name="membership")
    op.drop_index("ix_membership_user_id", table_name="membership")
    op.drop_table("membership")
    op.drop_index("ix_login_session_user_id", table_name="login_session")
    op.drop_table("login_session")
    op.drop_index("ix_connection_workspace_id", table_name="connection")
    op.drop_index("ix_connection_account_digest", table_name="connection")
    op.drop_table("connection")
    op.drop_index("ix_audit_event_workspace", table_name="audit_event")
    op.drop_index("ix_audit_event_target_id", table_name="audit_event")
    op.drop_index("ix_audit_event_occurred_at", table_name="audit_event")
    op.drop_index("ix_audit_event_actor_id", table_name="audit_event")
    op.drop_table("audit_event")
    op.drop_table("workspace")
    op.drop_table("user")
    op.drop_table("leadership")
    op.drop_table("audit_head")
