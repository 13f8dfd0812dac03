"""An operator, their voice, and tickets of somebody, for tests about incidents."""

import itertools

from app.domain.audit import Actor
from app.domain.status import components, incidents
from app.domain.status.incidents import Report
from app.domain.support import tickets
from app.domain.support.events import Voice
from app.domain.support.said import Said, Wanted
from app.extensions import db
from app.models import AuthorKind, Condition, Membership, Subject, Workspace
from tests import factories
from tests.factories import NOW, TESTER

_numbers = itertools.count(1)


def operator():
    person = factories.user("Olga")
    person.operator = True
    db.session.flush()
    return person


def voice_of(person):
    return Voice(AuthorKind.OPERATOR, Actor("user", person.email, person.id), person.id)


def begin(person, title="Orders are slow", hits=(components.FLEET,), now=NOW, **values):
    report = Report(title, Condition.DEGRADED, hits, "We look into it.", **values)
    return incidents.begin(report, operator=person, by=TESTER, now=now)


def ticket(now=NOW, bot=None):
    """A ticket of somebody of its own, about a bot or about nothing."""
    if bot is None:
        owner = factories.user()
        (membership,) = owner.memberships
        workspace = membership.workspace
    else:
        workspace = db.session.get_one(Workspace, bot.workspace_id)
        owner = db.session.query(Membership).filter_by(workspace_id=workspace.id).first().user
    about = {"about": Subject.BOT, "about_id": bot.id} if bot is not None else {}
    wanted = Wanted(f"Nothing happens {next(_numbers)}", **about)
    voice = Voice(AuthorKind.USER, TESTER, owner.id)
    return tickets.open_ticket(workspace, owner, wanted, Said("Why?"), voice=voice, now=now)


def tell(incident, person, state, now=NOW, **values):
    return incidents.tell(
        incident,
        values.pop("body", "It is being cured."),
        state=state,
        answers=values.pop("answers", False),
        operator=person,
        by=TESTER,
        now=now,
        **values,
    )
