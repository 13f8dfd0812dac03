"""What ``doctor`` says of Telegram, and the command that has updates delivered here."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.cli.checks_telegram import telegram
from app.cli.finding import Level, Look
from app.domain.telegram import calls
from app.domain.telegram.updates import WANTED
from app.extensions import db
from app.models import CallState, TelegramCall
from tests import factories
from tests.fakes.telegram_api import BOT_NAME, GROUP, TOKEN, TelegramApi

SECRET = "a-secret-of-sixteen-and-more"


@pytest.fixture
def server():
    made = TelegramApi()
    yield made
    made.close()


@pytest.fixture
def house(sqlite_url, build, server):
    def furnished(**more):
        settings = {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_OPERATOR_CHAT_ID": str(GROUP),
            "TELEGRAM_API_BASE": server.url,
        }
        return build(sqlite_url, **(settings | more))

    return furnished


def look(house):
    found = telegram(Look(house.app.extensions["plutarc"], datetime.now(UTC)))
    db.session.rollback()
    assert TOKEN.partition(":")[2] not in found.what + found.cure
    return found


def test_not_set(sqlite_url, build):
    assert look(build(sqlite_url)).level is Level.OK


def test_well(house):
    found = look(house())
    assert (found.level, found.cure) == (Level.OK, "")
    assert f"@{BOT_NAME}" in found.what
    assert "each ticket has a topic" in found.what


def test_ill(house, server):
    made = house()
    server.bot.chats[GROUP].may_manage = False
    assert "manage topics" in look(made).what
    server.bot.chats.clear()
    assert look(made).level is Level.FAIL
    server.bot.chats[GROUP] = type(server.bot)().chats[GROUP]
    server.bot.webhook = "https://old.example/hook"
    assert "--remove" in look(made).cure
    server.close()
    assert look(made).level is Level.FAIL


def test_no_chat(house):
    found = look(house(TELEGRAM_OPERATOR_CHAT_ID="0"))
    assert found.level is Level.WARN
    assert "/id" in found.cure


def test_what_waits_and_what_failed(house):
    made = house()
    person = factories.user("Opal")
    calls.test_ring(person, datetime.now(UTC) - timedelta(minutes=5))
    db.session.commit()
    assert "worker desk" in look(made).cure
    db.session.scalars(select(TelegramCall)).one().state = CallState.FAILED
    db.session.commit()
    assert "/operator/telegram" in look(made).cure


def test_a_webhook_is_set_and_removed(house, server):
    made = house(TELEGRAM_WEBHOOK_SECRET=SECRET, BASE_URL="https://desk.test")
    assert "no webhook" in look(made).what
    result = made.run("telegram-webhook")
    assert (result.exit_code, SECRET in result.output) == (0, False)
    assert server.bot.webhook == "https://desk.test/webhooks/telegram"
    assert (server.bot.secret, server.bot.allowed) == (SECRET, list(WANTED))
    assert look(made).level is Level.OK
    assert made.run("telegram-webhook", "--remove").exit_code == 0
    assert server.bot.webhook == ""


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"TELEGRAM_BOT_TOKEN": ""}, "TELEGRAM_BOT_TOKEN"),
        ({}, "TELEGRAM_WEBHOOK_SECRET"),
        ({"TELEGRAM_WEBHOOK_SECRET": SECRET, "BASE_URL": "http://127.0.0.1:8000"}, "https://"),
    ],
)
def test_what_cannot_work_is_refused_with_the_cure(house, server, settings, word):
    result = house(**settings).run("telegram-webhook")
    assert result.exit_code == 1
    assert word in result.output
    assert server.bot.webhook == ""
