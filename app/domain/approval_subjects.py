"""What a second person is asked for: what it is bound to, how it reads, and what carries it out."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.domain import (
    access,
    bot_raises,
    bot_rules,
    ceilings,
    connections,
    going_live,
    limits,
    protection,
    revisions,
)
from app.domain.access import Permission
from app.domain.audit import Actor, Change, changes_between
from app.domain.ceilings import Ceilings
from app.domain.certification import vouching
from app.domain.errors import Invalid, Refused
from app.domain.revisions import Safety
from app.domain.venues import known
from app.models import ApprovalKind, Bot, Connection, Membership, Workspace
from runner.protocol import Limits, Mode, from_plain, to_plain

RIGHTS = {
    ApprovalKind.GO_LIVE: Permission.BOT_GO_LIVE,
    ApprovalKind.RAISE_BOT_LIMITS: Permission.RISK_MANAGE,
    ApprovalKind.RAISE_CEILINGS: Permission.RISK_MANAGE,
    ApprovalKind.END_TWO_PERSON: Permission.WORKSPACE_SECURITY,
}
"""What it takes to do it, alone or by approving it."""

ASKING = {
    ApprovalKind.GO_LIVE: Permission.BOT_CONFIGURE,
    ApprovalKind.RAISE_BOT_LIMITS: Permission.BOT_CONFIGURE,
    ApprovalKind.RAISE_CEILINGS: Permission.RISK_MANAGE,
    ApprovalKind.END_TWO_PERSON: Permission.WORKSPACE_SECURITY,
}
"""What it takes to ask for it."""

TITLES = {
    ApprovalKind.GO_LIVE: "Go live",
    ApprovalKind.RAISE_BOT_LIMITS: "Raise limits",
    ApprovalKind.RAISE_CEILINGS: "Raise the ceilings",
    ApprovalKind.END_TWO_PERSON: "End the two-person rule",
}


_FIELDS: dict[ApprovalKind, dict[str, str]] = {
    ApprovalKind.GO_LIVE: revisions.TITLES,
    ApprovalKind.RAISE_BOT_LIMITS: limits.TITLES,
    ApprovalKind.RAISE_CEILINGS: ceilings.LISTS | ceilings.AMOUNTS,
}


@dataclass(frozen=True)
class Subject:
    """One thing to be done: to a bot, or to the workspace itself where there is none.

    ``wanted`` is plain: limits, ceilings, or a live connection with what goes with it.
    """

    kind: ApprovalKind
    workspace: Workspace
    bot: Bot | None
    wanted: dict[str, Any]

    @property
    def label(self) -> str:
        """Whom or what it is about."""
        return self.bot.name if self.bot is not None else self.workspace.name

    @property
    def target_id(self) -> str:
        """The public id of the same."""
        return self.bot.id if self.bot is not None else self.workspace.id


def go_live(
    bot: Bot,
    connection: Connection | None,
    safety: Safety,
    now: datetime,
    acknowledged: str = "",
) -> Subject:
    """To put a bot into live mode with this key. Raises what going live would raise now.

    ``acknowledged``: what nobody has seen at the exchange yet, as it was read and accepted.
    """
    bot_rules.check_mode(bot, Mode.LIVE, connection)
    going_live.demand(bot, connection, safety, now, acknowledged)
    key = connection.id if connection is not None else None
    wanted = {"connection": key, "safety": to_plain(safety), "acknowledged": acknowledged}
    return Subject(ApprovalKind.GO_LIVE, bot.workspace, bot, wanted)


def raise_limits(bot: Bot, wanted: Limits) -> Subject:
    """To give a bot these limits. Raises ``Refused`` where a live bot needs one that they lack."""
    plain: dict[str, Any] = to_plain(wanted)
    if bot.mode is Mode.LIVE:
        bot_rules.check_live_limits(plain)
    return Subject(ApprovalKind.RAISE_BOT_LIMITS, bot.workspace, bot, plain)


def raise_ceilings(workspace: Workspace, wanted: Ceilings) -> Subject:
    """To give a workspace these ceilings. Raises ``Invalid`` naming the field."""
    plain: dict[str, Any] = to_plain(ceilings.checked(wanted))
    return Subject(ApprovalKind.RAISE_CEILINGS, workspace, None, plain)


def end_two_person(workspace: Workspace) -> Subject:
    """To switch the two-person rule off."""
    return Subject(ApprovalKind.END_TWO_PERSON, workspace, None, {})


def check_asker(subject: Subject, member: Membership) -> None:
    """Raises ``Refused`` where the member may not even ask."""
    verdict = access.can(member, ASKING[subject.kind])
    if not verdict:
        raise Refused(verdict.reason)
    if subject.kind is ApprovalKind.END_TWO_PERSON:
        protection.demand_owner(member)


def digest(subject: Subject) -> str:
    """SHA-256 over exactly what it is about, as it is now, and what is wanted of it."""
    bound = {
        "kind": subject.kind.value,
        "workspace": subject.workspace.id,
        "wanted": subject.wanted,
        "now": _present(subject),
    }
    text = json.dumps(to_plain(bound), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def difference(subject: Subject) -> list[Change]:
    """Before and after, as both people read it."""
    if subject.kind is ApprovalKind.GO_LIVE:
        assert subject.bot is not None
        return _going_live(subject, subject.bot)
    if subject.kind is ApprovalKind.RAISE_BOT_LIMITS:
        assert subject.bot is not None
        return changes_between(_every(Limits, subject.bot.limits), subject.wanted)
    if subject.kind is ApprovalKind.RAISE_CEILINGS:
        return changes_between(_every(Ceilings, subject.workspace.ceilings), subject.wanted)
    return changes_between({"two_person": subject.workspace.two_person}, {"two_person": False})


def readable(kind: ApprovalKind, changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A kept diff with its fields called as the forms call them."""
    titles = _FIELDS.get(kind, {})
    return [
        change
        | {"field": titles.get(change["field"], change["field"].replace("_", " ").capitalize())}
        for change in changes
    ]


