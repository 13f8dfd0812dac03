"""Canned replies: written, changed, put away; none is ever deleted."""

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.support import canned
from app.forms.desk_settings import ReplyForm
from app.models import CannedReply
from app.web.guards import operator
from app.web.hypermedia import redirect_to

bp = Blueprint("console_replies", __name__, url_prefix="/operator/tickets/replies")


@bp.get("")
@operator
def index() -> ResponseReturnValue:
    """Those in use, and those put away."""
    return render_template(
        "desk/replies.html", replies=canned.living(), archived=canned.archived(), now=current.now()
    )


@bp.get("/new")
@operator
def new() -> ResponseReturnValue:
    """An empty form."""
    return _page(None, ReplyForm(formdata=None))


@bp.post("/new")
@operator
def create() -> ResponseReturnValue:
    """Write one."""
    form, author, by, now = ReplyForm(), current.user(), current.actor(), current.now()
    title, body = form.title.data or "", form.body.data or ""
    if not form.accepts(lambda: canned.create(title, body, author=author, by=by, now=now)):
        return _page(None, form), 422
    return redirect_to(url_for(".index"), toast="Written.")


@bp.get("/<reply_id>/edit")
@operator
def edit(reply_id: str) -> ResponseReturnValue:
    """One as a form."""
    reply = _reply(reply_id)
    return _page(reply, ReplyForm(formdata=None, data={"title": reply.title, "body": reply.body}))


@bp.post("/<reply_id>/edit")
@operator
def save(reply_id: str) -> ResponseReturnValue:
    """Change one."""
    reply, form, by, now = _reply(reply_id), ReplyForm(), current.actor(), current.now()
    title, body = form.title.data or "", form.body.data or ""
    if not form.accepts(lambda: canned.edit(reply, title, body, by=by, now=now)):
        return _page(reply, form), 422
    return redirect_to(url_for(".index"), toast="Saved.")


@bp.post("/<reply_id>/archive")
@operator
def archive(reply_id: str) -> ResponseReturnValue:
    """Put one away."""
    canned.archive(_reply(reply_id), by=current.actor(), now=current.now())
    return redirect_to(url_for(".index"), toast="Put away.")


@bp.post("/<reply_id>/restore")
@operator
def restore(reply_id: str) -> ResponseReturnValue:
    """Take one into use again."""
    canned.restore(_reply(reply_id), by=current.actor(), now=current.now())
    return redirect_to(url_for(".index"), toast="In use again.")


def _reply(reply_id: str) -> CannedReply:
    return canned.find(reply_id) or abort(404)


def _page(reply: CannedReply | None, form: ReplyForm) -> str:
    return render_template("desk/reply.html", reply=reply, form=form, fields=canned.FIELDS)
