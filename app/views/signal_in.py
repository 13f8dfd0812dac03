"""The door through which programs outside send signals to a bot."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.web import signal_door
from app.web.guards import webhook

bp = Blueprint("signal_in", __name__, url_prefix="/webhooks/signal")


@bp.post("/<bot_id>")
@webhook
def take(bot_id: str) -> ResponseReturnValue:
    """Take in one message; it proves itself by a secret in its text, or by a signature."""
    return signal_door.take(bot_id)
