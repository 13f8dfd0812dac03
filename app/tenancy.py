"""What one database session may see: a person, one workspace, or everything with a reason.

The net under the domain's own WHERE clauses. A request begins as nobody, becomes a person by its
login session, and is opened to one workspace by the guards; workers, the gate, the ticker and
commands begin with everything. Within a workspace every query, count, lazy load, UPDATE and DELETE
is confined to its rows, and every row written is checked; on PostgreSQL the row policies of the
database bind the same setting, so that even raw SQL obeys.

Not confined here, and therefore left to those policies: what the session holds already, the
refresh of a row it holds, statements on bare tables, and text.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, or_, text
from sqlalchemy.exc import InternalError, PendingRollbackError
from sqlalchemy.orm import Session, object_session, with_loader_criteria

from app.extensions import db
from app.models import AuditEvent, Mail, Membership, Notice, OutboxMessage, Workspace
from app.models.base import Owned

log = logging.getLogger(__name__)

SHARED = (AuditEvent, Mail, Notice, OutboxMessage)
"""Rows that belong to a workspace or to none (an account, the platform)."""

_ALL = "*"
_SET = text(
    "SELECT set_config('plutarc.workspace', :workspace, true), "
    "set_config('plutarc.user', :person, true)"
)


class Confined(RuntimeError):
    """Code reached for rows that are not open to it: a mistake in it, never a person's."""


@dataclass(frozen=True)
class Scope:
    """The workspace that is open, if any, and the person for whom."""

    workspace: str = ""
    person: str = ""

    @property
    def everything(self) -> bool:
        """Whether nothing is confined."""
        return self.workspace == _ALL


NOBODY = Scope()
SYSTEM = Scope(_ALL)


def scope_of(session: Session) -> Scope:
    """What is open to a session; without a word, everything."""
    found: Scope = session.info.get("scope", SYSTEM)
    return found


def close() -> None:
    """Nothing is open from now on: how a request begins."""
    _become(db.session(), NOBODY)


def recognise(user_id: str) -> None:
    """A person is known: their memberships are open, the workspaces are not yet."""
    session = db.session()
    _become(session, replace(scope_of(session), person=user_id))


def enter(workspace_id: str) -> None:
    """One workspace is open, after its guard let the person in."""
    session = db.session()
    _become(session, replace(scope_of(session), workspace=workspace_id))


def forget() -> None:
    """A request is over: what it was confined to binds nobody after it."""
    if db.session.registry.has():
        db.session.info.pop("scope", None)
        db.session.info.pop("criteria", None)


def open_everything(reason: str) -> None:
    """For the rest of the request, e.g. an operator's."""
    log.debug("all workspaces are open: %s", reason)
    _become(db.session(), SYSTEM)


@contextmanager
def everywhere(reason: str) -> Iterator[None]:
    """Look across workspaces, or write into another one, and say why.

    What was changed before is flushed first, under the narrower scope. Rows found here stay in
    the session: hand on what is meant to be known of them, never the rows.
    """
    session = db.session()
    session.flush()
    before = scope_of(session)
    log.debug("across workspaces: %s", reason)
    _become(session, SYSTEM)
    try:
        yield
        session.flush()
    except BaseException:
        session.info["scope"] = before
        try:
            _bind(session)
        except (InternalError, PendingRollbackError):
            # The transaction is lost; its rollback takes the wider setting along.
            log.debug("the transaction failed across workspaces")
        raise
    _become(session, before)


def _become(session: Session, scope: Scope) -> None:
    if scope != scope_of(session):
        session.info["scope"] = scope
        session.info.pop("criteria", None)
        _bind(session)


def _bind(session: Session) -> None:
    """Tell a PostgreSQL transaction that is under way; one that is not is told as it begins."""
    if session.info.get("bound"):
        _tell(session.connection(), scope_of(session))


def open_connection(connection: Connection) -> None:
    """Open every workspace to a transaction of no session, e.g. one that moves a database."""
    _tell(connection, SYSTEM)


def _tell(connection: Connection, scope: Scope) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(_SET, {"workspace": scope.workspace, "person": scope.person})


