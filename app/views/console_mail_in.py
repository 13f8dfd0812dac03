"""The operators' book of mail that came in, and what they do about mail that was held back."""

from flask import Blueprint, abort, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.inbound import book, quarantine
from app.models import InboundMail
from app.web import mail_in_pages
from app.web.guards import operator
from app.web.hypermedia import redirect_to

bp = Blueprint("console_mail_in", __name__, url_prefix="/operator/mail/in")


@bp.get("")
@operator
def index() -> ResponseReturnValue:
    """Mails, newest first."""
    return mail_in_pages.index()


@bp.get("/<inbound_id>")
@operator
def show(inbound_id: str) -> ResponseReturnValue:
    """One mail, what was decided about it, and why."""
    return mail_in_pages.one(_mail(inbound_id))


@bp.get("/<inbound_id>/source")
@operator
def source(inbound_id: str) -> ResponseReturnValue:
    """The mail as it came."""
    return mail_in_pages.source(_mail(inbound_id))


@bp.get("/<inbound_id>/html")
@operator
def layout(inbound_id: str) -> ResponseReturnValue:
    """Its HTML, made harmless, in a sandbox."""
    return mail_in_pages.html(_mail(inbound_id))


@bp.post("/<inbound_id>/append")
@operator
def append(inbound_id: str) -> ResponseReturnValue:
    """Put a mail that was held back into its ticket, as its owner's, unverified."""
    quarantine.append(
        _mail(inbound_id),
        locker=current.mail_locker(),
        storage=current.storage(),
        by=current.actor(),
        now=current.now(),
    )
    return redirect_to(url_for(".show", inbound_id=inbound_id), toast="It is in the ticket now.")


@bp.post("/<inbound_id>/refuse")
@operator
def refuse(inbound_id: str) -> ResponseReturnValue:
    """Leave it out for good."""
    quarantine.refuse(_mail(inbound_id), by=current.actor(), now=current.now())
    return redirect_to(url_for(".show", inbound_id=inbound_id), toast="Refused.")


@bp.post("/<inbound_id>/rotate")
@operator
def rotate(inbound_id: str) -> ResponseReturnValue:
    """End the reply address it was sent to; the next letter has a new one."""
    quarantine.rotate(_mail(inbound_id), by=current.actor(), now=current.now())
    toast = "The old reply addresses are dead."
    return redirect_to(url_for(".show", inbound_id=inbound_id), toast=toast)


def _mail(inbound_id: str) -> InboundMail:
    return book.find(inbound_id) or abort(404)
