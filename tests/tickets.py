"""Tickets for tests: opened, answered and ended through the verbs that pages and channels use."""

from app.domain.support import tickets
from app.domain.support.events import Voice
from app.domain.support.said import Said, Wanted
from app.models import AuthorKind, Channel
from tests.factories import NOW, TESTER


def voice_of(person, channel=Channel.WEB):
    return Voice(AuthorKind.USER, TESTER, person.id, channel)


def desk_voice(operator=None, channel=Channel.WEB):
    return Voice(AuthorKind.OPERATOR, TESTER, operator.id if operator else None, channel)


TIMER = Voice(AuthorKind.SYSTEM, TESTER, None, Channel.TIMER)


def opened(workspace, person, subject="Stuck", body="It is stuck.", *, now=NOW, files=(), **wanted):
    """A ticket of ``person``; ``wanted`` are category, priority, about and such."""
    said = Said(body, files=files)
    voice = voice_of(person)
    return tickets.open_ticket(
        workspace, person, Wanted(subject, **wanted), said, voice=voice, now=now
    )


def wrote(ticket, person, body="And now?", *, now=NOW, **said):
    return tickets.post(ticket, Said(body, **said), voice=voice_of(person), now=now)


def answered(ticket, body="We look.", *, now=NOW, then=None):
    return tickets.post(ticket, Said(body), voice=desk_voice(), now=now, then=then)
