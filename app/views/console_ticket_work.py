"""What operators do to a ticket beside writing: assign, sort, tag, link, merge, end, empty."""

from collections.abc import Callable

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.errors import Invalid
from app.domain.support import (
    assigning,
    casefile,
    linking,
    moves,
    redacting,
    tags,
    tidings,
)
from app.forms.desk import AssignForm, CloseForm, OtherForm, RedactForm, SortForm, TagsForm
from app.models import Ticket, TicketCategory, TicketPriority
from app.web import desk_pages
from app.web.guards import operator
from app.web.hypermedia import redirect_to
from app.web.transactions import afterwards

bp = Blueprint("console_ticket_work", __name__, url_prefix="/operator/tickets/<ticket_id>")


@bp.post("/take")
@operator
def take(ticket_id: str) -> ResponseReturnValue:
    """Take it."""
    found = desk_pages.ticket(ticket_id)
    assigning.take(found, current.user(), voice=desk_pages.voice(), now=current.now())
    return _back(found, f"{found.ref} is yours.")


@bp.post("/assign")
@operator
def assign(ticket_id: str) -> ResponseReturnValue:
    """Give it to somebody, or to nobody."""
    found, form = desk_pages.ticket(ticket_id), AssignForm()
    people = tidings.operators()
    form.assignee.choices = [("", ""), *((it.id, it.name) for it in people)]
    if not form.validate():
        abort(422, "Choose somebody who answers at the desk.")
    to = next((it for it in people if it.id == form.assignee.data), None)
    assigning.assign(found, to, voice=desk_pages.voice(), now=current.now())
    return _back(found, f"Assigned to {to.name if to else 'nobody'}.")


@bp.post("/sort")
@operator
def sort(ticket_id: str) -> ResponseReturnValue:
    """Correct category and priority."""
    found, form = desk_pages.ticket(ticket_id), SortForm()
    if not form.validate():
        return desk_pages.page(found, sorting=form, form=form), 422
    category, priority = TicketCategory(form.category.data), TicketPriority(form.priority.data)
    voice, now = desk_pages.voice(), current.now()
    moves.sort(found, category=category, priority=priority, voice=voice, now=now)
    return _back(found, "Sorted.")


@bp.post("/tags")
@operator
def tag(ticket_id: str) -> ResponseReturnValue:
    """Give it exactly these tags."""
    found, form = desk_pages.ticket(ticket_id), TagsForm()
    voice, now = desk_pages.voice(), current.now()
    if not form.accepts(lambda: tags.put(found, form.names(), voice=voice, now=now)):
        return desk_pages.page(found, tagging=form, form=form), 422
    return _back(found, "Tagged.")


@bp.post("/link")
@operator
def link(ticket_id: str) -> ResponseReturnValue:
    """Tie it to another one."""
    found, form = desk_pages.ticket(ticket_id), OtherForm()
    voice, now = desk_pages.voice(), current.now()
    if not form.accepts(lambda: linking.link(found, _other(found, form), voice=voice, now=now)):
        return desk_pages.page(found, linking=form, form=form), 422
    return _back(found, "Linked.")


@bp.post("/unlink")
@operator
def unlink(ticket_id: str) -> ResponseReturnValue:
    """Untie it from another one."""
    found = desk_pages.ticket(ticket_id)
    other = casefile.find(request.form.get("other", "")) or abort(422, "Name the other ticket.")
    linking.unlink(found, other, voice=desk_pages.voice(), now=current.now())
    return _back(found, "They are no longer linked.")


@bp.get("/merge")
@operator
def ask_merge(ticket_id: str) -> ResponseReturnValue:
    """Choose where it goes on, and see what that means before it is done."""
    found, typed = desk_pages.ticket(ticket_id), request.args.get("other", "")
    into = casefile.by_ref(found, typed) if typed else None
    form = OtherForm(formdata=None, data={"other": typed})
    return _merge_page(found, into, form)


