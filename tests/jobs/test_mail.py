"""Letters through a real worker to a real SMTP server, killed in between."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from app.domain import mail
from app.extensions import db
from app.jobs import effect, queues
from app.jobs.queues import QueueName
from app.jobs.ticker import Ticker
from app.mail_settings import read_server
from app.models import Mail, MailState
from tests.fakes.mail_server import MailServer
from tests.services import die_with_parent
from tests.waiting import until


@pytest.fixture
def server():
    made = MailServer()
    yield made
    made.close()


@pytest.fixture
def reachable(app, server):
    """The application, told of the server."""
    config = app.extensions["plutarc"]
    told = read_server(f"smtp://127.0.0.1:{server.port}")
    app.extensions["plutarc"] = replace(config, mail_server=told)
    yield
    app.extensions["plutarc"] = config


def posted():
    made = mail.post("mail_check", to="bo@example.org", now=datetime.now(UTC), console="https://x")
    db.session.commit()
    return made


def try_again_now(letter):
    """What the pause does, without waiting for it."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    db.session.execute(update(Mail).where(Mail.id == letter.id).values(try_at=past))
    db.session.commit()


def test_a_job_run_twice_sends_once(reachable, server):
    letter = posted()
    assert effect.send(letter.id)
    assert not effect.send(letter.id)
    (got,) = server.post.letters
    assert got.message["Message-ID"] == letter.message_id
    assert letter.state is MailState.SENT


def test_lost_after_the_text_goes_out_again_as_the_same_letter(reachable, server):
    server.post.hang_up = 1
    letter = posted()
    effect.send(letter.id)
    assert letter.state is MailState.UNKNOWN
    assert "may have been sent" in letter.error
    try_again_now(letter)
    effect.send(letter.id)
    assert letter.state is MailState.SENT
    first, second = server.post.letters
    assert first.message["Message-ID"] == second.message["Message-ID"]


def test_refused_now_and_taken_later(reachable, server):
    server.post.rcpt.append("450 4.2.1 mailbox busy")
    letter = posted()
    effect.send(letter.id)
    assert "450 4.2.1 mailbox busy" in letter.error
    assert letter.try_at > datetime.now(UTC)
    try_again_now(letter)
    effect.send(letter.id)
    assert (letter.state, letter.attempts, letter.error) == (MailState.SENT, 2, "")


def test_refused_for_good(reachable, server):
    server.post.rcpt.append("550 5.1.1 no such person")
    letter = posted()
    effect.send(letter.id)
    assert letter.state is MailState.FAILED
    try_again_now(letter)
    assert not effect.send(letter.id)
    assert server.post.letters == []


def test_without_a_mail_server(app):
    letter = posted()
    effect.send(letter.id)
    assert letter.state is MailState.UNSENT


def test_an_emptied_redis_loses_no_letter(app, redis_url, valkey):
    letter = posted()
    connection = queues.connect(redis_url)
    ticker = Ticker(connection, "first")
    ticker.tick(datetime.now(UTC))
    valkey.flush()
    ticker.sweep_at = datetime.min.replace(tzinfo=UTC)
    later = datetime.now(UTC) + mail.LOST_AFTER
    ticker.tick(later)
    ticker.tick(later)
    (job,) = queues.open_queue(QueueName.MAIL, connection).jobs
    assert job.kwargs == {"mail_id": letter.id}


@pytest.fixture
def worker(app, redis_url, engine_url, server, tmp_path):
    """A worker of the mail queue as the supervisor starts it."""
    environment = {
        "PATH": os.environ["PATH"],
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": engine_url,
        "REDIS_URL": redis_url,
        "SMTP_URL": f"smtp://127.0.0.1:{server.port}",
        "MAIL_FROM": "plutarc@plutarc.test",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "app.jobs.worker", "mail"],
        env=environment,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 -- one prctl, no lock is taken
    )
    yield process
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_killed_between_sending_and_noting_it(reachable, worker, redis_url, server):
    server.post.mute = True
    letter = posted()
    Ticker(queues.connect(redis_url), "first").tick(datetime.now(UTC))
    until("the letter has arrived", lambda: server.post.letters)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    server.post.mute = False
    db.session.expire_all()
    assert (letter.state, letter.attempts) == (MailState.QUEUED, 1)
    assert not effect.send(letter.id)
    try_again_now(letter)
    assert effect.send(letter.id)
    assert letter.state is MailState.SENT
    first, second = server.post.letters
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert first.message["Message-ID"] == f"<{letter.id}@plutarc.test>"
