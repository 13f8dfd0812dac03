"""Decisions in blocks of candles; those that stand in rows of their own move into blocks.

Revision: 0015, after 0014
"""

import json
import zlib
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

OPEN = "(SELECT current_setting('plutarc.workspace', true))"
MOST, SPAN = 120, timedelta(days=30)
PLAIN = b"\x00"
INDEXES = {
    "ix_decision_block_newest": ["bot_id", "last_at"],
    "ix_decision_block_oldest": ["last_at"],
}


def moment():
    return sa.DateTime(timezone=True)


def is_sqlite():
    return op.get_bind().dialect.name == "sqlite"


def row_number():
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def owned(name):
    """What both tables have: number, workspace, bot and run."""
    return (
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.Column("number", row_number(), nullable=False),
        sa.Column("bot_id", sa.String(40), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                ["workspace_id", f"{target}_id"],
                [f"{target}.workspace_id", f"{target}.id"],
                name=f"fk_{name}_workspace_id_{target}_id",
            )
            for target in ("bot", "run")
        ),
        sa.PrimaryKeyConstraint("number", name=f"pk_{name}"),
    )


def upgrade():
    blocks = op.create_table(
        "decision_block",
        sa.Column("symbol", sa.String(40), nullable=False),
        sa.Column("first_at", moment(), nullable=False),
        sa.Column("last_at", moment(), nullable=False),
        sa.Column("candles", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        *owned("decision_block"),
        sa.UniqueConstraint(
            "run_id", "symbol", "first_at", name="uq_decision_block_run_id_symbol_first_at"
        ),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "decision_block", columns, unique=False)
    bind = op.get_bind()
    for block in grouped(older(bind)):
        bind.execute(blocks.insert(), [block])
    op.drop_index("ix_decision_newest", table_name="decision")
    op.drop_table("decision")
    confine("decision_block")


def downgrade():
    """Blocks as the upgrade left them become rows again; what was packed since is dropped."""
    decisions = op.create_table(
        "decision",
        sa.Column("symbol", sa.String(40), nullable=False),
        sa.Column("candle_at", moment(), nullable=False),
        sa.Column("close", sa.Numeric().with_variant(sa.String(60), "sqlite"), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("verdicts", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        *owned("decision"),
        sa.UniqueConstraint(
            "run_id", "symbol", "candle_at", name="uq_decision_run_id_symbol_candle_at"
        ),
    )
    op.create_index("ix_decision_newest", "decision", ["bot_id", "number"], unique=False)
    bind = op.get_bind()
    query = sa.text("SELECT workspace_id, bot_id, run_id, symbol, body FROM decision_block")
    for *keys, body in bind.execute(query).fetchall():
        if bytes(body[:1]) == PLAIN:
            rows = [row_again(keys, *one) for one in json.loads(zlib.decompress(body[1:]))]
            bind.execute(decisions.insert(), rows)
    for name in INDEXES:
        op.drop_index(name, table_name="decision_block")
    op.drop_table("decision_block")
    confine("decision")


def confine(table):
    """A policy as in 0003; SQLite has none."""
    if not is_sqlite():
        op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        within = f"workspace_id = {OPEN} OR {OPEN} = '*'"
        op.execute(f'CREATE POLICY {table}_all ON "{table}" FOR ALL USING ({within})')


# -- rows into blocks and back --------------------------------------------------------------------


def older(bind):
    """All rows, those of one run and symbol together and oldest first, run by run."""
    query = sa.text(
        "SELECT workspace_id, bot_id, run_id, symbol, candle_at, close, action, reason, verdicts "
        "FROM decision WHERE run_id = :run ORDER BY symbol, candle_at"
    )
    for run in bind.execute(sa.text("SELECT DISTINCT run_id FROM decision")).scalars().all():
        yield from bind.execute(query, {"run": run}).fetchall()


def grouped(rows):
    """Blocks of them."""
    keys, held = None, []
    for *mine, opened, close, action, reason, verdicts in rows:
        at = aware(opened)
        if held and (mine != keys or len(held) == MOST or at - held[0][0] > SPAN):
            yield block(keys, held)
            held = []
        said = json.loads(verdicts) if isinstance(verdicts, str) else verdicts
        keys = mine
        held.append((at, format(close, "f") if not is_sqlite() else close, action, reason, said))
    if held:
        yield block(keys, held)


def block(keys, rows):
    """``counts`` stays empty: it follows from the body."""
    names = dict(zip(("workspace_id", "bot_id", "run_id", "symbol"), keys, strict=True))
    plain = [[at.astimezone(UTC).isoformat(), *more] for at, *more in rows]
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    body = PLAIN + zlib.compress(text.encode(), 9)
    times = {"first_at": stored(rows[0][0]), "last_at": stored(rows[-1][0])}
    return {**names, **times, "candles": len(rows), "counts": "", "body": body}


def row_again(keys, at, close, action, reason, verdicts):
    names = dict(zip(("workspace_id", "bot_id", "run_id", "symbol"), keys, strict=True))
    told = {"action": action, "reason": reason, "verdicts": verdicts}
    return {**names, **told, "candle_at": stored(datetime.fromisoformat(at)), "close": close}


def aware(at):
    """SQLite tells a moment as a text without its zone."""
    at = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def stored(at):
    return at.astimezone(UTC).replace(tzinfo=None) if is_sqlite() else at.astimezone(UTC)
