"""Extensions, made here once and bound to an application in ``create_app``."""

import sqlite3
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from htmx_flask import Htmx
from sqlalchemy import CursorResult, Delete, Engine, MetaData, Select, Update, event
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The declarative base. Constraint names are fixed so that migrations can drop them again."""

    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(model_class=Base)
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model
migrate = Migrate(render_as_batch=True)
login = LoginManager()
csrf = CSRFProtect()
htmx = Htmx()


Builder = TypeVar("Builder", bound=Callable[..., Select[*tuple[Any, ...]]])


def prepared(build: Builder) -> Builder:
    """Build a query once for all requests; what differs between them are its bound parameters.

    Building one costs more than running it. Arguments choose among few forms of the query.
    """

    @cache
    def built(*args: Any) -> Select[*tuple[Any, ...]]:
        return build(*args).execution_options(prepared=True)

    return cast(Builder, built)


def change(statement: Update | Delete) -> int:
    """Run a conditional UPDATE or DELETE and say how many rows it met."""
    return cast("CursorResult[Any]", db.session.execute(statement)).rowcount


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Make SQLite durable, concurrent and strict about foreign keys.

    Transactions are opened by ``_begin_immediate`` and not by the driver: a reader that later
    wants to write would otherwise fail with "database is locked" instead of waiting its turn.
    """
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=15000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin_immediate(connection: Any) -> None:
    if connection.dialect.name == "sqlite":
        reading = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
