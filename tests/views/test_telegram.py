"""Telegram on the web: the door for updates, one's own account, the operator's page."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from app.desk_settings import Telegram
from app.domain.telegram import calls, chats, links
from app.extensions import db
from app.models import (
    CallState,
    LoginSession,
    OutboxMessage,
    TelegramCall,
    TelegramLink,
    TelegramUpdate,
    User,
)
from app.web import telegram_door
from tests import factories, site
from tests.fakes.telegram_api import BOT_ID, BOT_NAME, GROUP, TOKEN
from tests.pages import Pages

SECRET = "a-secret-of-sixteen-and-more"
DOOR = "/webhooks/telegram"


@pytest.fixture
def bot(house):
    """The application with a bot whose name is known."""
    config = house.extensions["plutarc"]
    told = replace(config, telegram=Telegram(TOKEN, SECRET, GROUP))
    house.extensions["plutarc"] = told
    with site.rows(house):
        chats.name_bot(BOT_ID, BOT_NAME, datetime.now(UTC))
    yield told
    house.extensions["plutarc"] = config


def knock(house, body, secret=SECRET, **more):
    headers = {telegram_door.HEADER: secret} if secret is not None else {}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return house.test_client().post(
        DOOR, data=data, headers=headers, content_type="application/json", **more
    )


def kept(house, number):
    with site.rows(house):
        query = select(func.count()).where(TelegramUpdate.update_id == number)
        hints = select(func.count()).where(
            OutboxMessage.job == "take_update",
            OutboxMessage.arguments["update_id"].as_string() == str(number),
        )
        return db.session.scalar(query), db.session.scalar(hints)


def test_an_update_is_kept_once_and_answered_at_once(bot, house):
    for _ in range(5):
        assert knock(house, {"update_id": 71, "message": {"text": "hi"}}).status_code == 200
    assert kept(house, 71) == (1, 1)


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET[:-1], SECRET + "x", "ä"])
def test_without_the_secret_nothing_is_kept_but_a_count(bot, house, secret):
    before = telegram_door.turned_away.total()
    assert knock(house, {"update_id": 72}, secret).status_code == 403
    assert kept(house, 72) == (0, 0)
    assert telegram_door.turned_away.total() == before + 1


def test_where_no_secret_is_set_nobody_comes_in(house):
    assert knock(house, {"update_id": 73}, "").status_code == 403
    assert kept(house, 73) == (0, 0)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_update_is_taken_and_dropped(bot, house, body):
    assert knock(house, body).status_code == 200


def test_what_is_too_large_is_turned_away(bot, house):
    assert knock(house, b"x" * (telegram_door.LARGEST + 1)).status_code == 413


def test_while_the_database_is_away_telegram_is_asked_to_come_again(bot, house, monkeypatch):
    def broken(*_):
        raise OperationalError("INSERT", {}, Exception("gone"))

    with monkeypatch.context() as cut:
        cut.setattr("app.domain.telegram.updates.store", broken)
        answer = knock(house, {"update_id": 74})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")


@pytest.fixture
def person(house):
    with site.rows(house):
        made = factories.user("Olive")
        return made.id, made.email


@pytest.fixture
def mine(house, person):
    pages = Pages(house)
    pages.become(person[1])
    return pages


def use(house, page, number):
    """Press Start in Telegram with the link of a page."""
    found = re.search(rf"https://t\.me/{BOT_NAME}\?start=([\w-]+)", page.text)
    with site.rows(house):
        now = datetime.now(UTC)
        links.use(found[1], telegram_id=number, chat_id=number, name="Olive O.", now=now)


def number_for(person):
    return int.from_bytes(person[0].encode()[-6:])


def waiting_link(mine):
    fields = [node for node in mine.page.all("input") if node.get("name") == "link"]
    return fields[0].get("value")


def test_linking_confirming_and_unlinking(bot, house, mine, person):
    assert "not linked" in mine.get("/account/telegram").text
    mine.fragment("/account/telegram/state", 204)
    page = mine.post("/account/telegram", 200)
    assert page.all("svg")
    use(house, page, number_for(person))
    assert "Olive O." in mine.fragment("/account/telegram/state", 286).text
    waiting = mine.get("/account/telegram")
    assert "waits for you" in waiting.text
    page = mine.post("/account/telegram/confirm", link=waiting_link(mine))
    assert "Answers to your own tickets" in page.text
    assert "not linked" in mine.post("/account/telegram/unlink").text
    with site.rows(house):
        query = select(TelegramLink).where(TelegramLink.user_id == person[0])
        assert db.session.scalars(query).all() == []


def test_an_operator_confirms_with_a_fresh_proof(bot, house, person, mine):
    with site.rows(house):
        db.session.get_one(User, person[0]).operator = True
    use(house, mine.post("/account/telegram", 200), number_for(person))
    mine.get("/account/telegram")
    link = waiting_link(mine)
    with site.rows(house):
        rows = select(LoginSession).where(LoginSession.user_id == person[0])
        for row in db.session.scalars(rows):
            row.confirmed_at = None
    answer = mine.client.post(
        "/account/telegram/confirm", data={"link": link, "csrf_token": mine.token()}
    )
    assert "Confirm it is you" in answer.get_data(as_text=True)
    with site.rows(house):
        assert calls.active_link(person[0]) is None


def test_a_link_of_somebody_else_cannot_be_confirmed(bot, house, mine, person):
    with site.rows(house):
        other = factories.user("Mallory")
        token = links.begin(other, datetime.now(UTC))
        number = number_for((other.id, ""))
        links.use(token, telegram_id=number, chat_id=number, name="M", now=datetime.now(UTC))
        theirs = links.of(other).id
    mine.get("/account/telegram")
    mine.post("/account/telegram/confirm", 409, link=theirs)
    with site.rows(house):
        assert db.session.get_one(TelegramLink, theirs).confirmed_at is None


def test_without_a_bot_the_page_says_so(mine):
    assert "has no Telegram bot" in mine.get("/account/telegram").text


@pytest.fixture
def operator(house):
    with site.rows(house):
        found = factories.user("Opal")
        found.operator = True
        email = found.email
    pages = Pages(house)
    pages.become(email)
    return pages


def test_the_console_shows_what_failed_and_sends_it_again(bot, house, operator):
    assert f"@{BOT_NAME}" in operator.get("/operator/telegram").text
    operator.post("/operator/telegram/ring")
    with site.rows(house):
        query = select(TelegramCall).where(TelegramCall.kind == "test")
        call = db.session.scalars(query.order_by(TelegramCall.created_at.desc())).first()
        call.state, call.error = CallState.FAILED, "400 Bad Request: chat not found"
        number = call.id
    assert "chat not found" in operator.get("/operator/telegram?state=failed").text
    operator.post(f"/operator/telegram/{number}/again")
    with site.rows(house):
        assert db.session.get_one(TelegramCall, number).state is CallState.QUEUED
    operator.get("/operator/telegram")
    operator.post(f"/operator/telegram/{number}/again", 409)


def test_no_page_holds_the_token_or_the_secret(bot, operator, mine):
    secret = TOKEN.partition(":")[2]
    for pages, address in (
        (operator, "/operator/telegram"),
        (operator, "/operator"),
        (mine, "/account/telegram"),
    ):
        pages.get(address)
        html = pages.response.get_data(as_text=True)
        assert secret not in html
        assert SECRET not in html


def test_without_a_bot_the_console_says_what_to_set(operator):
    page = operator.get("/operator/telegram")
    assert "TELEGRAM_BOT_TOKEN" in page.text
