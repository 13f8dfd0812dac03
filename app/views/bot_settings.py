"""Changing a bot: what it trades, when, in which mode, or not at all any more."""

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import (
    approvals,
    bots,
    connections,
    limits,
    runs,
    schedule,
    strategies,
    wishes,
)
from app.domain.access import Permission
from app.domain.approval_subjects import raise_limits
from app.domain.errors import Invalid
from app.domain.venues import known
from app.forms.base import offered
from app.forms.bots import LIMITS, MODE_DETAILS, DeleteForm, EditBotForm, ModeForm
from app.forms.schedule import KIND_DETAILS, ScheduleForm
from app.forms.wishes import WishForm
from app.models import ApprovalKind, Bot, StrategyVersion
from app.web import (
    billing_pages,
    bot_pages,
    code_pages,
    guards,
    loading,
    new_bots,
    risk_pages,
)
from app.web.formatting import symbol
from app.web.guards import requires
from app.web.hypermedia import fragment, redirect_to, wants_fragment
from runner.protocol import Limits, Mode, from_plain

LIVE_ELSEWHERE = "Going live is asked for, on a page of its own."

bp = Blueprint("bot_settings", __name__, url_prefix="/w/<workspace>/bots/<bot_id>")


@bp.get("/edit")
@requires(Permission.BOT_CONFIGURE)
def edit(bot_id: str) -> ResponseReturnValue:
    """Name, version, symbols, limits as they are."""
    bot = loading.bot(bot_id)
    form = _edit_form(bot)
    form.name.data, form.version.data = bot.name, bot.strategy_version_id
    form.symbols.data = bot.symbols
    form.show_limits(from_plain(Limits, bot.limits))
    return _edit_page(bot, form)


@bp.post("/edit")
@requires(Permission.BOT_CONFIGURE)
def update(bot_id: str) -> ResponseReturnValue:
    """Change them."""
    bot = loading.bot(bot_id)
    form = _edit_form(bot)
    said = form.attempt(lambda: _configure(bot, form))
    return _saved(bot, said) if said else (_edit_page(bot, form), 422)


@bp.get("/schedule")
@requires(Permission.BOT_SCHEDULE)
def sessions(bot_id: str) -> ResponseReturnValue:
    """The trading sessions as they are."""
    bot = loading.bot(bot_id)
    form = ScheduleForm()
    form.show(schedule.from_plain(bot.schedule))
    return _schedule_page(bot, form)


@bp.post("/schedule")
@requires(Permission.BOT_SCHEDULE)
def reschedule(bot_id: str) -> ResponseReturnValue:
    """Set other ones."""
    bot = loading.bot(bot_id)
    form = ScheduleForm()
    if form.grows(request.form):
        return _schedule_page(bot, form)
    if "preview" in request.form:
        return _preview(bot, form)
    by, now = current.actor(), current.now()
    saved = form.accepts(lambda: bots.reschedule(bot, form.settled_plan(), by=by, now=now))
    return _saved(bot) if saved else (_schedule_page(bot, form), 422)


@bp.get("/wish")
@requires(Permission.BOT_SCHEDULE)
def wish(bot_id: str) -> ResponseReturnValue:
    """Wake it, keep it awake, let it sleep, for a while."""
    return _wish_page(loading.bot(bot_id), WishForm())


@bp.post("/wish")
@requires(Permission.BOT_SCHEDULE)
def make_wish(bot_id: str) -> ResponseReturnValue:
    """Do one of them, or take it back."""
    bot, form = loading.bot(bot_id), WishForm()
    if form.accepts(lambda: form.carry_out(bot)):
        return _saved(bot)
    return _wish_page(bot, form), 422


@bp.get("/mode")
@requires(Permission.BOT_CONFIGURE)
def mode(bot_id: str) -> ResponseReturnValue:
    """What a switch changes and what it does not."""
    bot = loading.bot(bot_id)
    form = _mode_form(bot)
    form.begin_with(bot, request.args.get("connection"))
    return _mode_page(bot, form)


@bp.post("/mode")
@requires(Permission.BOT_CONFIGURE)
def switch(bot_id: str) -> ResponseReturnValue:
    """Paper to testnet, or back; live is asked for."""
    bot = loading.bot(bot_id)
    form = _mode_form(bot)
    said = form.attempt(lambda: _switch(bot, form))
    return _saved(bot, said) if said else (_mode_page(bot, form), 422)


@bp.get("/delete")
@requires(Permission.BOT_DELETE)
def confirm(bot_id: str) -> ResponseReturnValue:
    """What goes, what stays, and the name to type."""
    bot = loading.bot(bot_id)
    return render_template(
        "bots/delete.html", bot=bot, form=DeleteForm(), flat=runs.is_flat(bot, current.now())
    )


