"""Measuring once a minute, and the jobs of the status page by the names the queue knows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from sqlalchemy import select

from app.domain.status import components, incidents, measure
from app.extensions import db
from app.gateways import knock
from app.jobs import effect, queues, status, ticker
from app.models import Component, Condition, IncidentUpdate, OutboxMessage
from tests.domain.status import desk
from tests.services import free_port


@pytest.fixture
def engine_url(sqlite_url):
    return sqlite_url


class Site(BaseHTTPRequestHandler):
    """A website that answers with ``code``."""

    code = 200

    def do_GET(self):
        self.send_response(self.code if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *_):
        """Quietly."""


@pytest.fixture
def website():
    server = HTTPServer(("127.0.0.1", 0), Site)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("code", "answers"), [(200, True), (503, False), (302, False)])
def test_a_site_answers_or_not(website, monkeypatch, code, answers):
    monkeypatch.setattr(Site, "code", code)
    assert knock.answers(f"http://127.0.0.1:{website.server_port}") is answers


def test_nobody_there_is_no_answer():
    assert not knock.answers(f"http://127.0.0.1:{free_port()}")


def test_one_look_measures_every_component(app):
    nobody = replace(app.extensions["plutarc"], base_url=f"http://127.0.0.1:{free_port()}")
    app.extensions["plutarc"] = nobody
    effect.look_around()
    rows = {it.key: it.condition for it in db.session.scalars(select(Component))}
    assert rows.keys() == {it.key for it in components.catalogue()}
    assert rows[components.TIMETABLE] is Condition.OPERATIONAL
    assert rows[components.WEB] is Condition.UNKNOWN


def test_the_timetable_measures_each_minute_and_asks_for_what_was_lost(app, redis_url):
    olga = desk.operator()
    begun = datetime.now(UTC)
    desk.begin(olga, now=begun - timedelta(minutes=5))
    db.session.execute(db.delete(OutboxMessage))
    db.session.commit()
    one = ticker.Ticker(queues.connect(redis_url), "one")
    one.tick(begun)
    assert asked() == []
    one.tick(begun + measure.EVERY)
    update = db.session.scalars(select(IncidentUpdate.id)).one()
    assert asked() == [(incidents.JOB, {"update_id": update})]
    for name in queues.QueueName:
        queue = queues.open_queue(name, queues.connect(redis_url))
        wanted = {queues.JOBS[job] for where, job in ticker.LOOKS if where is name}
        assert wanted <= {it.func_name for it in queue.jobs}


def asked():
    """What the status page asked the desk's worker for."""
    jobs = OutboxMessage.job == incidents.JOB
    found = db.session.scalars(select(OutboxMessage).where(jobs).order_by(OutboxMessage.number))
    return [(it.job, it.arguments) for it in found]


def test_a_thousand_at_a_time_the_rest_is_asked_for_anew(app, monkeypatch):
    monkeypatch.setattr(status, "_STEPS", 0)
    update = desk.begin(desk.operator(), now=datetime.now(UTC)).updates[0].id
    db.session.execute(db.delete(OutboxMessage))
    db.session.commit()
    status.spread(update)
    asked = db.session.scalars(select(OutboxMessage)).one()
    assert (asked.queue, asked.job, asked.arguments) == (
        "desk",
        "spread_update",
        {"update_id": update},
    )
    assert queues.JOBS[asked.job] == f"{status.__name__}.{status.spread_update.__name__}"
