"""The operators' queue and one ticket of it: reading, answering, what happened meanwhile."""

from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.support import casefile, drafts, finding, queue, tickets
from app.domain.support.said import Said
from app.forms.desk import AnswerForm
from app.models import Ticket, TicketMessage
from app.web import desk_pages, downloads, uploads
from app.web.guards import operator
from app.web.hypermedia import fragment, live, redirect_to, unchanged
from app.web.loading import page_number
from app.web.uploads import takes_files

bp = Blueprint("console_tickets", __name__, url_prefix="/operator/tickets")


@bp.get("")
@operator
def index() -> ResponseReturnValue:
    """The queue."""
    return render_template("desk/index.html", version="", **_queue())


@bp.get("/rows")
@operator
def rows() -> ResponseReturnValue:
    """The queue alone, for the page that is open."""
    return live("desk/_rows.html", settled=False, **_queue())


@bp.get("/<ticket_id>")
@operator
def show(ticket_id: str) -> ResponseReturnValue:
    """One ticket with all that operators know of it."""
    return desk_pages.page(desk_pages.ticket(ticket_id))


@bp.get("/<ticket_id>/newer")
@operator
def newer(ticket_id: str) -> ResponseReturnValue:
    """Whether messages came after the last one on the page."""
    found = desk_pages.ticket(ticket_id)
    seen = request.args.get("seen", default=0, type=int)
    known = request.args.get("known", default=seen, type=int)
    if known >= found.last_seq:
        return unchanged()
    return fragment(
        "desk/_newer.html",
        ticket=found,
        newer=casefile.messages(found, seen),
        since=seen,
        known=found.last_seq,
        now=current.now(),
    )


@bp.get("/<ticket_id>/files/<file_id>")
@operator
def file(ticket_id: str, file_id: str) -> ResponseReturnValue:
    """A file of a message, to be saved."""
    found = finding.file(desk_pages.ticket(ticket_id), file_id)
    return downloads.answer(found or abort(404))


@bp.post("/<ticket_id>/answer")
@takes_files
@operator
def answer(ticket_id: str) -> ResponseReturnValue:
    """Answer, unless something came that the operator has not read."""
    found, form = desk_pages.ticket(ticket_id), AnswerForm()
    seen = form.seen.data or 0
    if form.attempt(lambda: _post(found, form)) is None:
        missed = casefile.messages(found, seen)
        status = 409 if missed else 422
        return desk_pages.page(found, answer=form, form=form, newer=missed), status
    return redirect_to(
        url_for(".show", ticket_id=found.id, _anchor="thread"), toast="Your answer is sent."
    )


def _post(found: Ticket, form: AnswerForm) -> TicketMessage:
    key, kept = desk_pages.key(form), uploads.keep(form.files.data)
    said = Said(form.body.data or "", key=key, files=kept)
    seen = None if form.anyway.data else form.seen.data or 0
    voice, now = desk_pages.voice(), current.now()
    made = tickets.post(found, said, voice=voice, now=now, then=form.state, seen=seen)
    drafts.clear(found, current.user())
    return made


def _queue() -> dict[str, Any]:
    form, number, person = desk_pages.wanted(), page_number(), current.user()
    wanted = form.wanted()
    lines, found = queue.page(wanted, person, number)
    return {
        "lines": lines,
        "more": found > number * queue.PAGE,
        "number": number,
        "found": found,
        "counts": queue.counts(person),
        "form": form,
        "address": form.address(),
        "wanted": wanted,
        "tones": desk_pages.TONES,
        "config": current.config(),
        "now": current.now(),
    }