def carry_out(subject: Subject, *, by: Actor, now: datetime) -> None:
    """Do it. Raises what the verb behind it raises; then nothing is done."""
    if subject.kind is ApprovalKind.RAISE_CEILINGS:
        wanted = from_plain(Ceilings, subject.wanted)
        ceilings.change(subject.workspace, wanted, by=by, now=now)
    elif subject.kind is ApprovalKind.END_TWO_PERSON:
        protection.end_two_person(subject.workspace, by=by, now=now)
    else:
        _carry_out_on_bot(subject, by, now)


def _carry_out_on_bot(subject: Subject, by: Actor, now: datetime) -> None:
    assert subject.bot is not None
    if subject.kind is ApprovalKind.RAISE_BOT_LIMITS:
        bot_raises.set_limits(subject.bot, from_plain(Limits, subject.wanted), by=by, now=now)
        return
    connection = connections.find(subject.workspace, subject.wanted["connection"] or "")
    if connection is None:
        raise Invalid("Its live connection is gone; choose another one.", "connection")
    accepted = _acknowledged(subject)
    bot_raises.go_live(
        subject.bot, connection, _safety(subject), by=by, now=now, acknowledged=accepted
    )


def _safety(subject: Subject) -> Safety:
    return from_plain(Safety, subject.wanted["safety"])


def _acknowledged(subject: Subject) -> str:
    return str(subject.wanted.get("acknowledged", ""))


def _going_live(subject: Subject, bot: Bot) -> list[Change]:
    """With the key by its label."""
    found = connections.find(subject.workspace, subject.wanted["connection"] or "")
    return [
        replace(it, before=None, after=found.label) if it.field == "connection" and found else it
        for it in bot_raises.differences(bot, found, _safety(subject), _acknowledged(subject))
    ]


def _present(subject: Subject) -> dict[str, Any]:
    """Everything of bot or workspace whose change makes it another question."""
    bot, workspace = subject.bot, subject.workspace
    if bot is None:
        if subject.kind is ApprovalKind.RAISE_CEILINGS:
            return {"ceilings": _every(Ceilings, workspace.ceilings)}
        return {"two_person": workspace.two_person}
    going = subject.kind is ApprovalKind.GO_LIVE
    used = {bot.testnet_connection_id, bot.live_connection_id, subject.wanted.get("connection")}
    return {
        "bot": bot.id,
        "exchange": bot.exchange,
        "mode": bot.mode,
        "version": bot.strategy_version_id,
        "symbols": bot.symbols,
        "limits": _every(Limits, bot.limits),
        "connections": [_key(workspace, item) for item in sorted(map(str, used - {None}))],
        "safety": to_plain(vars(revisions.safety_of(bot))),
        **({"unproven": vouching.word(known(bot.exchange)).text} if going else {}),
    }


def _key(workspace: Workspace, connection_id: str) -> list[Any]:
    """A connection with the very key it holds: another key is another account."""
    found = connections.find(workspace, connection_id)
    if found is None:
        return [connection_id, None]
    return [connection_id, found.account_digest, found.inactive_at]


def _every(kind: type[Any], stored: dict[str, Any]) -> dict[str, Any]:
    """All fields of a document, those that were left out included."""
    plain: dict[str, Any] = to_plain(from_plain(kind, stored or {}))
    return plain
