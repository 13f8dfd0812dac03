"""Beside a ticket, for operators: its timeline, its bundles, and asking to look in."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.support import access, bundles
from app.forms.bundles import AskAccessForm
from app.web import access_pages, bundle_pages, desk_looks
from app.web.guards import operator
from app.web.hypermedia import redirect_to

bp = Blueprint("console_help", __name__, url_prefix="/operator/tickets/<ticket_id>")


@bp.get("/timeline")
@operator
def timeline(ticket_id: str) -> ResponseReturnValue:
    """What happened around the ticket, or around one of its messages."""
    return desk_looks.timeline_page(desk_looks.ticket(ticket_id))


@bp.get("/bundles")
@operator
def bundle_list(ticket_id: str) -> ResponseReturnValue:
    """Which bundles there are; opening one is what is written down."""
    ticket = desk_looks.ticket(ticket_id)
    return render_template("desk/bundles.html", ticket=ticket, found=bundles.of_ticket(ticket))


@bp.get("/bundles/<bundle_id>")
@operator
def bundle(ticket_id: str, bundle_id: str) -> ResponseReturnValue:
    """One bundle; the look is written down."""
    ticket = desk_looks.ticket(ticket_id)
    found = bundle_pages.one(ticket, bundle_id)
    desk_looks.note_bundle(found, ticket, "looked at")
    return bundle_pages.page("desk/bundle.html", found, ticket)


@bp.get("/bundles/<bundle_id>/file")
@operator
def bundle_file(ticket_id: str, bundle_id: str) -> ResponseReturnValue:
    """One bundle as a file; that is written down too."""
    ticket = desk_looks.ticket(ticket_id)
    found = bundle_pages.one(ticket, bundle_id)
    desk_looks.note_bundle(found, ticket, "downloaded")
    return bundle_pages.download(found, ticket)


@bp.get("/access")
@operator
def ask(ticket_id: str) -> ResponseReturnValue:
    """What was asked for, and a form to ask."""
    return access_pages.for_operators(desk_looks.ticket(ticket_id), AskAccessForm(formdata=None))


@bp.post("/access")
@operator
def asked(ticket_id: str) -> ResponseReturnValue:
    """Ask to look in."""
    ticket, form = desk_looks.ticket(ticket_id), AskAccessForm()
    if form.attempt(lambda: access_pages.ask(ticket, form)) is None:
        return access_pages.for_operators(ticket, form), 422
    toast = "Asked. You hear of it when they answer."
    return redirect_to(url_for(".ask", ticket_id=ticket.id), toast=toast)


@bp.post("/access/<access_id>/end")
@operator
def end(ticket_id: str, access_id: str) -> ResponseReturnValue:
    """Take the question back, or stop looking in."""
    ticket = desk_looks.ticket(ticket_id)
    found = access_pages.own(ticket, access_id)
    voice, now = access_pages.desk_voice(), current.now()
    access.end(found, ticket, current.user(), voice=voice, now=now)
    return redirect_to(url_for(".ask", ticket_id=ticket.id), toast="It has ended.")


@bp.get("/sight")
@operator
def sight(ticket_id: str) -> ResponseReturnValue:
    """What is known of the workspace without being let in."""
    return render_template("desk/sight.html", **desk_looks.sight(desk_looks.ticket(ticket_id)))
