"""A worker is killed while it carries out a breach; two look at once: each is told once."""

import threading
from collections import Counter

import pytest
from sqlalchemy import select

from app.domain import bots, breach_policy
from app.extensions import db
from app.jobs import timetable
from app.models import AuditEvent, Bot, LimitBreach, Mail, Notice, TelegramCall, TelegramLink
from runner.protocol import PositionState, to_plain
from tests.domain.test_breaches import DRAWDOWN
from tests.domain.test_ingest import Feed
from tests.factories import NOW, TESTER
from tests.kill.cutting import killed_at

CUTS = [
    *(("app/domain/breach_policy.py", line) for line in range(3, 30, 5)),
    *(("app/domain/breach_bells.py", line) for line in range(3, 30, 5)),
    *(("app/domain/telegram/calls.py", line) for line in range(2, 40, 13)),
]


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def engine_url(request):
    """Both databases: what a killed worker had begun is undone by each in its own way."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def feed(app):
    found = Feed()
    found.machine.claimed_at = found.machine.synced_at = NOW
    found.machine.position_state = PositionState.OPEN
    bots.start(found.bot, by=TESTER, now=NOW)
    owner = found.bot.workspace.memberships[0].user
    link = {"telegram_id": 7, "chat_id": 7, "name": owner.name, "created_at": NOW}
    db.session.add(TelegramLink(user_id=owner.id, confirmed_at=NOW, **link))
    db.session.commit()
    return found


def passed(bot_id):
    """Another limit that was passed; its number."""
    bot = db.session.get_one(Bot, bot_id)
    for table in (Mail, TelegramCall, Notice, LimitBreach):
        db.session.query(table).delete()
    bot.paused = False
    run = bot.workspace_id, bot.id, db.session.scalar(select(breach_policy.runs.Run.id))
    keys = dict(zip(("workspace_id", "bot_id", "run_id"), run, strict=True))
    words = to_plain(DRAWDOWN) | {"value": DRAWDOWN.value, "bound": DRAWDOWN.bound}
    breach = LimitBreach(**keys, **words, at=NOW)
    db.session.add(breach)
    db.session.commit()
    return breach.number


def follow(number):
    breach_policy.follow(number, NOW)
    db.session.commit()


def told():
    found = Counter(
        notices=len(list(db.session.scalars(select(Notice.id)))),
        letters=len(list(db.session.scalars(select(Mail.id)))),
        calls=len(list(db.session.scalars(select(TelegramCall.id)))),
    )
    db.session.rollback()
    return found


ONCE = Counter(notices=1, letters=1, calls=1)


def test_cut_short_anywhere_it_is_told_and_done_once(feed):
    bot_id, came = feed.bot.id, 0
    for where, line in CUTS:
        number = passed(bot_id)
        cut = killed_at(line, where, lambda number=number: follow(number))
        came += cut
        if cut:
            assert not told().total(), "nothing is told by halves"
        for _ in range(2):
            timetable.sweep(NOW)
        assert told() == ONCE, (where, line)
        assert db.session.get_one(Bot, bot_id).paused
        db.session.rollback()
    assert came >= len(CUTS) - 3, "most cuts hit"


def test_two_that_look_at_once_tell_it_once(app, feed):
    number, gate = passed(feed.bot.id), threading.Barrier(2)
    db.session.remove()

    def look():
        with app.app_context():
            gate.wait(30)
            timetable.sweep(NOW)
            db.session.remove()

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert str(number) not in breach_policy.due(NOW)
    assert told() == ONCE
    query = select(AuditEvent.id).where(AuditEvent.actor_kind == "policy")
    assert len(list(db.session.scalars(query))) == 1
