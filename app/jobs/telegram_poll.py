"""Fetching updates where Telegram cannot deliver them: hosts without public HTTPS.

``python -m app.jobs.telegram_poll``. Where there is no bot, or a webhook is set up, it ends at once
and quietly. An update is kept before the next are asked for, so that none is lost; one that is
fetched twice is kept once.
"""

import logging
import signal
import sys
import time
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from app import create_app, current
from app.desk_settings import Telegram as Settings
from app.domain.telegram import updates
from app.extensions import db
from app.gateways.telegram import Cause, Fate, Telegram
from app.jobs import effect

log = logging.getLogger(__name__)

LONG = 25
"""Seconds for which Telegram keeps a question open."""

AGAIN_AFTER = 5.0


class Poller:
    """Asks, keeps, and asks for what comes after."""

    def __init__(self, api: Telegram, settings: Settings, long: int = LONG) -> None:
        self.api, self.settings, self.long = api, settings, long
        self.offset = 0
        self.ready = False

    def turn(self, now: datetime) -> float:
        """One question; returns how many seconds to wait before the next."""
        if not self.ready:
            # A webhook that was set before shuts this door; what it left waiting comes to us.
            self.ready = self.api.call("deleteWebhook", {}).fate is Fate.DONE
            if not self.ready:
                return AGAIN_AFTER
        wanted = {"timeout": self.long, "allowed_updates": list(updates.WANTED)}
        if self.offset:
            wanted["offset"] = self.offset
        answer = self.api.call("getUpdates", wanted, patience=float(self.long))
        if answer.fate is not Fate.DONE or not isinstance(answer.result, list):
            self.ready = answer.cause is not Cause.ELSEWHERE
            return float(answer.wait) or AGAIN_AFTER
        whole = [it for it in answer.result if isinstance(it, dict)]
        for told in whole:
            updates.store(self.settings.bot_id, told, now)
        db.session.commit()
        numbers = [it["update_id"] for it in whole if isinstance(it.get("update_id"), int)]
        self.offset = numbers[-1] + 1 if numbers else self.offset
        return 0.0


def main() -> int:
    """Poll until told to stop. Telegram or the database being away is waited out."""
    app = create_app(role="worker")
    settings: Settings = app.extensions["plutarc"].telegram
    if not settings.polls:
        return 0
    for number in (signal.SIGTERM, signal.SIGINT):
        # A question under way is not waited for: what it would bring is asked for again.
        signal.signal(number, lambda *_: sys.exit(0))
    with app.app_context():
        poller = Poller(effect.telegram(current.config()), settings)
        while True:
            time.sleep(_turn(poller))


def _turn(poller: Poller) -> float:
    try:
        return poller.turn(datetime.now(UTC))
    except SQLAlchemyError as error:
        log.warning("updates could not be kept, trying again: %s", type(error).__name__)
        return AGAIN_AFTER
    finally:
        db.session.rollback()
        db.session.remove()


if __name__ == "__main__":
    sys.exit(main())
