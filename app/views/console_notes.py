"""Notes at a ticket: what operators tell each other. No page for others shows one."""

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.support import casefile, notes
from app.forms.desk import NoteForm
from app.models import Ticket, TicketNote
from app.web import desk_pages, downloads, uploads
from app.web.guards import operator
from app.web.hypermedia import redirect_to
from app.web.uploads import takes_files

bp = Blueprint("console_notes", __name__, url_prefix="/operator/tickets/<ticket_id>/notes")


@bp.post("")
@takes_files
@operator
def add(ticket_id: str) -> ResponseReturnValue:
    """Write one."""
    found, form = desk_pages.ticket(ticket_id), NoteForm()
    if form.attempt(lambda: _add(found, form)) is None:
        return desk_pages.page(found, note=form, form=form), 422
    return redirect_to(
        url_for("console_tickets.show", ticket_id=found.id, _anchor="thread"),
        toast="Noted. Only operators see it.",
    )


@bp.get("/files/<note_file_id>")
@operator
def file(ticket_id: str, note_file_id: str) -> ResponseReturnValue:
    """A file beside a note, to be saved."""
    found = casefile.find_note_file(desk_pages.ticket(ticket_id), note_file_id)
    return downloads.answer(found or abort(404))


@bp.get("/<note_id>/edit")
@operator
def ask_edit(ticket_id: str, note_id: str) -> ResponseReturnValue:
    """One's own note as a form."""
    found = desk_pages.ticket(ticket_id)
    note = casefile.find_note(found, note_id) or abort(404)
    if note.author_id != current.user().id:
        abort(404)
    form = NoteForm(formdata=None, data={"body": note.body})
    return render_template("desk/note.html", ticket=found, note=note, form=form)


@bp.post("/<note_id>/edit")
@operator
def edit(ticket_id: str, note_id: str) -> ResponseReturnValue:
    """Change one's own note."""
    found, form = desk_pages.ticket(ticket_id), NoteForm()
    note = casefile.find_note(found, note_id) or abort(404)
    body, voice, now = form.body.data or "", desk_pages.voice(), current.now()
    if not form.accepts(lambda: notes.edit(found, note, body, voice=voice, now=now)):
        return render_template("desk/note.html", ticket=found, note=note, form=form), 422
    return redirect_to(
        url_for("console_tickets.show", ticket_id=found.id, _anchor="thread"), toast="Changed."
    )


def _add(found: Ticket, form: NoteForm) -> TicketNote:
    kept, key = uploads.keep(form.files.data), desk_pages.key(form)
    voice, now = desk_pages.voice(), current.now()
    return notes.add(found, form.body.data or "", voice=voice, now=now, key=key, files=kept)
