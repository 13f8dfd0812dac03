"""A person's inbox: notices and alarms of all their workspaces, or of one."""

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import inbox
from app.web.addresses import safe_next
from app.web.guards import own_memberships, signed_in
from app.web.hypermedia import redirect_to
from app.web.loading import page_number

bp = Blueprint("inbox", __name__, url_prefix="/account/inbox")


@bp.get("")
@signed_in
def index() -> ResponseReturnValue:
    """Unread first."""
    chosen, number = _chosen(), page_number()
    found = inbox.page(current.user(), chosen, number)
    return render_template(
        "inbox/index.html",
        notices=found[: inbox.PAGE],
        more=len(found) > inbox.PAGE,
        number=number,
        chosen=chosen,
        names=_names(),
        tabs=_tabs(chosen),
        waiting=inbox.unread(current.user(), chosen),
        now=current.now(),
    )


@bp.post("/read")
@signed_in
def read_all() -> ResponseReturnValue:
    """Mark all of what is shown as read."""
    chosen = _chosen()
    inbox.mark_all_read(current.user(), chosen, current.now())
    return redirect_to(url_for(".index", workspace=chosen), toast="All marked as read.")


@bp.post("/<notice_id>/open")
@signed_in
def follow(notice_id: str) -> ResponseReturnValue:
    """Mark one as read and go to the page it is about."""
    notice = inbox.find(current.user(), notice_id) or abort(404)
    inbox.mark_read(notice, current.now())
    return redirect_to(safe_next(notice.path) or url_for(".index"))


def _names() -> dict[str, str]:
    return {item.workspace_id: item.workspace.name for item in own_memberships()}


def _tabs(chosen: str | None) -> list[tuple[str, str, bool]]:
    """All, and each workspace; nothing where there is one alone."""
    names = _names()
    if len(names) < 2:
        return []
    each = [(name, url_for(".index", workspace=key), chosen == key) for key, name in names.items()]
    return [("All", url_for(".index"), chosen is None), *each]


def _chosen() -> str | None:
    """The workspace to show alone, if the person belongs to it."""
    wanted = request.args.get("workspace") or None
    if wanted is not None and wanted not in _names():
        abort(404)
    return wanted
