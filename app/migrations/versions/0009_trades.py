"""Trades that statistics can be asked of, notes and tags on them, equity day by day.

Revision: 0009, after 0008
"""

import base64
import secrets
from datetime import UTC, datetime
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OWNED = ("trade_note", "trade_tag", "equity_day")
OPEN = "(SELECT current_setting('plutarc.workspace', true))"
NEW = (
    *("id", "mode", "currency", "funding"),
    *("result", "held_seconds", "entry_hour", "closed_on", "exit_kind"),
)


def moment():
    return sa.DateTime(timezone=True)


def amount():
    return sa.Numeric().with_variant(sa.String(60), "sqlite")


def is_sqlite():
    return op.get_bind().dialect.name == "sqlite"


def confine(table):
    """A policy as in 0003; SQLite has none."""
    if not is_sqlite():
        op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        within = f"workspace_id = {OPEN} OR {OPEN} = '*'"
        op.execute(f'CREATE POLICY {table}_all ON "{table}" FOR ALL USING ({within})')


def upgrade():
    lay_columns()
    tell_trades()
    op.create_index("uq_trade_workspace_id_id", "trade", ["workspace_id", "id"], unique=True)
    results = ["workspace_id", "mode", "currency", "closed_at", "number"]
    op.create_index("ix_trade_results", "trade", results, unique=False)
    lay_tables()
    fold_equity()
    for table in OWNED:
        confine(table)


def downgrade():
    op.drop_index("ix_equity_day_bot", table_name="equity_day")
    op.drop_index("ix_trade_tag_name", table_name="trade_tag")
    for table in OWNED:
        op.drop_table(table)
    op.drop_index("ix_trade_results", table_name="trade")
    op.drop_index("uq_trade_workspace_id_id", table_name="trade")
    for column in NEW:
        op.drop_column("trade", column)
    for column in ("arrival_price", "fill_seconds"):
        op.drop_column("bot_order", column)


