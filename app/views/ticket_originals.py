"""The mail that a message was made of, for whoever sees the message."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.domain.access import Permission
from app.web import loading, mail_in_pages
from app.web.guards import requires

bp = Blueprint(
    "ticket_originals",
    __name__,
    url_prefix="/w/<workspace>/tickets/<ticket_id>/messages/<message_id>/original",
)


@bp.get("")
@requires(Permission.TICKET_OPEN)
def show(ticket_id: str, message_id: str) -> ResponseReturnValue:
    """All that the mail said, with what the thread leaves out."""
    return mail_in_pages.of_message(loading.message(ticket_id, message_id))


@bp.get("/layout")
@requires(Permission.TICKET_OPEN)
def layout(ticket_id: str, message_id: str) -> ResponseReturnValue:
    """Its HTML, made harmless, in a sandbox."""
    return mail_in_pages.html(mail_in_pages.mail_of(loading.message(ticket_id, message_id)))
