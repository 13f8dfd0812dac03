"""A workspace's budget, and the addresses that are told of it."""

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import billing_contacts, budgets
from app.domain.access import Permission
from app.forms.billing import BudgetForm, ContactForm
from app.models import BillingContact
from app.web import billing_pages, links
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("billing_settings", __name__, url_prefix="/w/<workspace>/billing")


@bp.get("/budget")
@requires(Permission.BILLING_MANAGE)
def show() -> ResponseReturnValue:
    """What is meant to be spent, what was told, and to whom."""
    return _page(_stored(), ContactForm())


@bp.post("/budget")
@requires(Permission.BILLING_MANAGE)
def update() -> ResponseReturnValue:
    """Set it, or drop it."""
    form, who = BudgetForm(), billing_pages.who()
    if not form.accepts(lambda: budgets.set_amount(current.workspace(), form.wanted(), **who)):
        return _page(form, ContactForm(formdata=None)), 422
    return redirect_to(url_for(".show"), toast="Saved.")


@bp.post("/contacts")
@requires(Permission.BILLING_MANAGE)
def add() -> ResponseReturnValue:
    """Add an address; it is asked by mail first."""
    form, who = ContactForm(), billing_pages.who()
    email, name, link_to = form.email.data or "", form.name.data or "", links.billing_contact
    workspace = current.workspace()
    if not form.accepts(
        lambda: billing_contacts.add(workspace, email, name, link_to=link_to, **who)
    ):
        return _page(_stored(), form), 422
    return redirect_to(url_for(".show"), toast="It is asked by mail.")


@bp.post("/contacts/<contact_id>/again")
@requires(Permission.BILLING_MANAGE)
def ask_again(contact_id: str) -> ResponseReturnValue:
    """Ask it once more."""
    contact, by, now = _contact(contact_id), current.actor(), current.now()
    billing_contacts.ask_again(
        current.workspace(), contact, link_to=links.billing_contact, by=by, now=now
    )
    return redirect_to(url_for(".show"), toast="It is asked once more.")


@bp.post("/contacts/<contact_id>/remove")
@requires(Permission.BILLING_MANAGE)
def remove(contact_id: str) -> ResponseReturnValue:
    """Take it off the list."""
    contact, by, now = _contact(contact_id), current.actor(), current.now()
    billing_contacts.remove(current.workspace(), contact, by=by, now=now)
    return redirect_to(url_for(".show"), toast="It is told no more.")


def _contact(contact_id: str) -> BillingContact:
    return billing_contacts.find(current.workspace(), contact_id) or abort(404)


def _stored() -> BudgetForm:
    """An empty field would drop the budget with the next save."""
    form, budget = BudgetForm(formdata=None), budgets.of(current.workspace())
    form.amount.data = format(budget.amount, "f") if budget else ""
    return form


def _page(form: BudgetForm, contact_form: ContactForm) -> str:
    return render_template(
        "billing/budget.html",
        form=form,
        contact_form=contact_form,
        contacts=billing_contacts.of(current.workspace()),
        readers=budgets.readers(current.workspace()),
        shares=budgets.SHARES,
        told=budgets.history(current.workspace()),
        **billing_pages.budget(),
    )
