"""The door that Telegram delivers updates to: kept as they come, looked at by a worker."""

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import InternalServerError

from app import current, tenancy
from app.domain.telegram import updates
from app.extensions import db
from app.web import telegram_door
from app.web.guards import webhook

bp = Blueprint("telegram_in", __name__, url_prefix="/webhooks/telegram")


@bp.post("")
@webhook
def take() -> ResponseReturnValue:
    """Keep one update and say so at once; the same one again is kept once."""
    settings = current.config().telegram
    body = telegram_door.update(settings.webhook_secret)
    with tenancy.everywhere("updates belong to no workspace"):
        updates.store(settings.bot_id, body, current.now())
    return "", 200


@bp.errorhandler(500)
def _failed(error: InternalServerError) -> ResponseReturnValue:
    """What could not be kept is asked for again; Telegram waits as long as it is told to."""
    db.session.rollback()
    name = type(error.original_exception or error).__name__
    current_app.logger.error("an update could not be kept (%s); it is asked for again", name)
    return "", 503, {"Retry-After": "30"}
