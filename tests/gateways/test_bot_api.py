"""The Bot API's client against a real HTTP server: what is tried again, and what nobody is told."""

import logging
import socket

import pytest
import requests

from app.gateways.bot_api import BotApi
from app.gateways.telegram import MOST_BYTES, Cause, Fate, NoTelegram
from tests.fakes.telegram_api import GROUP, TOKEN, Refuse, TelegramApi

HELLO = {"chat_id": GROUP, "text": "Hello"}


@pytest.fixture(scope="module")
def server():
    made = TelegramApi()
    yield made
    made.close()


@pytest.fixture
def api(server):
    return BotApi(TOKEN, server.url, connect=2, read=2)


REFUSALS = [
    (Refuse(429, "Too Many Requests", retry_after=7), Fate.LATER, Cause.OTHER),
    (Refuse(500, "Internal Server Error"), Fate.LATER, Cause.OTHER),
    (Refuse(403, "Forbidden: bot was blocked by the user"), Fate.REFUSED, Cause.BLOCKED),
    (Refuse(403, "Forbidden: user is deactivated"), Fate.REFUSED, Cause.BLOCKED),
    (Refuse(400, "Bad Request: message thread not found"), Fate.REFUSED, Cause.NO_TOPIC),
    (Refuse(400, "Bad Request: TOPIC_DELETED"), Fate.REFUSED, Cause.NO_TOPIC),
    (Refuse(400, "Bad Request: TOPIC_NOT_MODIFIED"), Fate.REFUSED, Cause.UNCHANGED),
    (Refuse(400, "Bad Request: can't parse entities"), Fate.REFUSED, Cause.OTHER),
    (Refuse(400, "moved", migrate_to_chat_id=-7), Fate.REFUSED, Cause.MOVED),
    (Refuse(401, "Unauthorized"), Fate.REFUSED, Cause.TOKEN),
    (Refuse("odd", "Bad Request: odd"), Fate.REFUSED, Cause.OTHER),
    (Refuse(409, "Conflict: terminated by other getUpdates"), Fate.REFUSED, Cause.ELSEWHERE),
]


@pytest.mark.parametrize(("fault", "fate", "cause"), REFUSALS)
def test_refusals_are_told_apart(server, api, fault, fate, cause):
    server.bot.faults.append(fault)
    answer = api.call("sendMessage", HELLO)
    assert (answer.fate, answer.cause) == (fate, cause)
    assert fault.said in answer.detail
    assert answer.wait == fault.parameters.get("retry_after", 0)
    assert answer.moved_to == fault.parameters.get("migrate_to_chat_id")


def test_taken(api):
    answer = api.call("sendMessage", HELLO)
    assert (answer.fate, answer.result["text"]) == (Fate.DONE, "Hello")


def test_nobody_knows_after_a_lost_answer_or_none(server):
    server.bot.lose = 1
    assert BotApi(TOKEN, server.url, read=2).call("sendMessage", HELLO).fate is Fate.UNKNOWN
    server.bot.stall = 1
    late = BotApi(TOKEN, server.url, read=0.2).call("sendMessage", HELLO)
    server.bot.released.set()
    assert late.fate is Fate.UNKNOWN
    server.bot.faults.append(b"<html>502</html>")
    assert BotApi(TOKEN, server.url).call("sendMessage", HELLO).fate is Fate.UNKNOWN


def test_where_nobody_listens_it_is_tried_later():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert BotApi(TOKEN, f"http://127.0.0.1:{port}").call("getMe", {}).fate is Fate.LATER


def test_the_token_is_in_no_word_and_no_log(server, caplog):
    caplog.set_level(logging.DEBUG)
    secret = TOKEN.partition(":")[2]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{probe.getsockname()[1]}"
    server.bot.faults.append(Refuse(400, f"Bad Request: what is /bot{TOKEN}/x"))
    api = BotApi(TOKEN, server.url)
    said = [api.call("sendMessage", HELLO).detail, BotApi(TOKEN, dead).call("getMe", {}).detail]
    server.bot.lose = 1
    said += [api.call("sendMessage", HELLO).detail, api.download("none").detail, repr(api)]
    server.bot.files["gone"] = b"x"
    assert all(secret not in text for text in said)
    assert all(secret not in line.getMessage() for line in caplog.records)


def test_files(server, api, monkeypatch):
    server.bot.files["f"] = b"hello"
    assert api.download("f").content == b"hello"
    assert api.download("none").content is None
    from app.gateways import bot_api

    monkeypatch.setattr(bot_api, "MOST_BYTES", 4)
    assert "larger" in api.download("f").detail
    assert MOST_BYTES == 20 * 1024 * 1024


def test_without_a_bot():
    assert NoTelegram().call("getMe", {}).fate is Fate.OFF
    assert NoTelegram().download("x").content is None


def test_a_redirect_is_not_followed(monkeypatch):
    asked = []

    def post(url, **given):
        asked.append(given)
        raise requests.Timeout

    monkeypatch.setattr(requests, "post", post)
    assert BotApi(TOKEN, "https://api.example").call("getMe", {}).fate is Fate.UNKNOWN
    assert asked[0]["allow_redirects"] is False
    assert all(seconds > 0 for seconds in asked[0]["timeout"])
