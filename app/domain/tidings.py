"""What happened to a person in a workspace is told twice: in the inbox, and by mail."""

from datetime import datetime
from typing import Any

from app.domain import mail, notices
from app.models import User, Workspace


def tell(
    person: User,
    letter: str,
    title: str,
    *,
    workspace: Workspace,
    key: str,
    now: datetime,
    body: str = "",
    page: str = "",
    leaving: bool = False,
    **values: Any,
) -> None:
    """Tell one person.

    Args:
        person: whom.
        letter: the name of the mail's template.
        title: the line in the inbox.
        workspace: where it happened.
        key: what makes it one thing, as for ``notices.tell``.
        now: the moment, UTC.
        body: a sentence more, for the inbox.
        page: the path of the page where something can be done, beginning with ``/``.
        leaving: whether the person is no member any more, so that the entry must not hang on
            the workspace.
        values: what the mail's template shows besides.
    """
    notices.tell(
        [person.id],
        title[:120],
        key=key[:120],
        now=now,
        body=body[:500],
        path=page,
        workspace_id=None if leaving else workspace.id,
    )
    mail.post(
        letter,
        to=person.email,
        name=person.name,
        now=now,
        workspace_id=workspace.id,
        workspace=workspace.name,
        page=page,
        **values,
    )
