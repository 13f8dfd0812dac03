"""What machines cost: the statement of a month, of one bot in it, as a page and as a file."""

from flask import Blueprint, Response, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import months, statements
from app.domain.access import Permission
from app.web import billing_pages
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("billing", __name__, url_prefix="/w/<workspace>/billing")


@bp.get("")
@requires(Permission.BILLING_VIEW)
def index() -> ResponseReturnValue:
    """The month that runs."""
    return redirect_to(url_for(".show", month=str(months.of(current.now()))))


@bp.get("/<month>")
@requires(Permission.BILLING_VIEW)
def show(month: str) -> ResponseReturnValue:
    """One month, bot by bot."""
    chosen = billing_pages.month(month) or abort(404)
    told = statements.of_workspace(current.workspace(), chosen, current.now())
    return render_template(
        "billing/show.html", statement=told, **billing_pages.around(chosen, told)
    )


@bp.get("/<month>/bots/<bot_id>")
@requires(Permission.BILLING_VIEW)
def bot(month: str, bot_id: str) -> ResponseReturnValue:
    """One bot's month, interval by interval."""
    chosen = billing_pages.month(month) or abort(404)
    told = statements.of_workspace(current.workspace(), chosen, current.now())
    bill = billing_pages.bill_of(told, bot_id)
    lines = billing_pages.lines(chosen, bill.id)
    return render_template(
        "billing/bot.html",
        statement=told,
        bill=bill,
        lines=lines,
        titles=billing_pages.TITLES,
        advice=billing_pages.advice_of(bill),
        **billing_pages.earned(told, bill),
    )


@bp.get("/<month>/statement.csv")
@requires(Permission.BILLING_VIEW)
def download(month: str) -> Response:
    """Every interval of the month, for a spreadsheet."""
    chosen = billing_pages.month(month) or abort(404)
    return billing_pages.csv_of(chosen)
