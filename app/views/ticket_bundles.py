"""The diagnostic bundles of a ticket, for those whose ticket it is: see, attach, withdraw."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.access import Permission
from app.domain.support import bundles
from app.web import bundle_pages, loading, ticket_help
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("ticket_bundles", __name__, url_prefix="/w/<workspace>/tickets/<ticket_id>/bundles")


@bp.get("")
@requires(Permission.TICKET_OPEN)
def index(ticket_id: str) -> ResponseReturnValue:
    """What the desk was given, and what would be sent of a bot now."""
    ticket = loading.ticket(ticket_id)
    return render_template("bundles/index.html", **ticket_help.bundles_of(ticket))


@bp.post("")
@requires(Permission.TICKET_OPEN)
def attach(ticket_id: str) -> ResponseReturnValue:
    """Send what was previewed."""
    ticket = loading.own_ticket(ticket_id)
    form = ticket_help.attach_form(ticket)
    if not form.accepts(lambda: ticket_help.attach(ticket, form)):
        return render_template("bundles/index.html", **ticket_help.bundles_of(ticket, form)), 422
    return redirect_to(url_for(".index", ticket_id=ticket.id), toast="The desk has it now.")


@bp.get("/<bundle_id>")
@requires(Permission.TICKET_OPEN)
def show(ticket_id: str, bundle_id: str) -> ResponseReturnValue:
    """One, exactly as it was sent."""
    ticket = loading.ticket(ticket_id)
    own = ticket_help.is_own(ticket)
    return bundle_pages.page(
        "bundles/show.html", bundle_pages.one(ticket, bundle_id), ticket, own=own
    )


@bp.post("/<bundle_id>/withdraw")
@requires(Permission.TICKET_OPEN)
def withdraw(ticket_id: str, bundle_id: str) -> ResponseReturnValue:
    """Take it back."""
    found = bundle_pages.one(loading.ticket(ticket_id), bundle_id)
    ticket = loading.own_ticket(ticket_id)
    bundles.withdraw(found, ticket, voice=bundle_pages.own_voice(), now=current.now())
    return redirect_to(url_for(".index", ticket_id=ticket.id), toast="It is gone.")
