"""A year's fills, trades, fees, funding, deposits and withdrawals as one file."""

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from app import current
from app.domain import tax
from app.domain.access import Permission
from app.forms.analytics import mode_of
from app.web import trade_pages
from app.web.guards import requires
from runner.protocol import Mode

bp = Blueprint("tax", __name__, url_prefix="/w/<workspace>/tax")


@bp.get("")
@requires(Permission.ANALYTICS_EXPORT)
def index() -> ResponseReturnValue:
    """The years there are."""
    years = tax.years(current.workspace(), current.now())
    return render_template("tax/index.html", years=years, modes=tuple(reversed(Mode)))


@bp.get("/<int:year>.csv")
@requires(Permission.ANALYTICS_EXPORT)
def file(year: int) -> Response:
    """One year in one mode, live if no other is named."""
    workspace = current.workspace()
    if year not in tax.years(workspace, current.now()):
        abort(404)
    asked = tax.year_of(workspace, year, mode_of(request.args.get("mode", ""), [Mode.LIVE]))
    name = f"tax-{workspace.slug}-{year}-{asked.mode}.csv"
    return trade_pages.streamed(name, tax.COLUMNS, lambda: tax.rows(asked))
