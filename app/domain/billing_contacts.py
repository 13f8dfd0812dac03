"""Billing contacts: addresses that are told of a workspace's costs, and have no right to anything.

Each is asked first, by a link in the one letter it gets until then, and can end it by another one.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update

from app import tenancy
from app.domain import accounts, audit, dressing, mail, strangers, workspaces
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid, Refused
from app.extensions import change, db
from app.models import BillingContact, Mail, MailState, User, Workspace

LINK_LASTS = timedelta(days=3)
MOST = 10
MAX_NAME = 80
ASKED_ENOUGH = "This address was asked several times lately; nothing was sent. Try again tomorrow."
OVER = "This link was used, replaced, or is too old. Ask whoever added the address for a new one."
NOBODY = "This link belongs to no address that is told of costs."


def of(workspace: Workspace) -> list[BillingContact]:
    """All of a workspace, confirmed or not, by address."""
    query = select(BillingContact).where(BillingContact.workspace_id == workspace.id)
    return list(db.session.scalars(query.order_by(BillingContact.email_key)))


def find(workspace: Workspace, contact_id: str) -> BillingContact | None:
    """One of them."""
    mine = BillingContact.workspace_id == workspace.id, BillingContact.id == contact_id
    return db.session.scalar(select(BillingContact).where(*mine))


def add(
    workspace: Workspace,
    email: str,
    name: str,
    *,
    link_to: Callable[[str], str],
    author: User | None,
    by: Actor,
    now: datetime,
) -> BillingContact:
    """Add an address and ask it, by mail, whether it wants to be told.

    Raises:
        Invalid: it is no address, stands there already, was asked too often, or the name is too
            long.
        Refused: there are enough already.
        TooMany: too many letters were asked for from where this comes.
    """
    key, cleaned = accounts.email_key(email), " ".join(name.split())
    if len(cleaned) > MAX_NAME:
        raise Invalid(f"Use at most {MAX_NAME} characters.", "name")
    workspaces.lock(workspace)
    there = of(workspace)
    if any(contact.email_key == key for contact in there):
        raise Invalid("This address is on the list already.", "email")
    if len(there) >= MOST:
        raise Refused(f"At most {MOST} addresses; remove one first.")
    if not _may_ask(key, by, now):
        raise Invalid(ASKED_ENOUGH, "email")
    contact = BillingContact(
        workspace_id=workspace.id,
        name=cleaned,
        email=email.strip(),
        email_key=key,
        asked_at=now,
        added_by=author.id if author else None,
        added_at=now,
    )
    db.session.add(contact)
    db.session.flush()
    _ask(workspace, contact, link_to, now)
    _record("billing.contact_add", contact, by, now, [Change("email", None, contact.email)])
    return contact


def ask_again(
    workspace: Workspace,
    contact: BillingContact,
    *,
    link_to: Callable[[str], str],
    by: Actor,
    now: datetime,
) -> None:
    """Send the question once more; the older link ends.

    Raises:
        Conflict: the address has answered, or was asked too often; then its link stays.
        TooMany: too many letters were asked for from where this comes.
    """
    if contact.verified_at is not None:
        raise Conflict("This address is confirmed already.")
    if not _may_ask(contact.email_key, by, now):
        raise Conflict(f"{ASKED_ENOUGH} The link in its mailbox holds as long as it did.")
    contact.asked_at = now
    _ask(workspace, contact, link_to, now)
    _record("billing.contact_ask", contact, by, now, [])


def remove(workspace: Workspace, contact: BillingContact, *, by: Actor, now: datetime) -> None:
    """Take an address off; it is told, if it ever agreed to be."""
    if _end("billing.contact_remove", contact, by, now) and contact.verified_at is not None:
        mail.post(
            "billing_removed",
            to=contact.email,
            name=contact.name,
            now=now,
            workspace_id=workspace.id,
            workspace=workspace.name,
        )


def forget_all(workspace: Workspace) -> list[Change]:
    """Take all off, silently, for the workspace ends; say how many there were."""
    ids = [contact.id for contact in of(workspace)]
    count = change(delete(BillingContact).where(BillingContact.id.in_(ids)))
    _cancel_letters(Mail.recipient_id.in_(ids))
    return [Change("billing contacts", count, 0)] if count else []


def waiting(token: str, now: datetime) -> tuple[str, str] | None:
    """The address a link asks, and the workspace's name, if the link is still good. Reads only."""
    with tenancy.everywhere("a mailed link is good for whoever holds it"):
        found = _waiting(token, now)
        return (found.email, _name_of(found.workspace_id)) if found else None


