"""Studies: backtests of many combinations, asked for."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.access import Permission
from app.models import BacktestKind
from app.web import study_pages
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("studies", __name__, url_prefix="/w/<workspace>/backtests")


@bp.get("/sweep")
@requires(Permission.BACKTEST_RUN)
def sweep() -> ResponseReturnValue:
    """What to vary."""
    return render_template("studies/new.html", **study_pages.page(BacktestKind.SWEEP))


@bp.post("/sweep")
@requires(Permission.BACKTEST_RUN)
def create_sweep() -> ResponseReturnValue:
    """Queue it."""
    return _created(BacktestKind.SWEEP)


@bp.get("/walk-forward")
@requires(Permission.BACKTEST_RUN)
def walk_forward() -> ResponseReturnValue:
    """What to vary, and how to cut the period."""
    return render_template("studies/new.html", **study_pages.page(BacktestKind.WALK_FORWARD))


@bp.post("/walk-forward")
@requires(Permission.BACKTEST_RUN)
def create_walk_forward() -> ResponseReturnValue:
    """Queue it."""
    return _created(BacktestKind.WALK_FORWARD)


def _created(kind: BacktestKind) -> ResponseReturnValue:
    version = study_pages.version_of()
    if version is None:
        current.refuse("no such version")
        return render_template("studies/new.html", **study_pages.page(kind)), 422
    form = study_pages.filled(version)
    made = form.attempt(lambda: study_pages.create(form, kind))
    if made is None:
        return render_template("studies/new.html", **study_pages.page(kind, form)), 422
    return redirect_to(url_for("backtests.show", backtest_id=made.id))
