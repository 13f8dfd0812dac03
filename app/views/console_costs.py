"""For the operator: what the fleet costs and brings, and what is agreed with each workspace."""

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import estate, fleet_costs, months, price_book, terms
from app.forms.billing import TermsForm
from app.models import Workspace
from app.web import billing_pages
from app.web.guards import operator
from app.web.hypermedia import redirect_to
from app.web.loading import page_number

bp = Blueprint("console_costs", __name__, url_prefix="/operator")


@bp.get("/costs")
@operator
def index() -> ResponseReturnValue:
    """The month that runs."""
    return redirect_to(url_for(".show", month=str(months.of(current.now()))))


@bp.get("/costs/<month>")
@operator
def show(month: str) -> ResponseReturnValue:
    """One month, workspace by workspace."""
    chosen = billing_pages.month(month) or abort(404)
    number, now = page_number(), current.now()
    rows, more = fleet_costs.of_month(chosen, now, number)
    return render_template(
        "console/costs.html",
        month=chosen,
        rows=rows,
        more=more,
        number=number,
        leaks=fleet_costs.leaks(),
        first=fleet_costs.first_month(now),
        latest=months.of(now),
        book=price_book.in_use(),
    )


@bp.get("/workspaces/<workspace_id>/terms")
@operator
def agreed(workspace_id: str) -> ResponseReturnValue:
    """What holds, since when, and the form to agree on something else."""
    found, form = _found(workspace_id), TermsForm()
    form.show(terms.of(found.id, months.of(current.now())))
    return _page(found, form)


@bp.post("/workspaces/<workspace_id>/terms")
@operator
def agree(workspace_id: str) -> ResponseReturnValue:
    """Set it, from this month on."""
    found, form, who = _found(workspace_id), TermsForm(), billing_pages.who()
    if not form.accepts(lambda: terms.agree(found, form.wanted(), **who)):
        return _page(found, form), 422
    return redirect_to(url_for(".agreed", workspace_id=found.id), toast="Saved.")


def _found(workspace_id: str) -> Workspace:
    return estate.find(workspace_id) or abort(404)


def _page(found: Workspace, form: TermsForm) -> str:
    month = months.of(current.now())
    return render_template(
        "console/terms.html",
        workspace=found,
        form=form,
        month=month,
        history=terms.history(found.id),
        house=terms.of_house(month, price_book.in_use()),
    )
