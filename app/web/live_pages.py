"""The page where a bot goes live: what it shows, and what its buttons do."""

from typing import Any

from app import current
from app.domain import (
    approvals,
    bot_safety,
    connections,
    evidence,
    factors,
    going_live,
    revisions,
)
from app.domain.approval_subjects import go_live
from app.domain.certification import vouching
from app.domain.errors import Invalid
from app.domain.going_live import Line, Standing
from app.domain.venues import known
from app.forms.live import LiveForm
from app.models import ApprovalKind, Bot, Connection, Environment
from app.web import guards, new_bots, readiness_pages, risk_pages
from runner.protocol import Mode


def form_of(bot: Bot) -> LiveForm:
    """With the live keys of the workspace at the bot's exchange."""
    form = LiveForm()
    form.connection.choices = new_bots.connection_choices(Environment.LIVE, bot.exchange)
    return form


def facts(bot: Bot, form: LiveForm) -> dict[str, Any]:
    """All that the page shows."""
    now, workspace = current.now(), current.workspace()
    found = [*going_live.guards(bot, bot.live_connection, revisions.safety_of(bot), now), _factor()]
    return {
        "bot": bot,
        "form": form,
        "word": vouching.word(known(bot.exchange)),
        "guards": found,
        "evidence": evidence.lines(bot, workspace, evidence.so_far(bot, now)),
        "missing": [line for line in found if line.standing is Standing.MISSING],
        "approved": bot.mode is Mode.LIVE and revisions.stands(bot),
        "asking": risk_pages.asking(ApprovalKind.GO_LIVE, bot),
        **readiness_pages.facts(bot),
    }


def carry_out(bot: Bot, form: LiveForm, act: str) -> str:
    """Save what guards it, or go live with it, or ask for that; what to say then."""
    connection = _chosen(form)
    by, now = current.actor(), current.now()
    if act != "ask":
        bot_safety.prepare(bot, connection, form.safety(), by=by, now=now)
        return "Saved. Nothing is live by that."
    accepted = vouching.word(known(bot.exchange)).text if form.acknowledged.data else ""
    subject = go_live(bot, connection, form.safety(), now, accepted)
    if approvals.alone(current.member(), ApprovalKind.GO_LIVE):
        guards.demand_fresh()
    return risk_pages.act(subject, form.reason.data, f"{bot.name} is in live mode.")


def _chosen(form: LiveForm) -> Connection | None:
    if not form.connection.data:
        return None
    found = connections.find(current.workspace(), form.connection.data)
    if found is None:
        raise Invalid("Choose one of the connections.", "connection")
    return found


def _factor() -> Line:
    title = "Your second factor"
    if factors.confirmed(current.user()) is not None:
        return Line("factor", title, Standing.GOOD, "Set up.")
    cure = "Set one up under Security in your account."
    return Line("factor", title, Standing.MISSING, "You have none.", cure)