def confirm(token: str, *, by: Actor, now: datetime) -> None:
    """The mailbox is theirs and they want to be told. Raises ``Conflict``."""
    with tenancy.everywhere("a mailed link is good for whoever holds it"):
        found = _waiting(token, now)
        spent = found is not None and change(
            update(BillingContact)
            .where(BillingContact.id == found.id, BillingContact.token_hash == _digest(token))
            .values(token_hash="", verified_at=now)
        )
        if not spent or found is None:
            raise Conflict(OVER)
        changes = [Change("verified_at", None, now)]
        _record("billing.contact_confirm", found, by, now, changes)


def leaver(token: str) -> tuple[str, str] | None:
    """The address that a link in its letters takes off, and the workspace's name. Reads only."""
    with tenancy.everywhere("a mailed link is good for whoever holds it"):
        found = db.session.get(BillingContact, token)
        return (found.email, _name_of(found.workspace_id)) if found else None


def leave(token: str, *, by: Actor, now: datetime) -> None:
    """The address wants to hear no more. Raises ``Conflict`` if the link is nobody's."""
    with tenancy.everywhere("a mailed link is good for whoever holds it"):
        found = db.session.get(BillingContact, token)
        if found is None or not _end("billing.contact_leave", found, by, now):
            raise Conflict(NOBODY)


def write(
    workspace: Workspace,
    letter: str,
    *,
    base_url: str,
    key: str,
    now: datetime,
    to: Iterable[BillingContact] | None = None,
    page: str = "",
    **values: Any,
) -> None:
    """Send a letter to each address that was confirmed, or to those ``to`` names of them.

    The same ``key`` again sends nothing. ``page``: a path, of use to those who are members too.
    """
    for contact in of(workspace) if to is None else to:
        name = f"{key} {contact.id}"
        if contact.verified_at is None or not _held(contact) or _written(name):
            continue
        leave_link = f"{base_url}/billing/leave/{contact.id}"
        sent = mail.post(
            letter,
            to=contact.email,
            name=contact.name,
            now=now,
            workspace_id=workspace.id,
            workspace=workspace.name,
            leave=leave_link,
            page=page,
            **values,
        )
        sent.dedupe_key, sent.recipient_id = name, contact.id
        sent.envelope = {
            "headers": {
                "List-Unsubscribe": f"<{leave_link}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
        }
    db.session.flush()


def _held(contact: BillingContact) -> bool:
    """Whether it is still there, and stays until this transaction has ended; see ``_end``."""
    query = select(BillingContact.id).where(BillingContact.id == contact.id)
    return db.session.scalar(query.with_for_update(read=True)) is not None


def _ask(
    workspace: Workspace,
    contact: BillingContact,
    link_to: Callable[[str], str],
    now: datetime,
) -> None:
    """By no name: whoever has not said yes is told nothing that somebody else typed freely."""
    token = secrets.token_urlsafe(32)
    contact.token_hash = _digest(token)
    letter = mail.post(
        "billing_confirm",
        to=contact.email,
        name="",
        now=now,
        workspace_id=workspace.id,
        workspace=workspace.name,
        link=link_to(token),
    )
    letter.recipient_id = contact.id


def _may_ask(email_key: str, by: Actor, now: datetime) -> bool:
    return strangers.may_write("billing.contact_letter", email_key, by=by, now=now)


def _cancel_letters(whose: ColumnElement[bool]) -> None:
    waiting_ones = whose, Mail.state.in_(mail.WAITING)
    change(update(Mail).where(*waiting_ones).values(state=MailState.CANCELLED, error=dressing.LEFT))


def _end(action: str, contact: BillingContact, by: Actor, now: datetime) -> bool:
    """The row goes, and then the letters that wait; ``False`` if somebody else ended it.

    In this order: whoever writes to an address holds its row until the letter is in the books.
    """
    gone = delete(BillingContact).where(BillingContact.id == contact.id)
    if not change(gone.execution_options(synchronize_session=False)):
        return False
    _cancel_letters(Mail.recipient_id == contact.id)
    _record(action, contact, by, now, [Change("email", contact.email, None)])
    return True


def _record(
    action: str, contact: BillingContact, by: Actor, now: datetime, changes: list[Change]
) -> None:
    """The id is not told: it stands in the letters alone, and ends them."""
    audit.record(
        action,
        by=by,
        now=now,
        workspace_id=contact.workspace_id,
        target_label=contact.email,
        changes=changes,
    )


def _waiting(token: str, now: datetime) -> BillingContact | None:
    query = select(BillingContact).where(
        BillingContact.token_hash == _digest(token), BillingContact.asked_at > now - LINK_LASTS
    )
    return db.session.scalar(query)


def _name_of(workspace_id: str) -> str:
    return db.session.get_one(Workspace, workspace_id).name


def _written(key: str) -> bool:
    query = select(func.count(Mail.id)).where(Mail.dedupe_key == key)
    return bool(db.session.scalar(query))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
