"""One commit per request: what succeeded is kept whole, what was refused leaves nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask, Response, g, request
from flask_login import current_user

from app import current
from app.domain import accounts, audit
from app.extensions import db
from app.models import AuditOutcome
from app.web.files import FILES
from app.web.identity import current_session

_SAFE = ("GET", "HEAD", "OPTIONS")


def init_app(app: Flask) -> None:
    """Open read-only transactions for reading requests, commit or roll back at the end."""
    app.before_request(_begin)
    app.after_request(_end)


@contextmanager
def reading() -> Iterator[None]:
    """A short look before slow work: afterwards no transaction is open, and nothing is kept."""
    db.session.rollback()
    db.session.connection(execution_options={"read_only": True})
    try:
        yield
    finally:
        db.session.rollback()


def _begin() -> None:
    """Let readers read beside a writer: on SQLite every other transaction takes the write lock."""
    if request.method in _SAFE and request.endpoint not in FILES:
        db.session.connection(execution_options={"read_only": True})


def _end(response: Response) -> Response:
    if request.method in _SAFE:
        db.session.rollback()
    elif response.status_code < 400 or g.get("keep"):
        db.session.commit()
    else:
        db.session.rollback()
        _keep_refusal()
    _touch()
    if response.status_code < 400:
        _do_afterwards()
    return response


def afterwards(verb: Callable[[], None]) -> None:
    """Have ``verb`` done once the answer is made, in a transaction of its own; none if refused."""
    g.afterwards = verb


def _do_afterwards() -> None:
    verb: Callable[[], None] | None = g.pop("afterwards", None)
    if verb is not None:
        verb()
        db.session.commit()


def _keep_refusal() -> None:
    """What a rule forbade a person is kept too, apart from the request that came to nothing."""
    reason = g.pop("refused", None)
    if reason is None or not current_user.is_authenticated:
        return
    member = g.get("member")
    audit.record(
        "attempt.refused",
        by=current.actor(),
        now=current.now(),
        workspace_id=member.workspace_id if member else None,
        account_id=current.user().id,
        target_id=current.named(),
        reason=reason,
        outcome=AuditOutcome.DENIED,
    )
    db.session.commit()


def _touch() -> None:
    """Note every few minutes that a login session is in use, apart from the request's own work."""
    if g.pop("touch_session", False):
        found = current_session()
        if found is not None:
            accounts.touch(found.id, current.now())
            db.session.commit()
