"""The net under the WHERE clauses: each statement here forgets the workspace on purpose."""

from types import SimpleNamespace

import pytest
from sqlalchemy import delete, exists, func, insert, select, union_all, update
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import aliased, joinedload, selectinload

from app import tenancy
from app.domain import audit
from app.extensions import change, db, prepared
from app.models import (
    AuditEvent,
    Bot,
    Membership,
    Notice,
    NoticeKind,
    Strategy,
    StrategyVersion,
    Workspace,
)
from app.models.base import Keyed, Owned
from tests import factories
from tests.factories import NOW, TESTER
from tests.telling import awake


@pytest.fixture
def two(app):
    """Two workspaces of two people, each with a bot; the first is open."""
    mine, theirs = factories.user("Mia"), factories.user("Tom")
    ours, other = factories.organisation(mine), factories.organisation(theirs)
    bots = factories.bot(ours), factories.bot(other)
    machines = [awake(bot, NOW) for bot in bots]
    ids = SimpleNamespace(
        ours=ours.id,
        other=other.id,
        bot=bots[0].id,
        foreign=bots[1].id,
        machine=machines[1].id,
        version=bots[1].strategy_version_id,
        person=mine.id,
        neighbour=theirs.id,
    )
    db.session.commit()
    db.session.expunge_all()
    tenancy.close()
    tenancy.recognise(ids.person)
    tenancy.enter(ids.ours)
    return ids


def all_of(query):
    return [*db.session.scalars(query)]


def bots_seen():
    return {bot.id for bot in db.session.scalars(select(Bot))}


READS = {
    "entity": lambda: [bot.workspace_id for bot in all_of(select(Bot))],
    "column": lambda: all_of(select(Bot.workspace_id)),
    "alias": lambda: all_of(select(aliased(Bot).workspace_id)),
    "join": lambda: all_of(select(StrategyVersion.workspace_id).join(Bot.version)),
    "joined": lambda: [
        bot.version.workspace_id for bot in all_of(select(Bot).options(joinedload(Bot.version)))
    ],
    "selectin": lambda: [
        version.workspace_id
        for strategy in all_of(select(Strategy).options(selectinload(Strategy.versions)))
        for version in strategy.versions
    ],
    "lazy": lambda: [one.versions[0].workspace_id for one in all_of(select(Strategy))],
    "cte": lambda: all_of(select(select(Bot.workspace_id).cte().c.workspace_id)),
    "subquery": lambda: all_of(select(select(Bot.workspace_id).subquery().c.workspace_id)),
    "union": lambda: all_of(union_all(select(Bot.workspace_id), select(Strategy.workspace_id))),
    "chain": lambda: [w for w in all_of(select(AuditEvent.workspace_id)) if w],
}


@pytest.mark.parametrize("read", READS)
def test_a_query_without_its_where_finds_nothing_foreign(two, read):
    assert set(READS[read]()) == {two.ours}


def test_neither_get_nor_counts_nor_exists_tell_of_others(two):
    assert db.session.get(Bot, two.foreign) is None
    assert db.session.scalar(select(func.count()).select_from(Bot)) == 1
    assert not db.session.scalar(select(exists().where(Bot.id == two.foreign)))
    other = select(Bot.id).where(Bot.id == two.foreign).scalar_subquery()
    assert db.session.scalar(select(other)) is None


def test_a_bulk_change_meets_the_own_rows_only(two):
    assert change(update(Bot).values(paused=True)) == 1
    assert change(delete(Bot).where(Bot.id == two.foreign)) == 0
    with tenancy.everywhere("to compare"):
        paused = db.session.execute(select(Bot.id, Bot.paused)).all()
    assert dict(map(tuple, paused)) == {two.bot: True, two.foreign: False}


def test_the_next_workspace_gets_its_own_rows_from_the_same_statement(two):
    assert bots_seen() == {two.bot}
    tenancy.enter(two.other)
    assert bots_seen() == {two.foreign}
    tenancy.enter(two.ours)
    assert bots_seen() == {two.bot}


def test_outside_workspaces_tenants_are_refused_with_the_way_out(two):
    tenancy.close()
    for query in (select(Bot), select(Strategy.id), update(Bot).values(paused=True)):
        with pytest.raises(tenancy.Confined, match="everywhere"):
            db.session.execute(query)
    assert all_of(select(Membership)) == []
    assert {event.workspace_id for event in all_of(select(AuditEvent))} == {None}


@prepared
def every_bot():
    return select(Bot.id)


