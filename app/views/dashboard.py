"""The first page of a workspace: what its bots are, hold, and did today."""

from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app import current
from app.domain import book, bot_alarms, feed, lifecycle, limit_breaches, overview
from app.domain.access import Permission
from app.web.guards import requires
from app.web.hypermedia import live

bp = Blueprint("dashboard", __name__, url_prefix="/w/<workspace>")


@bp.get("/")
@requires(Permission.BOT_VIEW)
def show() -> ResponseReturnValue:
    """The whole page."""
    return render_template("dashboard/show.html", version="", **_board())


@bp.get("/board")
@requires(Permission.BOT_VIEW)
def board() -> ResponseReturnValue:
    """The part that changes by itself."""
    return live("dashboard/_board.html", **_board())


def _board() -> dict[str, Any]:
    now, workspace = current.now(), current.workspace()
    rows = overview.summaries(workspace, now, current.config().tempo)
    ringing = bot_alarms.in_workspace(workspace)
    return {
        "rows": rows,
        "names": {row.bot.id: row.bot.name for row in rows},
        "totals": overview.totals(rows),
        "held": limit_breaches.bots_held(workspace, now),
        "opposites": book.opposites(workspace),
        "feed": feed.latest(workspace, limit=10),
        "alarms": ringing,
        "takers": bot_alarms.takers(ringing),
        "now": now,
        "settled": lifecycle.waits_for_nothing([row.reading for row in rows]),
    }