def lay_columns():
    for column in (
        sa.Column("id", sa.String(40), nullable=False, server_default=""),
        sa.Column("mode", sa.String(24), nullable=False, server_default="paper"),
        sa.Column("currency", sa.String(16), nullable=False, server_default=""),
        sa.Column("funding", amount(), nullable=False, server_default="0"),
        sa.Column("result", sa.Double(), nullable=True),
        sa.Column("held_seconds", sa.Double(), nullable=True),
        sa.Column("entry_hour", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("exit_kind", sa.String(24), nullable=False, server_default=""),
    ):
        op.add_column("trade", column)
    op.add_column("bot_order", sa.Column("arrival_price", amount(), nullable=True))
    op.add_column("bot_order", sa.Column("fill_seconds", sa.Double(), nullable=True))


def lay_tables():
    op.create_table(
        "trade_note",
        sa.Column("trade_id", sa.String(40), nullable=False),
        sa.Column("text", sa.String(2000), nullable=False),
        sa.Column("written_by", sa.String(40), nullable=True),
        sa.Column("written_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        of("trade", "trade_id", "trade_note"),
        sa.ForeignKeyConstraint(
            ["written_by"], ["user.id"], name="fk_trade_note_written_by", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("trade_id", name="pk_trade_note"),
    )
    op.create_table(
        "trade_tag",
        sa.Column("trade_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(30), nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        of("trade", "trade_id", "trade_tag"),
        sa.PrimaryKeyConstraint("trade_id", "name", name="pk_trade_tag"),
    )
    op.create_index("ix_trade_tag_name", "trade_tag", ["workspace_id", "name"], unique=False)
    op.create_table(
        "equity_day",
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("bot_id", sa.String(40), nullable=False),
        sa.Column("first", amount(), nullable=False),
        sa.Column("low", amount(), nullable=False),
        sa.Column("last", amount(), nullable=False),
        sa.Column("last_at", moment(), nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        of("bot", "bot_id", "equity_day"),
        of("run", "run_id", "equity_day"),
        sa.PrimaryKeyConstraint("run_id", "day", name="pk_equity_day"),
    )
    op.create_index("ix_equity_day_bot", "equity_day", ["bot_id", "day"], unique=False)


def of(target, column, table):
    return sa.ForeignKeyConstraint(
        ["workspace_id", column],
        [f"{target}.workspace_id", f"{target}.id"],
        name=f"fk_{table}_workspace_id_{column}",
    )


# -- what older rows hold already -----------------------------------------------------------------


def tell_trades():
    """What is written down when a trade closes, for those that closed before."""
    bind = op.get_bind()
    query = sa.text(
        "SELECT t.number, r.mode, t.symbol, t.side, t.entry_notional, t.exit_notional, t.fees, "
        "t.opened_at, t.closed_at FROM trade t JOIN run r ON r.id = t.run_id WHERE t.run_id = :run"
    )
    ends = sa.text(
        "SELECT f.symbol, f.filled_at, o.purpose FROM fill f JOIN bot_order o "
        "ON o.run_id = f.run_id AND o.client_id = f.client_id WHERE f.run_id = :run"
    )
    write = sa.text(
        "UPDATE trade SET id = :id, mode = :mode, currency = :currency, result = :result, "
        "held_seconds = :held, entry_hour = :hour, closed_on = :day, exit_kind = :kind "
        "WHERE number = :number"
    ).bindparams(sa.bindparam("day", type_=sa.Date()))
    for run in bind.execute(sa.text("SELECT DISTINCT run_id FROM trade")).scalars().all():
        kinds = {(symbol, at): kind for symbol, at, kind in bind.execute(ends, {"run": run})}
        rows = [
            told(*row) | {"kind": kinds.get((row.symbol, row.closed_at), "")}
            for row in bind.execute(query, {"run": run}).all()
        ]
        bind.execute(write, rows)


def told(number, mode, symbol, side, cost, proceeds, fees, opened_at, closed_at):
    opened, closed = when(opened_at), when(closed_at)
    moved = Decimal(proceeds) - Decimal(cost)
    net = (moved if side == "buy" else -moved) - Decimal(fees)
    pair, _, settled = symbol.partition(":")
    return {
        "number": number,
        "id": "trd_" + base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower(),
        "mode": mode,
        "currency": (settled.partition("-")[0] or pair.partition("/")[2] or pair)[:16],
        "result": None if closed is None else float(net),
        "held": None if closed is None else (closed - opened).total_seconds(),
        "hour": opened.weekday() * 24 + opened.hour,
        "day": None if closed is None else closed.date(),
    }


def fold_equity():
    """Each run's days, from its points in order."""
    bind, days = op.get_bind(), {}
    runs = bind.execute(sa.text("SELECT DISTINCT run_id FROM equity_point")).scalars().all()
    query = sa.text(
        "SELECT at, equity, workspace_id, bot_id FROM equity_point "
        "WHERE run_id = :run ORDER BY at, number"
    )
    table = sa.table(
        "equity_day",
        *(sa.column("run_id"), sa.column("day", sa.Date()), sa.column("bot_id")),
        *(sa.column(name, amount()) for name in ("first", "low", "last")),
        *(sa.column("last_at", moment()), sa.column("workspace_id")),
    )
    for run in runs:
        days = {}
        for at, equity, workspace, bot in bind.execute(query, {"run": run}):
            fold(days, when(at), Decimal(equity), {"workspace_id": workspace, "bot_id": bot})
        rows = [{"run_id": run, "day": day, **row} for day, row in days.items()]
        bind.execute(table.insert(), [stored(row) for row in rows])


def fold(days, at, equity, keys):
    row = days.setdefault(at.date(), {"first": equity, "low": equity, **keys})
    row |= {"low": min(row["low"], equity), "last": equity, "last_at": at}


def stored(row):
    if not is_sqlite():
        return row
    texts = {name: format(row[name], "f") for name in ("first", "low", "last")}
    return row | texts | {"last_at": row["last_at"].replace(tzinfo=None)}


def when(value):
    """A moment as either database gives it, in UTC; SQLite keeps texts without a zone."""
    if value is None:
        return None
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
