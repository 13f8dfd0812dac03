"""What a bot's overview says of its decisions."""

from typing import Any

from app import current
from app.domain.decisions import funnels, reading
from app.domain.decisions.reading import Wanted
from app.models import Bot

SHOWN = 8


def latest(bot: Bot) -> dict[str, Any]:
    """The newest decisions of the bot's present mode, and the funnel of today, UTC."""
    today = funnels.asked(bot, bot.mode, funnels.TODAY, current.now())
    newest = reading.newest(Wanted(bot.id, today.runs), SHOWN)[:SHOWN]
    return {"decisions": newest, "funnel": funnels.summary(bot, today).counts}