@bp.post("/delete")
@requires(Permission.BOT_DELETE)
def delete(bot_id: str) -> ResponseReturnValue:
    """Delete it for good."""
    bot, form = loading.bot(bot_id), DeleteForm()
    name, by, now = form.name.data or "", current.actor(), current.now()
    if form.accepts(lambda: bots.delete(bot, typed_name=name, by=by, now=now)):
        return redirect_to(url_for("bots.index"), toast=f"{bot.name} is being deleted.")
    return render_template(
        "bots/delete.html", bot=bot, form=form, flat=runs.is_flat(bot, current.now())
    ), 422


def _saved(bot: Bot, toast: str = "Saved.") -> ResponseReturnValue:
    return redirect_to(url_for("bots.show", bot_id=bot.id), toast=toast)


def _edit_form(bot: Bot) -> EditBotForm:
    form = EditBotForm()
    library = strategies.in_workspace(current.workspace())
    versions = [version for item in library for version in item.versions]
    if bot.version not in versions:
        versions.insert(0, bot.version)
    form.version.choices = offered((version.id, version.label) for version in versions)
    there = known(bot.exchange).symbols or bot.symbols
    form.symbols.choices = offered((item, symbol(item)) for item in there)
    return form


def _edit_page(bot: Bot, form: EditBotForm) -> str:
    return render_template(
        "bots/edit.html",
        bot=bot,
        form=form,
        limits=LIMITS,
        flat=runs.is_flat(bot, current.now()),
        asking=risk_pages.asking(ApprovalKind.RAISE_BOT_LIMITS, bot),
    )


def _configure(bot: Bot, form: EditBotForm) -> str:
    """What needs nobody at once; what raises a limit by itself, or as a request."""
    before, wanted = from_plain(Limits, bot.limits), form.limits()
    raised = limits.raised(before, wanted)
    if raised and approvals.alone(current.member(), ApprovalKind.RAISE_BOT_LIMITS):
        guards.demand_fresh()
    bots.configure(
        bot,
        name=form.name.data or "",
        version=_chosen_version(form.version.data),
        symbols=tuple(form.symbols.data or ()),
        limits=limits.lower_of(before, wanted),
        by=current.actor(),
        now=current.now(),
    )
    if not raised:
        return "Saved."
    return risk_pages.act(raise_limits(bot, wanted), form.reason.data)


def _chosen_version(version_id: str) -> StrategyVersion:
    found = strategies.find_version(current.workspace(), version_id)
    if found is None:
        raise Invalid("Choose one of the versions.", "strategy")
    return code_pages.runnable(found)


def _schedule_page(bot: Bot, form: ScheduleForm, **context: Any) -> str:
    told = billing_pages.advice_on(bot.region, schedule.from_plain(bot.schedule))
    shown = {"preview": None, "preview_fault": "", "advice": told, **context}
    return render_template("bots/schedule.html", bot=bot, form=form, kinds=KIND_DETAILS, **shown)


def _preview(bot: Bot, form: ScheduleForm) -> ResponseReturnValue:
    """The week and the findings of a schedule that is not saved yet."""
    shown = bot_pages.preview(bot, form)
    if wants_fragment():
        return fragment("bots/_preview.html", form=form, **shown)
    return _schedule_page(bot, form, **shown)


def _wish_page(bot: Bot, form: WishForm) -> str:
    awake, asleep = wishes.standing(bot, current.now())
    return render_template(
        "bots/wish.html", bot=bot, form=form, kept_awake=awake, put_to_sleep=asleep
    )


def _mode_form(bot: Bot) -> ModeForm:
    form = ModeForm()
    form.connection.choices = new_bots.connection_choices(exchange=bot.exchange)
    return form


def _mode_page(bot: Bot, form: ModeForm) -> str:
    return render_template(
        "bots/mode.html",
        bot=bot,
        form=form,
        flat=runs.is_flat(bot, current.now()),
        details=MODE_DETAILS,
        refused=_barred(bot),
    )


def _barred(bot: Bot) -> dict[str, str]:
    """Why a mode cannot be switched to here."""
    venue = known(bot.exchange)
    missing = {mode.value: fault for mode in Mode if (fault := venue.mode_fault(mode))}
    return {Mode.LIVE.value: LIVE_ELSEWHERE} | missing


def _switch(bot: Bot, form: ModeForm) -> str:
    chosen = connections.find(current.workspace(), form.connection.data or "")
    bots.switch_mode(bot, Mode(form.mode.data), chosen, by=current.actor(), now=current.now())
    return f"{bot.name} is in {bot.mode} mode."
