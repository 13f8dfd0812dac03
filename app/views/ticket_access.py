"""Support access for those it is into: what is asked, yes, no, and the end of it."""

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.access import Permission
from app.domain.support import access
from app.web import access_pages, loading
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("ticket_access", __name__, url_prefix="/w/<workspace>/tickets/<ticket_id>/access")


@bp.get("")
@requires(Permission.TICKET_OPEN)
def index(ticket_id: str) -> ResponseReturnValue:
    """What was asked for, and what it would show."""
    return access_pages.for_members(loading.ticket(ticket_id))


@bp.post("/<access_id>/grant")
@requires(Permission.TICKET_OPEN)
def grant(ticket_id: str, access_id: str) -> ResponseReturnValue:
    """Yes."""
    ticket = loading.ticket(ticket_id)
    found = access_pages.one(ticket, access_id)
    voice, now = access_pages.own_voice(), current.now()
    access.grant(found, ticket, current.member(), voice=voice, now=now)
    toast = f"Support can look in for {found.minutes} minutes. You can end it at any time."
    return redirect_to(url_for(".index", ticket_id=ticket.id), toast=toast)


@bp.post("/<access_id>/refuse")
@requires(Permission.TICKET_OPEN)
def refuse(ticket_id: str, access_id: str) -> ResponseReturnValue:
    """No."""
    ticket = loading.ticket(ticket_id)
    found = access_pages.one(ticket, access_id)
    voice, now = access_pages.own_voice(), current.now()
    access.refuse(found, ticket, current.member(), voice=voice, now=now)
    return redirect_to(url_for(".index", ticket_id=ticket.id), toast="Nobody looks in.")


@bp.post("/<access_id>/end")
@requires(Permission.TICKET_OPEN)
def end(ticket_id: str, access_id: str) -> ResponseReturnValue:
    """End it now."""
    ticket = loading.ticket(ticket_id)
    found = access_pages.one(ticket, access_id)
    access_pages.end_for_members(found, ticket)
    return redirect_to(url_for(".index", ticket_id=ticket.id), toast="Support looks in no more.")
