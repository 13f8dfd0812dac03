"""Handing the ownership over: an owner offers, the other one answers."""

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import access, members, offers, ownership
from app.domain.access import Permission
from app.forms.base import offered
from app.forms.members import OfferForm
from app.models import Membership, OwnershipOffer, Role
from app.web import guards
from app.web.guards import member, requires
from app.web.hypermedia import redirect_to

bp = Blueprint("member_ownership", __name__, url_prefix="/w/<workspace>/ownership")


@bp.get("")
@member
def show() -> ResponseReturnValue:
    """What waits for an answer, and for owners the form."""
    return _page(_form())


@bp.post("")
@requires(Permission.MEMBER_CHANGE_ROLE)
def offer() -> ResponseReturnValue:
    """Offer one's own."""
    _demand_owner()
    form = _form()
    made = form.attempt(lambda: _offer(form.member.data))
    if made is None:
        return _page(form), 422
    toast = f"Offered to {made.taker.name}. You stay owner until they accept."
    return redirect_to(url_for(".show"), toast=toast)


@bp.post("/<offer_id>/accept")
@member
def accept(offer_id: str) -> ResponseReturnValue:
    """Take it."""
    found = _offered_to_me(offer_id)
    guards.insist(access.may_take_over(current.member()), "a suspended workspace")
    guards.demand_fresh()
    ownership.accept(
        found, acting=current.member(), by=current.actor(), now=current.now(), page=_members()
    )
    return redirect_to(_members(), toast="You are an owner now.")


@bp.post("/<offer_id>/decline")
@member
def decline(offer_id: str) -> ResponseReturnValue:
    """Leave it with who has it."""
    found = _offered_to_me(offer_id)
    ownership.decline(
        found, acting=current.member(), by=current.actor(), now=current.now(), page=_members()
    )
    return redirect_to(_members(), toast=f"Declined. {found.giver.name} stays owner.")


@bp.post("/<offer_id>/cancel")
@member
def cancel(offer_id: str) -> ResponseReturnValue:
    """Take the offer back."""
    found = _offer_or_404(offer_id)
    _demand_owner()
    ownership.cancel(found, acting=current.member(), by=current.actor(), now=current.now())
    return redirect_to(url_for(".show"), toast="The offer is cancelled.")


def _offer(member_id: str) -> OwnershipOffer:
    entry = members.find(current.member(), member_id) or abort(404)
    return ownership.offer(
        entry.member,
        acting=current.member(),
        by=current.actor(),
        now=current.now(),
        page=url_for(".show"),
    )


def _offer_or_404(offer_id: str) -> OwnershipOffer:
    return offers.find(current.member(), offer_id) or abort(404)


def _offered_to_me(offer_id: str) -> OwnershipOffer:
    found = _offer_or_404(offer_id)
    guards.insist(offers.may_answer(current.member(), found), "somebody else's offer")
    return found


def _demand_owner() -> None:
    guards.insist(access.may_hand_out(current.member(), Role.OWNER), "an ownership not theirs")


def _members() -> str:
    return url_for("members.index")


def _form() -> OfferForm:
    form = OfferForm()
    form.member.choices = offered(map(_choice, offers.candidates(current.workspace())))
    return form


def _choice(found: Membership) -> tuple[str, str]:
    return found.id, f"{found.user.name} ({found.role})"


def _page(form: OfferForm) -> str:
    me, now = current.member(), current.now()
    return render_template(
        "members/ownership.html",
        form=form,
        me=me,
        offers=offers.visible(me, now),
        gives=offers.may_offer(me),
        now=now,
    )
