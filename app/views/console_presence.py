"""Two operators at one ticket: who is there, what one has typed, and texts to begin with."""

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from app import current
from app.domain.support import canned, drafts, presence
from app.models import PresenceMode
from app.web import desk_pages
from app.web.guards import operator
from app.web.hypermedia import fragment, redirect_to, unchanged, wants_fragment

bp = Blueprint("console_presence", __name__, url_prefix="/operator/tickets/<ticket_id>")


@bp.post("/presence")
@operator
def beat(ticket_id: str) -> ResponseReturnValue:
    """Say that I am here, and learn who else is."""
    found, person, now = desk_pages.ticket(ticket_id), current.user(), current.now()
    said = request.form.get("mode")
    mode = PresenceMode.TYPING if said == PresenceMode.TYPING else PresenceMode.LOOKING
    presence.beat(found, person, mode, now)
    here = presence.others(found, person, now)
    return fragment("desk/_here.html", ticket=found, here=here)


@bp.post("/draft")
@operator
def draft(ticket_id: str) -> ResponseReturnValue:
    """Keep what is typed so far."""
    found = desk_pages.ticket(ticket_id)
    drafts.save(found, current.user(), request.form.get("body", ""), current.now())
    return unchanged()


@bp.post("/insert")
@operator
def insert(ticket_id: str) -> ResponseReturnValue:
    """Put a canned reply, its fields filled, at the end of what is typed so far."""
    found, person = desk_pages.ticket(ticket_id), current.user()
    reply = canned.find(request.form.get("reply", "")) or abort(422, "Choose a reply first.")
    typed = request.form.get("body", "").rstrip()
    text = canned.filled(reply, found, person)
    drafts.save(found, person, f"{typed}\n\n{text}" if typed else text, current.now())
    form = desk_pages.answer_form(found)
    if wants_fragment():
        return fragment("desk/_body.html", answer=form, ticket=found)
    return redirect_to(f"/operator/tickets/{found.id}#answer_form")
