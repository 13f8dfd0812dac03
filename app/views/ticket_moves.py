"""What its owner does to a ticket: answer, mend the last words, say that it is solved or not."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.access import Permission
from app.domain.support import moves, owning, tickets
from app.forms.tickets import EditForm, ReplyForm
from app.web import loading, ticket_pages
from app.web.guards import requires
from app.web.hypermedia import done, redirect_to
from app.web.uploads import takes_files

bp = Blueprint("ticket_moves", __name__, url_prefix="/w/<workspace>/tickets/<ticket_id>")


@bp.post("/messages")
@takes_files
@requires(Permission.TICKET_OPEN)
def reply(ticket_id: str) -> ResponseReturnValue:
    """Write another message. It may land in the ticket where this one goes on."""
    ticket, form = loading.own_ticket(ticket_id), ReplyForm()
    message = form.attempt(
        lambda: tickets.post(
            ticket, ticket_pages.said_in(form), voice=ticket_pages.voice(), now=current.now()
        )
    )
    if message is None:
        return ticket_pages.show(ticket, form)
    toast = "Sent." if message.ticket_id == ticket.id else "Sent. It goes on in this ticket."
    return redirect_to(_page(message.ticket_id), toast=toast)


@bp.get("/messages/<message_id>/edit")
@requires(Permission.TICKET_OPEN)
def edit(ticket_id: str, message_id: str) -> ResponseReturnValue:
    """The own last message, to be changed."""
    message, ticket = loading.message(ticket_id, message_id), loading.own_ticket(ticket_id)
    why_not = owning.why_not_edit(ticket, message, current.user().id, current.now())
    form = EditForm(body=message.body)
    return render_template(
        "tickets/edit.html", ticket=ticket, message=message, form=form, why_not=why_not
    )


@bp.post("/messages/<message_id>/edit")
@requires(Permission.TICKET_OPEN)
def update(ticket_id: str, message_id: str) -> ResponseReturnValue:
    """Put the new words in place of the old, which are kept."""
    message, ticket = loading.message(ticket_id, message_id), loading.own_ticket(ticket_id)
    form, voice, now = EditForm(), ticket_pages.voice(), current.now()
    if form.accepts(
        lambda: owning.edit(ticket, message, form.body.data or "", voice=voice, now=now)
    ):
        return redirect_to(_page(ticket.id), toast="Changed.")
    seen = {"ticket": ticket, "message": message, "form": form, "why_not": ""}
    return render_template("tickets/edit.html", **seen), 422


@bp.post("/seen")
@requires(Permission.TICKET_OPEN)
def see(ticket_id: str) -> ResponseReturnValue:
    """Note what its owner has seen; the page sends this by itself."""
    ticket = loading.ticket(ticket_id)
    seq = request.form.get("seq", default=0, type=int)
    owning.see(ticket, seq, current.user(), current.now())
    return done(_page(ticket.id), "tickets/_seen.html", None, ticket=ticket, counted=True)


@bp.post("/solve")
@requires(Permission.TICKET_OPEN)
def solve(ticket_id: str) -> ResponseReturnValue:
    """It is solved."""
    ticket = loading.own_ticket(ticket_id)
    moves.resolve(ticket, voice=ticket_pages.voice(), now=current.now())
    return redirect_to(_page(ticket.id), toast=f"{ticket.ref} is marked solved.")


@bp.post("/need-help")
@requires(Permission.TICKET_OPEN)
def need_help(ticket_id: str) -> ResponseReturnValue:
    """It is not."""
    ticket = loading.own_ticket(ticket_id)
    moves.need_help(ticket, voice=ticket_pages.voice(), now=current.now())
    return redirect_to(_page(ticket.id), toast="Support knows that you still need help.")


@bp.post("/reopen")
@requires(Permission.TICKET_OPEN)
def reopen(ticket_id: str) -> ResponseReturnValue:
    """Take it up again."""
    ticket = loading.own_ticket(ticket_id)
    moves.reopen(ticket, voice=ticket_pages.voice(), now=current.now())
    return redirect_to(_page(ticket.id), toast=f"{ticket.ref} is open again.")


def _page(ticket_id: str) -> str:
    return url_for("tickets.show", ticket_id=ticket_id)
