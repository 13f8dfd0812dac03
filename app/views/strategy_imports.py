"""A strategy from a file."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import code_rules, strategies, strategy_files
from app.domain.access import Permission
from app.forms.strategies import FileForm
from app.models import DryRun, Strategy
from app.web import code_pages
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("strategy_imports", __name__, url_prefix="/w/<workspace>/strategies/import")


@bp.get("")
@requires(Permission.STRATEGY_MANAGE)
def new() -> ResponseReturnValue:
    """Ask for the file."""
    return render_template("strategies/import.html", form=FileForm())


@bp.post("")
@requires(Permission.STRATEGY_MANAGE)
def create() -> ResponseReturnValue:
    """Make a strategy of it."""
    form = FileForm()
    made = form.attempt(lambda: _create(form.content()))
    if made is None:
        return render_template("strategies/import.html", form=form), 422
    if isinstance(made, DryRun):
        return redirect_to(url_for("code_strategies.show", dry_run_id=made.id))
    there = url_for("strategies.show", strategy_id=made.id)
    return redirect_to(there, toast=f"{made.name} is in the library.")


def _create(content: bytes) -> Strategy | DryRun:
    """The strategy; of code, its dry run, which comes first."""
    found = strategy_files.read(content)
    if code_rules.is_code(found.rules):
        return code_pages.ask_of_file(found)
    return strategies.create(
        current.workspace(),
        name=found.name,
        rules=found.rules,
        author=current.user(),
        by=current.actor(),
        now=current.now(),
        summary=found.summary,
        tags=found.tags,
    )
