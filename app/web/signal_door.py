"""The door for signals: what comes is handed over unread, and the answer is JSON."""

from flask import Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from app import current
from app.domain.signals import intake, message
from app.domain.signals.intake import Knock
from app.web import bodies

STAMP, SIGNATURE = "X-Signal-Timestamp", "X-Signal-Signature"


def take(bot_id: str) -> Response:
    """Take in one message. What was kept of it is kept whatever the answer is."""
    config, now = current.config(), current.now()
    knock = Knock(
        _body(),
        request.remote_addr or "",
        request.headers.get(STAMP, ""),
        request.headers.get(SIGNATURE, ""),
    )
    answer = intake.receive(bot_id, knock, locker=current.locker(), tempo=config.tempo, now=now)
    current.keep()
    told = "message" if answer.status < 400 else "error"
    response = jsonify({told: answer.text} | ({"id": answer.signal} if answer.signal else {}))
    response.status_code = answer.status
    if answer.status == 429:
        response.headers["Retry-After"] = "60"
    return response


def _body() -> bytes | None:
    """What was sent, as JSON or as plain text; ``None`` where it is too long."""
    try:
        return bodies.of_at_most(message.LONGEST)
    except RequestEntityTooLarge:
        return None
