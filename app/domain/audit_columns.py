"""What the audit log says about each column of each audited row: nothing, its value, or "changed".

``track``: before and after stand in the event. ``secret``: the event says that it changed and no
more, not even how long it is. ``ignore``: no person's doing, or told by the action itself. A column
or a table that stands nowhere here fails a test.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import inspect

from app.domain.audit import Change, changes_between


class Treatment(StrEnum):
    """How a column appears in the log."""

    IGNORE = "ignore"
    TRACK = "track"
    SECRET = "secret"  # noqa: S105 -- the name of a treatment


@dataclass(frozen=True)
class Columns:
    """The columns of one table by treatment, each as one line of names."""

    track: str = ""
    hidden: str = ""
    ignore: str = ""

    def treatments(self) -> dict[str, Treatment]:
        """Each column with its treatment."""
        named = {
            Treatment.TRACK: self.track,
            Treatment.SECRET: self.hidden,
            Treatment.IGNORE: self.ignore,
        }
        return {name: treatment for treatment, text in named.items() for name in text.split()}


AUDITED: dict[str, Columns] = {
    "user": Columns(
        track="email name theme email_verified_at operator suspended_at deleted_at",
        hidden="password_hash",
        ignore="id email_key last_workspace_id created_at",
    ),
    "login_session": Columns(
        track="method revoked_at",
        hidden="token_hash",
        ignore="id user_id ip user_agent created_at seen_at expires_at confirmed_at",
    ),
    "totp_factor": Columns(
        track="confirmed_at", hidden="sealed", ignore="user_id last_step created_at"
    ),
    "recovery_code": Columns(
        track="used_at",
        hidden="code_hash",
        ignore="id user_id created_at",
    ),
    "mailed_link": Columns(
        track="purpose email used_at",
        hidden="token_hash",
        ignore="id user_id created_at expires_at",
    ),
    "workspace": Columns(
        track="name slug zone defaults ceilings two_person managers_invite factor_from "
        "suspended_at deleted_at",
        ignore="id kind last_ticket_number created_at",
    ),
    "membership": Columns(track="user_id role suspended_at", ignore="id workspace_id created_at"),
    "invitation": Columns(
        track="email role state sent expires_at answered_by",
        ignore="id workspace_id email_key invited_by created_at answered_at",
    ),
    "invitation_link": Columns(
        hidden="token_hash",
        ignore="workspace_id invitation_id created_at replaced_at mailed",
    ),
    "ownership_offer": Columns(
        track="from_id to_id state", ignore="id workspace_id created_at expires_at answered_at"
    ),
    "approval": Columns(
        track="kind bot_id state wanted changes reason answer decided_by",
        ignore="id workspace_id digest requested_by created_at expires_at decided_at",
    ),
    "connection": Columns(
        track="exchange environment label inactive_at rotated_at deleted_at",
        hidden="sealed key_hint account_digest",
        ignore="id workspace_id venue_account checked_at findings created_by created_at",
    ),
    "strategy": Columns(
        track="name summary template copied_from archived_at",
        ignore="id workspace_id created_at",
    ),
    "strategy_tag": Columns(track="name", ignore="workspace_id strategy_id"),
    "strategy_version": Columns(
        track="number rules note", ignore="id workspace_id strategy_id created_by created_at"
    ),
    "backtest": Columns(
        track="note asked kind",
        ignore="id workspace_id strategy_version_id state step percent attempt holder cancel_at "
        "heard_at started_at ended_at log fault figures digest result created_by created_at",
    ),
    "readiness_check": Columns(
        track="mode symbols",
        ignore="id workspace_id bot_id strategy_version_id since until parity drift pinned state "
        "step percent attempt holder cancel_at heard_at started_at ended_at log fault created_by "
        "created_at",
    ),
    "guide_progress": Columns(track="opened_at closed_at hidden_at", ignore="user_id guide"),
    "dry_run": Columns(
        track="",
        ignore="id workspace_id strategy_id base name summary source digest asked state step "
        "percent attempt holder cancel_at heard_at started_at ended_at log fault told created_by "
        "created_at",
    ),
    "code_task": Columns(
        track="",
        hidden="token token_hash",
        ignore="id workspace_id subject exchange runs seconds request state step done of parts "
        "answer fault boot_id created_at watched_at heard_at started_at ended_at machine region "
        "zone leaving operation request_id attempt try_at problem inserted_at gone_at",
    ),
    "tester": Columns(
        track="name public_key note revoked_at",
        hidden="sealed",
        ignore="id own created_by created_at",
    ),
    "certification": Columns(
        track="digest exchange environment runner_version ended_at passed",
        ignore="id tester_id content received_by received_at",
    ),
    "certification_run": Columns(
        track="symbol",
        hidden="token_hash",
        ignore="id workspace_id connection_id lines report certification_id state step percent "
        "attempt holder cancel_at heard_at started_at ended_at log fault created_by created_at",
    ),
    "bot": Columns(
        track="name exchange region mode wish paused symbols strategy_version_id "
        "testnet_connection_id live_connection_id disaster_stop_percent on_end grace_minutes "
        "limits schedule keep_awake_until asleep_until starting_balance paper_reset_at "
        "deleted_at",
        ignore="id workspace_id paused_at paused_by pause_rule pause_reason stop_reason "
        "approved_revision created_by created_at",
    ),
    "signal_hook": Columns(
        track="max_age sources aliases",
        hidden="sealed",
        ignore="workspace_id bot_id hint created_by created_at rotated_at",
    ),
    "billing_terms": Columns(
        track="from_month markup_percent idle_payer max_bots max_machines max_spend",
        ignore="id workspace_id spent_month spent_seen_at changed_at changed_by",
    ),
    "budget": Columns(track="amount", ignore="id workspace_id changed_at changed_by"),
    "billing_contact": Columns(
        track="name email verified_at",
        hidden="token_hash",
        ignore="id workspace_id email_key asked_at told_month added_by added_at",
    ),
    "cloud_find": Columns(
        track="state",
        ignore="id kind name region zone ip why first_seen last_seen sightings request_id "
        "operation try_at attempt detail decided_by decided_at gone_at",
    ),
    "fleet_notice": Columns(track="text starts_at ends_at withdrawn_at", ignore="id created_by"),
    "fleet_upgrade": Columns(
        track="version policy at_once state",
        ignore="id total why started_by started_at ended_at",
    ),
    "ticket": Columns(
        track="subject category priority state merged_into_id incident_id",
        ignore="id workspace_id number opened_by contact_id asked_priority via about about_id "
        "last_seq seen_seq last_public_at last_user_at last_operator_at first_answered_at "
        "warn_due_at warned_at close_due_at closed_at close_reason reopen_count follows_id "
        "version created_at",
    ),
    "desk_setting": Columns(
        track="zone weekdays opens closes holidays targets", ignore="id updated_at"
    ),
    "canned_reply": Columns(track="title body archived_at", ignore="id created_by created_at"),
    "incident": Columns(
        track="title state impact resolved_at",
        ignore="id began_at tickets first_report_at created_by created_at",
    ),
    "support_access": Columns(
        track="operator_id reason minutes granted_at refused_at expires_at ended_at",
        ignore="id workspace_id ticket_id asked_at answered_by ended_by",
    ),
    "hold": Columns(track="cause text lifted_at", ignore="id imposed_by since"),
    "trade_note": Columns(track="text", ignore="workspace_id trade_id written_by written_at"),
    "trade_tag": Columns(track="name", ignore="workspace_id trade_id"),
    "telegram_link": Columns(
        track="telegram_id confirmed_at inactive_at", ignore="id user_id chat_id name created_at"
    ),
}

_LEDGERS = (
    "audit_event audit_head audit_checkpoint leadership outbox mail notice "
    "ticket_message message_edit message_file ticket_event ticket_note note_mention note_file "
    "desk_event ticket_handling ticket_clock tag ticket_tag ticket_link presence draft "
    "ticket_rating inbound_mail reply_token address_health contact contact_request "
    "diagnostic_bundle deflection telegram_call telegram_update telegram_link_token telegram_topic "
    "telegram_message telegram_chat component measurement incident_component incident_update "
    "status_subscriber "
    "bot_command run "
    "bot_address address_event bot_compute machine machine_console cloud_operation usage_interval "
    "cloud_region zone_cooldown wake_lead sweep_run fleet_alarm upgrade_step budget_alert "
    "candle decision_block bot_order fill trade position equity_point runner_notice checkpoint "
    "cash_flow limit_breach protection equity_day preview signal "
    "kill kill_bot bot_alarm"
)
OWN_LEDGERS = frozenset(_LEDGERS.split())
"""Tables that keep their own history, or follow from an audited act and cannot be changed apart."""


def values_of(row: Any) -> dict[str, Any]:
    """What a row holds now, of all that the log speaks about; compare it by ``changes_in``."""
    treatments = AUDITED[inspect(row).mapper.local_table.name].treatments()
    told = (name for name, treatment in treatments.items() if treatment is not Treatment.IGNORE)
    return {name: getattr(row, name) for name in told}


def changes_in(row: Any, before: dict[str, Any]) -> list[Change]:
    """How a row differs from what ``values_of`` said of it earlier."""
    treatments = AUDITED[inspect(row).mapper.local_table.name].treatments()
    found = changes_between(before, values_of(row))
    return [
        Change(change.field, None, "changed")
        if treatments[change.field] is Treatment.SECRET
        else change
        for change in found
    ]
