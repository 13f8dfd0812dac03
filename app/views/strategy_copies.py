"""Taking a strategy along to another workspace one belongs to."""

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import access, factors, strategies
from app.domain.access import Permission
from app.forms.base import offered
from app.forms.strategies import CopyForm
from app.models import Membership, Strategy, StrategyVersion
from app.web import loading
from app.web.guards import own_memberships, requires
from app.web.hypermedia import redirect_to

bp = Blueprint(
    "strategies_copies",
    __name__,
    url_prefix="/w/<workspace>/strategies/<strategy_id>/v/<int:number>/copy",
)


@bp.get("")
@requires(Permission.STRATEGY_VIEW)
def new(strategy_id: str, number: int) -> ResponseReturnValue:
    """Ask where to."""
    version = loading.version(strategy_id, number)
    return _page(version, _form(version.strategy))


@bp.post("")
@requires(Permission.STRATEGY_VIEW)
def create(strategy_id: str, number: int) -> ResponseReturnValue:
    """Copy it; the copy opens, in its own workspace."""
    version = loading.version(strategy_id, number)
    form = _form(version.strategy)
    made = form.attempt(lambda: _copy(version, form))
    if made is None:
        return _page(version, form), 422
    there = url_for("strategies.show", workspace=made.workspace_id, strategy_id=made.id)
    return redirect_to(there, toast="Copied. The two go separate ways from here.")


def _copy(version: StrategyVersion, form: CopyForm) -> Strategy:
    target = next((it for it in _targets() if it.workspace_id == form.workspace.data), None)
    return strategies.copy(
        version,
        name=form.name.data or "",
        source=current.member(),
        target=target or abort(404),
        by=current.actor(),
        now=current.now(),
    )


def _targets() -> list[Membership]:
    """The person's other workspaces in which they may make strategies, none shut to them."""
    here, person, now = current.workspace().id, current.user(), current.now()
    others = [item for item in own_memberships() if item.workspace_id != here]
    able = [item for item in others if access.can(item, Permission.STRATEGY_MANAGE)]
    return [item for item in able if not factors.lacking(item.workspace, person, now)]


def _form(strategy: Strategy) -> CopyForm:
    form = CopyForm(data={"name": strategy.name})
    form.workspace.choices = offered((it.workspace_id, it.workspace.name) for it in _targets())
    return form


def _page(version: StrategyVersion, form: CopyForm) -> str:
    return render_template("strategies/copy.html", version=version, form=form)