def _after_begin(session: Session, transaction: Any, connection: Connection) -> None:
    if transaction.nested:
        return
    session.info["bound"] = True
    if scope_of(session) != NOBODY:  # for the policies no word is the same as nobody
        _tell(connection, scope_of(session))


def _after_end(session: Session, transaction: Any) -> None:
    if transaction.parent is None:
        session.info.pop("bound", None)


def _confine(state: Any) -> None:
    """Add the workspace to whatever an ORM statement touches, at every depth of it."""
    scope = scope_of(state.session)
    if scope.everything or state.is_column_load:
        return
    if state.is_insert:
        _refuse_bulk(state)
        return
    if not scope.workspace:
        _refuse(state)
    if state.execution_options.get("prepared"):
        state.statement = _confined(state.statement, scope)
    else:
        state.statement = state.statement.options(*_criteria(state.session, scope))


@lru_cache(maxsize=1024)
def _confined(statement: Any, scope: Scope) -> Any:
    """A query that is built once is confined once for each scope: see ``extensions.prepared``."""
    return statement.options(*_made(scope.workspace, scope.person))


def _refuse_bulk(state: Any) -> None:
    """Rows of workspaces are checked one by one; those of nobody, as heads of chains, are free."""
    kinds = [mapper.class_ for mapper in state.all_mappers]
    if any(_owned(kind) or kind in (Membership, Workspace, *SHARED) for kind in kinds):
        raise Confined("Add rows one by one; an INSERT in bulk is not checked.")


def _refuse(state: Any) -> None:
    found = [mapper.class_.__name__ for mapper in state.all_mappers if _owned(mapper.class_)]
    if found:
        raise Confined(
            f"{', '.join(found)} is asked for while no workspace is open. Do it under "
            "/w/<workspace>/…, or say why not: with tenancy.everywhere(reason)."
        )


def _owned(kind: type[Any]) -> bool:
    return issubclass(kind, Owned)


def _criteria(session: Session, scope: Scope) -> Any:
    if "criteria" not in session.info:
        session.info["criteria"] = _made(scope.workspace, scope.person)
    return session.info["criteria"]


def _made(workspace: str, person: str) -> tuple[Any, ...]:
    """Criteria close over plain values: SQLAlchemy keeps the lambdas and binds the values anew."""
    options: dict[str, Any] = {"include_aliases": True, "propagate_to_loaders": False}
    return (
        with_loader_criteria(Owned, lambda kind: kind.workspace_id == workspace, **options),
        with_loader_criteria(
            Membership,
            lambda kind: or_(kind.workspace_id == workspace, kind.user_id == person),
            **options,
        ),
        with_loader_criteria(
            AuditEvent,
            lambda kind: or_(kind.workspace_id == workspace, kind.workspace_id.is_(None)),
            **options,
        ),
    )


def _check(_mapper: Any, _connection: Connection, row: Any) -> None:
    """Refuse a row of another workspace on its way into the database."""
    session = object_session(row)
    scope = SYSTEM if session is None else scope_of(session)
    if scope.everything:
        return
    key = row.id if isinstance(row, Workspace) else row.workspace_id
    free = key is None and isinstance(row, SHARED)
    if not free and (key != scope.workspace or _moved(row)):
        raise Confined(
            f"{type(row).__name__} of {key} is written while {scope.workspace or 'no workspace'} "
            "is open. Say why: with tenancy.everywhere(reason)."
        )


def _moved(row: Any) -> bool:
    """Whether it belonged to another workspace until now."""
    if isinstance(row, Workspace):
        return False
    history = db.inspect(row).attrs.workspace_id.history
    return bool(history.deleted) and history.deleted[0] != row.workspace_id


def _watch() -> None:
    db.event.listen(Session, "after_begin", _after_begin)
    db.event.listen(Session, "after_transaction_end", _after_end)
    db.event.listen(Session, "do_orm_execute", _confine)
    for kind in (Owned, Membership, Workspace, *SHARED):
        for moment in ("before_insert", "before_update", "before_delete"):
            db.event.listen(kind, moment, _check, propagate=True)


_watch()
