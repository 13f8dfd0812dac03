"""The strategy library: templates, strategies, versions."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import code_rules, strategies, strategy_tags, tags
from app.domain.access import Permission
from app.domain.strategy_changes import COMBINATIONS, DIRECTIONS
from app.forms.strategies import NameForm, RulesForm, TagsForm
from app.forms.strategy_parts import SECTIONS, choices
from app.models import Strategy, StrategyVersion
from app.web import loading, preview_pages, variations
from app.web.guards import requires
from app.web.hypermedia import fragment, redirect_to, signal, wants_fragment
from app.web.rules_pages import base_of, overtaking, rules_sent
from runner.strategy import COMPONENTS, TEMPLATES, Template, explain, warmup

bp = Blueprint("strategies", __name__, url_prefix="/w/<workspace>/strategies")


@bp.get("")
@requires(Permission.STRATEGY_VIEW)
def index() -> ResponseReturnValue:
    """The workspace's own strategies, those searched for, or those in the archive."""
    text, name = request.args.get("q", "").strip()[:80], request.args.get("tag", "")[: tags.LONGEST]
    workspace, archived = current.workspace(), "archived" in request.args
    found = strategies.in_workspace(workspace, text=text, tag=name, archived=archived)
    shown = {"strategies": found, "text": text, "tag": name, "archived": archived}
    shown |= {"tags": strategy_tags.used(workspace), "now": current.now()}
    shown["code"] = current.config().code_strategies
    return render_template("strategies/index.html", **shown)


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
    toast = "The strategy is yours now. Change what you like and watch the preview."
    return redirect_to(url_for(".edit", strategy_id=strategy.id), toast=toast)


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
    """The newest rules as a form, or a draft with the numbers a backtest tried."""
    strategy = loading.strategy(strategy_id)
    if code_rules.is_code(strategy.latest.rules):
        return redirect_to(url_for("code_strategies.new", strategy=strategy.id))
    rules, changed = variations.drafted(strategy)
    form = RulesForm.of(rules, strategy.latest.number)
    if changed:
        form.note.data = f"Tried in a backtest: {', '.join(changed)}"[:300]
    return _edit_page(strategy, form, changed)


@bp.post("/<strategy_id>/edit")
@requires(Permission.STRATEGY_MANAGE)
def publish(strategy_id: str) -> ResponseReturnValue:
    """Write the next version; a step of the builder writes nothing."""
    strategy = loading.strategy(strategy_id)
    step = request.form.get("step", "")
    form = rules_sent(strategy, step)
    if step:
        return _stepped_page(strategy, form, step)
    made = form.attempt(lambda: _publish(strategy, form))
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


@bp.post("/<strategy_id>/tags")
@requires(Permission.STRATEGY_MANAGE)
def tag(strategy_id: str) -> ResponseReturnValue:
    """Put tags in place of those it had."""
    strategy, form = loading.strategy(strategy_id), TagsForm()
    by, now = current.actor(), current.now()
    if not form.accepts(
        lambda: strategy_tags.put(strategy, tags.read(form.tags.data or ""), by=by, now=now)
    ):
        return _version_page(strategy.latest, form), 422
    return redirect_to(url_for(".show", strategy_id=strategy.id), toast="The tags are saved.")


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


def _publish(strategy: Strategy, form: RulesForm) -> StrategyVersion:
    return strategies.publish(
        strategy,
        rules=form.rules(),
        base=form.seen(base_of(strategy).number),
        note=form.note.data or "",
        author=current.user(),
        by=current.actor(),
        now=current.now(),
    )


def _new_page(template: Template, form: NameForm) -> str:
    words = explain(template.rules)
    return render_template("strategies/new.html", template=template, form=form, words=words)


def _edit_page(strategy: Strategy, form: RulesForm, changed: Sequence[str] = ()) -> str:
    sound = not strategies.faults(form.rules())
    words = explain(form.rules()) if sound else ""
    shown = {"words": words, "picking": None, "changed": changed, "version": ""}
    shown |= preview_pages.aside(form) | overtaking(strategy, base_of(strategy).number, form)
    return render_template("strategies/edit.html", strategy=strategy, form=form, **shown)


def _stepped_page(strategy: Strategy, form: RulesForm, step: str) -> ResponseReturnValue:
    """The form after a step, faults beside their fields: all of it, or the builder alone."""
    sound = form.accepts(lambda: strategies.check(form.rules()))
    verb, _, about = step.partition(":")
    shown: dict[str, Any] = {
        "words": explain(form.rules()) if sound else "",
        "picking": about if verb == "pick" and about in SECTIONS else None,
        "find": request.form.get("find", "")[:60],
        "changed": (),
        "newest": None,
        "choices": choices,
        "strategy": strategy,
        "form": form,
    }
    if wants_fragment():
        # The preview beside it asks anew for what the step made of the rules.
        return signal(fragment("strategies/_builder.html", **shown), "rules-changed")
    beside = preview_pages.asked(form) if verb == "preview" else preview_pages.aside(form)
    return render_template("strategies/edit.html", version="", **shown, **beside)


def _version_page(found: StrategyVersion, form: TagsForm | None = None) -> str:
    if form is None:
        form = TagsForm(formdata=None, data={"tags": ", ".join(found.strategy.tag_names)})
    return render_template(
        "strategies/show.html",
        strategy=found.strategy,
        version=found,
        words=explain(found.rules),
        candles=warmup(found.rules),
        components=COMPONENTS,
        form=form,
        source=code_rules.numbered(found.rules),
        modes=COMBINATIONS,
        directions=DIRECTIONS,
    )
