"""What survives a restart: one SQLite file in WAL mode, written before any answer leaves."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from app.practice.account import Account, Position, Settings
from app.practice.orders import (
    AlgoStatus,
    Conditional,
    Fill,
    Income,
    IncomeEntry,
    Order,
    Side,
    Status,
)

_SCHEMA = """
create table if not exists meta (name text primary key, value text not null);
create table if not exists account (id text primary key, body text not null);
create table if not exists orders (id integer primary key, account text not null,
  symbol text not null, client_id text not null, live integer not null, body text not null);
create index if not exists orders_by_client on orders (account, client_id);
create index if not exists orders_live on orders (live) where live = 1;
create table if not exists conditional (id integer primary key, account text not null,
  symbol text not null, client_id text not null, live integer not null, body text not null);
create index if not exists conditional_by_client on conditional (account, client_id);
create table if not exists fill (id integer primary key, account text not null,
  symbol text not null, order_id integer not null, time integer not null, body text not null);
create index if not exists fill_by_account on fill (account, symbol, id);
create table if not exists income (id integer primary key, account text not null,
  symbol text not null, kind text not null, time integer not null, body text not null);
create index if not exists income_by_account on income (account, id);
create table if not exists caller (address text not null, account text not null,
  first_seen integer not null, last_seen integer not null, requests integer not null,
  primary key (address, account));
"""
_TYPES: dict[str, Any] = {
    "Decimal": Decimal,
    "Side": Side,
    "Status": Status,
    "AlgoStatus": AlgoStatus,
    "Income": Income,
}
Row = TypeVar("Row", Order, Conditional, Fill, IncomeEntry, Position, Settings)


def _dump(body: Any) -> str:
    def plain(value: object) -> str:
        if isinstance(value, Decimal):
            return format(value, "f")
        if isinstance(value, Enum):
            return str(value.value)
        raise TypeError(f"cannot store {type(value).__name__}")

    return json.dumps(body, default=plain, separators=(",", ":"))


def _load(row_type: type[Row], body: dict[str, Any]) -> Row:
    values = {
        one.name: _TYPES[str(one.type)](body[one.name])
        if str(one.type) in _TYPES
        else body[one.name]
        for one in fields(row_type)
    }
    return row_type(**values)


class Store:
    """Rows are written inside ``transaction``; reads outside of one see what was committed."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "market.sqlite3", isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def meta(self, name: str) -> str | None:
        row = self._db.execute("select value from meta where name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        self._db.execute("insert or replace into meta values (?, ?)", (name, value))

    def last_id(self, table: str) -> int:
        """The highest id given out in ``table`` (a name from the schema above)."""
        query = f"select coalesce(max(id), 0) from {table}"  # noqa: S608  (never from outside)
        return int(self._db.execute(query).fetchone()[0])

    def save_account(self, account: Account) -> None:
        body = {
            "opened": account.opened,
            "wallet": account.wallet,
            "positions": {k: asdict(v) for k, v in account.positions.items()},
            "settings": {k: asdict(v) for k, v in account.settings.items()},
        }
        self._db.execute("insert or replace into account values (?, ?)", (account.id, _dump(body)))

    def load_account(self, account_id: str) -> Account | None:
        row = self._db.execute("select body from account where id = ?", (account_id,)).fetchone()
        if row is None:
            return None
        body = json.loads(row[0])
        return Account(
            account_id,
            body["opened"],
            Decimal(body["wallet"]),
            {k: _load(Position, v) for k, v in body["positions"].items()},
            {k: _load(Settings, v) for k, v in body["settings"].items()},
            {one.id: one for one in self.orders(account_id, live=True, limit=-1)},
            {one.id: one for one in self.conditionals(account_id, live=True, limit=-1)},
        )

    def account_ids(self) -> list[str]:
        return [str(row[0]) for row in self._db.execute("select id from account order by id")]

    def save_order(self, order: Order) -> None:
        self._save("orders", order)

    def save_conditional(self, conditional: Conditional) -> None:
        self._save("conditional", conditional)

    def _save(self, table: str, row: Order | Conditional) -> None:
        self._db.execute(
            f"insert or replace into {table} values (?, ?, ?, ?, ?, ?)",  # noqa: S608  (own name)
            (row.id, row.account, row.symbol, row.client_id, row.live, _dump(asdict(row))),
        )

    def add_fill(self, fill: Fill) -> None:
        self._db.execute(
            "insert into fill values (?, ?, ?, ?, ?, ?)",
            (fill.id, fill.account, fill.symbol, fill.order_id, fill.time, _dump(asdict(fill))),
        )

    def add_income(self, entry: IncomeEntry) -> None:
        self._db.execute(
            "insert into income values (?, ?, ?, ?, ?, ?)",
            (entry.id, entry.account, entry.symbol, entry.kind, entry.time, _dump(asdict(entry))),
        )

    def orders(self, account: str, **wanted: Any) -> list[Order]:
        return self._rows("orders", Order, account, **wanted)

    def conditionals(self, account: str, **wanted: Any) -> list[Conditional]:
        return self._rows("conditional", Conditional, account, **wanted)

    def fills(self, account: str, **wanted: Any) -> list[Fill]:
        return self._rows("fill", Fill, account, **wanted)

    def incomes(self, account: str, **wanted: Any) -> list[IncomeEntry]:
        return self._rows("income", IncomeEntry, account, **wanted)

    def _rows(
        self,
        table: str,
        row_type: type[Row],
        account: str,
        *,
        limit: int = 500,
        from_id: int | None = None,
        start: int | None = None,
        end: int | None = None,
        **equal: Any,
    ) -> list[Row]:
        """Rows in order of id: the first ``limit`` of a stated beginning, else the latest ones."""
        at = "json_extract(body, '$.created')" if table in ("orders", "conditional") else "time"
        terms: list[tuple[str, Any]] = [("account = ?", account)]
        terms += [(f"{name} = ?", value) for name, value in equal.items() if value is not None]
        if from_id is not None:
            terms.append(("id >= ?", from_id))
        if start is not None:
            terms.append((f"{at} >= ?", start))
        if end is not None:
            terms.append((f"{at} <= ?", end))
        forward = from_id is not None or start is not None
        query = (
            f"select body from {table} where {' and '.join(term for term, _ in terms)} "  # noqa: S608  (own names, bound values)
            f"order by id {'asc' if forward else 'desc'} limit ?"
        )
        found = self._db.execute(query, [*(value for _, value in terms), limit]).fetchall()
        rows = [_load(row_type, json.loads(row[0])) for row in found]
        return rows if forward else rows[::-1]

    def save_caller(self, row: tuple[str, str, int, int, int]) -> None:
        self._db.execute("insert or replace into caller values (?, ?, ?, ?, ?)", row)

    def callers(self) -> list[tuple[str, str, int, int, int]]:
        return self._db.execute("select * from caller order by last_seen desc").fetchall()