def test_a_query_built_once_is_confined_for_each_scope(two):
    for _ in range(2):
        assert all_of(every_bot()) == [two.bot]
        tenancy.close()
        tenancy.recognise(two.neighbour)
        tenancy.enter(two.other)
        assert all_of(every_bot()) == [two.foreign]
        with tenancy.everywhere("to look at both"):
            assert set(all_of(every_bot())) == {two.bot, two.foreign}
        tenancy.close()
        with pytest.raises(tenancy.Confined):
            all_of(every_bot())
        tenancy.recognise(two.person)
        tenancy.enter(two.ours)


def test_a_person_sees_their_own_memberships_and_no_others(two):
    tenancy.close()
    tenancy.recognise(two.neighbour)
    assert {one.user_id for one in all_of(select(Membership))} == {two.neighbour}
    assert len(all_of(select(Membership))) == 2


def strategy_of(workspace_id):
    return Strategy(workspace_id=workspace_id, name="Drift", created_at=NOW)


def notice_for(two, workspace_id):
    keys = {"user_id": two.neighbour, "workspace_id": workspace_id, "key": "k", "title": "T"}
    return Notice(**keys, kind=NoticeKind.NOTICE, created_at=NOW)


FOREIGN = {
    "insert": lambda two: db.session.add(strategy_of(two.other)),
    "keyless": lambda two: db.session.add(strategy_of(None)),
    "member": lambda two: db.session.add(
        Membership(workspace_id=two.other, user_id=two.person, role="owner", created_at=NOW)
    ),
    "notice": lambda two: db.session.add(notice_for(two, two.other)),
    "event": lambda two: audit.record("x.y", by=TESTER, now=NOW, workspace_id=two.other),
    "update": lambda two: setattr(found_everywhere(Bot, two.foreign), "name", "Mine"),
    "delete": lambda two: db.session.delete(found_everywhere(Bot, two.foreign)),
    "workspace": lambda two: setattr(found_everywhere(Workspace, two.other), "name", "Mine"),
}


def found_everywhere(kind, key):
    with tenancy.everywhere("a leak to be stopped on its way back"):
        return db.session.get(kind, key)


def write(two, way):
    """The head of a chain is no workspace's row: there the policies are first to refuse."""
    FOREIGN[way](two)
    db.session.flush()


@pytest.mark.parametrize("way", FOREIGN)
def test_a_foreign_row_is_not_written(two, way):
    with pytest.raises((tenancy.Confined, ProgrammingError), match=r"is written while|row-level"):
        write(two, way)
    db.session.rollback()


def test_a_row_does_not_change_its_workspace(two):
    with tenancy.everywhere("a leak to be stopped on its way back"):
        theirs = db.session.scalar(select(Strategy).where(Strategy.workspace_id == two.other))
    theirs.workspace_id = two.ours
    with pytest.raises(tenancy.Confined, match="is written while"):
        db.session.flush()
    db.session.rollback()


def test_own_rows_and_rows_of_nobody_are_written(two):
    db.session.add_all([strategy_of(two.ours), notice_for(two, two.ours)])
    audit.record("account.x", by=TESTER, now=NOW, account_id=two.person)
    db.session.commit()
    assert len(all_of(select(Strategy))) == 2


def test_rows_in_bulk_are_refused(two):
    values = {"id": "str_x", "workspace_id": two.other, "name": "X", "created_at": NOW}
    with pytest.raises(tenancy.Confined, match="one by one"):
        db.session.execute(insert(Strategy), [values])


def fail_across(two):
    with tenancy.everywhere("to fail"):
        twin = strategy_of(two.other)
        twin.id = db.session.scalar(select(Strategy.id).where(Strategy.workspace_id == two.ours))
        db.session.add(twin)


def test_across_workspaces_ends_where_it_began_even_when_it_fails(two):
    with tenancy.everywhere("twice"), tenancy.everywhere("inside"):
        assert bots_seen() == {two.bot, two.foreign}
    assert bots_seen() == {two.bot}
    with pytest.raises(IntegrityError):
        fail_across(two)
    assert tenancy.scope_of(db.session).workspace == two.ours
    db.session.rollback()
    assert bots_seen() == {two.bot}


def test_a_savepoint_and_a_commit_change_nothing_about_it(two):
    with db.session.begin_nested():
        assert bots_seen() == {two.bot}
    db.session.commit()
    assert bots_seen() == {two.bot}


def test_a_request_binds_nobody_after_it(two):
    tenancy.forget()
    db.session.rollback()
    assert bots_seen() == {two.bot, two.foreign}


def test_every_table_with_a_workspace_is_in_the_net():
    """A new one is Owned (or Keyed like a membership), or belongs to somebody or nobody."""
    loose = {*tenancy.SHARED, Membership}
    for mapper in db.Model.registry.mappers:
        if "workspace_id" in mapper.columns and mapper.class_ not in loose:
            assert issubclass(mapper.class_, Owned), mapper.class_.__name__
    assert issubclass(Membership, Keyed)
