"""For operators: opening incidents, telling what is known, tying tickets to them."""

from datetime import timedelta

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.status import components, incidents, spreading, ties
from app.domain.status.incidents import Report
from app.forms.status import IncidentForm, LookBackForm, TieForm, UpdateForm
from app.models import Condition, Incident, IncidentState, IncidentUpdate, Ticket
from app.web import hypermedia, incident_pages, status_pages
from app.web.guards import operator
from app.web.hypermedia import redirect_to

bp = Blueprint("console_incidents", __name__, url_prefix="/operator")
LET_GO = "none"


@bp.get("/incidents")
@operator
def index() -> ResponseReturnValue:
    """Those of the last ninety days."""
    return render_template(
        "console/incidents.html",
        incidents=incidents.recent(current.now(), limit=200),
        words=spreading.WORDS,
        tones=components.TONES,
        now=current.now(),
    )


@bp.get("/incidents/new")
@operator
def new() -> ResponseReturnValue:
    """The form."""
    return _new(IncidentForm(formdata=None))


@bp.post("/incidents/new")
@operator
def begin() -> ResponseReturnValue:
    """Open it and tell everybody."""
    form = IncidentForm()
    made = form.attempt(lambda: _begin(form))
    if made is None:
        return _new(form), 422
    return redirect_to(url_for(".show", incident_id=made.id), toast="It is told to everybody.")


@bp.get("/incidents/<incident_id>")
@operator
def show(incident_id: str) -> ResponseReturnValue:
    """One, with its tickets and the form for the next update."""
    return incident_pages.page(_incident(incident_id))


@bp.post("/incidents/<incident_id>")
@operator
def tell(incident_id: str) -> ResponseReturnValue:
    """Publish an update."""
    found, form = _incident(incident_id), UpdateForm()
    if form.attempt(lambda: _tell(found, form)) is None:
        return incident_pages.page(found, form=form), 422
    return redirect_to(url_for(".show", incident_id=found.id), toast="Told to everybody.")


@bp.post("/incidents/<incident_id>/look-back")
@operator
def look_back(incident_id: str) -> ResponseReturnValue:
    """Publish what was learnt, once it is over."""
    found, form = _incident(incident_id), LookBackForm()
    if form.attempt(lambda: _look_back(found, form)) is None:
        return incident_pages.page(found, look=form), 422
    return redirect_to(url_for(".show", incident_id=found.id), toast="The look back is published.")


@bp.post("/incidents/<incident_id>/tickets")
@operator
def gather(incident_id: str) -> ResponseReturnValue:
    """Tie several tickets at once."""
    found = _incident(incident_id)
    chosen = [ties.ticket(it) or abort(404) for it in request.form.getlist("ticket")[: ties.MOST]]
    for ticket in sorted(chosen, key=lambda it: it.id):
        ties.link(ticket, found, voice=incident_pages.voice(), now=current.now())
    return redirect_to(url_for(".show", incident_id=found.id), toast=f"Tied: {len(chosen)}.")


@bp.post("/tickets/<ticket_id>/incident")
@operator
def tie(ticket_id: str) -> ResponseReturnValue:
    """Tie one ticket to an incident, or let it go."""
    ticket, form = ties.ticket(ticket_id) or abort(404), TieForm()
    if not form.accepts(lambda: _tie(ticket, form.incident_id.data or "")):
        abort(422, form.fault_list()[0][1])
    return hypermedia.done(
        f"/operator/tickets/{ticket.id}",
        "desk/_incident.html",
        "Tied." if ticket.incident_id else "Let go.",
        ticket=ticket,
    )


def _begin(form: IncidentForm) -> Incident:
    report = Report(
        title=form.title.data or "",
        impact=Condition(form.impact.data),
        components=form.components.data or (),
        body=form.body.data or "",
        began_at=current.now() - timedelta(minutes=form.ago.data or 0),
    )
    by, now = current.actor(), current.now()
    made = incidents.begin(report, operator=current.user(), by=by, now=now)
    status_pages.drop()
    return made


def _tell(incident: Incident, form: UpdateForm) -> IncidentUpdate:
    return _told(incident, form, IncidentState(form.state.data), answers=bool(form.answers.data))


def _look_back(incident: Incident, form: LookBackForm) -> IncidentUpdate:
    return _told(incident, form, IncidentState.RESOLVED, answers=False)


def _told(
    incident: Incident, form: UpdateForm | LookBackForm, state: IncidentState, *, answers: bool
) -> IncidentUpdate:
    status_pages.drop()
    return incidents.tell(
        incident,
        form.body.data or "",
        state=state,
        answers=answers,
        operator=current.user(),
        by=current.actor(),
        now=current.now(),
        seen=form.seen.data or "",
    )


def _tie(ticket: Ticket, incident_id: str) -> None:
    voice, now = incident_pages.voice(), current.now()
    if incident_id == LET_GO:
        ties.unlink(ticket, voice=voice, now=now)
    else:
        ties.link(ticket, _incident(incident_id), voice=voice, now=now)


def _incident(incident_id: str) -> Incident:
    return incidents.find(incident_id) or abort(404)


def _new(form: IncidentForm) -> str:
    return render_template("console/incident_new.html", form=form)
