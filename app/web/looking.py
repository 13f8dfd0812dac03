"""The pages of a look: one workspace is open, to be read, and each page is told to its owners.

``begin`` narrows the request from everything, which operators' pages start with, to the one
workspace of the access. Nothing here is a form but the button that ends it.
"""

from dataclasses import dataclass, replace
from typing import Any

from flask import abort, render_template

from app import current, tenancy
from app.domain import bots as bot_rows
from app.domain import overview, records
from app.domain.decisions import reading
from app.domain.support import looks
from app.domain.support.looks import Look
from app.models import Bot, Workspace
from app.web import transactions
from app.web.formatting import decimals

OVER = "This access has ended, or is not yours. Ask again from the ticket."


@dataclass(frozen=True)
class Opened:
    """A look under way, and whose workspace it is into."""

    look: Look
    workspace: Workspace


def begin(access_id: str) -> Opened:
    """What an access opens at this moment, or 404. From here on no other workspace exists."""
    look = looks.open_to(access_id, current.user(), current.now()) or abort(404, OVER)
    tenancy.enter(look.workspace_id)
    tenancy.recognise(current.user().id)
    return Opened(look, looks.workspace(look))


def bots(opened: Opened) -> str:
    """All bots of the workspace."""
    now, tempo = current.now(), current.config().tempo
    rows = overview.summaries(opened.workspace, now, tempo)
    _note(opened.look, "bots", None)
    return _page("look/index.html", opened, rows=rows)


def tab(opened: Opened, bot_id: str, name: str) -> str:
    """One page about one bot."""
    bot = bot_rows.find(opened.workspace, bot_id) or abort(404)
    if name == "decisions" and not opened.look.strategy:
        abort(404)
    row = overview.summary(bot, current.now(), current.config().tempo)
    shown = {"bot": bot, "row": row, "tab": name, "places": _places(bot)} | _LOADERS[name](bot)
    _note(opened.look, f"{name} of {bot.name}", bot.id)
    return _page(f"look/{name}.html", opened, **shown)


def _overview(bot: Bot) -> dict[str, Any]:
    return {"trades": records.trades(bot, 8), "machines": records.machines(bot, 2)}


def _orders(bot: Bot) -> dict[str, Any]:
    found = {"orders": records.orders(bot, 50), "fills": records.fills(bot, 50)}
    return found | {"trades": records.trades(bot, 50)}


def _decisions(bot: Bot) -> dict[str, Any]:
    return {"decisions": reading.newest(reading.Wanted(bot.id), 60)}


def _machines(bot: Bot) -> dict[str, Any]:
    return {"machines": records.machines(bot)}


_LOADERS = {
    "overview": _overview,
    "orders": _orders,
    "decisions": _decisions,
    "machines": _machines,
}


def _places(bot: Bot) -> int:
    return decimals(records.closes(bot, 20), least=2)


def _page(template: str, opened: Opened, **context: Any) -> str:
    return render_template(
        template, look=opened.look, workspace=opened.workspace, now=current.now(), **context
    )


def _note(look: Look, page: str, target_id: str | None) -> None:
    """Both identities: the operator acts, on behalf of whoever granted it."""
    by, now = replace(current.actor(), on_behalf_of=look.granted_by), current.now()
    transactions.afterwards(lambda: looks.note_look(look, page, target_id, by=by, now=now))
