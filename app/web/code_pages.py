"""What pages of code strategies show: the editor, a dry run, a source with its lines."""

from typing import Any

from flask import abort

from app import current
from app.domain import code_rules, dry_runs, strategies
from app.domain.code_tasks import CREATING
from app.domain.errors import Invalid
from app.domain.strategy_files import StrategyFile
from app.forms.code import SourceForm
from app.models import BacktestState, DryRun, Strategy, StrategyVersion
from app.web.backtest_pages import WORDS
from runner.strategy import explain
from runner.strategy.source import LARGEST
from runner.strategy.source_template import TEMPLATE


def allowed() -> bool:
    """Whether code strategies may run here."""
    return current.config().code_strategies


def runnable(version: StrategyVersion) -> StrategyVersion:
    """The version, unless it is code where none may run. Raises ``Refused``."""
    code_rules.check_allowed(version.rules, allowed=allowed())
    return version


def strategy_of(args: Any) -> Strategy | None:
    """The strategy whose next version is written; 404 for one that is not there or not of code."""
    wanted = args.get("strategy", "")
    if not wanted:
        return None
    found = strategies.find(current.workspace(), wanted)
    if found is None or not code_rules.is_code(found.latest.rules):
        abort(404)
    return found


def opened(strategy: Strategy | None) -> SourceForm:
    """The editor on a strategy's newest version, or on the template."""
    if strategy is None:
        return SourceForm(data={"name": "My code strategy", "base": "0", "source": TEMPLATE})
    newest = strategy.latest
    data = {"name": strategy.name, "base": str(newest.number)}
    return SourceForm(data={**data, "source": code_rules.source_of(newest.rules)})


def ask(form: SourceForm, strategy: Strategy | None) -> DryRun:
    """Queue a dry run of what was typed."""
    base = form.base.data or "0"
    if not base.isdigit() or len(base) > 9:
        raise Invalid("Open the editor again; this form is not whole.", "source")
    return dry_runs.request(
        current.workspace(),
        name=form.name.data or "",
        source=form.source.data or "",
        strategy=strategy,
        base=int(base),
        allowed=allowed(),
        author=current.user(),
        by=current.actor(),
        now=current.now(),
    )


def ask_of_file(found: StrategyFile) -> DryRun:
    """Queue a dry run of what a file holds."""
    return dry_runs.request(
        current.workspace(),
        name=found.name,
        source=code_rules.source_of(found.rules),
        strategy=None,
        base=0,
        allowed=allowed(),
        author=current.user(),
        by=current.actor(),
        now=current.now(),
        summary=found.summary,
    )


def editor(form: SourceForm, strategy: Strategy | None) -> dict[str, Any]:
    """What the editor's page shows."""
    numbered = list(enumerate((form.source.data or "").splitlines(), 1))
    return {
        "form": form,
        "strategy": strategy,
        "allowed_here": allowed(),
        "shut": code_rules.SHUT,
        "kib": LARGEST // 1024,
        "numbered": numbered if form.fault_lines else [],
    }


def told(dry_run: DryRun) -> dict[str, Any]:
    """How far a dry run is, or what came of it."""
    fault = dry_run.fault or {}
    place = str(fault.get("field", "")).removeprefix("line ")
    marked = int(place) if place.isdigit() else 0
    return {
        "dry_run": dry_run,
        "creating": dry_run.step == CREATING,
        "elsewhere": current.config().compute.gce is not None,
        "words": WORDS,
        "settled": dry_run.over,
        "failed": dry_run.state is BacktestState.FAILED,
        "marked": marked,
        "numbered": list(enumerate(dry_run.source.splitlines(), 1)),
        "explained": explain(code_rules.rules_of(dry_run.source)),
    }
