"""The row policies of PostgreSQL under raw SQL, as the role that docs/database.md makes."""

from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from app import create_app, tenancy
from app.config import Config
from app.domain import audit
from app.extensions import db
from app.jobs import queues
from app.jobs.ticker import Ticker
from tests import people
from tests.factories import NOW, TESTER

TENANTS = sorted(
    table.name
    for table in db.metadata.tables.values()
    if "workspace_id" in table.c and table.name not in ("membership", "notice")
)


@pytest.fixture(scope="session")
def furnished(postgres, fenced_template, keys):
    """A database with everybody in it, to be copied, and how to find them."""
    postgres.execute(f"CREATE DATABASE furnished TEMPLATE {fenced_template}")
    with house(postgres.url("furnished"), keys):
        return people.settle()


@pytest.fixture
def village(postgres, furnished, keys, monkeypatch):
    """Everybody, with workspaces full of everything; the desk of the owner is open."""
    monkeypatch.setattr("app.domain.clock.has_clock", lambda: False)
    postgres.execute("CREATE DATABASE village TEMPLATE furnished")
    with house(postgres.url("village"), keys):
        yield furnished
    postgres.execute("DROP DATABASE village")


@contextmanager
def house(url, keys):
    """As the role that owns nothing."""
    url = url.replace("app@", "plutarc@")
    settings = {"DATABASE_URL": url, "SEAL_PUBLIC_KEY": keys.public}
    built = create_app(Config.from_environment(settings, "worker"), "worker")
    with built.app_context():
        yield built
        db.session.remove()
        db.engine.dispose()


def opened(workspace="", person=""):
    db.session.rollback()
    tenancy.close()
    if person:
        tenancy.recognise(person)
    if workspace:
        tenancy.enter(workspace)


def raw(statement, **values):
    return db.session.connection().execute(text(statement), values)


def owners(table):
    return {row[0] for row in raw(f'SELECT DISTINCT workspace_id FROM "{table}"')}


def test_raw_sql_sees_the_open_workspace_and_nothing_else(village):
    desk, frozen = village.places["desk"].workspace, village.places["frozen"].workspace
    for workspace in (desk, frozen):
        opened(workspace)
        for table in TENANTS:
            assert owners(table) - {None} == {workspace}, table
        assert owners("membership") == owners("notice") == {workspace}
        assert {row[0] for row in raw("SELECT id FROM workspace")} == {workspace}
        chains = {row[0] for row in raw("SELECT chain FROM audit_head")}
        assert {chain for chain in chains if chain.startswith("ws_")} == {workspace}
        assert raw("SELECT count(*) FROM ticket_note").scalar() == 0
    opened()
    for table in TENANTS:
        assert owners(table) <= {None}, table


def test_a_person_sees_their_memberships_and_the_workspaces_of_these(village):
    opened(person=village.people["viewer"].id)
    mine = {place.workspace for name, place in village.places.items() if name != "next door"}
    assert owners("membership") == mine | {village.homes["viewer"]}
    assert {row[0] for row in raw("SELECT id FROM workspace")} == mine | {village.homes["viewer"]}
    assert raw("UPDATE membership SET role = 'owner'").rowcount == 0
    assert raw("DELETE FROM membership").rowcount == 0


def test_raw_sql_changes_nothing_of_others(village):
    desk, other = village.places["desk"], village.places["frozen"]
    opened(desk.workspace)
    assert raw("UPDATE bot SET name = 'x' WHERE id = :id", id=other.bot).rowcount == 0
    assert raw("DELETE FROM notice WHERE workspace_id = :w", w=other.workspace).rowcount == 0
    assert raw("DELETE FROM bot_command").rowcount == 1
    assert raw("UPDATE workspace SET name = 'x'").rowcount == 1
    opened(other.workspace)
    assert raw("SELECT count(*) FROM bot_command").scalar() == 1


STRATEGY = "INSERT INTO strategy (id, workspace_id, name, summary, created_at) VALUES "
OUTBOX = "INSERT INTO outbox (workspace_id, queue, job, arguments, not_before, created_at) VALUES "
INTRUSIONS = (
    STRATEGY + "('str_x', :other, 'x', '', now())",
    OUTBOX + "(:other, 'fleet', 'x', '{}', now(), now())",
    "UPDATE strategy SET workspace_id = :other",
    "INSERT INTO audit_head (chain, seq, hash) VALUES (:other || 'x', 1, '')",
)


@pytest.mark.parametrize("statement", INTRUSIONS)
def test_no_row_is_written_into_another_workspace(village, statement):
    opened(village.places["desk"].workspace)
    with pytest.raises(ProgrammingError, match="row-level security"):
        raw(statement, other=village.places["frozen"].workspace)


def test_a_query_that_forgets_its_where_shows_nothing_foreign(village):
    """Below the net of the session, as a bare table."""
    desk = village.places["desk"].workspace
    opened(desk)
    bots = db.metadata.tables["bot"]
    assert set(db.session.connection().scalars(select(bots.c.workspace_id))) == {desk}


def test_a_pooled_connection_takes_nothing_along(village):
    opened(village.places["desk"].workspace)
    backend = raw("SELECT pg_backend_pid()").scalar()
    db.session.commit()
    with db.engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) == backend
        assert connection.scalar(text("SELECT count(*) FROM bot")) == 0
        left = connection.scalar(text("SELECT current_setting('plutarc.workspace', true)"))
        assert not left


def test_across_workspaces_and_back_in_one_transaction(village):
    desk = village.places["desk"].workspace
    opened(desk)
    assert owners("bot") == {desk}
    with tenancy.everywhere("a look"):
        assert len(owners("bot")) == 3
    assert owners("bot") == {desk}
    with pytest.raises(ZeroDivisionError), db.session.begin_nested():
        fail_across()
    assert owners("bot") == {desk}
    with pytest.raises(ProgrammingError), db.session.begin_nested():
        fail_in_the_database()
    assert owners("bot") == {desk}


def fail_across():
    with tenancy.everywhere("to fail"):
        raise ZeroDivisionError


def fail_in_the_database():
    with tenancy.everywhere("to fail"):
        raw("SELECT nothing FROM nowhere")


def test_the_role_owns_nothing_and_cannot_lift_the_policies(village):
    for statement in (
        "ALTER TABLE bot DISABLE ROW LEVEL SECURITY",
        "DROP POLICY bot_all ON bot",
        "TRUNCATE bot CASCADE",
        "SET ROLE plutarc_owner",
    ):
        with pytest.raises(ProgrammingError), db.session.begin_nested():
            raw(statement)


def test_the_ticker_sees_what_is_due_in_every_workspace(village, redis_url):
    db.session.execute(text("UPDATE bot_compute SET due_at = now() - interval '1 hour'"))
    db.session.commit()
    assert Ticker(queues.connect(redis_url), "me").tick(datetime.now(UTC)) > 9


def test_account_events_are_written_where_no_workspace_is_open(village):
    opened(person=village.people["owner"].id)
    audit.record("account.x", by=TESTER, now=NOW, account_id=village.people["owner"].id)
    db.session.commit()
