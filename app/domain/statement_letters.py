"""After a month has ended, billing contacts are written once what it came to.

Who is written is fixed by the month's end: addresses that had said yes by then and are still on the
list. Each contact's row remembers the latest month that it was written of, and moves forward only.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, update

from app.domain import billing_contacts, months, outbox, statements
from app.domain.months import Month
from app.domain.statements import Statement
from app.extensions import change, db
from app.models import BillingContact, Workspace

QUEUE, JOB = "desk", "send_statement"
LETTER = "statement"
SETTLES = timedelta(hours=1)
"""Machines that went at the very end of a month are in the books by then."""


def ask_due(now: datetime) -> None:
    """Have a worker write for each workspace that has somebody to be written of the last month."""
    month = _closed(now)
    query = select(BillingContact.workspace_id).join(
        Workspace, Workspace.id == BillingContact.workspace_id
    )
    query = query.where(Workspace.deleted_at.is_(None), *_unwritten(month))
    for workspace_id in sorted(set(db.session.scalars(query))):
        outbox.put(QUEUE, JOB, now=now, workspace_id=workspace_id, place=workspace_id)


def send(workspace_id: str, now: datetime, base_url: str) -> None:
    """Write of the month that ended last; twice, late or in vain writes nobody twice.

    A month during whose successor nobody was there to write is not made up for.
    """
    query = select(Workspace).where(Workspace.id == workspace_id).with_for_update(key_share=True)
    workspace = db.session.scalar(query)
    if workspace is None or workspace.deleted_at is not None:
        return
    month = _closed(now)
    to = [it for it in billing_contacts.of(workspace) if _claim(it, month)]
    if not to:
        return
    told = statements.of_workspace(workspace, month, now)
    if _worth_telling(told):
        key, page = f"statement {workspace.id} {month}", f"/w/{workspace.id}/billing/{month}"
        billing_contacts.write(
            workspace,
            LETTER,
            base_url=base_url,
            key=key,
            now=now,
            to=to,
            page=page,
            **_said(told),
        )


def _closed(now: datetime) -> Month:
    """The latest month that is over and in the books."""
    return months.of(now - SETTLES).previous


def _unwritten(month: Month) -> tuple[ColumnElement[bool], ...]:
    return BillingContact.verified_at < month.end, BillingContact.told_month < str(month)


def _claim(contact: BillingContact, month: Month) -> bool:
    """Whether this contact is to be written of this month, and by nobody but us."""
    mine = update(BillingContact).where(BillingContact.id == contact.id, *_unwritten(month))
    return change(mine.values(told_month=str(month))) == 1


def _worth_telling(told: Statement) -> bool:
    """Whether anything was to be paid; addresses that the operator pays for are no news."""
    return bool(told.total or told.unpriced)


def _said(told: Statement) -> dict[str, Any]:
    felt = told.felt or 0
    return {
        "month": told.month.title,
        "total": statements.spelt(told.total),
        "always_on": statements.spelt(told.always_on),
        "saved": statements.spelt(felt) if felt > 0 else "",
        "lost": statements.spelt(-felt) if felt < 0 else "",
        "absorbed": statements.spelt(told.absorbed) if told.absorbed else "",
        "unpriced": bool(told.unpriced),
    }
