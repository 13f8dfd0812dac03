"""A whole installation goes from one database into the other and back, and nothing differs."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, delete, func, insert, make_url, select, text, update

from app import tenancy
from app.domain import audit, audit_chain, leadership, relocation
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import AuditEvent, EquityPoint, OutboxMessage, Run
from app.models.base import new_id
from runner.protocol import Mode
from tests import factories
from tests.factories import NOW, TESTER


@pytest.fixture
def other_url(request, engine_url):
    """An empty, migrated database of the other kind."""
    other = "postgres_url" if engine_url.startswith("sqlite") else "sqlite_url"
    return request.getfixturevalue(other)


@pytest.fixture
def house(engine_url, other_url, build):
    house = build(engine_url)
    desk = factories.organisation()
    factories.connection(desk, Sealer(house.public))
    bot = factories.bot(desk)
    changes = [audit.Change("weight", 0.1, Decimal("1.50")), audit.Change("name", "ä", "\u2028")]
    audit.record("bot.configure", by=TESTER, now=NOW, workspace_id=desk.id, changes=changes)
    ledger(desk, bot)
    db.session.commit()
    house.desk = desk.id
    db.session.rollback()
    return house


def ledger(desk, bot, count=1200):
    """More rows than one batch, with numbers of their own, amounts with many digits, µs times."""
    run = Run(
        id=new_id("run"),
        workspace_id=desk.id,
        bot_id=bot.id,
        mode=Mode.PAPER,
        symbols=["BTC/USDT:USDT"],
        strategy_version_id=bot.strategy_version_id,
        starting_balance=Decimal("10000.000"),
        started_at=NOW,
    )
    db.session.add(run)
    db.session.flush()
    point = {"workspace_id": desk.id, "bot_id": bot.id, "run_id": run.id}
    value = Decimal("0.000000000123456789")
    rows = [
        point
        | {
            "at": NOW + timedelta(microseconds=number),
            "equity": value * number,
            "balance": Decimal(number),
            "unrealised": -value,
        }
        for number in range(count)
    ]
    db.session.execute(insert(EquityPoint), rows)
    # Beginning and end of what was once a longer table.
    db.session.execute(delete(EquityPoint).where(EquityPoint.number % 7 == 3))


def rows_of(url):
    engine = create_engine(url)
    with engine.connect() as connection:
        tenancy.open_connection(connection)
        found = {
            table.name: {
                tuple(row._mapping[column] for column in table.primary_key): tuple(row)
                for row in connection.execute(select(table))
            }
            for table in db.metadata.sorted_tables
        }
    engine.dispose()
    return found


def empty(url):
    return not any(rows_of(url).values())


def test_every_row_arrives_and_the_target_goes_on(house, other_url, build):
    done = house.run("move-database", other_url)
    assert done.exit_code == 0, done.output
    assert "every audit log verifies" in done.stdout
    before, after = rows_of(house.environ["DATABASE_URL"]), rows_of(other_url)
    assert len(before["equity_point"]) > relocation.BATCH
    assert before == after
    moved = build(other_url)
    events = db.session.scalars(
        select(AuditEvent).where(AuditEvent.chain == house.desk).order_by(AuditEvent.seq)
    ).all()
    assert audit_chain.first_break(events) is None
    highest = db.session.scalar(select(func.max(EquityPoint.number)))
    last = db.session.get(EquityPoint, highest)
    fresh = {name: getattr(last, name) for name in ("workspace_id", "bot_id", "run_id", "balance")}
    db.session.add(
        EquityPoint(**fresh, at=NOW - timedelta(1), equity=Decimal(1), unrealised=Decimal(0))
    )
    audit.record("bot.configure", by=TESTER, now=NOW, workspace_id=house.desk)
    db.session.commit()
    assert db.session.scalar(select(func.max(EquityPoint.number))) == highest + 1
    assert moved.run("permissions").exit_code == 0


def test_there_and_back_is_the_same(house, other_url, build, tmp_path, sqlite_template):
    start = rows_of(house.environ["DATABASE_URL"])
    third = tmp_path / "third.db"
    third.write_bytes(sqlite_template.read_bytes())
    assert house.run("move-database", other_url).exit_code == 0
    back = build(other_url).run("move-database", f"sqlite:///{third}")
    assert back.exit_code == 0, back.output
    assert rows_of(f"sqlite:///{third}") == start


def refused(house, url, hint):
    result = house.run("move-database", url)
    assert result.exit_code == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert hint in last
    return last


def test_a_target_with_rows_is_refused(house, other_url):
    engine = create_engine(other_url)
    message = {"queue": "q", "job": "j", "arguments": {}, "not_before": NOW, "created_at": NOW}
    with engine.begin() as connection:
        connection.execute(insert(OutboxMessage), [message])
    before = rows_of(other_url)
    refused(house, other_url, "not empty: outbox")
    assert rows_of(other_url) == before
    engine.dispose()


@contextmanager
def tampered(url, *statements, undo):
    """A target that something else changed, put right again: others use the same database."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(text(undo))
        engine.dispose()


def test_another_schema_is_refused(house, other_url):
    version = "UPDATE alembic_version SET version_num = '{}'"
    newest = ScriptDirectory("app/migrations").get_current_head()
    with tampered(other_url, version.format("0000"), undo=version.format(newest)):
        refused(house, other_url, "at 0000; bring both up")
    assert empty(other_url)


def test_a_running_plutarc_is_refused(house, other_url):
    now = datetime.now(UTC)
    leadership.take("ticker", "somebody", now, timedelta(minutes=5))
    db.session.commit()
    refused(house, other_url, "plutarc is running")
    assert empty(other_url)


def test_a_broken_audit_log_stops_it(house, other_url):
    db.session.execute(
        update(AuditEvent).where(AuditEvent.seq == 2).values(reason="edited afterwards")
    )
    db.session.commit()
    refused(house, other_url, "does not verify (event 2)")
    assert empty(other_url)


CHANGED_ON_ARRIVAL = {
    "sqlite": (
        (
            "CREATE TRIGGER t AFTER INSERT ON equity_point BEGIN "
            "UPDATE equity_point SET balance = '7' WHERE number = NEW.number; END"
        ),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN NEW.balance = 7; RETURN NEW; END'"
        ),
        "CREATE TRIGGER t BEFORE INSERT ON equity_point FOR EACH ROW EXECUTE FUNCTION f()",
    ),
}
UNCHANGED = {"sqlite": "DROP TRIGGER t", "postgresql": "DROP FUNCTION f CASCADE"}


def test_a_row_that_arrives_changed_is_noticed(house, other_url):
    """The fault is in the database: a rule of its own changes what is written."""
    kind = make_url(other_url).get_backend_name()
    with tampered(other_url, *CHANGED_ON_ARRIVAL[kind], undo=UNCHANGED[kind]):
        refused(house, other_url, "equity_point arrived changed")
    assert empty(other_url)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("mysql://x", "no database we know"),
        ("sqlite:////nowhere/at/all.db", "make it first"),
        ("postgresql://app:hunter2@127.0.0.1:1/plutarc", "does not answer"),
    ],
)
def test_a_wrong_address_is_refused(sqlite_url, build, url, hint):
    house = build(sqlite_url)
    assert "hunter2" not in refused(house, url, hint)


def test_the_present_database_is_no_target(sqlite_url, build):
    refused(build(sqlite_url), sqlite_url, "the present database")


def test_a_source_without_schema_is_refused(sqlite_url, build, tmp_path):
    bare = tmp_path / "bare.db"
    bare.touch()
    refused(build(f"sqlite:///{bare}"), sqlite_url, "The database does not answer")
