"""What only operators may know reaches nobody else: by no page, letter, call, export or log line.

A word is put into notes, their files, mentions, tags, drafts, assignments, links, canned replies
and the desk's own events; then every route there is, is asked as everybody who is no operator.
"""

import logging
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from app import current
from app.domain import mail
from app.domain.support import moves, silence, tickets
from app.domain.support.events import Voice
from app.domain.support.said import Said
from app.domain.telegram import steps
from app.extensions import db
from app.models import (
    Audience,
    AuthorKind,
    Mail,
    MailState,
    Notice,
    TelegramCall,
    TelegramLink,
    Ticket,
    TicketState,
)
from tests import canary, people, site
from tests.canary import WORD
from tests.factories import TESTER
from tests.routes import FORMS, Knock, Visitor, keep_nothing, knocks
from tests.views.test_isolation import links_of

VISITORS = ("trader", "owner", "viewer", "stranger", "anonymous")
"""The owner of the ticket, somebody who sees all tickets, one who sees none, and those outside."""


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """An application of its own: what stands in its rows comes from here alone."""
    app = site.build(tmp_path_factory.mktemp("leaks"))
    with app.app_context():
        village = people.settle(places=["desk"])
        place = village.places["desk"]
        now = datetime.now(UTC)
        _talk(place, canary.hidden_operator(now), now)
        db.session.commit()
        db.session.remove()
    yield SimpleNamespace(app=app, village=village, place=place)
    with app.app_context():
        db.engine.dispose()


def _talk(place, operator, now):
    """A ticket with all that can befall one, the word beside it at every step."""
    ticket = db.session.get(Ticket, place.ticket)
    _link(ticket.opened_by, now)
    desk = Voice(AuthorKind.OPERATOR, TESTER)
    canary.plant(ticket, operator, now)
    tickets.post(ticket, Said("An answer"), voice=desk, now=now)
    other = next(t for t in db.session.scalars(select(Ticket)) if WORD in t.subject)
    assert other.id != ticket.id


def _link(user_id, now):
    values = {"telegram_id": 4711, "chat_id": 4711, "name": "Olga"}
    db.session.add(TelegramLink(user_id=user_id, **values, created_at=now, confirmed_at=now))
    db.session.flush()


def visitor(street, name):
    return Visitor(street.app, street.village.tokens.get(name))


def asked(street, name):
    """Every route as one visitor, as a page and as a fragment; address and all that came back."""
    who, own = visitor(street, name), {"session_id": street.village.sessions.get(name, "ses_x")}
    home, seen = street.village.homes.get(name), set()
    waiting = knocks(street.app, street.place, **own)
    actor = SimpleNamespace(name=name)
    while waiting:
        knock = waiting.pop(0)
        fields = FORMS.get(knock.endpoint, lambda *_: {})(actor, home)
        both = knock.endpoint and knock.method == "GET" and name == "trader"
        for fragment in (False, True) if both else (False,):
            answer = who.knock(knock, fields, fragment=fragment)
            body = answer.get_data(as_text=True)
            yield str(knock), f"{answer.headers}\n{body}"
        kind = re.sub(r"=[^&]*|[a-z]{2,5}_[a-z2-7]{26}", "", knock.address)
        seen.add(kind)
        if answer.mimetype == "text/html" and knock.method == "GET" and "/tickets" in body:
            fresh = {it for it in links_of(body) if "ticket" in it or "export" in it}
            for link in sorted(fresh):
                kind = re.sub(r"=[^&]*|[a-z]{2,5}_[a-z2-7]{26}", "", link)
                if kind not in seen:
                    seen.add(kind)
                    waiting.append(Knock("", "", "GET", link))


@pytest.mark.parametrize("name", VISITORS)
def test_no_answer_of_any_route_holds_the_word(street, name, monkeypatch, caplog):
    keep_nothing(monkeypatch)
    with caplog.at_level(logging.INFO):
        answers = list(asked(street, name))
    assert [address for address, text in answers if WORD in text.lower()] == []
    assert WORD not in caplog.text.lower()
    assert len({address for address, _ in answers}) > 100


def test_operators_do_find_it(street):
    """So that its absence elsewhere means something."""
    with street.app.app_context():
        bare = [kind.__name__ for kind in canary.KEPT_IN if not db.session.scalar(count(kind))]
        assert bare == []
        rendered = "".join(text for _, text in letters(Audience.OPERATOR))
        db.session.remove()
    assert WORD in rendered


