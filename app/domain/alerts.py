"""Telling people what was done to their own account: a letter and an entry in their inbox."""

from datetime import datetime

from app.domain import mail, notices
from app.models import User
from app.models.base import new_id


def warn(
    user: User, title: str, body: str, *, now: datetime, to: str | None = None, link: str = ""
) -> None:
    """Say that something changed, and what to do if it was not them.

    Args:
        user: whose account it is.
        title: one line; also the subject of the letter.
        body: a sentence or two.
        now: the moment, UTC.
        to: another address than that of the account.
        link: what undoes it, if anything does. A secret: it goes into the letter alone.
    """
    mail.post(
        "account_changed",
        to=to or user.email,
        name=user.name,
        now=now,
        title=title,
        body=body,
        moment=f"{now:%Y-%m-%d %H:%M} UTC",
        link=link,
    )
    notices.tell(
        [user.id],
        title,
        key=new_id("account"),
        now=now,
        body=body,
        path="/account/security",
    )
