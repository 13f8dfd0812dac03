"""The support desk: tickets whole, what operators alone see, mail in, Telegram, incidents.

Until now nothing could open a ticket, so its tables are laid anew.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Rows of exactly one workspace.
OWNED = (
    "diagnostic_bundle",
    "message_edit",
    "message_file",
    "support_access",
    "ticket",
    "ticket_event",
    "ticket_message",
)
# What is one person's own.
MINE = ("telegram_link", "telegram_link_token")
# What no workspace and no person ever reads: the platform alone.
DESK = (
    "address_health",
    "canned_reply",
    "contact",
    "contact_request",
    "deflection",
    "desk_event",
    "desk_setting",
    "draft",
    "inbound_mail",
    "note_file",
    "note_mention",
    "presence",
    "reply_token",
    "status_subscriber",
    "tag",
    "telegram_call",
    "telegram_chat",
    "telegram_message",
    "telegram_topic",
    "telegram_update",
    "ticket_clock",
    "ticket_handling",
    "ticket_link",
    "ticket_note",
    "ticket_rating",
    "ticket_tag",
)
OLD = ("ticket_note", "ticket_message", "ticket")

OPEN = "(SELECT current_setting('plutarc.workspace', true))"
PERSON = "(SELECT current_setting('plutarc.user', true))"


def moment():
    return sa.DateTime(timezone=True)


def document():
    return sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def confine(table, condition):
    """A policy as in 0003; SQLite has none."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        op.execute(f'CREATE POLICY {table}_all ON "{table}" FOR ALL USING ({condition})')


def within(column):
    return f"{column} = {OPEN} OR {OPEN} = '*'"


def upgrade():
    for table in OLD:
        op.drop_table(table)
    lay_tables()
    widen_letters()
    with op.batch_alter_table("user") as batch:
        batch.add_column(sa.Column("deleted_at", moment(), nullable=True))
    for table in OWNED:
        confine(table, within("workspace_id"))
    for table in MINE:
        confine(table, f"user_id = {PERSON} OR {OPEN} = '*'")
    for table in DESK:
        confine(table, f"{OPEN} = '*'")


def widen_letters():
    with op.batch_alter_table("mail") as batch:
        batch.add_column(
            sa.Column("audience", sa.String(24), nullable=False, server_default="user")
        )
        batch.add_column(sa.Column("recipient_id", sa.String(40), nullable=True))
        batch.add_column(sa.Column("ticket_id", sa.String(40), nullable=True))
        batch.add_column(sa.Column("ticket_message_id", sa.String(40), nullable=True))
        batch.add_column(sa.Column("note_id", sa.String(40), nullable=True))
        batch.add_column(sa.Column("dedupe_key", sa.String(160), nullable=True))
        batch.add_column(sa.Column("envelope", document(), nullable=False, server_default="{}"))
        batch.create_unique_constraint("uq_mail_dedupe_key", ["dedupe_key"])
        batch.create_index("ix_mail_ticket_id", ["ticket_id"])
        batch.create_check_constraint(
            "notes_stay_inside", "note_id IS NULL OR audience = 'operator'"
        )
    index_waiting_letters("state IN ('queued', 'unknown')")


def index_waiting_letters(which):
    op.drop_index("ix_mail_queued", "mail")
    op.create_index(
        "ix_mail_queued",
        "mail",
        ["try_at"],
        sqlite_where=sa.text(which),
        postgresql_where=sa.text(which),
    )


