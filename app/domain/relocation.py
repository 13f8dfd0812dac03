"""Moving a whole installation from one database into another: all rows, proven equal afterwards.

The target is written in one transaction: it holds everything or nothing.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alembic.migration import MigrationContext
from sqlalchemy import JSON, Connection, Table, func, insert, inspect, select, text
from sqlalchemy.orm import Session

from app import tenancy
from app.domain.audit_chain import first_break
from app.domain.errors import Refused
from app.extensions import db
from app.models import AuditEvent, AuditHead, Leadership

BATCH = 1000
_ROUND = 2**256


@dataclass(frozen=True)
class Moved:
    """One table: how many rows went over, and the sum of their digests, whatever their order."""

    table: str
    rows: int
    digest: int


def move(
    source: Connection, target: Connection, now: datetime, tell: Callable[[Moved], None]
) -> list[Moved]:
    """Copy all rows in the order of their foreign keys, and prove that nothing differs.

    Both connections are in a transaction; the caller commits the target if this returns.

    Raises:
        Refused: plutarc is running, the target is not empty, the schemas differ, or the proof
            fails; the text says what to do.
    """
    tenancy.open_connection(source)
    tenancy.open_connection(target)
    _refuse_a_running_source(source, now)
    _refuse_another_schema(source, target)
    _refuse_a_full_target(target)
    moved = []
    for table in db.metadata.sorted_tables:
        moved.append(_copy(table, source, target))
        tell(moved[-1])
    _check_rows(target, moved)
    _check_chains(target)
    _continue_numbers(target)
    return moved


def _refuse_a_running_source(source: Connection, now: datetime) -> None:
    lease = select(Leadership.__table__.c.until).where(Leadership.__table__.c.until > now)
    if source.scalar(lease.limit(1)) is not None:
        raise Refused(
            "plutarc is running on the present database, and what it wrote from now on would be "
            "left behind; stop it, wait ten seconds, try again."
        )


def _refuse_another_schema(source: Connection, target: Connection) -> None:
    here, there = _revision(source), _revision(target)
    if here is None:
        raise Refused("The present database has no schema; check DATABASE_URL.")
    if here != there:
        raise Refused(
            f"The present database is at migration {here}, the target at {there or 'none'}; bring "
            "both up first: DATABASE_URL=… flask --app wsgi db upgrade."
        )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_a_full_target(target: Connection) -> None:
    present = set(inspect(target).get_table_names())
    tables = [table for table in db.metadata.sorted_tables if table.name in present]
    if target.dialect.name == "postgresql":
        # Held to the commit, so that nobody fills it in between.
        quoted = [target.dialect.identifier_preparer.format_table(table) for table in tables]
        target.execute(text(f"LOCK TABLE {', '.join(quoted)} IN SHARE ROW EXCLUSIVE MODE"))
    for table in tables:
        if target.execute(select(table).limit(1)).first() is not None:
            raise Refused(
                f"The target is not empty: {table.name} has rows. Name a database that was only "
                "migrated."
            )


def _copy(table: Table, source: Connection, target: Connection) -> Moved:
    rows, digest = 0, 0
    for batch in _batches(table, source):
        target.execute(insert(table), [dict(row._mapping) for row in batch])  # noqa: SLF001
        rows += len(batch)
        digest = (digest + _digest(table, batch)) % _ROUND
    return Moved(table.name, rows, digest)


def _batches(table: Table, connection: Connection) -> Iterable[Sequence[Any]]:
    query = select(table).execution_options(yield_per=BATCH)
    return connection.execute(query).partitions(BATCH)


def _digest(table: Table, rows: Iterable[Any]) -> int:
    documents = [isinstance(column.type, JSON) for column in table.columns]
    return sum(_row_digest(row, documents) for row in rows)


def _row_digest(row: Sequence[Any], documents: list[bool]) -> int:
    values = [
        _canonical(value) if document else repr(value)
        for value, document in zip(row, documents, strict=True)
    ]
    return int.from_bytes(hashlib.sha256(json.dumps(values).encode()).digest())


def _canonical(document: Any) -> str:
    """JSONB keeps neither the order of keys nor the spelling of a number, only its value."""
    numbers_alike = json.loads(json.dumps(document), parse_int=float)
    return json.dumps(numbers_alike, sort_keys=True)


def _check_rows(target: Connection, moved: Iterable[Moved]) -> None:
    tables = {table.name: table for table in db.metadata.sorted_tables}
    for expected in moved:
        rows, digest = 0, 0
        for batch in _batches(tables[expected.table], target):
            rows += len(batch)
            digest = (digest + _digest(tables[expected.table], batch)) % _ROUND
        if (rows, digest) != (expected.rows, expected.digest):
            raise Refused(
                f"{expected.table} arrived changed ({rows} of {expected.rows} rows); nothing was "
                "kept in the target. Please report this."
            )


def _check_chains(target: Connection) -> None:
    """Every audit chain must verify where it is now, up to the link its head names."""
    with Session(bind=target, join_transaction_mode="create_savepoint") as session:
        for head in session.scalars(select(AuditHead).order_by(AuditHead.chain)).all():
            chain = select(AuditEvent).where(AuditEvent.chain == head.chain)
            streamed = chain.order_by(AuditEvent.seq).execution_options(yield_per=BATCH)
            broken = first_break(session.scalars(streamed))
            last = session.scalar(chain.order_by(AuditEvent.seq.desc()).limit(1))
            ends = last is not None and (last.seq, last.hash) == (head.seq, head.hash)
            if broken is not None or not ends:
                raise Refused(
                    f"The audit log {head.chain} does not verify (event {broken or head.seq}); "
                    "nothing was kept in the target. Look at it with audit export and verify."
                )


def _continue_numbers(target: Connection) -> None:
    """On PostgreSQL a sequence does not see rows that brought their numbers along."""
    if target.dialect.name != "postgresql":
        return
    for table in db.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None or column.type.python_type is not int:
            continue
        last = target.scalar(select(func.max(column)))
        if last is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            target.execute(select(func.setval(sequence, last)))
