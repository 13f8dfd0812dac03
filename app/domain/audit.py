"""The audit log: exactly one event per change, in the transaction of the change.

Events of one chain (a workspace, or an account for what belongs to no workspace) are linked; the
arithmetic stands in ``audit_chain``.
"""

import json
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, select
from sqlalchemy.dialects import postgresql, sqlite

from app.domain import audit_chain, clock
from app.domain.audit_chain import GENESIS
from app.extensions import db
from app.models.audit import AuditEvent, AuditHead, AuditOutcome
from app.models.base import new_id
from app.models.user import User
from runner import __version__
from runner.protocol import to_plain

SCHEMA = 2
MAX_CHANGES = 50
MAX_TEXT = 500
PLATFORM = "platform"
"""The chain of what belongs to no workspace and no account."""


@dataclass(frozen=True)
class Actor:
    """Who acts, and through which door: a person, the planner, a limit that was passed, the
    timetable, the command line.

    ``session_id`` is the public id of the login session, never its token; ``method`` what the
    person proved themselves with; ``source`` web, api, worker, cli or gate; ``route`` the address
    without its values; ``on_behalf_of`` the person a token or a staff member acts for.
    ``correlation_id`` ties together what one thing led to, e.g. an approval.
    """

    kind: str
    label: str
    id: str | None = None
    ip: str | None = None
    request_id: str | None = None
    on_behalf_of: str = ""
    session_id: str | None = None
    method: str = ""
    user_agent: str = ""
    source: str = ""
    route: str = ""
    correlation_id: str | None = None

    def as_person(self, person: User) -> "Actor":
        """The same request, by somebody who is only just becoming known."""
        return replace(self, kind="user", label=person.email, id=person.id)


PLANNER = Actor("planner", "planner", source="worker")
TIMETABLE = Actor("timetable", "timetable", source="ticker")
COMMAND_LINE = Actor("command_line", "command line", source="cli")
POLICY = Actor("policy", "risk limit", source="worker")


@dataclass(frozen=True)
class Change:
    """One field before and after. Secrets are never passed here: say "changed"."""

    field: str
    before: Any
    after: Any


def changes_between(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """List the fields whose values differ. What only reads in another order is no change."""
    keys = sorted(before.keys() | after.keys())
    return [
        Change(key, before.get(key), after.get(key))
        for key in keys
        if not _same(before.get(key), after.get(key))
    ]


def record(
    action: str,
    *,
    by: Actor,
    now: datetime,
    workspace_id: str | None = None,
    account_id: str | None = None,
    target_id: str | None = None,
    target_label: str = "",
    changes: Iterable[Change] = (),
    reason: str = "",
    outcome: AuditOutcome = AuditOutcome.SUCCESS,
    correlation_id: str | None = None,
) -> AuditEvent:
    """Append one event. Call it last in a verb: it locks the head of the chain until the commit.

    Args:
        action: ``noun.verb``.
        by: who acts.
        now: the moment, UTC.
        workspace_id: the workspace it happened in; none for account events.
        account_id: the user whose account chain gets the event when there is no workspace.
        target_id: public id of what was changed.
        target_label: its name at this moment.
        changes: fields before and after; of more than 50 the rest is counted.
        reason: why, where a person or a policy gave one.
        outcome: success, denied or failed.
        correlation_id: the run, the machine or the approval that it belongs to.
    """
    chain = workspace_id or account_id or PLATFORM
    head, recorded_at = _locked_head(chain, now)
    event = AuditEvent(
        id=new_id("evt"),
        workspace_id=workspace_id,
        chain=chain,
        seq=head.seq + 1,
        occurred_at=now,
        recorded_at=recorded_at,
        action=action,
        outcome=outcome,
        target_id=target_id,
        target_label=_line(target_label, 254),
        changes=_listed(list(changes)),
        reason=_line(reason, 300),
        correlation_id=correlation_id or by.correlation_id,
        schema=SCHEMA,
        release=__version__,
        salt=secrets.token_hex(16),
        previous_hash=head.hash,
        **_origin(by),
    )
    said = audit_chain.plain(event)
    event.payload_hash = said["payload_hash"] = audit_chain.payload_hash(said)
    event.hash = audit_chain.link_hash(chain, said)
    head.seq, head.hash = event.seq, event.hash
    db.session.add(event)
    return event


def _origin(by: Actor) -> dict[str, Any]:
    return {
        "actor_kind": by.kind,
        "actor_id": by.id,
        "actor_label": _line(by.label, 254),
        "on_behalf_of": _line(by.on_behalf_of, 254),
        "session_id": by.session_id,
        "method": by.method[:24],
        "source": by.source,
        "route": by.route[:80],
        "ip": by.ip,
        "user_agent": _line(by.user_agent, 200),
        "request_id": by.request_id,
    }


def _locked_head(chain: str, now: datetime) -> tuple[AuditHead, datetime]:
    """The end of a chain, locked, and the moment by the database's clock.

    The first events of a chain may come at once: all insert the head, one does, all then lock it.
    """
    query = (
        select(AuditHead, clock.moment(now))
        .where(AuditHead.chain == chain)
        .with_for_update(of=AuditHead)
        .execution_options(populate_existing=True)
    )
    found = db.session.execute(query).one_or_none()
    if found is None:
        db.session.connection().execute(_new_head(chain))
        found = db.session.execute(query).one()
    return found[0], found[1]


def _new_head(chain: str) -> Insert:
    """A statement for the connection: a session that is confined takes rows one by one only."""
    values = {"chain": chain, "seq": 0, "hash": GENESIS}
    if db.session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(AuditHead).values(values).on_conflict_do_nothing()
    return sqlite.insert(AuditHead).values(values).on_conflict_do_nothing()


def _listed(changes: list[Change]) -> list[dict[str, Any]]:
    if len(changes) > MAX_CHANGES:
        surplus = len(changes) - MAX_CHANGES + 1
        changes = [*changes[: MAX_CHANGES - 1], Change("more", None, f"{surplus} more changes")]
    return [
        {"field": change.field, "before": _short(change.before), "after": _short(change.after)}
        for change in changes
    ]


def _short(value: Any) -> Any:
    value = _stored(to_plain(value))
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    if len(text) <= MAX_TEXT:
        return value
    return text[:MAX_TEXT] + "… (shortened)"


def _stored(value: Any) -> Any:
    """What every database gives back as it was given: no floats, no characters it refuses."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {str(_stored(key)): _stored(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_stored(item) for item in value]
    if isinstance(value, str):
        return "".join("\ufffd" if _unkeepable(letter) else letter for letter in str(value))
    return value


def _unkeepable(letter: str) -> bool:
    return letter == "\x00" or unicodedata.category(letter) == "Cs"


def _line(text: str, most: int) -> str:
    """One line, whatever somebody named a thing: nothing that ends a line or turns it around."""
    words = text.translate({ord(blank): " " for blank in "\t\r\n"})
    return "".join("\ufffd" if _hides(letter) else letter for letter in words)[:most]


def _hides(letter: str) -> bool:
    """Control characters, line and paragraph ends, surrogates, and marks that reorder text."""
    category = unicodedata.category(letter)
    turns = unicodedata.bidirectional(letter) in ("LRE", "RLE", "LRO", "RLO", "PDF")
    isolates = unicodedata.bidirectional(letter) in ("LRI", "RLI", "FSI", "PDI")
    return category in ("Cc", "Cs", "Zl", "Zp") or turns or isolates


def _same(before: Any, after: Any) -> bool:
    return bool(before == after) or to_plain(before) == to_plain(after)
