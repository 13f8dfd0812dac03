"""Guards: every route says who may use it, or the process does not start.

Strangers to a workspace get 404, members without the right get 403 with its name.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, TypeVar, cast

from flask import Flask, abort, g, request
from flask_login import current_user

from app import current, tenancy
from app.domain import access, audit, factors, workspaces
from app.domain.access import Guard, Permission, Verdict
from app.extensions import csrf, db, login
from app.models import AuditOutcome, Membership
from app.web import freshness

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
View = TypeVar("View", bound=Callable[..., Any])


class FactorMissing(Exception):
    """The workspace insists on a second factor. The message names it."""


class Forbidden(Exception):
    """A member lacks a permission. The message names it and says what to do."""


def public(view: View) -> View:
    """Anybody may."""
    return _mark(view, "public")


def signed_in(view: View) -> View:
    """Anybody with an account, about that account."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs) if current_user.is_authenticated else login.unauthorized()

    return _mark(cast(View, guarded), "signed_in")


def operator(view: View) -> View:
    """Platform staff. To everybody else the page does not exist."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_authenticated:
            return login.unauthorized()
        if not current_user.operator:
            abort(404)
        tenancy.open_everything("operators look after all workspaces")
        return view(*args, **kwargs)

    return _mark(cast(View, guarded), "operator")


def member(view: View) -> View:
    """Any member of the workspace in the URL."""

    @wraps(view)
    def guarded(workspace: str, *args: Any, **kwargs: Any) -> Any:
        if not current_user.is_authenticated:
            return login.unauthorized()
        _enter(workspace)
        return view(*args, **kwargs)

    return _mark(cast(View, guarded), "member")


def requires(permission: Permission) -> Callable[[View], View]:
    """Members of the workspace in the URL who hold ``permission``."""
    known = Permission(permission)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(workspace: str, *args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                return login.unauthorized()
            _enter(workspace, known)
            demand(known)
            return view(*args, **kwargs)

        return _mark(cast("View", guarded), known.value)

    return decorate


def runner(view: View) -> View:
    """A runner; the protocol carries its own proof, so no session and no form token."""
    csrf.exempt(view)
    return _mark(view, "runner")


def webhook(view: View) -> View:
    """A program outside that proves itself by what it sends; the view checks that first."""
    csrf.exempt(view)
    return _mark(view, "webhook")


def insist(verdict: Verdict, what: str) -> None:
    """Refuse as a guard does, where the right depends on the row; ``what`` is for the audit log."""
    if not verdict:
        _deny(verdict, what)


def demand(permission: Permission) -> None:
    """What ``requires`` sees to; in a view where it depends on what was loaded which right it is.

    Call it before anything is changed.

    Raises:
        Forbidden: the member lacks it; the denial is kept.
        NotFresh: it is guarded by a fresh confirmation, which becomes the page that asks.
    """
    verdict = access.can(current.member(), permission)
    if not verdict:
        _deny(verdict, f"lacks {permission}")
    if request.method not in SAFE and Guard.REAUTH in access.GUARDS.get(permission, ()):
        demand_fresh()


def demand_fresh() -> None:
    """Go on only if the person proved in the last minutes who they are; else ask them to.

    Call it before anything is changed. The answer to the question arrives with the same fields at
    the same address.

    Raises:
        NotFresh: becomes the page that asks.
    """
    freshness.demand()


def allowed(permission: str) -> bool:
    """For templates: whether the member of this request holds ``permission``."""
    return bool(access.can(g.get("member"), Permission(permission)))


def own_memberships() -> list[Membership]:
    """All memberships of the person signed in; the frame of every page shows them."""
    if "memberships" not in g:
        g.memberships = workspaces.memberships(current.user())
    found: list[Membership] = g.memberships
    return found


def check_every_route(app: Flask) -> None:
    """Refuse to start with an unguarded route. Static files are public by nature."""
    bare = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and guard_of(app, rule.endpoint) is None
    ]
    if bare:
        raise RuntimeError(f"routes without a guard: {', '.join(sorted(bare))}")


def guard_of(app: Flask, endpoint: str) -> str | None:
    """The guard a route declares: a permission's name or the kind of guard."""
    return getattr(app.view_functions[endpoint], "guard", None)


def _enter(workspace_id: str, permission: Permission | None = None) -> None:
    mine = own_memberships()
    found = next((item for item in mine if item.workspace_id == workspace_id), None)
    verdict = access.may_enter(found)
    if found is None or not (verdict or verdict.reason):
        abort(404)
    g.member = found
    tenancy.enter(found.workspace_id)
    if not verdict:
        _deny(verdict, "membership suspended")
    if not _open_without_factor(permission):
        _demand_factor(found)


def _open_without_factor(permission: Permission | None) -> bool:
    """What stops or flattens never waits, nor do the pages where its buttons are."""
    looking = request.method in SAFE and permission is Permission.BOT_VIEW
    return (looking and request.blueprint == "bots") or permission in access.NEVER_WAITS


def _demand_factor(member: Membership) -> None:
    if factors.lacking(member.workspace, current.user(), current.now()):
        raise FactorMissing(
            f"{member.workspace.name} asks its members for a second factor. Add an authenticator "
            "app under Security in your account; then its pages open for you."
        )


def _deny(verdict: Verdict, what: str) -> NoReturn:
    """Refuse, and keep the attempt in a transaction of its own: the request changes nothing."""
    workspace_id, actor, now = current.workspace().id, current.actor(), current.now()
    db.session.rollback()
    audit.record(
        "access.denied",
        by=actor,
        now=now,
        workspace_id=workspace_id,
        target_id=current.named(),
        reason=what,
        outcome=AuditOutcome.DENIED,
    )
    db.session.commit()
    raise Forbidden(verdict.reason)


def _mark(view: View, guard: str) -> View:
    # Functions carry attributes; the types of callables do not say so.
    view.guard = guard  # type: ignore[attr-defined]
    return view
