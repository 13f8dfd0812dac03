"""A press of the kill switch is cut short by ``kill -9``; again, it reaches each bot once."""

from collections import Counter

import pytest
from sqlalchemy import select

from app.domain import panic
from app.extensions import db
from app.models import AuditEvent, Bot, BotCommand, Kill, KillAct, KillBot, Workspace
from runner.protocol import CommandKind, PositionState
from tests import factories
from tests.domain.test_bots import awake
from tests.factories import NOW, TESTER
from tests.kill.cutting import killed_at

CUTS = [
    *(("app/domain/panic.py", line) for line in range(3, 90, 11)),
    *(("app/domain/commands.py", line) for line in range(4, 60, 13)),
    *(("app/domain/audit.py", line) for line in range(10, 200, 61)),
]
EACH = {CommandKind.PAUSE_ENTRIES, CommandKind.CANCEL_ENTRIES, CommandKind.FLATTEN}


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def engine_url(request):
    """Both databases: what a killed process had begun is undone by each in its own way."""
    return request.getfixturevalue(request.param)


def press(place):
    workspace = db.session.get_one(Workspace, place)
    order = panic.Order(KillAct.FLATTEN, press="one page")
    panic.press(workspace, order, author=None, by=TESTER, now=NOW)
    db.session.commit()


def commands():
    return Counter(map(tuple, db.session.execute(select(BotCommand.bot_id, BotCommand.kind))))


def test_cut_short_anywhere_nothing_is_done_by_halves_and_again_reaches_each_once(app):
    desk = factories.organisation()
    ids = [factories.bot(desk).id for _ in range(3)]
    for bot_id in ids:
        awake(db.session.get_one(Bot, bot_id), PositionState.OPEN)
    db.session.commit()
    place, came = desk.id, 0
    for where, line in CUTS:
        for table in (KillBot, Kill, BotCommand):
            db.session.query(table).delete()
        db.session.query(Bot).update({"paused": False})
        db.session.commit()
        cut = killed_at(line, where, lambda: press(place))
        came += cut
        if cut:
            assert not commands()
            assert not list(db.session.scalars(select(Bot.id).where(Bot.paused.is_(True))))
            db.session.rollback()
        for _ in range(2):
            press(place)
        assert commands() == {(bot_id, kind): 1 for bot_id in ids for kind in EACH}, (where, line)
        assert len(list(db.session.scalars(select(KillBot)))) == 3
        query = select(AuditEvent.id).where(AuditEvent.action == "position.panic_close")
        mine = query.where(AuditEvent.correlation_id == db.session.scalar(select(Kill.id)))
        assert len(list(db.session.scalars(mine))) == 1
        db.session.rollback()
    assert came >= len(CUTS) - 3, "most cuts hit"
