"""Tickets: the list, a new one, one with its thread, and its files."""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.access import Permission
from app.web import downloads, loading, ticket_pages
from app.web.guards import requires
from app.web.hypermedia import redirect_to, unchanged
from app.web.uploads import takes_files

bp = Blueprint("tickets", __name__, url_prefix="/w/<workspace>/tickets")


@bp.get("")
@requires(Permission.TICKET_OPEN)
def index() -> ResponseReturnValue:
    """Those of the person, or with the right all of the workspace."""
    return ticket_pages.index()


@bp.get("/new")
@requires(Permission.TICKET_OPEN)
def new() -> ResponseReturnValue:
    """Ask what is wrong."""
    return ticket_pages.new_page(ticket_pages.new_form())


@bp.post("/new")
@takes_files
@requires(Permission.TICKET_OPEN)
def create() -> ResponseReturnValue:
    """Open it; the desk rings."""
    form = ticket_pages.new_form()
    ticket = form.attempt(lambda: ticket_pages.open_one(form))
    if ticket is None:
        return ticket_pages.new_page(form)
    toast = f"{ticket.ref} is open. The answer appears here and in your inbox."
    return redirect_to(url_for(".show", ticket_id=ticket.id), toast=toast)


@bp.get("/<ticket_id>")
@requires(Permission.TICKET_OPEN)
def show(ticket_id: str) -> ResponseReturnValue:
    """What was said and what happened, and room for an answer."""
    return ticket_pages.show(loading.ticket(ticket_id))


@bp.get("/<ticket_id>/thread")
@requires(Permission.TICKET_OPEN)
def thread(ticket_id: str) -> ResponseReturnValue:
    """The thread, polled; nothing if it is as the browser has it."""
    ticket = loading.ticket(ticket_id)
    if request.args.get("v") == str(ticket.version) and not ticket.over:
        return unchanged()
    return ticket_pages.thread_since(ticket)


@bp.get("/<ticket_id>/files/<file_id>")
@requires(Permission.TICKET_OPEN)
def file(ticket_id: str, file_id: str) -> ResponseReturnValue:
    """A file of a message, to be saved."""
    return downloads.answer(loading.ticket_file(ticket_id, file_id))
