"""The library to start from: read-only strategies, each with what it did on practice history."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.domain.access import Permission
from app.domain.strategy_changes import DIRECTIONS
from app.web import behaviour, loading
from app.web.guards import requires
from runner.strategy import TEMPLATES, explain, warmup

bp = Blueprint("strategy_templates", __name__, url_prefix="/w/<workspace>/strategies/templates")


@bp.get("")
@requires(Permission.STRATEGY_VIEW)
def index() -> ResponseReturnValue:
    """All of them."""
    return render_template("strategies/templates.html", templates=TEMPLATES, explain=explain)


@bp.get("/<key>")
@requires(Permission.STRATEGY_VIEW)
def show(key: str) -> ResponseReturnValue:
    """What one does, when it fails, and how it acted."""
    template = loading.template(key)
    return render_template(
        "strategies/template.html",
        template=template,
        look=behaviour.of(template.key, template.rules["direction"]),
        funding=behaviour.assumed_funding(template),
        words=explain(template.rules),
        candles=warmup(template.rules),
        directions=DIRECTIONS,
    )
