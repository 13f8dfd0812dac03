"""What operators do among themselves changes no byte of what anybody else is answered."""

import re
from datetime import UTC, datetime

import pytest

from app import current
from app.domain.support import assigning, drafts, linking, notes, presence, tags
from app.domain.support.events import Voice
from app.extensions import db
from app.models import AuthorKind, PresenceMode, Ticket, User
from tests import factories, people
from tests.routes import Visitor, keep_nothing, knocks

ACTORS = ("trader", "owner", "")
"""Who opened the ticket, who may see all tickets, and nobody."""

_PASSING = re.compile(r'(name="(?:csrf_token|key|bundle|press)" value=")[^"]*|()req_[a-z0-9]{26}')
"""Tokens, keys, locked previews and words of a press in forms, and the number of the request."""

NEW_EACH_TIME = {"account_factor.show"}
"""It draws a new secret whenever it is looked at."""


@pytest.fixture
def village(house):
    with house.app_context():
        return people.settle("quiet")


def answers(house, village, actor):
    """Every page and fragment that somebody can look at, without what is new in each answer."""
    visitor, place = Visitor(house, village.tokens.get(actor)), village.places["desk"]
    own = {"session_id": village.sessions.get(actor, "ses_none")}
    found = {}
    for knock in knocks(house, place, **own):
        if knock.method != "GET" or knock.guard == "operator" or knock.endpoint == "static":
            continue
        for fragment in (False, True) if actor == "trader" else (False,):
            answer = visitor.knock(knock, fragment=fragment)
            body = _PASSING.sub(r"\1", answer.get_data(as_text=True))
            kept = {k: v for k, v in answer.headers.items() if k in ("Location", "ETag", "Vary")}
            found[knock.endpoint, fragment] = (answer.status_code, kept, body)
    return found


def work(village):
    """All that operators do without a word to anybody."""
    ticket = db.session.get(Ticket, village.places["desk"].ticket)
    other = db.session.get(Ticket, village.places["frozen"].ticket)
    operator = db.session.get(User, village.people["operator"].id)
    now = current.now()
    desk = {"voice": Voice(AuthorKind.OPERATOR, factories.TESTER, operator.id), "now": now}
    name = operator.email.partition("@")[0]
    note = notes.add(ticket, f"The canary @{name}", **desk)
    notes.edit(ticket, note, "The other canary", **desk)
    assigning.assign(ticket, operator, **desk)
    tags.put(ticket, ["canary"], **desk)
    linking.link(ticket, other, **desk)
    presence.beat(ticket, operator, PresenceMode.TYPING, now)
    drafts.save(ticket, operator, "canary", now)
    db.session().commit()


def test_a_note_changes_no_byte_of_what_anybody_else_is_answered(house, village, monkeypatch):
    keep_nothing(monkeypatch)  # what was denied to the first round is not in the second one's log
    moment = datetime.now(UTC)
    monkeypatch.setattr(current, "now", lambda: moment)
    before = {actor: answers(house, village, actor) for actor in ACTORS}
    with house.app_context():
        work(village)
        db.session.remove()
    faults = []
    for actor in ACTORS:
        after = answers(house, village, actor)
        differing = [key for key in after if after[key] != before[actor][key]]
        faults += [f"{actor}: {key}" for key in differing if key[0] not in NEW_EACH_TIME]
        assert not [key for key in after if "canary" in after[key][2]]
    assert ("tickets.show", False) in before["trader"]
    assert not faults, "\n".join(faults)
