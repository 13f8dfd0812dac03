"""Diagnostic bundles on pages: what is previewed is locked into the form and sent as it was seen.

Nothing is stored before consent: the preview travels in the form, locked for this person and bot,
so that what arrives is byte for byte what was on the page.
"""

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, abort, make_response, render_template

from app import current
from app.domain.errors import Conflict
from app.domain.support import bundle, bundles
from app.domain.support.events import Voice
from app.forms.bundles import BundleForm
from app.gateways.locker import Locked
from app.models import AuthorKind, Bot, DiagnosticBundle, Ticket
from app.web.guards import allowed

_PURPOSE = "diagnostic bundle"
LARGEST = 400_000
"""Characters of a locked preview; one of a busy bot takes a tenth of it."""


@dataclass(frozen=True)
class Preview:
    """What would be sent: for reading, and locked for the form."""

    bot: Bot
    body: dict[str, Any]
    sealed: str

    @property
    def text(self) -> str:
        """Every byte of it, with line breaks for people."""
        return readable(self.body)


def preview(bot: Bot, form: BundleForm | None = None) -> Preview:
    """What would be sent of a bot: what the form holds already, else as it is now."""
    held = opened(form.bundle.data or "", bot) if form else None
    if held is not None and form is not None:
        return Preview(bot, held, form.bundle.data or "")
    now = current.now()
    may_see_rules = allowed("strategy.view")
    body = bundle.collect(bot, now, current.config().tempo, rules=may_see_rules)
    content = json.dumps({"at": now.isoformat(), "body": body}).encode()
    closed = current.locker().close(_PURPOSE, _context(bot), zlib.compress(content, 9))
    return Preview(bot, body, urlsafe_b64encode(closed).decode())


def opened(sealed: str, bot: Bot) -> dict[str, Any] | None:
    """What this person was shown of this bot; ``None`` if it is old, another's, or was changed."""
    if not sealed or len(sealed) > LARGEST:
        return None
    try:
        closed = urlsafe_b64decode(sealed)
        content = json.loads(
            zlib.decompress(current.locker().open(_PURPOSE, _context(bot), closed))
        )
    except (Locked, ValueError, zlib.error):
        return None
    if current.now() - datetime.fromisoformat(content["at"]) > bundle.CURRENT_FOR:
        return None
    body: dict[str, Any] = content["body"]
    return body


def agreed(form: BundleForm, bot: Bot | None) -> dict[str, Any] | None:
    """The bundle that goes along, if the person said so; nothing without their word.

    Raises:
        Conflict: they did, but what they saw is no longer current; they look again first.
    """
    if bot is None or not form.send_bundle.data:
        return None
    body = opened(form.bundle.data or "", bot)
    if body is None:
        form.bundle.data, form.send_bundle.data = "", False
        raise Conflict("What would be sent has changed since you looked. Look at it again.")
    return body


def attach(ticket: Ticket, bot: Bot | None, body: dict[str, Any] | None) -> None:
    """Give the desk what was agreed to, if anything was."""
    if bot is not None and body is not None:
        bundles.attach(
            ticket, bot.id, body, person=current.user(), voice=own_voice(), now=current.now()
        )


def own_voice() -> Voice:
    """The person of this request, at their browser."""
    return Voice(AuthorKind.USER, current.actor(), current.user().id)


def page(template: str, found: DiagnosticBundle, ticket: Ticket, **context: Any) -> str:
    """One bundle for reading."""
    text = readable(found.body)
    return render_template(
        template, found=found, ticket=ticket, text=text, now=current.now(), **context
    )


def download(found: DiagnosticBundle, ticket: Ticket) -> Response:
    """One bundle as a file, in the spelling its hash is made from."""
    response = make_response(bundle.canonical(found.body))
    response.mimetype = "application/json"
    name = f"bundle-{ticket.ref}-{found.sha256[:12]}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def one(ticket: Ticket, bundle_id: str) -> DiagnosticBundle:
    """A bundle of this ticket whose days are not over, or 404."""
    return bundles.find(ticket, bundle_id, current.now()) or abort(404)


def readable(body: dict[str, Any]) -> str:
    """The same content, one value per line."""
    return json.dumps(body, sort_keys=True, indent=1, ensure_ascii=False)


def _context(bot: Bot) -> str:
    return f"{current.user().id} {bot.id}"
