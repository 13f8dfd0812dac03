"""A ring and an update are cut short at lines around their work; nothing is lost, nothing doubled.

The one thing nobody can know is whether a message arrived whose worker died over it: then, and
only then, it goes out again and says so.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from app.domain.telegram import updates
from app.extensions import db
from app.jobs import effect
from app.models import (
    CallState,
    OutboxMessage,
    TelegramCall,
    TelegramMessage,
    TelegramUpdate,
    TicketEvent,
    TicketMessage,
)
from tests.domain.telegram.conftest import (  # noqa: F401 -- fixtures
    Desk,
    _server,
    api,
    settings,
    to,
    unpaced,
)
from tests.fakes.telegram_api import BOT_ID, GROUP
from tests.kill.cutting import killed_at

EFFECT, DOMAIN = "app/jobs/effect.py", "app/domain/telegram/"
LINES = [(EFFECT, n) for n in range(7, 29)] + [(DOMAIN, n) for n in range(5, 200, 33)]


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def engine_url(request):
    """Both databases: what a killed worker had begun is undone by each in its own way."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def desk(app, settings, api, unpaced):  # noqa: F811 -- fixtures
    config = app.extensions["plutarc"]
    app.extensions["plutarc"] = replace(config, telegram=settings, base_url="https://desk.test")
    yield Desk(api.bot)
    app.extensions["plutarc"] = config


def test_a_ring_cut_short_anywhere_still_rings(desk, monkeypatch):
    for number, (place, line) in enumerate(LINES):
        with monkeypatch.context() as quiet:
            quiet.setattr(Desk, "work", lambda _self: None)
            ticket = desk.open(f"story {number}", subject=f"Cut {number}")
            ticket.state = "resolved"  # an owner has ten open ones at most
            db.session.commit()
        (call,) = desk.calls(ticket_id=ticket.id)
        killed_at(line, place, lambda call_id=call.id: effect.ring(call_id))
        desk.later()
        desk.work()
        desk.later()
        desk.work()
        (call,) = desk.calls(ticket_id=ticket.id)
        assert call.state is CallState.SENT, (place, line, call.error)
        rung = [m["text"] for m in desk.bot.sent(GROUP) if f"story {number}\n" in m["text"]]
        assert 1 <= len(rung) <= 2, (place, line)
        assert all("(sent again" in text for text in rung[1:]), (place, line)
    known = select(func.count()).select_from(TelegramMessage)
    assert db.session.scalar(known) >= len(LINES)


def test_an_update_cut_short_anywhere_is_one_answer(desk):
    desk.link(desk.operator, 501)
    ticket = desk.open()
    ring = desk.ring_of(ticket)
    for number, (place, line) in enumerate(LINES):
        told = desk.bot.say(GROUP, 501, f"answer {number}", **to(ring))
        updates.store(BOT_ID, told, datetime.now(UTC))
        db.session.commit()
        key = told["update_id"]
        killed_at(line, place, lambda key=key: effect.take_update(BOT_ID, key))
        effect.take_update(BOT_ID, key)
        effect.take_update(BOT_ID, key)
        row = db.session.get(TelegramUpdate, (BOT_ID, key), populate_existing=True)
        assert row.decision == "said", (place, line)
        bodies = db.session.scalars(
            select(TicketMessage.seq).where(TicketMessage.body == f"answer {number}")
        )
        assert len(bodies.all()) == 1, (place, line)
        events = select(func.count()).select_from(TicketEvent)
        assert db.session.scalar(events) == number + 2
    asked = select(func.count()).where(TelegramCall.values["role"].as_string() == "sent")
    assert db.session.scalar(asked) == len(LINES)
    hints = select(func.count()).where(OutboxMessage.job == "ring_telegram")
    assert db.session.scalar(hints) >= len(LINES)
