"""The door for people without an account: what they write becomes a ticket once it is theirs."""

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import current
from app.domain.errors import Conflict
from app.domain.support import contact_door
from app.domain.support.contact_door import Letter
from app.forms.status import CATEGORIES, ContactForm
from app.models import TicketCategory
from app.web import exchange_pages, frame, links, mailed_forms
from app.web.guards import public
from app.web.hypermedia import redirect_to

bp = Blueprint("contact", __name__, url_prefix="/contact")


@bp.after_request
def keep_nowhere(response: Response) -> Response:
    """Neither caches nor search engines keep what a link shows."""
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("")
@public
def write() -> ResponseReturnValue:
    """The form; who is signed in has a better one."""
    if current_user.is_authenticated:
        return redirect_to(_own_form())
    return _form(ContactForm(formdata=None, data=exchange_pages.meant()))


@bp.post("")
@public
def ask() -> ResponseReturnValue:
    """Keep it and send the letter; the answer is the same for every address."""
    form = ContactForm()
    return mailed_forms.take(form, lambda: _ask(form), lambda: _form(form), url_for(".asked"))


@bp.get("/asked")
@public
def asked() -> ResponseReturnValue:
    """What happens next."""
    return render_template("contact/asked.html")


@bp.get("/<token>")
@public
def show(token: str) -> ResponseReturnValue:
    """What was written, and the button that sends it: mail scanners open links too."""
    found = contact_door.find(token, current.now())
    body = render_template("contact/link.html", request=found, categories=CATEGORIES)
    return make_response(body, 200 if found else 410)


@bp.post("/<token>")
@public
def confirm(token: str) -> ResponseReturnValue:
    """Open the ticket."""
    try:
        ticket = contact_door.confirm(token, by=current.actor(), now=current.now())
    except Conflict:
        body = render_template("contact/link.html", request=None, categories=CATEGORIES)
        return make_response(body, 410)
    return render_template("contact/sent.html", ref=ticket.ref)


def _ask(form: ContactForm) -> None:
    if form.website.data:
        return
    letter = Letter(
        name=form.name.data or "",
        email=form.email.data or "",
        subject=form.subject.data or "",
        category=TicketCategory(form.category.data),
        body=form.body.data or "",
    )
    by, now = current.actor(), current.now()
    contact_door.ask(letter, link_to=links.contact, sign_in=links.sign_in(), by=by, now=now)


def _form(form: ContactForm) -> str:
    return render_template("contact/write.html", form=form)


def _own_form() -> str:
    member = frame.last_membership()
    if member is None:
        return url_for("home.index")
    named = request.args.get("exchange")
    return url_for("tickets.new", workspace=member.workspace_id, exchange=named)
