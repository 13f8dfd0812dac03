"""What ``doctor`` says of mail: seen healthy against a real server, and ill."""

from datetime import UTC, datetime, timedelta

import pytest

from app.cli.checks_mail import mail
from app.cli.finding import Level, Look
from app.domain import mail as letters
from app.domain.letters import House
from app.extensions import db
from app.gateways.mail import Delivery, Fate
from tests.fakes.mail_server import USER, Authority, MailServer


@pytest.fixture
def server():
    made = MailServer()
    yield made
    made.close()


def look(house):
    found = mail(Look(house.app.extensions["plutarc"], datetime.now(UTC)))
    db.session.rollback()
    return found


def posted(ago):
    letter = letters.post(
        "mail_check", to="a@example.org", now=datetime.now(UTC) - ago, console="x"
    )
    db.session.commit()
    return letter


def test_not_set(sqlite_url, build):
    found = look(build(sqlite_url, BASE_URL="http://127.0.0.1:8000"))
    assert (found.level, found.cure) == (Level.WARN, "set SMTP_URL and MAIL_FROM")
    assert "http://127.0.0.1:8000/operator/mail" in found.what


def test_well(sqlite_url, build, server):
    posted_to = build(sqlite_url, SMTP_URL=f"smtp://127.0.0.1:{server.port}")
    posted(timedelta(minutes=1))
    found = look(posted_to)
    assert found.level is Level.OK
    assert f"127.0.0.1:{server.port}" in found.what
    assert server.post.tried == 0


def test_a_server_that_is_away_or_refuses_us(sqlite_url, build, tmp_path):
    found = look(build(sqlite_url, SMTP_URL="smtp://127.0.0.1:1"))
    assert (found.level, "127.0.0.1:1" in found.what) == (Level.FAIL, True)
    strict = MailServer(tls=Authority(tmp_path).server(), sign_in=True)
    url = f"smtp://{USER}:hunter2@127.0.0.1:{strict.port}?starttls=required"
    try:
        found = look(build(sqlite_url, SMTP_URL=url))
    finally:
        strict.close()
    assert found.level is Level.FAIL
    assert "certificate does not hold" in found.what
    assert "hunter2" not in found.what


def test_letters_that_nobody_sends(sqlite_url, build, server):
    house = build(sqlite_url, SMTP_URL=f"smtp://127.0.0.1:{server.port}")
    posted(timedelta(minutes=11))
    found = look(house)
    assert found.level is Level.WARN
    assert found.cure == "start python -m app.jobs.worker mail"


def test_letters_that_failed(sqlite_url, build, server):
    house = build(sqlite_url, SMTP_URL=f"smtp://127.0.0.1:{server.port}")
    now = datetime.now(UTC)
    here = House("plutarc", "https://plutarc.test")
    errand = letters.begin(posted(timedelta(hours=1)).id, now, house=here, sender="a@b.test")
    letters.finish(errand, Delivery(Fate.FAILED, "550"), now)
    db.session.commit()
    assert look(house).what == "1 letters of the last day failed"
