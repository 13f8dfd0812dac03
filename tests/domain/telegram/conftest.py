"""The desk with a fake Bot API behind it, on each database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.desk_settings import Telegram
from app.domain.support import tickets
from app.domain.support.events import Voice
from app.domain.support.said import Said, Wanted
from app.domain.telegram import chats, links, updates
from app.extensions import db
from app.jobs import effect
from app.models import (
    AuthorKind,
    CallState,
    TelegramCall,
    TelegramChat,
    TelegramLink,
    Ticket,
    TicketCategory,
    User,
    Workspace,
)
from tests import factories
from tests.factories import TESTER
from tests.fakes.telegram_api import BOT_ID, GROUP, TOKEN, TelegramApi

SECRET = "a-secret-of-sixteen-and-more"


@pytest.fixture(scope="session")
def _server():
    made = TelegramApi()
    yield made
    made.close()


@pytest.fixture
def api(_server):
    """A Bot API of the test's own; the server behind it is shared."""
    _server.bot = _server._server.bot = type(_server.bot)()
    yield _server
    _server.bot.released.set()


@pytest.fixture
def settings(api):
    return Telegram(TOKEN, SECRET, GROUP, api.url)


@pytest.fixture
def unpaced(monkeypatch):
    monkeypatch.setattr(chats, "take", lambda _chat, _now: None)


class Desk:
    """People, a ticket, and the worker's hands."""

    def __init__(self, bot):
        self.bot = bot
        owner = factories.user("Olive")
        place = factories.organisation(owner)
        operator = factories.user("Ada")
        operator.operator = True
        db.session.commit()
        self._owner, self._place, self._operator = owner.id, place.id, operator.id

    # Looked up anew: a test may have ended the session in between.
    owner = property(lambda self: db.session.get_one(User, self._owner))
    place = property(lambda self: db.session.get_one(Workspace, self._place))
    operator = property(lambda self: db.session.get_one(User, self._operator))

    def open(self, body="It does not start.", subject="My bot sleeps", **wanted):
        """A ticket of the owner, rung for."""
        asked = Wanted(subject, TicketCategory.BOT, **wanted)
        voice = Voice(AuthorKind.USER, TESTER, self.owner.id)
        made = tickets.open_ticket(
            self.place, self.owner, asked, Said(body), voice=voice, now=datetime.now(UTC)
        )
        db.session.commit()
        self.work()
        return made

    def answer(self, ticket, body="Try again."):
        voice = Voice(AuthorKind.OPERATOR, TESTER, self.operator.id)
        made = tickets.post(ticket, Said(body), voice=voice, now=datetime.now(UTC))
        db.session.commit()
        return made

    def link(self, user, number, *, confirmed=True):
        """Their Telegram account, linked through the door that they would use."""
        token = links.begin(user, datetime.now(UTC))
        db.session.commit()
        self.bot.person(number)
        self.say(number, f"/start {token}", chat=number)
        found = links.of(user)
        if confirmed:
            links.confirm(user, found.id, by=TESTER, now=datetime.now(UTC))
            db.session.commit()
        return found

    def say(self, sender, text, chat=GROUP, **more):
        """Somebody writes; the update is stored and decided. Returns the decision."""
        return self.deliver(self.bot.say(chat, sender, text, **more))

    def press(self, sender, message, data, **more):
        return self.deliver(self.bot.press(sender, message, data, **more))

    def deliver(self, told):
        updates.store(BOT_ID, told, datetime.now(UTC))
        db.session.commit()
        decision = effect.take_update(BOT_ID, told["update_id"])
        self.work()
        return decision

    def work(self, rounds=40):
        """Make every call that is due, as the worker would be asked to."""
        for _ in range(rounds):
            due = select(TelegramCall.id).where(
                TelegramCall.state == CallState.QUEUED, TelegramCall.try_at <= datetime.now(UTC)
            )
            waiting = db.session.scalars(due.order_by(TelegramCall.created_at)).all()
            db.session.rollback()
            if not [one for one in waiting if effect.ring(one)]:
                break
        db.session.expire_all()

    def later(self):
        """What the pauses do, without waiting for them."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        queued = update(TelegramCall).where(TelegramCall.state == CallState.QUEUED)
        db.session.execute(queued.values(try_at=past))
        claimed = queued.where(TelegramCall.claimed_until.is_not(None))
        db.session.execute(claimed.values(claimed_until=past))
        db.session.execute(update(TelegramChat).values(free_at=past))
        db.session.commit()

    def calls(self, **where):
        query = select(TelegramCall).filter_by(**where)
        return db.session.scalars(query.order_by(TelegramCall.created_at, TelegramCall.id)).all()

    def ticket(self, found):
        return db.session.get(Ticket, found.id, populate_existing=True)

    def ring_of(self, ticket):
        """The newest message in the operators' chat about a ticket."""
        rung = [m for m in self.bot.sent(GROUP) if f" {ticket.ref}\n" in m["text"]]
        return [m for m in rung if "New " in m["text"]][-1]

    def reply(self, sender, ticket, text, **more):
        """An answer to what rang, as a client sends it."""
        ring = self.ring_of(ticket)
        return self.say(sender, text, **(to(ring) | more))


def to(message):
    """What makes a message a reply to another one, in the same topic."""
    found = {"reply_to_message": {k: v for k, v in message.items() if k != "reply_to_message"}}
    if "message_thread_id" in message:
        found |= {"message_thread_id": message["message_thread_id"], "is_topic_message": True}
    return found


@pytest.fixture
def desk(app, settings, api, unpaced):
    config = app.extensions["plutarc"]
    app.extensions["plutarc"] = replace(config, telegram=settings, base_url="https://desk.test")
    yield Desk(api.bot)
    app.extensions["plutarc"] = config


@pytest.fixture
def linked(desk):
    """The same, with an operator and an owner who are linked: 501 and 601."""
    desk.link(desk.operator, 501)
    desk.link(desk.owner, 601)
    desk.bot.calls.clear()
    return desk


def link_of(user):
    return db.session.scalars(select(TelegramLink).where(TelegramLink.user_id == user.id)).first()
