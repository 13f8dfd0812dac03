"""Rotation: everything ends under the first key, once, and what does not open is left alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from app.domain import connections, rotation
from app.extensions import db
from app.gateways.vault import Opener, Sealer, UnknownKey, generate
from app.models import AuditEvent, Connection
from tests import factories
from tests.factories import NOW, TESTER
from tests.waiting import PATIENCE


@pytest.fixture
def old(engine_url, build):
    return build(engine_url)


@pytest.fixture
def new(old, build, monkeypatch):
    """The same installation after the operator put a new key first."""
    private, public = generate()
    monkeypatch.setenv("MASTER_KEYS", f"{private},{old.private}")
    rotated = build(old.environ["DATABASE_URL"], SEAL_PUBLIC_KEY=public)
    rotated.private, rotated.public = private, public
    return rotated


def planted(public, count=3):
    desk = factories.organisation()
    made = [factories.connection(desk, Sealer(public)) for _ in range(count)]
    db.session.commit()
    return sorted(made, key=lambda connection: connection.id)


def events(connection=None):
    query = select(AuditEvent).where(AuditEvent.action == "connection.reseal")
    if connection is not None:
        query = query.where(AuditEvent.target_id == connection.id)
    return list(db.session.scalars(query))


def opened(connection, private):
    db.session.expire_all()
    return Opener([private]).open(connection.sealed, connection.seal_context)


def test_everything_opens_with_the_new_key_alone(old, new):
    made = planted(old.public)
    before = [opened(connection, old.private) for connection in made]
    done = new.run("rotate-keys")
    assert done.exit_code == 0, done.output
    assert "3 of 3 connections sealed anew" in done.stdout
    assert "3 of 3 looked at" in done.stderr
    assert [opened(connection, new.private) for connection in made] == before
    with pytest.raises(UnknownKey):
        opened(made[0], old.private)
    for connection, fields in zip(made, before, strict=True):
        (event,) = events(connection)
        assert event.actor_kind == "command_line"
        told = f"{event.changes} {event.reason} {event.target_label} {done.output}"
        assert not any(secret in told for secret in fields.values())
    assert not any(key in done.output for key in (new.private, old.private))


def test_a_second_run_finds_nothing_to_do(old, new):
    made = planted(old.public)
    new.run("rotate-keys")
    sealed = [connection.sealed for connection in made]
    again = new.run("rotate-keys")
    assert "0 of 3 connections sealed anew" in again.stdout
    db.session.expire_all()
    assert [connection.sealed for connection in made] == sealed
    assert len(events()) == 3


def test_an_interrupted_run_is_taken_up_again(old, new):
    planted(old.public, 5)
    opener, sealer = Opener([new.private, old.private]), Sealer(new.public)
    first = rotation.reseal_batch("", opener=opener, sealer=sealer, by=TESTER, now=NOW, limit=2)
    db.session.commit()
    assert (first.looked_at, first.resealed) == (2, 2)
    rotation.reseal_batch(first.last, opener=opener, sealer=sealer, by=TESTER, now=NOW, limit=2)
    db.session.rollback()
    assert "3 of 5 connections sealed anew" in new.run("rotate-keys").stdout
    assert len(events()) == 5


def test_one_that_does_not_open_is_named_and_left(old, new):
    made = planted(old.public)
    stranger = generate()[1]
    lost = made[1]
    lost.sealed = Sealer(stranger).seal({"api_key": "k"}, lost.seal_context)
    moved = made[2]
    moved.sealed = Sealer(old.public).seal({"api_key": "k"}, "another place")
    db.session.commit()
    kept = (lost.sealed, moved.sealed)
    refused = new.run("rotate-keys")
    assert refused.exit_code == 1
    assert f"{lost.id}: sealed with a key that is not among" in refused.stderr
    assert f"{moved.id}: sealed for another place" in refused.stderr
    assert "Keep the old keys" in refused.stderr
    db.session.expire_all()
    assert (lost.sealed, moved.sealed) == kept
    assert opened(made[0], new.private)
    assert [event.target_id for event in events()] == [made[0].id]


def test_deleted_connections_are_passed_over(old, new):
    made = planted(old.public)
    connections.delete(made[0], by=TESTER, now=NOW)
    db.session.commit()
    assert "2 of 2 connections sealed anew" in new.run("rotate-keys").stdout
    db.session.expire_all()
    assert made[0].sealed == b""


@pytest.mark.parametrize(
    ("keys", "hint"),
    [
        (None, "MASTER_KEYS is not set"),
        ("rubbish", "not 32 bytes"),
        ("strange", "SEAL_PUBLIC_KEY="),
    ],
)
def test_without_the_right_keys_nothing_is_touched(house, monkeypatch, keys, hint):
    (connection,) = planted(house.public, 1)
    sealed = connection.sealed
    if keys is not None:
        monkeypatch.setenv("MASTER_KEYS", generate()[0] if keys == "strange" else keys)
    refused = house.run("rotate-keys")
    assert refused.exit_code == 1
    assert hint in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    db.session.expire_all()
    assert connection.sealed == sealed


def rotate(house, opener, sealer, start):
    """All batches, as one process takes them."""
    with house.app.app_context():
        start.wait()
        after = ""
        while True:
            batch = rotation.reseal_batch(
                after, opener=opener, sealer=sealer, by=TESTER, now=NOW, limit=3
            )
            db.session.commit()
            if batch.last is None:
                return
            after = batch.last


def test_two_at_once_reseal_each_connection_once(old, new):
    ids = [connection.id for connection in planted(old.public, 20)]
    db.session.rollback()
    opener, sealer = Opener([new.private, old.private]), Sealer(new.public)
    start = threading.Barrier(2, timeout=PATIENCE)
    with ThreadPoolExecutor(2) as pool:
        for both in [pool.submit(rotate, new, opener, sealer, start) for _ in range(2)]:
            both.result(timeout=PATIENCE)
    db.session.expire_all()
    assert sorted(event.target_id for event in events()) == ids
    assert not rotation.unreadable(Opener([new.private]))


def test_a_connection_changed_in_between_is_not_overwritten(old, new):
    (connection,) = planted(old.public, 1)
    opener = Opener([new.private, old.private])

    class Slow(Sealer):
        def seal(self, fields, context):
            sealed = super().seal(fields, context)
            with db.session.no_autoflush:
                table = Connection.__table__
                db.session.execute(table.update().values(sealed=b"newer"))
            return sealed

    assert not connections.reseal(
        connection, opener=opener, sealer=Slow(new.public), by=TESTER, now=NOW
    )
    assert not events()
