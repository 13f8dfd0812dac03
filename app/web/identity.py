"""Who is asking: the login session behind the cookie.

The signed cookie carries a random token; the row behind it decides. A copied cookie is therefore
worth nothing after a sign-out.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Flask, g, request, session

from app import current, tenancy
from app.domain import accounts
from app.extensions import db, login
from app.models import LoginSession, User
from app.web.addresses import taken_apart

TOUCH_EVERY = timedelta(minutes=5)
CODE_WITHIN = timedelta(minutes=10)
_WAITING = "second_step"
_TOKEN = "login_token"  # noqa: S105 -- the name of a cookie field, not a secret


def init_app(app: Flask) -> None:
    """Let Flask-Login ask us, and keep its own cookies and checks out of it."""
    app.before_request(tenancy.close)
    app.teardown_request(_forget)
    login.init_app(app)
    login.session_protection = None
    login.request_loader(_load)


def ask_with(answer: Callable[[], object]) -> None:
    """Say what answers a request of nobody for something that is somebody's."""
    login.unauthorized_handler(answer)


def _forget(_error: BaseException | None) -> None:
    tenancy.forget()


def has_token() -> bool:
    """Whether the request's cookie, which only we can sign, names a session; it may be over."""
    return _TOKEN in session


def begin(user: User, method: str = "password") -> None:
    """Open a session: a new token, and nothing carried over from before the sign-in."""
    token = accounts.open_session(
        user,
        ip=request.remote_addr or "",
        user_agent=request.user_agent.string,
        by=current.actor_for(user),
        now=current.now(),
        method=method,
    )
    session.clear()
    session[_TOKEN] = token
    session.permanent = True


def await_code(user: User) -> None:
    """The password was right; remember for a few minutes whose code is asked for."""
    session.clear()
    session[_WAITING] = {
        "user": user.id,
        "password": _stamp(user),
        "at": current.now().isoformat(),
    }


def awaited() -> User | None:
    """Whose code is asked for, if their password was given lately and is still the same."""
    found = session.get(_WAITING)
    if not found or current.now() - datetime.fromisoformat(found["at"]) > CODE_WITHIN:
        return None
    user = db.session.get(User, found["user"])
    if user is None or user.suspended or _stamp(user) != found["password"]:
        return None
    return user


def renew() -> None:
    """The same session under a new token, after what proves its owner has changed."""
    found = current_session()
    if found is not None:
        session[_TOKEN] = accounts.renew(found, now=current.now())


def confirm() -> None:
    """The person has proved again who they are: the same session under a new token.

    The form token stays, so that pages open in other tabs can still be sent.
    """
    found = current_session()
    if found is not None:
        session[_TOKEN] = accounts.confirm(found, by=current.actor(), now=current.now())


def end() -> None:
    """Close the session on both sides."""
    found = current_session()
    if found is not None:
        accounts.revoke(found.user, found.id, by=current.actor(), now=current.now())
    session.clear()


def forget() -> None:
    """The browser forgets whoever it was; for an account whose sessions are gone."""
    g.touch_session = False
    session.clear()


def current_session() -> LoginSession | None:
    """The session of this request."""
    found: LoginSession | None = g.get("login_session")
    return found


def owner_of_cookie() -> str | None:
    """The id of whose cookie came with this request, also when their session has ended."""
    token = session.get(_TOKEN)
    return accounts.owner_of(token) if isinstance(token, str) else None


def _load(_request: object) -> User | None:
    token = session.get(_TOKEN)
    if not isinstance(token, str):
        return None
    now = current.now()
    found = accounts.find_session(token, now)
    if found is None:
        return None
    tenancy.recognise(found.user_id)
    g.login_session = found
    g.touch_session = now - found.seen_at > TOUCH_EVERY
    return found.user


def page_behind(referrer: str | None) -> str:
    """The page a fragment or a form belongs to: that is where to go on after signing in."""
    found = taken_apart(referrer)
    return found.path or "/" if found.netloc == request.host else "/"


def _stamp(user: User) -> str:
    """Changes with the password and says nothing about it."""
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]
