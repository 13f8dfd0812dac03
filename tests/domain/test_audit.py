"""The audit log: one event a change, chained, whole, and honest about breaks."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import ForeignKey, select, update

from app.domain import audit, audit_chain, audit_log, invitation_book
from app.domain.audit import Actor
from app.extensions import db
from app.models import AuditEvent, AuditHead
from runner import __version__
from tests import factories
from tests.factories import NOW, TESTER
from tests.waiting import PATIENCE


def events(workspace):
    query = select(AuditEvent).where(AuditEvent.chain == workspace.id)
    return list(db.session.scalars(query.order_by(AuditEvent.seq)))


def note(workspace, **values):
    return audit.record(
        **{"action": "bot.configure", "by": TESTER, "now": NOW, "workspace_id": workspace.id}
        | values
    )


@pytest.fixture
def desk(app):
    workspace = factories.organisation()
    for number in range(4):
        note(workspace, target_label=f"bot {number}", changes=[audit.Change("name", "a", "b")])
    db.session.commit()
    return workspace


def test_an_untouched_chain_verifies(desk):
    assert audit_chain.first_break(events(desk)) is None


@pytest.mark.parametrize(
    "column",
    sorted(
        set(audit_chain.FIELDS)
        - {"seq", "occurred_at", "recorded_at", "outcome", "changes", "schema", "workspace_id"}
    ),
)
def test_a_changed_event_is_found(desk, column):
    db.session.execute(
        update(AuditEvent)
        .where(AuditEvent.chain == desk.id, AuditEvent.seq == 3)
        .values({column: "something else"})
    )
    db.session.expire_all()
    assert audit_chain.first_break(events(desk)) == 3


def test_a_missing_event_is_found(desk):
    found = events(desk)
    del found[1]
    assert audit_chain.first_break(found) == 2


def test_reordered_events_are_found(desk):
    found = events(desk)
    found[1], found[2] = found[2], found[1]
    assert audit_chain.first_break(found) == 2


def test_an_event_recomputed_in_place_breaks_the_next_link(desk):
    found = events(desk)
    found[1].reason = "rewritten"
    found[1].payload_hash = audit_chain.payload_hash(audit_chain.plain(found[1]))
    found[1].hash = audit_chain.link_hash(desk.id, audit_chain.plain(found[1]))
    assert audit_chain.first_break(found) == 3


def test_a_rolled_back_change_leaves_no_event(desk):
    before = len(events(desk))
    note(desk)
    db.session.rollback()
    assert len(events(desk)) == before


def test_an_event_says_who_from_where_and_to_what_it_belongs(desk):
    by = Actor(
        "user",
        "zoe@example.com",
        id="usr_z",
        ip="192.0.2.7",
        request_id="req_1",
        on_behalf_of="ada@example.com",
        session_id="ses_1",
        method="password",
        user_agent="Chrome",
        source="web",
        route="/w/<workspace>/bots/<bot_id>/stop",
    )
    later = NOW + timedelta(seconds=1, microseconds=3)
    note(desk, by=by, now=later, correlation_id="run_1", reason="too risky")
    db.session.commit()
    db.session.expire_all()
    last = events(desk)[-1]
    assert (last.schema, last.release) == (audit.SCHEMA, __version__)
    assert (last.occurred_at, last.recorded_at) == (later, later)
    assert (last.session_id, last.method, last.user_agent) == ("ses_1", "password", "Chrome")
    assert (last.source, last.route) == ("web", "/w/<workspace>/bots/<bot_id>/stop")
    assert (last.on_behalf_of, last.correlation_id) == ("ada@example.com", "run_1")
    assert audit_chain.first_break(events(desk)) is None


def test_long_values_are_shortened_and_say_so(desk):
    note(desk, changes=[audit.Change("rules", "x" * 2000, "y")])
    assert events(desk)[-1].changes[0]["before"].endswith("(shortened)")


@pytest.mark.parametrize(("given", "last"), [(50, "f49"), (51, "2 more changes")])
def test_many_changes_are_cut_and_say_so(desk, given, last):
    note(desk, changes=[audit.Change(f"f{number}", None, number) for number in range(given)])
    kept = events(desk)[-1].changes
    assert len(kept) == 50
    assert last in (kept[-1]["field"], kept[-1]["after"])


def test_whatever_a_value_holds_it_comes_back_as_it_was_hashed(desk):
    odd = {
        "float": 1e22,
        "minus zero": -0.0,
        "nested": {"b": [0.1, Decimal("1.50")], "a": None},
        "nul": "a\x00b",
        "half": "\ud800",
        "large": 2**70,
    }
    note(desk, changes=audit.changes_between({}, odd))
    db.session.commit()
    db.session.expire_all()
    assert audit_chain.first_break(events(desk)) is None
    kept = {change["field"]: change["after"] for change in events(desk)[-1].changes}
    assert (kept["float"], kept["nul"], kept["half"]) == ("1e+22", "a\ufffdb", "\ufffd")


def test_a_name_cannot_write_a_line_of_its_own(desk):
    name = "Tide\n2026-11-24 owner deleted\x1b[2K\u2028\u202etxt\x00"
    by = Actor("user", name, user_agent=name)
    note(desk, by=by, target_label=name, reason=name)
    last = events(desk)[-1]
    for text in (last.actor_label, last.user_agent, last.target_label, last.reason):
        assert text == "Tide 2026-11-24 owner deleted\ufffd[2K\ufffd\ufffdtxt\ufffd"
        assert len(text.splitlines()) == 1


def test_what_is_the_same_in_another_order_is_no_change():
    before = {"rules": {"a": 1, "b": [1, 2]}, "symbols": ("BTC",), "size": Decimal("1.50")}
    after = {"rules": {"b": [1, 2], "a": 1}, "symbols": ["BTC"], "size": Decimal("1.5")}
    assert audit.changes_between(before, after) == []
    assert audit.changes_between({"a": [1, 2]}, {"a": [2, 1]})


def test_a_clock_that_goes_back_does_not_reorder_what_happened(desk):
    note(desk, now=NOW - timedelta(hours=2), target_label="after all")
    db.session.commit()
    assert events(desk)[-1].target_label == "after all"
    assert audit_chain.first_break(events(desk)) is None


def test_an_event_outlives_all_it_names():
    keys = [key for column in AuditEvent.__table__.columns for key in column.foreign_keys]
    assert [key.column.table.name for key in keys] == ["workspace"]
    assert all(isinstance(key, ForeignKey) and key.ondelete is None for key in keys)


def test_first_events_at_once_make_one_chain_and_lose_none(app):
    """Writers of one new chain at the same time, each in a transaction of its own."""
    together, failed = threading.Barrier(6), []

    def write(number):
        with app.app_context():
            try:
                together.wait(PATIENCE)
                for turn in range(4):
                    audit.record(
                        "bot.stop",
                        by=TESTER,
                        now=NOW,
                        account_id="usr_new",
                        reason=f"{number}.{turn}",
                    )
                    db.session.commit()
            except Exception as error:  # noqa: BLE001 -- told below, in the test's own thread
                failed.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    found = list(
        db.session.scalars(
            select(AuditEvent).where(AuditEvent.chain == "usr_new").order_by(AuditEvent.seq)
        )
    )
    assert [event.seq for event in found] == list(range(1, 25))
    assert len({event.reason for event in found}) == 24
    assert audit_chain.first_break(found) is None
    assert db.session.get(AuditHead, "usr_new").hash == found[-1].hash


def test_a_head_looked_at_earlier_is_read_anew_under_its_lock(app):
    """A stale head in the session would give two events one number."""
    note_account()
    db.session.commit()
    if db.engine.dialect.name == "postgresql":  # on SQLite nobody writes between look and lock
        assert db.session.get(AuditHead, "usr_x").seq == 1
    other = threading.Thread(target=write_apart, args=(app,))
    other.start()
    other.join(60)
    note_account()
    db.session.commit()
    assert db.session.get(AuditHead, "usr_x").seq == 3


def write_apart(app):
    with app.app_context():
        note_account()
        db.session.commit()
        db.session.remove()


def note_account():
    audit.record("account.update", by=TESTER, now=NOW, account_id="usr_x")


def test_whatever_acts_without_a_person_has_a_name_and_a_door():
    actors = [audit.PLANNER, audit.COMMAND_LINE, invitation_book.SCHEDULER]
    assert {actor.source for actor in actors} == {"worker", "cli"}
    assert all(actor.kind and actor.label and actor.id is None for actor in actors)
    assert len({actor.kind for actor in actors}) == len(actors)


def test_the_log_reads_in_the_order_of_its_links_not_of_its_clocks(desk):
    note(desk, now=NOW - timedelta(hours=2), target_label="after all")
    db.session.commit()
    assert audit_log.page(desk, 1)[0].target_label == "after all"


def test_the_log_of_another_workspace_is_not_read(desk):
    other = factories.organisation()
    note(other, target_label="theirs")
    db.session.commit()
    assert all(event.workspace_id == desk.id for event in audit_log.page(desk, 100))
    assert audit_log.find(desk, events(other)[-1].id) is None