@bp.post("/merge")
@operator
def merge(ticket_id: str) -> ResponseReturnValue:
    """End it in favour of another one of the same owner."""
    found, form = desk_pages.ticket(ticket_id), OtherForm()
    voice, now = desk_pages.voice(), current.now()
    if not form.accepts(lambda: moves.merge(found, _other(found, form), voice=voice, now=now)):
        return _merge_page(found, None, form), 422
    into = found.merged_into_id
    return redirect_to(
        url_for("console_tickets.show", ticket_id=into), toast=f"{found.ref} goes on here."
    )


@bp.post("/hold")
@operator
def hold(ticket_id: str) -> ResponseReturnValue:
    """Both sides wait."""
    return _moved(ticket_id, "On hold.", moves.hold)


@bp.post("/resolve")
@operator
def resolve(ticket_id: str) -> ResponseReturnValue:
    """It is solved."""
    return _moved(ticket_id, "Solved.", moves.resolve)


@bp.post("/reopen")
@operator
def reopen(ticket_id: str) -> ResponseReturnValue:
    """Take it up again."""
    return _moved(ticket_id, "Open again.", moves.reopen)


@bp.get("/close")
@operator
def ask_close(ticket_id: str) -> ResponseReturnValue:
    """Ask why."""
    form = CloseForm(formdata=None)
    return render_template("desk/close.html", ticket=desk_pages.ticket(ticket_id), form=form)


@bp.post("/close")
@operator
def close(ticket_id: str) -> ResponseReturnValue:
    """End it without a solution; its owner reads why."""
    found, form = desk_pages.ticket(ticket_id), CloseForm()
    voice, now = desk_pages.voice(), current.now()
    if not form.accepts(lambda: moves.close(found, form.reason.data or "", voice=voice, now=now)):
        return render_template("desk/close.html", ticket=found, form=form), 422
    return _back(found, "Closed.")


@bp.get("/messages/<message_id>/redact")
@operator
def ask_redact(ticket_id: str, message_id: str) -> ResponseReturnValue:
    """Ask why, and show what goes."""
    found = desk_pages.ticket(ticket_id)
    message = casefile.find_message(found, message_id) or abort(404)
    form = RedactForm(formdata=None)
    return render_template("desk/redact.html", ticket=found, message=message, form=form)


@bp.post("/messages/<message_id>/redact")
@operator
def redact(ticket_id: str, message_id: str) -> ResponseReturnValue:
    """Take text and files out of it for good."""
    found, form = desk_pages.ticket(ticket_id), RedactForm()
    message = casefile.find_message(found, message_id) or abort(404)
    voice, now, why = desk_pages.voice(), current.now(), form.reason.data or ""
    keys = form.attempt(lambda: redacting.redact(found, message, why, voice=voice, now=now))
    if keys is None:
        return render_template("desk/redact.html", ticket=found, message=message, form=form), 422
    if keys:
        afterwards(lambda: redacting.empty(current.storage(), keys))
    return _back(found, "Its text and files are gone.")


def _moved(ticket_id: str, toast: str, verb: Callable[..., None]) -> ResponseReturnValue:
    found = desk_pages.ticket(ticket_id)
    verb(found, voice=desk_pages.voice(), now=current.now())
    return _back(found, toast)


def _other(found: Ticket, form: OtherForm) -> Ticket:
    """The ticket that was named. Raises ``Invalid``."""
    other = casefile.by_ref(found, form.other.data or "")
    if other is None:
        raise Invalid("There is no such ticket here. Paste its id if it is elsewhere.", "other")
    return other


def _merge_page(found: Ticket, into: Ticket | None, form: OtherForm) -> str:
    choices = casefile.card(found, current.now(), current.config().tempo).others
    return render_template(
        "desk/merge.html", ticket=found, into=into, form=form, choices=choices, now=current.now()
    )


def _back(found: Ticket, toast: str) -> ResponseReturnValue:
    return redirect_to(url_for("console_tickets.show", ticket_id=found.id), toast=toast)
