"""People: how they come in, what proves who they are, who decides with whom, what reaches them.

Invitations and ownership offers; second factors, recovery codes, mailed links; approvals; letters
and the inbox; checkpoints and the full context of audit events; ceilings of workspaces.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def moment():
    return sa.DateTime(timezone=True)


def document():
    return sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade():
    op.create_table(
        "audit_checkpoint",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("chain", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", moment(), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.Column("key_id", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_checkpoint"),
        sa.UniqueConstraint("chain", "seq", name="uq_audit_checkpoint_chain_seq"),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("invited_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.Column("answered_at", moment(), nullable=True),
        sa.Column("answered_by", sa.String(length=40), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["answered_by"], ["user.id"], name="fk_invitation_answered_by"),
        sa.ForeignKeyConstraint(["invited_by"], ["user.id"], name="fk_invitation_invited_by"),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_invitation_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("workspace_id", "id", name="uq_invitation_workspace_id_id"),
    )
    op.create_index(
        "ix_invitation_pending",
        "invitation",
        ["workspace_id", "email_key"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_invitation_workspace_id", "invitation", ["workspace_id"], unique=False)
    op.create_table(
        "mail",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=True),
        sa.Column("letter", sa.String(length=40), nullable=False),
        sa.Column("to_email", sa.String(length=254), nullable=False),
        sa.Column("to_name", sa.String(length=80), nullable=False),
        sa.Column("values", document(), nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=300), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("try_at", moment(), nullable=False),
        sa.Column("sent_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_mail_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_mail"),
        sa.UniqueConstraint("message_id", name="uq_mail_message_id"),
    )
    op.create_index("ix_mail_created_at", "mail", ["created_at"], unique=False)
    op.create_index(
        "ix_mail_queued",
        "mail",
        ["try_at"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "mailed_link",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(24), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.Column("used_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_mailed_link_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_mailed_link"),
        sa.UniqueConstraint("token_hash", name="uq_mailed_link_token_hash"),
    )
    op.create_index("ix_mailed_link_user_id", "mailed_link", ["user_id"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("body", sa.String(length=500), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("read_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_notice_user_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_notice_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint("user_id", "key", name="uq_notice_user_id_key"),
    )
    op.create_index("ix_notice_inbox", "notice", ["user_id", "created_at"], unique=False)
    op.create_index("ix_notice_workspace_id", "notice", ["workspace_id"], unique=False)
    op.create_table(
        "ownership_offer",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("from_id", sa.String(length=40), nullable=False),
        sa.Column("to_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.Column("answered_at", moment(), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["from_id"], ["user.id"], name="fk_ownership_offer_from_id"),
        sa.ForeignKeyConstraint(["to_id"], ["user.id"], name="fk_ownership_offer_to_id"),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_ownership_offer_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ownership_offer"),
    )
    op.create_index(
        "ix_ownership_offer_pending",
        "ownership_offer",
        ["workspace_id", "from_id"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_ownership_offer_workspace_id", "ownership_offer", ["workspace_id"], unique=False
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("used_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_recovery_code_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_code"),
    )
    op.create_index("ix_recovery_code_user_id", "recovery_code", ["user_id"], unique=False)
    op.create_table(
        "totp_factor",
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("confirmed_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_totp_factor_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name="pk_totp_factor"),
    )
    op.create_table(
        "invitation_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("invitation_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("replaced_at", moment(), nullable=True),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("mailed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "invitation_id"],
            ["invitation.workspace_id", "invitation.id"],
            name="fk_invitation_link_workspace_id_invitation_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_invitation_link_workspace_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_invitation_link"),
    )
    op.create_index(
        "ix_invitation_link_invitation_id", "invitation_link", ["invitation_id"], unique=False
    )
    op.create_index(
        "ix_invitation_link_workspace_id", "invitation_link", ["workspace_id"], unique=False
    )
    op.create_table(
        "approval",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("bot_id", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("wanted", document(), nullable=False),
        sa.Column("changes", document(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("requested_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.Column("decided_by", sa.String(length=40), nullable=True),
        sa.Column("decided_at", moment(), nullable=True),
        sa.Column("answer", sa.String(length=300), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["user.id"], name="fk_approval_decided_by"),
        sa.ForeignKeyConstraint(["requested_by"], ["user.id"], name="fk_approval_requested_by"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "bot_id"],
            ["bot.workspace_id", "bot.id"],
            name="fk_approval_workspace_id_bot_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_approval_workspace_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
    )
    op.create_index("ix_approval_bot_id", "approval", ["bot_id"], unique=False)
    op.create_index("ix_approval_workspace_id", "approval", ["workspace_id"], unique=False)
    op.add_column(
        "audit_event",
        sa.Column("on_behalf_of", sa.String(length=254), nullable=False, server_default=""),
    )
    op.add_column("audit_event", sa.Column("session_id", sa.String(length=40), nullable=True))
    op.add_column(
        "audit_event", sa.Column("method", sa.String(length=24), nullable=False, server_default="")
    )
    op.add_column(
        "audit_event",
        sa.Column("user_agent", sa.String(length=200), nullable=False, server_default=""),
    )
    op.add_column(
        "audit_event", sa.Column("source", sa.String(length=16), nullable=False, server_default="")
    )
    op.add_column(
        "audit_event", sa.Column("route", sa.String(length=80), nullable=False, server_default="")
    )
    op.add_column("audit_event", sa.Column("correlation_id", sa.String(length=40), nullable=True))
    op.add_column(
        "audit_event", sa.Column("schema", sa.Integer(), nullable=False, server_default="1")
    )
    op.add_column(
        "audit_event", sa.Column("release", sa.String(length=24), nullable=False, server_default="")
    )
    op.add_column("audit_event", sa.Column("recorded_at", moment(), nullable=True))
    op.create_index(
        "ix_audit_event_correlation_id", "audit_event", ["correlation_id"], unique=False
    )
    op.create_index("ix_audit_event_session_id", "audit_event", ["session_id"], unique=False)
    op.add_column("connection", sa.Column("inactive_at", moment(), nullable=True))
    op.add_column("connection", sa.Column("rotated_at", moment(), nullable=True))
    op.add_column("login_session", sa.Column("confirmed_at", moment(), nullable=True))
    op.add_column(
        "login_session",
        sa.Column("method", sa.String(length=24), nullable=False, server_default="password"),
    )
    op.add_column("membership", sa.Column("suspended_at", moment(), nullable=True))
    op.add_column("strategy", sa.Column("copied_from", document(), nullable=True))
    op.add_column("user", sa.Column("email_verified_at", moment(), nullable=True))
    op.add_column(
        "workspace", sa.Column("defaults", document(), nullable=False, server_default="{}")
    )
    op.add_column(
        "workspace", sa.Column("ceilings", document(), nullable=False, server_default="{}")
    )
    op.add_column(
        "workspace",
        sa.Column("two_person", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "workspace",
        sa.Column("managers_invite", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.add_column("workspace", sa.Column("factor_from", moment(), nullable=True))
    op.add_column("workspace", sa.Column("suspended_at", moment(), nullable=True))
    op.add_column("workspace", sa.Column("deleted_at", moment(), nullable=True))
    # Who had an account before addresses were proven keeps what they own.
    op.execute('UPDATE "user" SET email_verified_at = created_at')


def downgrade():
    op.drop_column("workspace", "deleted_at")
    op.drop_column("workspace", "suspended_at")
    op.drop_column("workspace", "factor_from")
    op.drop_column("workspace", "managers_invite")
    op.drop_column("workspace", "two_person")
    op.drop_column("workspace", "ceilings")
    op.drop_column("workspace", "defaults")
    op.drop_column("user", "email_verified_at")
    op.drop_column("strategy", "copied_from")
    op.drop_column("membership", "suspended_at")
    op.drop_column("login_session", "method")
    op.drop_column("login_session", "confirmed_at")
    op.drop_column("connection", "rotated_at")
    op.drop_column("connection", "inactive_at")
    op.drop_index("ix_audit_event_session_id", table_name="audit_event")
    op.drop_index("ix_audit_event_correlation_id", table_name="audit_event")
    op.drop_column("audit_event", "recorded_at")
    op.drop_column("audit_event", "release")
    op.drop_column("audit_event", "schema")
    op.drop_column("audit_event", "correlation_id")
    op.drop_column("audit_event", "route")
    op.drop_column("audit_event", "source")
    op.drop_column("audit_event", "user_agent")
    op.drop_column("audit_event", "method")
    op.drop_column("audit_event", "session_id")
    op.drop_column("audit_event", "on_behalf_of")
    op.drop_index("ix_approval_workspace_id", table_name="approval")
    op.drop_index("ix_approval_bot_id", table_name="approval")
    op.drop_table("approval")
    op.drop_index("ix_invitation_link_workspace_id", table_name="invitation_link")
    op.drop_index("ix_invitation_link_invitation_id", table_name="invitation_link")
    op.drop_table("invitation_link")
    op.drop_table("totp_factor")
    op.drop_index("ix_recovery_code_user_id", table_name="recovery_code")
    op.drop_table("recovery_code")
    op.drop_index("ix_ownership_offer_workspace_id", table_name="ownership_offer")
    op.drop_index(
        "ix_ownership_offer_pending",
        table_name="ownership_offer",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_table("ownership_offer")
    op.drop_index("ix_notice_workspace_id", table_name="notice")
    op.drop_index("ix_notice_inbox", table_name="notice")
    op.drop_table("notice")
    op.drop_index("ix_mailed_link_user_id", table_name="mailed_link")
    op.drop_table("mailed_link")
    op.drop_index(
        "ix_mail_queued",
        table_name="mail",
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.drop_index("ix_mail_created_at", table_name="mail")
    op.drop_table("mail")
    op.drop_index("ix_invitation_workspace_id", table_name="invitation")
    op.drop_index(
        "ix_invitation_pending",
        table_name="invitation",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_table("invitation")
    op.drop_table("audit_checkpoint")
