"""The doors for mail that comes in: each keeps what came and answers; a worker decides later."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.web import mail_doors
from app.web.guards import webhook

bp = Blueprint("mail_in", __name__, url_prefix="/webhooks/mail")


@bp.post("/raw")
@webhook
def raw() -> ResponseReturnValue:
    """A mail server of our own, a worker at Cloudflare, or a pipe."""
    return mail_doors.keep(mail_doors.raw())


@bp.post("/postmark")
@webhook
def postmark() -> ResponseReturnValue:
    """Postmark."""
    return mail_doors.keep(mail_doors.postmark())


@bp.post("/mailgun")
@bp.post("/mailgun/mime")
@webhook
def mailgun() -> ResponseReturnValue:
    """Mailgun; it sends mail raw only to addresses that end in ``mime``."""
    return mail_doors.keep(mail_doors.mailgun())
