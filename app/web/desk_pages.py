"""What the pages of the operators' desk are made of."""

from typing import Any

from flask import abort, render_template, request
from werkzeug.datastructures import MultiDict

from app import current
from app.domain.support import (
    assigning,
    canned,
    casefile,
    clocks,
    drafts,
    linking,
    presence,
    ratings,
    tags,
    tidings,
)
from app.domain.support.events import Voice
from app.forms.desk import (
    AnswerForm,
    AssignForm,
    NoteForm,
    OtherForm,
    QueueForm,
    TagsForm,
    sort_form,
)
from app.models import AuthorKind, Ticket, TicketState
from app.models.base import new_id

PARTS = ("timeline", "access", "incident")
"""Fragments beside the thread that other features of the desk bring along."""

TONES = {
    TicketState.NEW: "info",
    TicketState.OPEN: "info",
    TicketState.WAITING_USER: "neutral",
    TicketState.ON_HOLD: "warn",
    TicketState.RESOLVED: "good",
    TicketState.CLOSED: "neutral",
    TicketState.MERGED: "neutral",
}


def ticket(ticket_id: str) -> Ticket:
    """A ticket of any workspace, or 404. For operators' pages only."""
    return casefile.find(ticket_id) or abort(404)


def voice() -> Voice:
    """The operator of this request, speaking for the desk."""
    return Voice(AuthorKind.OPERATOR, current.actor(), current.user().id)


def wanted() -> QueueForm:
    """The filter of the queue that the address tells."""
    return QueueForm(MultiDict(request.args), meta={"csrf": False})


def answer_form(found: Ticket) -> AnswerForm:
    """An empty form, or the person's draft."""
    draft = drafts.of(found, current.user())
    return AnswerForm(
        formdata=None, data={"body": draft, "seen": found.last_seq, "key": new_id("key")}
    )


def note_form() -> NoteForm:
    """An empty form; its key makes a second click the same note."""
    return NoteForm(formdata=None, data={"key": new_id("key")})


def key(form: AnswerForm | NoteForm) -> str:
    """What makes a second click the same thing; the person's own, whatever was sent."""
    return f"desk {current.user().id} {form.key.data}" if form.key.data else ""


def page(found: Ticket, **forms: Any) -> str:
    """The whole page of a ticket; ``forms`` are those that came back with faults."""
    person, now = current.user(), current.now()
    config = current.config()
    held = assigning.assignee(found)
    assign = AssignForm(formdata=None, data={"assignee": held.id if held else ""})
    assign.offer(tidings.operators(), person)
    its_tags = tags.of(found)
    context = {
        "answer": forms.get("answer") or answer_form(found),
        "note": forms.get("note") or note_form(),
        "sorting": forms.get("sorting") or sort_form(found),
        "assigning": assign,
        "tagging": forms.get("tagging")
        or TagsForm(formdata=None, data={"tags": ", ".join(its_tags)}),
        "linking": forms.get("linking") or OtherForm(formdata=None),
        "newer": forms.get("newer", ()),
        "form": forms.get("form"),
    }
    return render_template(
        "desk/show.html",
        ticket=found,
        thread=casefile.thread(found),
        card=casefile.card(found, now, config.tempo),
        assignee=held,
        tags=its_tags,
        known_tags=tags.everyone(),
        linked=linking.of(found),
        clocks=clocks.of(found),
        rating=ratings.of(found),
        replies=canned.living(),
        here=presence.others(found, person, now),
        parts=PARTS,
        timeline=None,
        tones=TONES,
        states=TicketState,
        config=config,
        now=now,
        **context,
    )
