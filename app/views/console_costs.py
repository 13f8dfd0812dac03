"""For the operator: what the fleet costs and brings, and what is agreed with each workspace."""

from typing import Any

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import estate, fleet_costs, months, price_book, terms
from app.domain.fleet_costs import Sums
from app.domain.months import Month
from app.forms.billing import TermsForm
from app.models import Workspace
from app.web import billing_pages
from app.web.guards import operator
from app.web.hypermedia import fragment, redirect_to, wants_fragment
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
    return _costs(billing_pages.month(month) or abort(404))


@bp.get("/costs/<month>/sums")
@operator
def sums(month: str) -> ResponseReturnValue:
    """What all workspaces come to together; each of their months is added up for it."""
    chosen = billing_pages.month(month) or abort(404)
    found = fleet_costs.sums(chosen, current.now())
    if wants_fragment():
        return fragment("console/_cost_sums.html", month=chosen, sums=found)
    return _costs(chosen, found)


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


def _costs(month: Month, sums: Sums | None = None) -> str:
    """The page. Where all workspaces stand on it their sums are there at once, else asked for."""
    number, now = page_number(), current.now()
    (rows, more), count = fleet_costs.of_month(month, now, number), fleet_costs.count(month, now)
    if number == 1 and not more:
        sums = fleet_costs.sums_of(rows)
    return render_template(
        "console/costs.html",
        month=month,
        rows=rows,
        more=more,
        number=number,
        count=count,
        sums=sums,
        size=fleet_costs.PAGE,
        **_everywhere(),
    )


def _everywhere() -> dict[str, Any]:
    """What is the same on each of its pages, of the whole fleet."""
    now = current.now()
    return {
        "machines": fleet_costs.running(),
        "idle": fleet_costs.idle_addresses(),
        "quotas": fleet_costs.fullest_quotas(),
        "leaks": fleet_costs.leaks(),
        "first": fleet_costs.first_month(now),
        "latest": months.of(now),
        "book": price_book.in_use(),
    }


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
