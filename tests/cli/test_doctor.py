"""Each check seen healthy against the real thing, and ill with the thing taken away."""

import json
import socket
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis
from rq import Worker
from rq.serializers import JSONSerializer
from sqlalchemy import text, update
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from app.cli import checks_here
from app.cli.checks import CHECKS
from app.config import Config
from app.domain import audit, leadership
from app.extensions import db
from app.gateways import signing
from app.gateways.vault import Sealer, generate
from app.jobs import queues
from app.models import BotCompute, Phase
from tests import factories
from tests.factories import TESTER
from tests.fakes.mail_server import MailServer
from tests.practice.client import Process


class Quiet(WSGIRequestHandler):
    def log(self, *_):
        """Requests are no news here."""


@contextmanager
def served(app):
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def nowhere():
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def gate_of(url):
    environ = {"MASTER_KEYS": generate()[0], "DATABASE_URL": url}
    return create_app(Config.from_environment(environ, "gate"), "gate")


def findings(house):
    """Level and text of each check by name, and the exit code."""
    done = house.run("doctor")
    lines = [line for line in done.stdout.splitlines() if line]
    assert len(lines) == len(CHECKS)
    split = {line[6:21].strip(): (line[:4].strip(), line[23:]) for line in lines}
    return split, done.exit_code


@pytest.fixture
def lonely(sqlite_url, build, tmp_path):
    """An installation of which only the database is there."""
    return build(sqlite_url, REDIS_URL=f"unix://{tmp_path}/no.sock", RUNNER_BASE_URL=nowhere())


def test_all_is_well_where_everything_runs(engine_url, build, redis_url, tmp_path):
    market, postbox = Process(tmp_path / "market"), MailServer()
    try:
        with served(gate_of(engine_url)) as gate:
            house = build(
                engine_url,
                REDIS_URL=redis_url,
                RUNNER_BASE_URL=gate,
                SMTP_URL=f"smtp://127.0.0.1:{postbox.port}",
                INBOUND_MAIL_DOMAIN="reply.plutarc.test",
                INBOUND_MAIL_KEY="k" * 32,
                MAIL_AUTHSERV_ID="mx.plutarc.test",
                SIGNING_PUBLIC_KEY=signing.generate()[1],
                EXCHANGE_ENDPOINTS=json.dumps({"practice": market.base}),
            )
            factories.bot(factories.organisation(now=datetime.now(UTC)), now=datetime.now(UTC))
            leadership.take("ticker", "me", datetime.now(UTC), timedelta(minutes=5))
            db.session.commit()
            with Redis.from_url(redis_url) as connection:
                queue = queues.open_queue(queues.QueueName.FLEET, connection)
                worker = Worker([queue], connection=connection, serializer=JSONSerializer)
                worker.register_birth()
                found, code = findings(house)
                worker.register_death()
    finally:
        market.end()
        postbox.close()
    assert {name: level for name, (level, _) in found.items()} == {
        name: "ok" for name, _, _ in CHECKS
    }, found
    assert code == 0


def test_a_role_that_no_policy_binds_is_named(postgres_url, build, tmp_path):
    house = build(postgres_url, REDIS_URL=f"unix://{tmp_path}/no.sock", RUNNER_BASE_URL=nowhere())
    level, told = findings(house)[0]["row security"]
    assert level == "warn"
    assert "app is a superuser" in told
    assert "docs/database.md" in told
    db.session.execute(text("ALTER TABLE bot NO FORCE ROW LEVEL SECURITY"))
    db.session.commit()
    try:
        assert findings(house)[0]["row security"][0] == "fail"
    finally:
        db.session.execute(text("ALTER TABLE bot FORCE ROW LEVEL SECURITY"))
        db.session.commit()


def test_what_is_away_is_named_with_its_cure(lonely):
    found, code = findings(lonely)
    assert code == 1
    ill = {name for name, (level, _) in found.items() if level == "fail"}
    assert ill == {"redis", "workers", "ticker", "gate"}
    assert "REDIS_URL" in found["redis"][1]
    assert "python -m app.jobs.ticker" in found["ticker"][1]
    assert "RUNNER_BASE_URL" in found["gate"][1]
    assert found["practice market"] == (
        "warn",
        "not in EXCHANGE_ENDPOINTS  → set it there if bots are to trade on it",
    )


def test_a_database_without_schema_or_at_all(build, tmp_path):
    house = build(f"sqlite:///{tmp_path}/new.db", RUNNER_BASE_URL=nowhere())
    found, code = findings(house)
    assert (found["database"][0], found["migrations"][0], code) == ("ok", "fail", 1)
    assert "db upgrade" in found["migrations"][1]
    absent = build("postgresql://app:hunter2@127.0.0.1:1/x", RUNNER_BASE_URL=nowhere())
    found, code = findings(absent)
    assert (found["database"][0], code) == ("fail", 1)
    assert "hunter2" not in str(found)


def test_another_release_of_the_schema(lonely):
    db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    db.session.commit()
    level, told = findings(lonely)[0]["migrations"]
    assert level == "fail"
    assert "at 0000" in told