def count(kind):
    return select(func.count()).select_from(kind)


def letters(audience):
    """Every letter to one kind of reader, exactly as it would go out."""
    for name, state in db.session.execute(
        select(Mail.id, Mail.state).where(Mail.audience == audience).order_by(Mail.id)
    ).all():
        assert state is MailState.QUEUED
        later, house = datetime.now(UTC) + timedelta(minutes=1), current.house()
        errand = mail.begin(name, later, house=house, sender="desk@plutarc.example")
        row = db.session.get(Mail, name)
        sent = errand and vars(errand.letter)
        yield row.letter, f"{row.values} {row.envelope} {row.error} {sent}".lower()
    db.session.rollback()


def lived(street):
    """The rest of a ticket's life: warned, closed by the timer, reopened, solved, merged."""
    ticket = db.session.get(Ticket, street.place.ticket)

    desk = Voice(AuthorKind.OPERATOR, TESTER)
    user = Voice(AuthorKind.USER, TESTER, ticket.opened_by)
    now = ticket.last_operator_at
    assert silence.look(ticket.id, now + timedelta(days=6)) == "warned"
    moves.resolve(ticket, voice=desk, now=now)
    moves.reopen(ticket, voice=user, now=now)
    moves.close(ticket, "enough", voice=desk, now=now)
    tickets.post(ticket, Said("Once more"), voice=desk, now=now)
    assert ticket.state is TicketState.WAITING_USER


def test_no_letter_to_an_owner_holds_the_word(street):
    with street.app.app_context():
        lived(street)
        found = list(letters(Audience.USER))
        db.session.remove()
    assert {"ticket_answered", "ticket_warning", "ticket_closed"} <= {name for name, _ in found}
    assert [name for name, text in found if WORD in text] == []


def test_no_call_of_telegram_to_an_owner_holds_the_word(street):
    with street.app.app_context():
        lived(street)
        mine = TelegramCall.audience == Audience.USER
        found = [it.id for it in db.session.scalars(select(TelegramCall).where(mine))]
        desk = steps.Desk(current.house(), chat_id=-1, bot_id=1)
        told = []
        for name in found:
            call = db.session.get(TelegramCall, name)
            errand = steps.begin(name, datetime.now(UTC) + timedelta(minutes=1), desk)
            told.append(f"{call.values} {errand and errand.parameters}".lower())
        kinds = set(db.session.scalars(select(TelegramCall.kind).where(mine)))
        db.session.rollback()
        db.session.remove()
    assert {"answer", "warning"} <= kinds
    assert [text for text in told if WORD in text] == []


def test_no_notice_of_anybody_else_holds_the_word(street):
    with street.app.app_context():
        query = select(Notice.title, Notice.body, Notice.path).where(
            Notice.user_id.in_(
                [it.id for n, it in street.village.people.items() if n != "operator"]
            )
        )
        found = [" ".join(row).lower() for row in db.session.execute(query)]
        db.session.remove()
    assert found
    assert [text for text in found if WORD in text] == []


def test_no_row_that_a_workspace_reads_holds_the_word(street):
    """Its audit log, its events and its outbox carry nothing of the desk, whoever prints them."""
    with street.app.app_context():
        found = []
        for table in db.metadata.sorted_tables:
            key = table.c.get("workspace_id", table.c.get("chain"))
            if key is not None and table.name != "ticket":
                rows = db.session.execute(select(table).where(key == street.place.workspace))
                found += [table.name for row in rows if WORD in repr(row).lower()]
        db.session.remove()
    assert found == []


@pytest.mark.parametrize("name", ["trader", "owner"])
def test_searching_for_the_word_is_searching_for_nothing(street, name):
    """Neither results, counts nor order tell that it is there."""
    who = visitor(street, name)
    absent = WORD[::-1]
    found = []
    for word in (WORD, absent):
        answer = who.knock(Knock("", "", "GET", f"{street.place.home}/tickets?text={word}"))
        body = answer.get_data(as_text=True).replace(word, "")
        found.append(re.sub(r'name="csrf_token" value="[^"]+"|req_\w+', "", body))
    assert found[0] == found[1]
