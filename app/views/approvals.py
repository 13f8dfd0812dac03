"""Requests that need a second person: those that wait, those that are over, and the answers."""

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import approval_records, approvals
from app.domain.access import Permission
from app.domain.approval_subjects import RIGHTS, readable
from app.forms.risk import AnswerForm
from app.models import Approval, ApprovalState
from app.web import guards, risk_pages
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("approvals", __name__, url_prefix="/w/<workspace>/approvals")

BECAME = {
    ApprovalState.APPROVED: "Approved, and done.",
    ApprovalState.EXPIRED: "Too late: it has expired, and nothing is changed.",
    ApprovalState.VOID: "It is void, and nothing is changed: what it was about is not the same.",
}


@bp.get("")
@requires(Permission.BOT_VIEW)
def index() -> ResponseReturnValue:
    """What waits, and what is over."""
    me, now = current.member(), current.now()
    rows = [
        (item, approval_records.standing(item, me, now))
        for item in approval_records.in_workspace(current.workspace())
    ]
    return render_template("approvals/index.html", rows=rows, title=risk_pages.title, now=now)


@bp.get("/<approval_id>")
@requires(Permission.BOT_VIEW)
def show(approval_id: str) -> ResponseReturnValue:
    """One request with its diff, and the two buttons for who may press them."""
    return _page(_load(approval_id), AnswerForm())


@bp.post("/<approval_id>/approve")
@requires(Permission.BOT_VIEW)
def approve(approval_id: str) -> ResponseReturnValue:
    """Approve it; that carries it out."""
    approval = _load(approval_id)
    guards.demand(RIGHTS[approval.kind])
    became = approvals.approve(
        approval,
        current.member(),
        link_to=risk_pages.link_to,
        **risk_pages.who_and_when(),
    )
    return redirect_to(url_for(".index"), toast=BECAME[became])


@bp.post("/<approval_id>/reject")
@requires(Permission.BOT_VIEW)
def reject(approval_id: str) -> ResponseReturnValue:
    """Say no, and why."""
    approval, form = _load(approval_id), AnswerForm()
    guards.demand(RIGHTS[approval.kind])
    verb = risk_pages.who_and_when() | {"answer": form.answer.data or ""}
    link_to = risk_pages.link_to
    if form.accepts(lambda: approvals.reject(approval, current.member(), link_to=link_to, **verb)):
        return redirect_to(url_for(".index"), toast="Rejected. Who asked is told.")
    return _page(approval, form), 422


@bp.post("/<approval_id>/cancel")
@requires(Permission.BOT_VIEW)
def cancel(approval_id: str) -> ResponseReturnValue:
    """Take one's own request back."""
    approval = _load(approval_id)
    approvals.cancel(approval, current.member(), **risk_pages.who_and_when())
    return redirect_to(url_for(".index"), toast="Taken back.")


def _load(approval_id: str) -> Approval:
    return approval_records.find(current.workspace(), approval_id) or abort(404)


def _page(approval: Approval, form: AnswerForm) -> str:
    return render_template(
        "approvals/show.html",
        approval=approval,
        standing=approval_records.standing(approval, current.member(), current.now()),
        title=risk_pages.title(approval),
        changes=readable(approval.kind, approval.changes),
        form=form,
        now=current.now(),
    )
