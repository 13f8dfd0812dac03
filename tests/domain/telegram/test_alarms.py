"""What is wrong with the fleet rings in the operators' chat, once for each trouble."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app import current
from app.desk_settings import Telegram
from app.domain import fleet_alarms
from app.domain.telegram import calls
from app.extensions import db
from app.models import AlarmKind, CallState, TelegramMessage
from tests.fakes.telegram_api import GROUP, Refuse

KEY = "address bot_x"


@pytest.fixture
def ring(desk):
    def ring(message="It is gone.", **more):
        now = datetime.now(UTC)
        made = fleet_alarms.raise_alarm(AlarmKind.ADDRESS_LOST, KEY, message, now, **more)
        db.session.commit()
        return made

    return ring


def test_it_rings_once_says_what_and_where_and_belongs_to_no_ticket(desk, ring):
    ring(bot_id="bot_x")
    ring("See @evil at t.me/evil: it is still gone.", bot_id="bot_x")
    desk.work()
    ring(bot_id="bot_x")
    desk.work()
    (told,) = desk.bot.sent(GROUP)
    assert told["text"].startswith("A bot's address is lost, ")
    assert "it is still gone." in told["text"]
    assert "@evil" not in told["text"]
    assert "t.me/evil" not in told["text"]
    assert "https://desk.test/operator/fleet/bots/bot_x" in told["text"]
    assert "message_thread_id" not in told
    assert db.session.query(TelegramMessage).count() == 0


def test_what_is_over_before_its_turn_rings_nobody_and_the_next_trouble_does(desk, ring):
    ring()
    fleet_alarms.clear_alarm(KEY, datetime.now(UTC))
    db.session.commit()
    desk.work()
    assert desk.bot.sent(GROUP) == []
    (call,) = desk.calls()
    assert (call.state, call.error) == (CallState.CANCELLED, "The trouble is over.")
    ring()
    desk.work()
    assert len(desk.bot.sent(GROUP)) == 1


def test_an_alarm_that_waits_for_telegram_is_not_lost(desk, ring):
    desk.bot.faults.append(Refuse(502, "Bad Gateway"))
    ring()
    desk.work()
    assert desk.bot.sent(GROUP) == []
    desk.later()
    desk.work()
    assert len(desk.bot.sent(GROUP)) == 1


def test_without_a_bot_nothing_is_called_and_nothing_fails(app, desk, ring, monkeypatch):
    config = current.config()
    monkeypatch.setitem(app.extensions, "plutarc", replace(config, telegram=Telegram()))
    ring()
    desk.work()
    assert desk.bot.calls == []
    assert [call.state for call in desk.calls()] == [CallState.CANCELLED]


def test_a_test_says_of_what_the_chat_hears(desk):
    calls.test_ring(desk.operator, datetime.now(UTC))
    db.session.commit()
    desk.work()
    (told,) = desk.bot.sent(GROUP)
    assert "A test by Ada." in told["text"]
    assert "every ticket, and of the fleet's alarms" in told["text"]