def test_a_queue_that_nobody_works_on(sqlite_url, build, redis_url):
    house = build(sqlite_url, REDIS_URL=redis_url, RUNNER_BASE_URL=nowhere())
    assert findings(house)[0]["workers"][1].startswith("none is alive")
    with Redis.from_url(redis_url) as connection:
        fleet = queues.open_queue(queues.QueueName.FLEET, connection)
        queues.hand_over(fleet, "advance_bot", "j", {"bot_id": "bot_x"})
        other = Worker(["other"], connection=connection, serializer=JSONSerializer)
        other.register_birth()
        level, told = findings(house)[0]["workers"]
        assert level == "fail"
        assert "nobody works on fleet (1 waiting)" in told
        dead = datetime.now(UTC) - timedelta(minutes=3)
        connection.hset(other.key, "last_heartbeat", dead.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        assert findings(house)[0]["workers"][1].startswith("none is alive")


def test_a_lead_that_ran_out(lonely):
    leadership.take("ticker", "me", datetime.now(UTC) - timedelta(hours=1), timedelta(seconds=10))
    db.session.commit()
    level, told = findings(lonely)[0]["ticker"]
    assert level == "fail"
    assert "none has led since" in told


def test_a_clock_behind_what_was_recorded(lonely):
    later = datetime.now(UTC) + timedelta(hours=1)
    audit.record("bot.stop", by=TESTER, now=later, account_id="usr_x")
    db.session.commit()
    level, told = findings(lonely)[0]["clock"]
    assert level == "fail"
    assert told.startswith("behind")


def test_bots_that_cannot_go_on(lonely):
    desk = factories.organisation()
    blocked, _well = factories.bot(desk), factories.bot(desk)
    db.session.flush()
    mine = BotCompute.bot_id == blocked.id
    db.session.execute(update(BotCompute).where(mine).values(phase=Phase.BLOCKED, problem="full"))
    db.session.commit()
    level, told = findings(lonely)[0]["bots"]
    assert level == "warn"
    assert told.startswith(f"1 in trouble: {blocked.id} blocked")
    assert blocked.name not in told


def test_keys_where_they_are_given(lonely, monkeypatch):
    assert findings(lonely)[0]["master keys"] == (
        "ok",
        "not given to this process, so not looked at",
    )
    monkeypatch.setenv("MASTER_KEYS", lonely.private)
    assert findings(lonely)[0]["master keys"] == ("ok", "1 open everything that is sealed")
    connection = factories.connection(factories.organisation(), Sealer(generate()[1]))
    db.session.commit()
    level, told = findings(lonely)[0]["master keys"]
    assert (level, connection.id in told) == ("fail", True)
    monkeypatch.setenv("MASTER_KEYS", generate()[0])
    assert findings(lonely)[0]["master keys"][1].startswith("what web seals now cannot be opened")
    monkeypatch.setenv("MASTER_KEYS", f"{generate()[0]},rubbish")
    level, told = findings(lonely)[0]["master keys"]
    assert level == "fail"
    assert "rubbish" not in told


def test_keys_that_others_can_read(lonely):
    keys = Path(lonely.environ["VAR_DIR"]) / "secrets"
    keys.mkdir(mode=0o755)
    keys.chmod(0o755)
    level, told = findings(lonely)[0]["directory"]
    assert level == "fail"
    assert f"chmod 700 {keys}" in told
    keys.chmod(0o700)
    assert findings(lonely)[0]["directory"][0] == "ok"


def test_a_directory_that_is_not_there(lonely):
    Path(lonely.environ["VAR_DIR"]).rmdir()
    found = findings(lonely)[0]
    assert found["directory"][0] == found["disk"][0] == "fail"


@pytest.mark.parametrize(("limit", "level"), [("_FULL", "fail"), ("_SCARCE", "warn")])
def test_little_room(lonely, monkeypatch, limit, level):
    monkeypatch.setattr(checks_here, limit, 2**70)
    assert findings(lonely)[0]["disk"][0] == level


def test_the_ports_that_make_run_took(build, sqlite_url, monkeypatch):
    """Beside `make run` no setting names the gate's port; it is in the book of ports."""
    with served(gate_of(sqlite_url)) as gate:
        house = build(sqlite_url)
        book = Path(house.environ["VAR_DIR"]) / "ports.json"
        port = int(gate.rsplit(":", 1)[1])
        book.write_text(json.dumps({"gate": port, "practice": int(nowhere().rsplit(":", 1)[1])}))
        found = findings(house)[0]
    assert found["gate"] == ("ok", f"answers at {gate}/readyz")
    assert found["practice market"][0] == "fail"


def test_people_who_sign_in_over_plain_http(build, sqlite_url):
    house = build(
        sqlite_url, HOST="0.0.0.0", BASE_URL="http://plutarc.example.org", RUNNER_BASE_URL=nowhere()
    )
    level, told = findings(house)[0]["settings"]
    assert level == "warn"
    assert "BASE_URL=https://" in told
