"""One's own Telegram account: linking it, saying that it is one's own, unlinking it."""

from flask import Blueprint, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current, tenancy
from app.domain.telegram import chats, links
from app.web import qr
from app.web.guards import demand_fresh, signed_in
from app.web.hypermedia import redirect_to, stop_polling, unchanged

bp = Blueprint("account_telegram", __name__, url_prefix="/account/telegram")


@bp.get("")
@signed_in
def show() -> ResponseReturnValue:
    """Which account is linked, and what it is told."""
    return _page(None, 200)


@bp.post("")
@signed_in
def begin() -> ResponseReturnValue:
    """Make a link to the bot that works once; it is shown this once."""
    demand_fresh()
    if not _bot():
        return redirect_to(url_for(".show"), toast="Telegram is not ready. Try again in a minute.")
    token = links.begin(current.user(), current.now())
    return _page(f"https://t.me/{_bot()}?start={token}", 200)


@bp.get("/state")
@signed_in
def state() -> ResponseReturnValue:
    """The fragment that a waiting page asks for until the account is linked."""
    if links.of(current.user()) is None:
        return unchanged()
    return stop_polling("account/_telegram.html", **_shown())


@bp.post("/confirm")
@signed_in
def confirm() -> ResponseReturnValue:
    """Say that the account shown is one's own; operators prove anew who they are."""
    if current.user().operator:
        demand_fresh()
    link_id = request.form.get("link", "")
    links.confirm(current.user(), link_id, by=current.actor(), now=current.now())
    return redirect_to(url_for(".show"), toast="Confirmed.")


@bp.post("/unlink")
@signed_in
def unlink() -> ResponseReturnValue:
    """Take the link away."""
    links.unlink(current.user(), by=current.actor(), now=current.now())
    return redirect_to(url_for(".show"), toast="Unlinked.")


def _bot() -> str:
    with tenancy.everywhere("the name of the bot is nobody's secret"):
        return chats.bot_name(current.config().telegram.bot_id)


def _shown() -> dict[str, object]:
    on = current.config().telegram.on
    return {"link": links.of(current.user()), "on": on, "bot": _bot() if on else ""}


def _page(address: str | None, status: int) -> ResponseReturnValue:
    code = qr.address(address) if address else None
    body = render_template(
        "account/telegram.html",
        address=address,
        code=code,
        minutes=int(links.TOKEN_LASTS.total_seconds() // 60),
        **_shown(),
    )
    return make_response(body, status)
