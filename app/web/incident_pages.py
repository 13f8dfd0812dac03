"""What the operators' pages about incidents show."""

from flask import render_template

from app import current
from app.domain.status import components, incidents, postmortem, spreading, subscribers, ties
from app.domain.status.ties import Choice
from app.domain.support.events import Voice
from app.forms.status import LookBackForm, UpdateForm
from app.models import AuthorKind, Incident, Ticket


def page(
    incident: Incident, form: UpdateForm | None = None, look: LookBackForm | None = None
) -> str:
    """One incident with the form for what comes next: an update, or the look back."""
    newest = incident.updates[0].id if incident.updates else ""
    over = incident.resolved_at is not None
    if form is None:
        form = UpdateForm(formdata=None, state=incident.state, answers=True, seen=newest)
    if look is None and over:
        draft = postmortem.draft(incident, current.now())
        look = LookBackForm(formdata=None, body=draft, seen=newest)
    return render_template(
        "console/incident.html",
        incident=incident,
        minutes=incidents.minutes(incident, current.now()),
        form=look if over else form,
        words=spreading.WORDS,
        tones=components.TONES,
        tied=ties.tied(incident),
        suggested=[] if over else ties.suggested(incident),
        listeners=subscribers.count(),
    )


def choices(ticket: Ticket) -> tuple[Incident | None, list[Choice]]:
    """For the page of a ticket: the incident it is tied to, and the open ones there are."""
    tied = incidents.find(ticket.incident_id) if ticket.incident_id else None
    return tied, ties.choices(ticket)


def voice() -> Voice:
    """The operator of this request."""
    return Voice(AuthorKind.OPERATOR, current.actor(), current.user().id)