def lay_tables():
    op.create_table(
        "address_health",
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("scored_at", moment(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("disabled_at", moment(), nullable=True),
        sa.PrimaryKeyConstraint("email_key", name="pk_address_health"),
    )
    op.create_table(
        "component",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("condition", sa.String(24), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.Column("pending", sa.String(24), nullable=True),
        sa.Column("since", moment(), nullable=False),
        sa.Column("measured_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_component"),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("verified_at", moment(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contact"),
        sa.UniqueConstraint("email_key", name="uq_contact_email_key"),
    )
    op.create_table(
        "contact_request",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("category", sa.String(24), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.Column("confirmed_at", moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_contact_request"),
        sa.UniqueConstraint("token_hash", name="uq_contact_request_token_hash"),
    )
    op.create_index(
        "ix_contact_request_created_at", "contact_request", ["created_at"], unique=False
    )
    op.create_index("ix_contact_request_email_key", "contact_request", ["email_key"], unique=False)
    op.create_table(
        "deflection",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("hint", sa.String(length=40), nullable=False),
        sa.Column("helped", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deflection"),
    )
    op.create_index("ix_deflection_created_at", "deflection", ["created_at"], unique=False)
    op.create_table(
        "status_subscriber",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("asked_at", moment(), nullable=False),
        sa.Column("confirmed_at", moment(), nullable=True),
        sa.Column("ended_at", moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_status_subscriber"),
        sa.UniqueConstraint("email_key", name="uq_status_subscriber_email_key"),
        sa.UniqueConstraint("token_hash", name="uq_status_subscriber_token_hash"),
    )
    op.create_table(
        "tag",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tag"),
        sa.UniqueConstraint("name", name="uq_tag_name"),
    )
    op.create_table(
        "telegram_chat",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("forum", sa.Boolean(), nullable=True),
        sa.Column("looked_at", moment(), nullable=True),
        sa.Column("moved_to", sa.BigInteger(), nullable=True),
        sa.Column("free_at", moment(), nullable=False),
        sa.Column("paced_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("chat_id", name="pk_telegram_chat"),
    )
    op.create_table(
        "telegram_update",
        sa.Column("bot_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("update_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", document(), nullable=False),
        sa.Column("decision", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("received_at", moment(), nullable=False),
        sa.Column("decided_at", moment(), nullable=True),
        sa.PrimaryKeyConstraint("bot_id", "update_id", name="pk_telegram_update"),
    )
    op.create_index(
        "ix_telegram_update_received_at", "telegram_update", ["received_at"], unique=False
    )
    op.create_table(
        "canned_reply",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("archived_at", moment(), nullable=True),
        sa.Column("created_by", sa.String(length=40), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name="fk_canned_reply_created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_canned_reply"),
        sa.UniqueConstraint("title", name="uq_canned_reply_title"),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("impact", sa.String(24), nullable=False),
        sa.Column("began_at", moment(), nullable=False),
        sa.Column("resolved_at", moment(), nullable=True),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.Column("first_report_at", moment(), nullable=True),
        sa.Column("created_by", sa.String(length=40), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name="fk_incident_created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
    )
    op.create_table(
        "measurement",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("component_key", sa.String(length=40), nullable=False),
        sa.Column("condition", sa.String(24), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.Column("began_at", moment(), nullable=False),
        sa.Column("ended_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["component_key"], ["component.key"], name="fk_measurement_component_key"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_measurement"),
    )
    op.create_index(
        "ix_measurement_component", "measurement", ["component_key", "began_at"], unique=False
    )
    op.create_table(
        "telegram_link",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("telegram_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("confirmed_at", moment(), nullable=True),
        sa.Column("inactive_at", moment(), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_telegram_link_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_telegram_link"),
        sa.UniqueConstraint("telegram_id", name="uq_telegram_link_telegram_id"),
        sa.UniqueConstraint("user_id", name="uq_telegram_link_user_id"),
    )
    op.create_table(
        "telegram_link_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.Column("used_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_telegram_link_token_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_telegram_link_token"),
    )
    op.create_index(
        "ix_telegram_link_token_user_id", "telegram_link_token", ["user_id"], unique=False
    )
    op.create_table(
        "incident_component",
        sa.Column("incident_id", sa.String(length=40), nullable=False),
        sa.Column("component_key", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["component_key"], ["component.key"], name="fk_incident_component_component_key"
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_incident_component_incident_id"
        ),
        sa.PrimaryKeyConstraint("incident_id", "component_key", name="pk_incident_component"),
    )
    op.create_table(
        "incident_update",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("incident_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("answers", sa.Boolean(), nullable=False),
        sa.Column("spread_at", moment(), nullable=True),
        sa.Column("created_by", sa.String(length=40), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name="fk_incident_update_created_by"),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_incident_update_incident_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_incident_update"),
    )
    op.create_index(
        "ix_incident_update_incident_id", "incident_update", ["incident_id"], unique=False
    )
    op.create_index("ix_incident_update_spread_at", "incident_update", ["spread_at"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("opened_by", sa.String(length=40), nullable=True),
        sa.Column("contact_id", sa.String(length=40), nullable=True),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("category", sa.String(24), nullable=False),
        sa.Column("priority", sa.String(24), nullable=False),
        sa.Column("asked_priority", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("via", sa.String(24), nullable=False),
        sa.Column("about", sa.String(24), nullable=True),
        sa.Column("about_id", sa.String(length=40), nullable=True),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("seen_seq", sa.Integer(), nullable=False),
        sa.Column("last_public_at", moment(), nullable=False),
        sa.Column("last_user_at", moment(), nullable=True),
        sa.Column("last_operator_at", moment(), nullable=True),
        sa.Column("first_answered_at", moment(), nullable=True),
        sa.Column("warn_due_at", moment(), nullable=True),
        sa.Column("warned_at", moment(), nullable=True),
        sa.Column("close_due_at", moment(), nullable=True),
        sa.Column("closed_at", moment(), nullable=True),
        sa.Column("close_reason", sa.String(length=40), nullable=False),
        sa.Column("reopen_count", sa.Integer(), nullable=False),
        sa.Column("merged_into_id", sa.String(length=40), nullable=True),
        sa.Column("follows_id", sa.String(length=40), nullable=True),
        sa.Column("incident_id", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "(opened_by IS NULL) <> (contact_id IS NULL)", name="ck_ticket_one_owner"
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_ticket_contact_id"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_ticket_incident_id"),
        sa.ForeignKeyConstraint(["opened_by"], ["user.id"], name="fk_ticket_opened_by"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "follows_id"],
            ["ticket.workspace_id", "ticket.id"],
            name="fk_ticket_workspace_id_follows_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "merged_into_id"],
            ["ticket.workspace_id", "ticket.id"],
            name="fk_ticket_workspace_id_merged_into_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_ticket_workspace_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_ticket_workspace_id_id"),
        sa.UniqueConstraint("workspace_id", "number", name="uq_ticket_workspace_id_number"),
    )
    op.create_index("ix_ticket_close_due_at", "ticket", ["close_due_at"], unique=False)
    op.create_index("ix_ticket_incident_id", "ticket", ["incident_id"], unique=False)
    op.create_index("ix_ticket_contact_id", "ticket", ["contact_id"], unique=False)
    op.create_index("ix_ticket_owner", "ticket", ["opened_by", "created_at"], unique=False)
    op.create_index("ix_ticket_state", "ticket", ["state", "last_public_at"], unique=False)
    op.create_index("ix_ticket_warn_due_at", "ticket", ["warn_due_at"], unique=False)
    op.create_index("ix_ticket_workspace_id", "ticket", ["workspace_id"], unique=False)
    op.create_table(
        "desk_event",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=True),
        sa.Column("channel", sa.String(24), nullable=False),
        sa.Column("changes", document(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name="fk_desk_event_actor_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_desk_event_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_desk_event"),
    )
    op.create_index("ix_desk_event_ticket_id", "desk_event", ["ticket_id"], unique=False)
    op.create_table(
        "diagnostic_bundle",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=False),
        sa.Column("body", document(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("consented_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["consented_by"], ["user.id"], name="fk_diagnostic_bundle_consented_by"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "ticket_id"],
            ["ticket.workspace_id", "ticket.id"],
            name="fk_diagnostic_bundle_workspace_id_ticket_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_diagnostic_bundle_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_diagnostic_bundle"),
    )
    op.create_index(
        "ix_diagnostic_bundle_ticket_id", "diagnostic_bundle", ["ticket_id"], unique=False
    )
    op.create_index(
        "ix_diagnostic_bundle_workspace_id", "diagnostic_bundle", ["workspace_id"], unique=False
    )
    op.create_table(
        "draft",
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("operator_id", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("saved_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["user.id"], name="fk_draft_operator_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_draft_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", "operator_id", name="pk_draft"),
    )
    op.create_table(
        "inbound_mail",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("provider", sa.String(length=24), nullable=False),
        sa.Column("event_id", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("envelope_from", sa.String(length=254), nullable=False),
        sa.Column("envelope_to", sa.String(length=254), nullable=False),
        sa.Column("sender", sa.String(length=254), nullable=False),
        sa.Column("rfc_message_id", sa.String(length=254), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("verdicts", document(), nullable=False),
        sa.Column("decision", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", moment(), nullable=True),
        sa.Column("ticket_id", sa.String(length=40), nullable=True),
        sa.Column("message_id", sa.String(length=40), nullable=True),
        sa.Column("received_at", moment(), nullable=False),
        sa.Column("decided_at", moment(), nullable=True),
        sa.Column("raw_until", moment(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_inbound_mail_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_inbound_mail"),
        sa.UniqueConstraint("provider", "event_id", name="uq_inbound_mail_provider_event_id"),
        sa.UniqueConstraint("sha256", "envelope_to", name="uq_inbound_mail_sha256_envelope_to"),
    )
    op.create_index("ix_inbound_mail_received_at", "inbound_mail", ["received_at"], unique=False)
    op.create_index("ix_inbound_mail_ticket_id", "inbound_mail", ["ticket_id"], unique=False)
    op.create_index(
        "ix_inbound_mail_rfc_message_id", "inbound_mail", ["rfc_message_id"], unique=False
    )
    op.create_index(
        "ix_inbound_mail_waiting",
        "inbound_mail",
        ["received_at"],
        unique=False,
        sqlite_where=sa.text("decision = 'waiting'"),
        postgresql_where=sa.text("decision = 'waiting'"),
    )
    op.create_table(
        "presence",
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("operator_id", sa.String(length=40), nullable=False),
        sa.Column("mode", sa.String(24), nullable=False),
        sa.Column("seen_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["user.id"], name="fk_presence_operator_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_presence_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", "operator_id", name="pk_presence"),
    )
    op.create_table(
        "reply_token",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("holder_id", sa.String(length=40), nullable=True),
        sa.Column("contact_id", sa.String(length=40), nullable=True),
        sa.Column("purpose", sa.String(24), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.Column("revoked_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_reply_token_contact_id"),
        sa.ForeignKeyConstraint(["holder_id"], ["user.id"], name="fk_reply_token_holder_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_reply_token_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reply_token"),
        sa.UniqueConstraint("token_hash", name="uq_reply_token_token_hash"),
    )
    op.create_index("ix_reply_token_ticket_id", "reply_token", ["ticket_id"], unique=False)
    op.create_table(
        "support_access",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("operator_id", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("asked_at", moment(), nullable=False),
        sa.Column("answered_by", sa.String(length=40), nullable=True),
        sa.Column("granted_at", moment(), nullable=True),
        sa.Column("refused_at", moment(), nullable=True),
        sa.Column("expires_at", moment(), nullable=True),
        sa.Column("ended_at", moment(), nullable=True),
        sa.Column("ended_by", sa.String(length=40), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["answered_by"], ["user.id"], name="fk_support_access_answered_by"),
        sa.ForeignKeyConstraint(["ended_by"], ["user.id"], name="fk_support_access_ended_by"),
        sa.ForeignKeyConstraint(["operator_id"], ["user.id"], name="fk_support_access_operator_id"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "ticket_id"],
            ["ticket.workspace_id", "ticket.id"],
            name="fk_support_access_workspace_id_ticket_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_support_access_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_support_access"),
    )
    op.create_index(
        "ix_support_access_operator_id", "support_access", ["operator_id"], unique=False
    )
    op.create_index("ix_support_access_ticket_id", "support_access", ["ticket_id"], unique=False)
    op.create_index(
        "ix_support_access_workspace_id", "support_access", ["workspace_id"], unique=False
    )
    op.create_table(
        "telegram_message",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("made_id", sa.String(length=40), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_telegram_message_ticket_id"),
        sa.PrimaryKeyConstraint("chat_id", "message_id", name="pk_telegram_message"),
    )
    op.create_index(
        "ix_telegram_message_ticket_id", "telegram_message", ["ticket_id"], unique=False
    )
    op.create_table(
        "telegram_topic",
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_telegram_topic_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_telegram_topic"),
        sa.UniqueConstraint("chat_id", "thread_id", name="uq_telegram_topic_chat_id_thread_id"),
    )
    op.create_table(
        "desk_setting",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("weekdays", document(), nullable=False),
        sa.Column("opens", sa.String(length=5), nullable=False),
        sa.Column("closes", sa.String(length=5), nullable=False),
        sa.Column("holidays", document(), nullable=False),
        sa.Column("targets", document(), nullable=False),
        sa.Column("updated_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_desk_setting"),
    )
    op.create_table(
        "ticket_clock",
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("allowed", sa.Integer(), nullable=False),
        sa.Column("spent", sa.Integer(), nullable=False),
        sa.Column("running_since", moment(), nullable=True),
        sa.Column("due_at", moment(), nullable=True),
        sa.Column("met_at", moment(), nullable=True),
        sa.Column("breached_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_clock_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", "kind", name="pk_ticket_clock"),
    )
    op.create_index("ix_ticket_clock_due", "ticket_clock", ["due_at"], unique=False)
    op.create_table(
        "ticket_event",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(24), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=True),
        sa.Column("channel", sa.String(24), nullable=False),
        sa.Column("changes", document(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name="fk_ticket_event_actor_id"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "ticket_id"],
            ["ticket.workspace_id", "ticket.id"],
            name="fk_ticket_event_workspace_id_ticket_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_ticket_event_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_event"),
        sa.UniqueConstraint("ticket_id", "seq", name="uq_ticket_event_ticket_id_seq"),
    )
    op.create_index("ix_ticket_event_workspace_id", "ticket_event", ["workspace_id"], unique=False)
    op.create_table(
        "ticket_handling",
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("assignee_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["assignee_id"], ["user.id"], name="fk_ticket_handling_assignee_id"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_handling_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_ticket_handling"),
    )
    op.create_index(
        "ix_ticket_handling_assignee_id", "ticket_handling", ["assignee_id"], unique=False
    )
    op.create_table(
        "ticket_link",
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("other_id", sa.String(length=40), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name="fk_ticket_link_created_by"),
        sa.ForeignKeyConstraint(["other_id"], ["ticket.id"], name="fk_ticket_link_other_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_link_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", "other_id", name="pk_ticket_link"),
    )
    op.create_index("ix_ticket_link_other_id", "ticket_link", ["other_id"], unique=False)
    op.create_table(
        "ticket_message",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(24), nullable=False),
        sa.Column("author_id", sa.String(length=40), nullable=True),
        sa.Column("channel", sa.String(24), nullable=False),
        sa.Column("verification", sa.String(24), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("rfc_message_id", sa.String(length=254), nullable=False),
        sa.Column("inbound_id", sa.String(length=40), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("edited_at", moment(), nullable=True),
        sa.Column("redacted_at", moment(), nullable=True),
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
        sa.UniqueConstraint("ticket_id", "key", name="uq_ticket_message_ticket_id_key"),
        sa.UniqueConstraint("ticket_id", "seq", name="uq_ticket_message_ticket_id_seq"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_ticket_message_workspace_id_id"),
    )
    op.create_index(
        "ix_ticket_message_workspace_id", "ticket_message", ["workspace_id"], unique=False
    )
    op.create_index(
        "ix_ticket_message_author", "ticket_message", ["author_id", "created_at"], unique=False
    )
    op.create_table(
        "ticket_note",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("author_id", sa.String(length=40), nullable=True),
        sa.Column("channel", sa.String(24), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("edited_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name="fk_ticket_note_author_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_note_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_note"),
        sa.UniqueConstraint("ticket_id", "key", name="uq_ticket_note_ticket_id_key"),
    )
    op.create_index("ix_ticket_note_ticket_id", "ticket_note", ["ticket_id"], unique=False)
    op.create_table(
        "ticket_rating",
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("asked_at", moment(), nullable=False),
        sa.Column("good", sa.Boolean(), nullable=True),
        sa.Column("rated_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_rating_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_ticket_rating"),
        sa.UniqueConstraint("token_hash", name="uq_ticket_rating_token_hash"),
    )
    op.create_table(
        "ticket_tag",
        sa.Column("ticket_id", sa.String(length=40), nullable=False),
        sa.Column("tag_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name="fk_ticket_tag_tag_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_tag_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", "tag_id", name="pk_ticket_tag"),
    )
    op.create_index("ix_ticket_tag_tag_id", "ticket_tag", ["tag_id"], unique=False)
    op.create_table(
        "message_edit",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("edited_by", sa.String(length=40), nullable=True),
        sa.Column("edited_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["edited_by"], ["user.id"], name="fk_message_edit_edited_by"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "message_id"],
            ["ticket_message.workspace_id", "ticket_message.id"],
            name="fk_message_edit_workspace_id_message_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_message_edit_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_message_edit"),
    )
    op.create_index("ix_message_edit_message_id", "message_edit", ["message_id"], unique=False)
    op.create_index("ix_message_edit_workspace_id", "message_edit", ["workspace_id"], unique=False)
    op.create_table(
        "message_file",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("declared_type", sa.String(length=120), nullable=False),
        sa.Column("sniffed_type", sa.String(length=120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("storage_key", sa.String(length=80), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "message_id"],
            ["ticket_message.workspace_id", "ticket_message.id"],
            name="fk_message_file_workspace_id_message_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_message_file_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_message_file"),
        sa.UniqueConstraint("storage_key", name="uq_message_file_storage_key"),
    )
    op.create_index("ix_message_file_message_id", "message_file", ["message_id"], unique=False)
    op.create_index("ix_message_file_workspace_id", "message_file", ["workspace_id"], unique=False)
    op.create_table(
        "note_file",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("note_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("declared_type", sa.String(length=120), nullable=False),
        sa.Column("sniffed_type", sa.String(length=120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("storage_key", sa.String(length=80), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["note_id"], ["ticket_note.id"], name="fk_note_file_note_id"),
        sa.PrimaryKeyConstraint("id", name="pk_note_file"),
        sa.UniqueConstraint("storage_key", name="uq_note_file_storage_key"),
    )
    op.create_index("ix_note_file_note_id", "note_file", ["note_id"], unique=False)
    op.create_table(
        "note_mention",
        sa.Column("note_id", sa.String(length=40), nullable=False),
        sa.Column("operator_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["note_id"], ["ticket_note.id"], name="fk_note_mention_note_id"),
        sa.ForeignKeyConstraint(["operator_id"], ["user.id"], name="fk_note_mention_operator_id"),
        sa.PrimaryKeyConstraint("note_id", "operator_id", name="pk_note_mention"),
    )
    op.create_table(
        "telegram_call",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("destination", sa.String(length=64), nullable=False),
        sa.Column("audience", sa.String(24), nullable=False),
        sa.Column("recipient_id", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.String(length=40), nullable=True),
        sa.Column("message_id", sa.String(length=40), nullable=True),
        sa.Column("note_id", sa.String(length=40), nullable=True),
        sa.Column("values", document(), nullable=False),
        sa.Column("dedupe_key", sa.String(length=160), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=300), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("try_at", moment(), nullable=False),
        sa.Column("claimed_until", moment(), nullable=True),
        sa.Column("tried_at", moment(), nullable=True),
        sa.Column("sent_at", moment(), nullable=True),
        sa.CheckConstraint(
            "note_id IS NULL OR audience = 'operator'", name="ck_telegram_call_notes_stay_inside"
        ),
        sa.ForeignKeyConstraint(["note_id"], ["ticket_note.id"], name="fk_telegram_call_note_id"),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["user.id"], name="fk_telegram_call_recipient_id"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_telegram_call_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_telegram_call"),
        sa.UniqueConstraint("dedupe_key", name="uq_telegram_call_dedupe_key"),
    )
    op.create_index("ix_telegram_call_created_at", "telegram_call", ["created_at"], unique=False)
    op.create_index(
        "ix_telegram_call_queued",
        "telegram_call",
        ["destination", "created_at"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index("ix_telegram_call_ticket_id", "telegram_call", ["ticket_id"], unique=False)


def downgrade():
    with op.batch_alter_table("user") as batch:
        batch.drop_column("deleted_at")
    index_waiting_letters("state = 'queued'")
    with op.batch_alter_table("mail") as batch:
        batch.drop_constraint("notes_stay_inside", type_="check")
        batch.drop_index("ix_mail_ticket_id")
        batch.drop_constraint("uq_mail_dedupe_key", type_="unique")
        for column in (
            "envelope",
            "dedupe_key",
            "note_id",
            "ticket_message_id",
            "ticket_id",
            "recipient_id",
            "audience",
        ):
            batch.drop_column(column)
    op.drop_table("telegram_call")
    op.drop_table("note_mention")
    op.drop_table("note_file")
    op.drop_table("message_file")
    op.drop_table("message_edit")
    op.drop_table("ticket_tag")
    op.drop_table("ticket_rating")
    op.drop_table("ticket_note")
    op.drop_table("ticket_message")
    op.drop_table("ticket_link")
    op.drop_table("ticket_handling")
    op.drop_table("ticket_event")
    op.drop_table("ticket_clock")
    op.drop_table("telegram_topic")
    op.drop_table("telegram_message")
    op.drop_table("support_access")
    op.drop_table("reply_token")
    op.drop_table("presence")
    op.drop_table("inbound_mail")
    op.drop_table("draft")
    op.drop_table("diagnostic_bundle")
    op.drop_table("desk_setting")
    op.drop_table("desk_event")
    op.drop_table("ticket")
    op.drop_table("incident_update")
    op.drop_table("incident_component")
    op.drop_table("telegram_link_token")
    op.drop_table("telegram_link")
    op.drop_table("measurement")
    op.drop_table("incident")
    op.drop_table("canned_reply")
    op.drop_table("telegram_update")
    op.drop_table("telegram_chat")
    op.drop_table("tag")
    op.drop_table("status_subscriber")
    op.drop_table("deflection")
    op.drop_table("contact_request")
    op.drop_table("contact")
    op.drop_table("component")
    op.drop_table("address_health")
    lay_old_tables()
    confine("ticket", within("workspace_id"))
    confine("ticket_message", within("workspace_id"))
    confine("ticket_note", f"{OPEN} = '*'")


def lay_old_tables():
    """As in 0001."""
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
