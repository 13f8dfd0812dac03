"""Telegram through real processes: the ticker hints, a worker rings, a poller fetches."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.domain.telegram import calls
from app.extensions import db
from app.gateways.telegram import Answer, Fate
from app.jobs import effect, queues, telegram_poll
from app.jobs.queues import QueueName
from app.jobs.telegram_poll import Poller
from app.jobs.ticker import EVERY, Ticker
from app.models import CallState, TelegramCall, TelegramUpdate
from tests.domain.telegram.conftest import (  # noqa: F401 -- fixtures
    Desk,
    _server,
    api,
    settings,
    unpaced,
)
from tests.fakes.telegram_api import BOT_ID, GROUP, TOKEN
from tests.kill.house import children, command
from tests.services import die_with_parent
from tests.waiting import PATIENCE, until


@pytest.fixture
def engine_url(request):
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def told(app, settings):  # noqa: F811 -- a fixture
    config = app.extensions["plutarc"]
    app.extensions["plutarc"] = replace(config, telegram=settings, base_url="https://desk.test")
    yield
    app.extensions["plutarc"] = config


def process(*command, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        env={"PATH": os.environ["PATH"]} | environment,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 -- one prctl, no lock is taken
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def ended(running):
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    return running.communicate()[0].decode()


@pytest.fixture
def worker(engine_url, redis_url, api, tmp_path):  # noqa: F811 -- a fixture
    running = process(
        *("app.jobs.worker", "desk"),
        VAR_DIR=str(tmp_path),
        DATABASE_URL=engine_url,
        REDIS_URL=redis_url,
        TELEGRAM_BOT_TOKEN=TOKEN,
        TELEGRAM_OPERATOR_CHAT_ID=str(GROUP),
        TELEGRAM_API_BASE=api.url,
    )
    yield running
    ended(running)


def test_the_chat_rings_after_the_next_tick(told, worker, redis_url, api):  # noqa: F811
    """One tick, at most half a second after the commit, and the worker makes the attempt."""
    assert timedelta(seconds=1) >= EVERY
    connection = queues.connect(redis_url)
    until("a worker listens", lambda: connection.smembers("rq:workers"))
    desk = Desk(api.bot)
    desk.work = lambda: None
    ticker = Ticker(connection, "first")
    ticket = desk.open("a story").id
    ticker.tick(datetime.now(UTC))
    db.session.remove()
    until("the attempt", lambda: any("a story\n" in m["text"] for m in api.bot.sent(GROUP)))
    (call,) = desk.calls(ticket_id=ticket)
    assert call.tried_at is not None


def test_telegram_being_down_holds_up_no_ticket_and_loses_none(told, redis_url, api):  # noqa: F811
    """Who opens a ticket never speaks to Telegram; a day later it still rings."""
    desk = Desk(api.bot)
    desk.work = lambda: None
    api.bot.stall = 1000
    ticket = desk.open()
    assert api.bot.calls == []
    assert [call.state for call in desk.calls()] == [CallState.QUEUED]
    api.bot.stall = 0
    connection = queues.connect(redis_url)
    ticker = Ticker(connection, "first")
    ticker.tick(datetime.now(UTC))
    connection.flushall()
    ticker.sweep_at = datetime.min.replace(tzinfo=UTC)
    later = datetime.now(UTC) + calls.LOST_AFTER + timedelta(seconds=1)
    ticker.tick(later)
    ticker.tick(later)
    jobs = queues.open_queue(QueueName.DESK, connection).jobs
    asked = {job.kwargs["call_id"] for job in jobs if "call_id" in job.kwargs}
    assert asked == {call.id for call in desk.calls(ticket_id=ticket.id)}


def test_killed_over_a_message_it_goes_out_again_and_says_so(
    told,
    worker,
    redis_url,
    api,  # noqa: F811 -- a fixture
    unpaced,  # noqa: F811 -- a fixture
):
    desk = Desk(api.bot)
    work, desk.work = desk.work, lambda: None
    api.bot.chats[GROUP].forum = False
    desk.open()
    real = api.bot.do_sendMessage

    def sticky(**given):
        api.bot.stall = 1
        return real(**given)

    api.bot.do_sendMessage = sticky
    Ticker(queues.connect(redis_url), "first").tick(datetime.now(UTC))
    until("the message arrived", lambda: api.bot.sent(GROUP))
    horses = children(worker.pid)
    os.killpg(worker.pid, signal.SIGKILL)
    # The answer would still reach a child that has not yet followed its parent.
    until("its child is dead", lambda: not any(command(pid) for pid in horses))
    api.bot.do_sendMessage, api.bot.stall = real, 0
    api.bot.released.set()
    desk.later()
    work()
    desk.later()
    work()
    assert ["(sent again" in m["text"] for m in api.bot.sent(GROUP)] == [False, True]
    assert db.session.scalars(select(TelegramCall.state)).all() == [CallState.SENT]


def test_updates_are_fetched_once_each(told, api):  # noqa: F811
    found = replace(app_settings(), webhook_secret="")
    api.bot.do_setWebhook(url="https://old.example/hook")
    first, second = api.bot.say(5, 5, "one"), api.bot.say(5, 5, "two")
    poller = Poller(effect.telegram(config()), found, long=0)
    assert poller.turn(datetime.now(UTC)) == 0
    assert api.bot.webhook == ""
    third = api.bot.say(5, 5, "three")
    assert poller.turn(datetime.now(UTC)) == 0
    assert poller.turn(datetime.now(UTC)) == 0
    kept = db.session.scalars(select(TelegramUpdate.update_id).order_by(TelegramUpdate.update_id))
    assert kept.all() == [it["update_id"] for it in (first, second, third)]
    assert api.bot.updates == []


def test_what_is_no_update_stops_no_poller(told, settings):  # noqa: F811
    class Odd:
        def call(self, method, _given, **_more):
            odd = [None, 7, {"update_id": "x"}, {"update_id": 12, "message": {}}]
            return Answer(Fate.DONE, odd if method == "getUpdates" else True)

    poller = Poller(Odd(), settings, long=0)
    assert poller.turn(datetime.now(UTC)) == 0
    assert poller.offset == 13


def test_what_could_not_be_kept_is_fetched_again(told, api, monkeypatch):  # noqa: F811
    from sqlalchemy.exc import OperationalError

    told_of = api.bot.say(5, 5, "one")
    poller = Poller(effect.telegram(config()), replace(app_settings(), webhook_secret=""), long=0)

    def broken(*_):
        raise OperationalError("INSERT", {}, Exception("gone"))

    with monkeypatch.context() as cut:
        cut.setattr(telegram_poll.updates, "store", broken)
        assert telegram_poll._turn(poller) > 0
    assert poller.turn(datetime.now(UTC)) == 0
    kept = db.session.scalars(select(TelegramUpdate.update_id)).all()
    assert kept == [told_of["update_id"]]


def test_another_poller_or_a_webhook_is_waited_out(told, api):  # noqa: F811
    poller = Poller(effect.telegram(config()), app_settings(), long=0)
    poller.turn(datetime.now(UTC))
    api.bot.do_setWebhook(url="https://new.example/hook")
    assert poller.turn(datetime.now(UTC)) > 0
    assert not poller.ready
    assert poller.turn(datetime.now(UTC)) == 0


@pytest.mark.parametrize("given", [{}, {"TELEGRAM_WEBHOOK_SECRET": "sixteen-letters-1"}])
def test_a_poller_with_nothing_to_do_ends_quietly(given, engine_url, redis_url, tmp_path):
    token = {"TELEGRAM_BOT_TOKEN": TOKEN} if given else {}
    running = process(
        "app.jobs.telegram_poll",
        VAR_DIR=str(tmp_path),
        DATABASE_URL=engine_url,
        REDIS_URL=redis_url,
        **token,
        **given,
    )
    out, _ = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out) == (0, b"")


def test_a_look_learns_the_name_of_the_bot_and_what_it_may(told, api):  # noqa: F811
    from app.domain.telegram import chats

    effect.look_telegram()
    assert chats.bot_name(BOT_ID) == "harbour_desk_bot"
    assert chats.known(GROUP).forum is True
    api.bot.chats[GROUP].may_manage = False
    effect.look_telegram()
    assert chats.known(GROUP).forum is False
    db.session.rollback()
    assert effect.telegram(config()).call("getMe", {}).fate is Fate.DONE


def config():
    from app import current

    return current.config()


def app_settings():
    return config().telegram
