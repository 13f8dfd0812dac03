"""A word that only operators may read, put everywhere where only operators write."""

from sqlalchemy import select

from app.domain.audit import Change
from app.domain.support import events, notes, tickets
from app.domain.support.events import Voice
from app.domain.support.said import NewFile, Said, Wanted
from app.extensions import db
from app.models import (
    AlarmKind,
    AuthorKind,
    CannedReply,
    CloudFind,
    DeskEvent,
    Draft,
    FindKind,
    FindState,
    FleetAlarm,
    FleetUpgrade,
    Machine,
    MachineConsole,
    NoteFile,
    NoteMention,
    Presence,
    PresenceMode,
    Renewal,
    SweepRun,
    Tag,
    TicketHandling,
    TicketLink,
    TicketNote,
    TicketTag,
)
from tests import factories
from tests.factories import TESTER

WORD = "zqkestrel"
"""Found nowhere else, in no name, no id and no template."""

KEPT_IN = (
    *(TicketNote, NoteFile, NoteMention, DeskEvent, TicketHandling, Tag, TicketTag, TicketLink),
    *(Presence, Draft, CannedReply, CloudFind, FleetAlarm, SweepRun, FleetUpgrade, MachineConsole),
)
"""Every table that only operators read and that holds words or says who did something."""


def hidden_operator(now):
    """An operator whom no owner of a ticket ever meets: assigned, mentioned, typing."""
    person = factories.user(f"{WORD}op", now=now)
    person.operator = True
    db.session.flush()
    return person


def plant(ticket, operator, now):
    """Put the word beside a ticket, in all the ways there are."""
    voice = Voice(AuthorKind.OPERATOR, TESTER, operator.id)
    called = operator.email_key.partition("@")[0]
    file = NewFile(f"{WORD}.txt", "text/plain", "text/plain", 9, "0" * 64, f"notes/{ticket.id}")
    second = factories.user("Second", now=now)
    second.operator = True
    db.session.flush()
    author = Voice(AuthorKind.OPERATOR, TESTER, second.id)
    notes.add(ticket, f"{WORD} @{called}", voice=author, now=now, files=(file,))
    events.internal(ticket, "ticket.assign", voice, now, [Change("assignee", None, WORD)])
    tag = Tag(name=WORD, created_at=now)
    db.session.add(tag)
    db.session.flush()
    about = {"ticket_id": ticket.id}
    db.session.add_all(
        [
            TicketHandling(**about, assignee_id=operator.id),
            TicketTag(**about, tag_id=tag.id),
            TicketLink(**about, other_id=elsewhere(now).id, created_by=operator.id, created_at=now),
            Presence(**about, operator_id=operator.id, mode=PresenceMode.TYPING, seen_at=now),
            Draft(**about, operator_id=operator.id, body=f"{WORD} draft", saved_at=now),
            CannedReply(title=f"{WORD} title", body=f"{WORD} canned", created_at=now),
        ]
    )
    _plant_in_the_fleet(operator, now)
    db.session.flush()


def _plant_in_the_fleet(operator, now):
    """What operators alone read of machines and the cloud."""
    seen = {"first_seen": now, "last_seen": now, "decided_by": operator.id}
    place = {"region": "local", "why": WORD, "detail": WORD}
    rung = {"message": f"{WORD} is lost", "since": now, "seen_at": now}
    db.session.add_all(
        [
            CloudFind(kind=FindKind.DISK, name=WORD, state=FindState.KEPT, **place, **seen),
            FleetAlarm(kind=AlarmKind.FOUND, key=WORD, taken_by=operator.id, **rung),
            SweepRun(at=now, complete=False, refused=WORD, detail={"problem": WORD}),
            FleetUpgrade(
                version=f"9.{WORD}"[:20],
                policy=Renewal.DRAIN,
                at_once=5,
                why=f"{WORD} is not ready",
                started_by=operator.id,
                started_at=now,
            ),
        ]
    )
    for machine_id in db.session.scalars(select(Machine.id)).all():
        db.session.merge(MachineConsole(machine_id=machine_id, text=f"{WORD} boots", read_at=now))


def elsewhere(now):
    """A ticket of somebody who visits nothing in the test, told by its subject."""
    owner = factories.user("Far", now=now)
    workspace = owner.memberships[0].workspace
    wanted, said = Wanted(f"{WORD} subject"), Said(f"{WORD} body")
    voice = Voice(AuthorKind.USER, TESTER, owner.id)
    return tickets.open_ticket(workspace, owner, wanted, said, voice=voice, now=now)
