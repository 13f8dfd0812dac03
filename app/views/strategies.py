"""The strategy library: templates, strategies, versions."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import code_rules, strategies
from app.domain.access import Permission
from app.forms.strategies import NameForm, RulesForm
from app.forms.strategy_parts import SECTIONS, choices
from app.models import Strategy, StrategyVersion
from app.web import loading
from app.web.guards import requires
from app.web.hypermedia import redirect_to, wants_fragment
from runner.strategy import COMPONENTS, TEMPLATES, Template, explain, warmup

bp = Blueprint("strategies", __name__, url_prefix="/w/<workspace>/strategies")


@bp.get("")
@requires(Permission.STRATEGY_VIEW)
def index() -> ResponseReturnValue:
    """The workspace's own strategies, those searched for, or those in the archive."""
    text, archived = request.args.get("q", "").strip()[:80], "archived" in request.args
    found = strategies.in_workspace(current.workspace(), text=text, archived=archived)
    shown = {"strategies": found, "text": text, "archived": archived, "now": current.now()}
    return render_template("strategies/index.html", code=current.config().code_strategies, **shown)


@bp.get("/templates")
@requires(Permission.STRATEGY_VIEW)
def templates() -> ResponseReturnValue:
    """The library to start from."""
    return render_template("strategies/templates.html", templates=TEMPLATES, explain=explain)


@bp.get("/new")
@requires(Permission.STRATEGY_MANAGE)
def new() -> ResponseReturnValue:
    """Name a strategy made from a template."""
    template = strategies.template(request.args.get("template", TEMPLATES[0].key))
    return _new_page(template, NameForm(data={"name": template.title}))


@bp.post("/new")
@requires(Permission.STRATEGY_MANAGE)
def create() -> ResponseReturnValue:
    """Make it."""
    template = strategies.template(request.args.get("template", ""))
    form = NameForm()
    strategy = form.attempt(lambda: _create(template, form.name.data or ""))
    if strategy is None:
        return _new_page(template, form), 422
    return redirect_to(
        url_for(".show", strategy_id=strategy.id), toast="The strategy is yours now."
    )


@bp.get("/<strategy_id>")
@requires(Permission.STRATEGY_VIEW)
def show(strategy_id: str) -> ResponseReturnValue:
    """The newest version."""
    return _version_page(loading.strategy(strategy_id).latest)


@bp.get("/<strategy_id>/v/<int:number>")
@requires(Permission.STRATEGY_VIEW)
def version(strategy_id: str, number: int) -> ResponseReturnValue:
    """One version; it never changes."""
    return _version_page(loading.version(strategy_id, number))


@bp.get("/<strategy_id>/edit")
@requires(Permission.STRATEGY_MANAGE)
def edit(strategy_id: str) -> ResponseReturnValue:
    """The newest rules as a form."""
    strategy = loading.strategy(strategy_id)
    newest = strategy.latest
    if code_rules.is_code(newest.rules):
        return redirect_to(url_for("code_strategies.new", strategy=strategy.id))
    return _edit_page(strategy, RulesForm.of(newest.rules, newest.number))


@bp.post("/<strategy_id>/edit")
@requires(Permission.STRATEGY_MANAGE)
def publish(strategy_id: str) -> ResponseReturnValue:
    """Write the next version; a step of the builder writes nothing."""
    strategy = loading.strategy(strategy_id)
    base, step = _base(strategy), request.form.get("step", "")
    form = RulesForm.of(base.rules, base.number, request.form.getlist("part"), step)
    if step:
        return _stepped_page(strategy, form, step)
    made = form.attempt(lambda: _publish(strategy, form, base))
    if made is None:
        return _edit_page(strategy, form), 422
    toast = f"{made.label} is published. Bots keep the version they have until you change it."
    return redirect_to(url_for(".show", strategy_id=strategy.id), toast=toast)


@bp.post("/<strategy_id>/archive")
@requires(Permission.STRATEGY_MANAGE)
def archive(strategy_id: str) -> ResponseReturnValue:
    """Take it out of the library."""
    strategy = loading.strategy(strategy_id)
    strategies.archive(strategy, by=current.actor(), now=current.now())
    return redirect_to(url_for(".index"), toast=f"{strategy.name} is archived.")


@bp.post("/<strategy_id>/restore")
@requires(Permission.STRATEGY_MANAGE)
def restore(strategy_id: str) -> ResponseReturnValue:
    """Bring it back from the archive."""
    strategy = loading.strategy(strategy_id)
    strategies.restore(strategy, by=current.actor(), now=current.now())
    there = url_for(".show", strategy_id=strategy.id)
    return redirect_to(there, toast=f"{strategy.name} is back in the library.")


def _create(template: Template, name: str) -> Strategy:
    return strategies.create(
        current.workspace(),
        name=name,
        rules=template.rules,
        author=current.user(),
        by=current.actor(),
        now=current.now(),
        summary=template.summary,
        template_key=template.key,
    )


def _base(strategy: Strategy) -> StrategyVersion:
    """The version the form sent was opened on; its fields are those of that version's parts."""
    told = request.form.get("base", "")
    return next((item for item in strategy.versions if str(item.number) == told), strategy.latest)


def _publish(strategy: Strategy, form: RulesForm, base: StrategyVersion) -> StrategyVersion:
    return strategies.publish(
        strategy,
        rules=form.rules(),
        base=base.number,
        note=form.note.data or "",
        author=current.user(),
        by=current.actor(),
        now=current.now(),
    )


def _new_page(template: Template, form: NameForm) -> str:
    words = explain(template.rules)
    return render_template("strategies/new.html", template=template, form=form, words=words)


def _edit_page(strategy: Strategy, form: RulesForm) -> str:
    sound = not strategies.faults(form.rules())
    shown = {"words": explain(form.rules()) if sound else "", "picking": None}
    return render_template("strategies/edit.html", strategy=strategy, form=form, **shown)


def _stepped_page(strategy: Strategy, form: RulesForm, step: str) -> ResponseReturnValue:
    """The form after a step, faults beside their fields: all of it, or the builder alone."""
    sound = form.accepts(lambda: strategies.check(form.rules()))
    verb, _, about = step.partition(":")
    text = request.form.get("find", "")[:60]
    shown = {
        "words": explain(form.rules()) if sound else "",
        "picking": about if verb == "pick" and about in SECTIONS else None,
        "find": text,
        "choices": choices,
    }
    template = "strategies/_builder.html" if wants_fragment() else "strategies/edit.html"
    return render_template(template, strategy=strategy, form=form, **shown)


def _version_page(found: StrategyVersion) -> str:
    return render_template(
        "strategies/show.html",
        strategy=found.strategy,
        version=found,
        words=explain(found.rules),
        candles=warmup(found.rules),
        components=COMPONENTS,
        source=code_rules.numbered(found.rules),
    )
