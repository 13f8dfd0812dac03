"""Checks of what answers: database, Redis, workers, ticker, gate, practice market, bots."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import requests
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from redis import Redis
from rq import Queue, Worker
from rq.worker import BaseWorker
from sqlalchemy import func, select, text

from app.cli.base import reading
from app.cli.finding import Finding, Look, fail, ok, warn
from app.domain import fleet_health
from app.extensions import db
from app.models import AuditEvent, Leadership
from app.settings import is_loopback

_SECONDS = 3
_DRIFT = timedelta(seconds=5)
_ROLE = """
SELECT rolname, rolsuper, rolbypassrls,
  (SELECT string_agg(relname, ', ') FROM pg_class
    WHERE oid IN ('bot'::regclass, 'workspace'::regclass, 'audit_event'::regclass)
      AND NOT (relrowsecurity AND relforcerowsecurity)) AS bare
FROM pg_roles WHERE rolname = current_user
"""
_SILENT_WORKER = timedelta(seconds=90)
"""Twice as long as an idle worker of ours waits between two signs of life."""


def database(_look: Look) -> Finding:
    """Whether it answers."""
    reading()
    db.session.execute(select(1))
    return ok(db.engine.url.render_as_string(hide_password=True))


def migrations(_look: Look) -> Finding:
    """Whether the schema is that of this release."""
    reading()
    here = MigrationContext.configure(db.session.connection()).get_current_revision()
    newest = ScriptDirectory(str(Path(current_app.root_path) / "migrations")).get_current_head()
    if here == newest:
        return ok(f"at the newest, {newest}")
    if here is None:
        return fail("the database has no schema", "flask --app wsgi db upgrade")
    return fail(
        f"the database is at {here}, this release at {newest}",
        "flask --app wsgi db upgrade, or run the release the database belongs to",
    )


def row_security(_look: Look) -> Finding:
    """Whether the row policies of PostgreSQL bind the role that this process is."""
    reading()
    if db.engine.dialect.name != "postgresql":
        return ok("SQLite has none; the application alone confines each session")
    role = db.session.execute(text(_ROLE)).one()
    if role.bare:
        return fail(f"not in force on {role.bare}", "flask --app wsgi db upgrade, as the owner")
    if role.rolsuper or role.rolbypassrls:
        what = "a superuser" if role.rolsuper else "a role with BYPASSRLS"
        return warn(
            f"{role.rolname} is {what}: the policies do not bind it",
            "use a role of its own, see docs/database.md",
        )
    return ok(f"binds {role.rolname}")


def clock(look: Look) -> Finding:
    """Against the database server, and against the newest thing that ever happened."""
    reading()
    if db.engine.dialect.name == "postgresql":
        theirs = db.session.scalar(select(func.clock_timestamp()))
        drift = abs(look.now - theirs) if theirs is not None else timedelta(0)
        if drift > _DRIFT:
            return fail(f"{drift.total_seconds():.0f} s from the database server", "set it by NTP")
    newest = db.session.scalar(select(func.max(AuditEvent.occurred_at)))
    if newest is not None and newest > look.now + _DRIFT:
        return fail(f"behind: something was recorded at {newest:%Y-%m-%d %H:%M:%S} UTC", "set it")
    return ok(f"{look.now:%Y-%m-%d %H:%M:%S} UTC")


def redis(look: Look) -> Finding:
    """Whether it answers."""
    with _redis(look) as connection:
        connection.ping()
    return ok("answers")


def workers(look: Look) -> Finding:
    """Whether every queue that was ever used has somebody working on it."""
    with _redis(look) as connection:
        waiting = {queue.name: queue.count for queue in Queue.all(connection)}
        alive = [worker for worker in Worker.all(connection) if _fresh(worker, look)]
        served = {name for worker in alive for name in worker.queue_names()}
    if not served:
        return fail("none is alive", "start python -m app.jobs.worker QUEUE")
    left = sorted(waiting.keys() - served)
    if left:
        counted = ", ".join(f"{name} ({waiting[name]} waiting)" for name in left)
        return fail(f"nobody works on {counted}", f"start python -m app.jobs.worker {left[0]}")
    return ok(f"{len(alive)} on {', '.join(sorted(served))}")


def ticker(look: Look) -> Finding:
    """Whether one leads: its lease in the database has not run out."""
    reading()
    lead = select(Leadership.holder, Leadership.until).where(Leadership.name == "ticker")
    found = db.session.execute(lead).first()
    if found is None:
        return fail("none leads", "start python -m app.jobs.ticker")
    if found.until <= look.now:
        cure = "start python -m app.jobs.ticker"
        return fail(f"none has led since {found.until:%Y-%m-%d %H:%M:%S} UTC", cure)
    return ok(f"{found.holder} leads")


def gate(look: Look) -> Finding:
    """Whether it answers with its database behind it, where the machines look for it."""
    return _answers(f"{look.gate}/readyz", "start the gate, or set RUNNER_BASE_URL")


def practice(look: Look) -> Finding:
    """Whether it answers, where this installation has one."""
    if look.practice is None:
        return warn("not in EXCHANGE_ENDPOINTS", "set it there if bots are to trade on it")
    return _answers(f"{look.practice}/practice/v1/health", "start python -m app.practice")


def bots(look: Look) -> Finding:
    """Whether any cannot go on by itself."""
    reading()
    found = fleet_health.in_trouble(look.now, look.config.tempo)
    if not found:
        return ok("none is in trouble")
    named = ", ".join(f"{one.bot_id} {one.reading.label}" for one in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return warn(f"{len(found)} in trouble: {named}{more}", "their pages say why and what to do")


def _redis(look: Look) -> Redis:
    return Redis.from_url(
        look.config.redis_url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
    )


def _fresh(worker: BaseWorker, look: Look) -> bool:
    seen = worker.last_heartbeat
    return seen is not None and look.now - seen < _SILENT_WORKER


def _answers(url: str, cure: str) -> Finding:
    with requests.Session() as session:
        # A proxy of this environment has no way to an address of this machine.
        session.trust_env = not is_loopback(urlsplit(url).hostname or "")
        answer = session.get(url, timeout=_SECONDS, allow_redirects=False)
    if answer.status_code != requests.codes.ok:
        return fail(f"{url} answers {answer.status_code}", cure)
    return ok(f"answers at {url}")
