"""Some things are asked again who wants them: a session counts as fresh for five minutes.

The page that asks carries what was typed and sends it to the same address with the answer, so
that nothing is done that was not on the page whose button was pressed.
"""

from datetime import datetime, timedelta

from flask import Response, make_response, render_template, request, url_for

from app import current
from app.domain import factors, passwords
from app.domain.audit import Actor
from app.domain.errors import TooMany
from app.extensions import db
from app.models import User
from app.web import carried, identity, transactions
from app.web.addresses import safe_next
from app.web.hypermedia import refusal, wants_fragment

FRESH_FOR = timedelta(minutes=5)
NO_MATCH = "That is not your password."
NO_CODE = "That code does not fit, or was used already. Wait for the next one."


class NotFresh(Exception):
    """Who it is must be proved again; ``wait`` is how many seconds not to try."""

    def __init__(self, message: str = "", wait: int = 0) -> None:
        super().__init__(message)
        self.wait = wait


def is_fresh() -> bool:
    """Whether the person proved in the last five minutes who they are."""
    found = identity.current_session()
    at = found.confirmed_at if found is not None else None
    return at is not None and current.now() - at <= FRESH_FOR


def demand() -> None:
    """Take the answer that came with the request, if one is needed.

    Raises:
        NotFresh: none came, or it was wrong.
    """
    if is_fresh():
        return
    if request.method != "POST" or "confirm_password" not in request.form:
        raise NotFresh
    confirm(request.form["confirm_password"], request.form.get("confirm_code", ""))


def confirm(password: str, code: str) -> None:
    """Check the answer and keep what came of it, in a transaction before the request's own.

    Who has a second factor gives a code of it too; a recovery code is no proof here.

    Raises:
        NotFresh: it is wrong, or there were too many tries.
    """
    try:
        with transactions.reading():
            by, now = current.actor(), current.now()
            attempt = passwords.begin_confirm(current.user(), by=by, now=now)
    except TooMany as refused:
        raise NotFresh(str(refused), refused.wait) from refused
    proof = passwords.verify(attempt, password)
    found = passwords.finish(proof, by=by, now=now, action=passwords.CONFIRM)
    try:
        proven = found is not None and _second(found, code, by, now)
    except TooMany as refused:
        raise NotFresh(str(refused), refused.wait) from refused
    if proven:
        identity.confirm()
    db.session.commit()
    if not proven:
        raise NotFresh(NO_MATCH if found is None else NO_CODE)


def _second(person: User, code: str, by: Actor, now: datetime) -> bool:
    if factors.confirmed(person) is None:
        return True
    return factors.check(person, code, locker=current.locker(), by=by, now=now)


def ask(question: NotFresh) -> Response:
    """The page "Confirm it is you", with what was typed; htmx is sent to a page of its own."""
    db.session.rollback()
    back = identity.page_behind(request.referrer)
    if wants_fragment():
        answer = refusal("Confirm first that it is you.", 403)
        answer.headers["HX-Redirect"] = url_for("confirmation.show", next=back)
        return answer
    target = request.full_path.rstrip("?")
    if request.method != "POST":
        target, back = url_for("confirmation.show", next=target), url_for("home.index")
    return page(target, safe_next(back) or url_for("home.index"), str(question), question.wait)


def page(target: str, back: str, message: str = "", wait: int = 0) -> Response:
    """The question itself; its form goes to ``target``."""
    body = render_template(
        "account/confirm.html",
        target=target,
        back=back,
        message=message,
        fields=carried.typed(),
        left_out=carried.left_out(),
        has_factor=factors.confirmed(current.user()) is not None,
        minutes=int(FRESH_FOR.total_seconds() // 60),
    )
    answer = make_response(body, 429 if wait else 403)
    if wait:
        answer.headers["Retry-After"] = str(wait)
    return answer
