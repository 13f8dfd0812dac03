"""Code strategies: the editor, the dry run of a source, and saving what has passed."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import dry_runs
from app.domain.access import Permission
from app.forms.code import NoteForm, SourceForm
from app.models import DryRun, StrategyVersion
from app.web import backtest_pages, code_pages, loading
from app.web.guards import requires
from app.web.hypermedia import live, redirect_to
from app.web.rules_pages import overtaking

bp = Blueprint("code_strategies", __name__, url_prefix="/w/<workspace>/strategies/code")


@bp.get("")
@requires(Permission.STRATEGY_MANAGE)
def new() -> ResponseReturnValue:
    """The editor: on the template, or on the newest version of a strategy."""
    strategy = code_pages.strategy_of(request.args)
    shown = code_pages.editor(code_pages.opened(strategy), strategy)
    return render_template("code/edit.html", **shown)


@bp.post("")
@requires(Permission.STRATEGY_MANAGE)
def check() -> ResponseReturnValue:
    """Read the source, and have it run on recent candles."""
    form, strategy = SourceForm(), code_pages.strategy_of(request.args)
    made = form.attempt(lambda: code_pages.ask(form, strategy))
    if made is None:
        return render_template("code/edit.html", **code_pages.editor(form, strategy)), 422
    return redirect_to(url_for(".show", dry_run_id=made.id))


@bp.get("/<dry_run_id>")
@requires(Permission.STRATEGY_MANAGE)
def show(dry_run_id: str) -> ResponseReturnValue:
    """How far it is, or what came of it."""
    return _page(loading.dry_run(dry_run_id), NoteForm())


@bp.get("/<dry_run_id>/progress")
@requires(Permission.STRATEGY_MANAGE)
def progress(dry_run_id: str) -> ResponseReturnValue:
    """The part that changes by itself, polled until it is over; then the whole page is due."""
    dry_run = loading.dry_run(dry_run_id)
    if dry_run.over:
        return redirect_to(url_for(".show", dry_run_id=dry_run.id))
    return live("code/_progress.html", **code_pages.told(dry_run))


@bp.get("/<dry_run_id>/edit")
@requires(Permission.STRATEGY_MANAGE)
def edit(dry_run_id: str) -> ResponseReturnValue:
    """Go on with this source."""
    dry_run = loading.dry_run(dry_run_id)
    data = {"name": dry_run.name, "base": str(dry_run.base), "source": dry_run.source}
    shown = code_pages.editor(SourceForm(data=data), dry_run.strategy)
    return render_template("code/edit.html", **shown)


@bp.post("/<dry_run_id>/cancel")
@requires(Permission.STRATEGY_MANAGE)
def cancel(dry_run_id: str) -> ResponseReturnValue:
    """End it."""
    dry_run = loading.dry_run(dry_run_id)
    dry_runs.cancel(dry_run, by=current.actor(), now=current.now())
    there = url_for(".show", dry_run_id=dry_run.id)
    return redirect_to(there, toast=backtest_pages.ending(dry_run))


@bp.post("/<dry_run_id>/version")
@requires(Permission.STRATEGY_MANAGE)
def save(dry_run_id: str) -> ResponseReturnValue:
    """Make what has passed a version."""
    dry_run, form = loading.dry_run(dry_run_id), NoteForm()
    made = form.attempt(lambda: _save(dry_run, form))
    if made is None:
        return _page(dry_run, form), 422
    there = url_for("strategies.show", strategy_id=made.strategy_id)
    return redirect_to(there, toast=f"{made.label} is saved. Bots keep the version they have.")


def _save(dry_run: DryRun, form: NoteForm) -> StrategyVersion:
    return dry_runs.save(
        dry_run,
        note=form.note.data or "",
        base=form.seen(dry_run.base),
        allowed=code_pages.allowed(),
        author=current.user(),
        by=current.actor(),
        now=current.now(),
    )


def _page(dry_run: DryRun, form: NoteForm) -> str:
    shown = code_pages.told(dry_run) | overtaking(dry_run.strategy, dry_run.base, form)
    return render_template("code/show.html", form=form, **shown)
