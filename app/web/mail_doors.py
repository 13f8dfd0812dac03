"""The doors for mail: each proves who knocks and hands over the mail as it came, unread.

Whoever fails the proof leaves nothing but a count in this process and a line in its log.
"""

import base64
import binascii
import hashlib
import hmac
import json
import logging
import time
from collections import Counter
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from flask import Response, abort, make_response, request
from sqlalchemy.exc import DBAPIError

from app import current
from app.desk_settings import Inbound
from app.domain.inbound import store
from app.domain.inbound.store import Arrival
from app.extensions import db
from app.web import bodies

LARGEST = 36 * 1024 * 1024
FRESH = 300
MAILGUN_FRESH = 12 * 3600
"""Seconds a signature is good for. Mailgun repeats for eight hours what it signed once; its token,
kept for good, makes that one mail."""

_LOG_EVERY = 60
_TOLD = frozenset({"received", "x-spam-tests"})
_MOST_TOLD, _LONGEST_TOLD, _MOST_FIELDS = 60, 1_000, 200
_log = logging.getLogger(__name__)
_turned_away: Counter[str] = Counter()
_logged: dict[str, float] = {}


def raw() -> Arrival:
    """A mail as RFC 5322 has it, signed over the moment and the hash of the body."""
    inbound = _open(current.config().inbound.key)
    moment = request.headers.get("X-Inbound-Timestamp", "")
    signature = request.headers.get("X-Inbound-Signature", "")
    if not _fresh(moment, FRESH):
        _turn_away("raw", 403)
    content = bodies.of_at_most(LARGEST)
    said = f"{moment}.{hashlib.sha256(content).hexdigest()}"
    if not _signed(inbound.key, said, signature):
        _turn_away("raw", 403)
    return Arrival(
        "raw",
        "",
        request.headers.get("X-Inbound-Envelope-From", ""),
        request.headers.get("X-Inbound-Envelope-To", ""),
        content,
    )


def postmark() -> Arrival:
    """A mail as Postmark posts it, with the raw text switched on; proven by Basic auth."""
    inbound = _open(current.config().inbound.postmark_auth)
    kind, _, proof = request.headers.get("Authorization", "").partition(" ")
    try:
        given = base64.b64decode(proof.strip().encode("ascii", "replace"))
    except binascii.Error:
        given = b""
    if kind.lower() != "basic" or not hmac.compare_digest(given, inbound.postmark_auth.encode()):
        _turn_away("postmark", 401)
    try:
        said = json.loads(bodies.of_at_most(LARGEST))
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        _say("This is no JSON object.", 400)
    content = said.get("RawEmail")
    if not isinstance(content, str) or not content:
        _say('Switch on "Include raw email content in JSON payload" at Postmark.', 422)
    headers = _told(said.get("Headers"))
    path = next((value for name, value in headers if name == "return-path"), None)
    return Arrival(
        "postmark",
        str(said.get("MessageID", ""))[:120],
        str(said.get("From", "unknown")) if path is None else path,
        str(said.get("OriginalRecipient", "")),
        content.encode("utf-8", "replace"),
        [it for it in headers if it[0] in _TOLD][:_MOST_TOLD],
    )


def mailgun() -> Arrival:
    """A mail as a route of Mailgun forwards it raw; signed over the moment and a token."""
    inbound = _open(current.config().inbound.mailgun_key)
    fields = _fields()
    moment, token = fields.get("timestamp", ""), fields.get("token", "")
    signed = _signed(inbound.mailgun_key, moment + token, fields.get("signature", ""))
    if not (token and signed and _fresh(moment, MAILGUN_FRESH)):
        _turn_away("mailgun", 406)
    content = fields.get("body-mime", "")
    if not content:
        _say("Let the address of the route end in /mailgun/mime, so that the mail comes raw.", 422)
    to = [it.strip() for it in fields.get("recipient", "").split(",")]
    ours = [it for it in to if it.lower().endswith(f"@{inbound.domain}")]
    sender = fields.get("sender", "unknown")
    return Arrival("mailgun", token[:120], sender, (ours or to)[0], content.encode("latin-1"))


def keep(arrival: Arrival) -> Response:
    """Keep a mail, for good before the answer is given; a database that is away is said so."""
    try:
        new = store.keep(arrival, locker=current.mail_locker(), now=current.now())
        db.session.commit()
    except DBAPIError as error:
        db.session.rollback()
        _log.warning("a mail could not be kept: %s", type(error).__name__)
        return _plain("The database is away. Send it again.", 503)
    return _plain("Kept." if new else "Known already.", 200)


def turned_away() -> dict[str, int]:
    """How many deliveries this process refused for their proof, by door."""
    return dict(_turned_away)


def _open(setting: str) -> Inbound:
    """The settings, if this door is open; before anything of the request is read."""
    inbound = current.config().inbound
    if not (inbound.open and setting):
        abort(404)
    request.max_content_length = request.max_form_memory_size = LARGEST
    return inbound


def _fresh(moment: str, seconds: int) -> bool:
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 12):
        return False
    age = current.now().timestamp() - int(moment)
    return -FRESH <= age <= seconds


def _signed(key: str, said: str, signature: str) -> bool:
    expected = hmac.new(key.encode(), said.encode("utf-8", "replace"), "sha256").hexdigest()
    return hmac.compare_digest(expected.encode(), signature.strip().encode("utf-8", "replace"))


def _fields() -> dict[str, str]:
    """The fields of a form, each byte one character where it is urlencoded: mail is bytes."""
    if request.mimetype == "application/x-www-form-urlencoded":
        text = bodies.of_at_most(LARGEST).decode("latin-1")
        try:
            found = parse_qsl(text, True, encoding="latin-1", max_num_fields=_MOST_FIELDS)
        except ValueError:
            return {}
        return dict(reversed(found))
    return {name: value.encode().decode("latin-1") for name, value in request.form.items()}


def _told(headers: Any) -> list[tuple[str, str]]:
    """The headers that Postmark lists, topmost first, names in lower case."""
    listed = [it for it in headers if isinstance(it, dict)] if isinstance(headers, list) else []
    return [
        (str(it.get("Name", "")).lower(), str(it.get("Value", ""))[:_LONGEST_TOLD]) for it in listed
    ]


def _turn_away(door: str, status: int) -> NoReturn:
    """Refuse, count, and say so in the log at most once a minute."""
    _turned_away[door] += 1
    now = time.monotonic()
    if now - _logged.get(door, -_LOG_EVERY) >= _LOG_EVERY:
        _logged[door] = now
        _log.warning("mail without proof at door %s, %d so far", door, _turned_away[door])
    _say("The proof does not hold.", status)


def _say(text: str, status: int) -> NoReturn:
    abort(_plain(text, status))


def _plain(text: str, status: int) -> Response:
    response = make_response(f"{text}\n", status)
    response.mimetype = "text/plain"
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="mail"'
    return response
