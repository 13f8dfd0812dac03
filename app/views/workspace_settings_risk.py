"""Settings of a workspace that bound risk: ceilings, defaults of new bots, protection."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import book, ceilings, defaults, guarded_settings, protection
from app.domain.access import Permission
from app.forms.bots import LIMITS
from app.forms.risk import CeilingsForm, DefaultsForm, ProtectionForm
from app.models import Approval, ApprovalKind
from app.web import risk_pages
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("workspace_settings_risk", __name__, url_prefix="/w/<workspace>/settings")


@bp.get("/limits")
@requires(Permission.RISK_MANAGE)
def limits() -> ResponseReturnValue:
    """The ceilings, and how much of them is taken."""
    form = CeilingsForm()
    form.show(ceilings.of(current.workspace()))
    return _limits_page(form)


@bp.post("/limits")
@requires(Permission.RISK_MANAGE)
def save_limits() -> ResponseReturnValue:
    """Lower them, raise them, or ask for that."""
    form, me = CeilingsForm(), current.member()
    made = form.attempt(
        lambda: (
            guarded_settings.set_ceilings(me, form.ceilings(), **risk_pages.tail(form.reason.data)),
        )
    )
    return _limits_page(form, 422) if made is None else _saved(".limits", made[0])


@bp.get("/defaults")
@requires(Permission.WORKSPACE_UPDATE)
def new_bots() -> ResponseReturnValue:
    """What the form for a new bot is filled with."""
    form, workspace = DefaultsForm(), current.workspace()
    form.show(defaults.of(workspace), workspace.zone)
    return _defaults_page(form)


@bp.post("/defaults")
@requires(Permission.WORKSPACE_UPDATE)
def save_new_bots() -> ResponseReturnValue:
    """Set it."""
    form, workspace = DefaultsForm(), current.workspace()
    verb = risk_pages.who_and_when()
    if form.accepts(lambda: defaults.change(workspace, form.defaults(), **verb)):
        return _saved(".new_bots", None)
    return _defaults_page(form, 422)


@bp.get("/security")
@requires(Permission.WORKSPACE_SECURITY)
def security() -> ResponseReturnValue:
    """Two persons, invitations, second factors; and whom the last would meet."""
    form, workspace = ProtectionForm(), current.workspace()
    form.show(protection.of(workspace), workspace.zone)
    return _security_page(form)


@bp.post("/security")
@requires(Permission.WORKSPACE_SECURITY)
def save_security() -> ResponseReturnValue:
    """Tighten, loosen, or ask for the end of the two-person rule."""
    form, me = ProtectionForm(), current.member()
    zone = current.workspace().zone
    made = form.attempt(
        lambda: (
            guarded_settings.set_protection(
                me, form.protection(zone), **risk_pages.tail(form.reason.data)
            ),
        )
    )
    return _security_page(form, 422) if made is None else _saved(".security", made[0])


def _saved(endpoint: str, made: Approval | None) -> ResponseReturnValue:
    toast = "Saved." if made is None else risk_pages.ASKED
    return redirect_to(url_for(endpoint), toast=toast)


def _limits_page(form: CeilingsForm, status: int = 200) -> ResponseReturnValue:
    workspace = current.workspace()
    body = render_template(
        "workspaces/limits.html",
        workspace=workspace,
        form=form,
        tab="limits",
        taken=ceilings.in_use(workspace, current.now()),
        book=book.of(workspace, current.now()),
        asking=risk_pages.asking(ApprovalKind.RAISE_CEILINGS),
    )
    return body, status


def _defaults_page(form: DefaultsForm, status: int = 200) -> ResponseReturnValue:
    workspace = current.workspace()
    body = render_template(
        "workspaces/defaults.html", workspace=workspace, form=form, tab="defaults", limits=LIMITS
    )
    return body, status


def _security_page(form: ProtectionForm, status: int = 200) -> ResponseReturnValue:
    workspace = current.workspace()
    body = render_template(
        "workspaces/security.html",
        workspace=workspace,
        form=form,
        tab="security",
        bare=protection.without_factor(workspace),
        asking=risk_pages.asking(ApprovalKind.END_TWO_PERSON),
    )
    return body, status
