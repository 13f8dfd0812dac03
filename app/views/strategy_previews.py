"""The builder's preview: what the rules as they are typed would have done lately."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from app.domain.access import Permission
from app.web import loading, preview_pages
from app.web.guards import requires
from app.web.hypermedia import fragment, live
from app.web.rules_pages import rules_sent

bp = Blueprint(
    "strategy_previews", __name__, url_prefix="/w/<workspace>/strategies/<strategy_id>/preview"
)


@bp.post("")
@requires(Permission.STRATEGY_MANAGE)
def create(strategy_id: str) -> ResponseReturnValue:
    """Ask for the preview of what is typed; nothing of it is saved."""
    strategy = loading.strategy(strategy_id)
    form = rules_sent(strategy)
    context = preview_pages.asked(form) | {"strategy": strategy, "form": form, "version": ""}
    return fragment("strategies/_preview.html", **context)


@bp.get("")
@requires(Permission.STRATEGY_MANAGE)
def show(strategy_id: str) -> ResponseReturnValue:
    """How far the one is that is waited for, polled until there is nothing to wait for.

    It is named in the query: one that another took the place of is gone, and that is no error.
    """
    strategy = loading.strategy(strategy_id)
    context = preview_pages.followed(request.args.get("of", ""))
    settled = context["waiting"] is None
    shown = {"strategy": strategy, "form": None}
    return live("strategies/_preview.html", settled=settled, **shown, **context)
