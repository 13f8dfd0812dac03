"""What the form for a new ticket knows of its subject: hints, a preview, a raised priority."""

from dataclasses import replace
from typing import Any

from flask import request
from wtforms import SelectChoice

from app import current
from app.domain import bots, connections, overview
from app.domain.errors import Invalid
from app.domain.support import about, bundles, finding, hints
from app.domain.support.about import About
from app.domain.support.said import Wanted
from app.forms.base import offered
from app.forms.bundles import AttachForm, BundleForm
from app.models import Bot, Subject, Ticket
from app.web import bundle_pages
from app.web.guards import allowed


def of_request() -> dict[str, Any]:
    """Of what the address names, e.g. ``?about=bot&id=bot_…``, or ``?thing=bot:bot_…``."""
    kind, thing_id = asked_about()
    return of(about.find(current.member(), kind, thing_id), None)


def asked_about() -> tuple[str | None, str | None]:
    """Kind and id of what the address names."""
    picked = request.args.get("thing", "")
    if picked:
        kind, _, thing_id = picked.partition(":")
        return kind, thing_id
    return request.args.get("about"), request.args.get("id")


def of(thing: About | None, form: BundleForm | None) -> dict[str, Any]:
    """Everything that depends on what a ticket is about."""
    now, tempo = current.now(), current.config().tempo
    bot, found, preview, raised = bot_of(thing), [], None, None
    if bot is not None:
        found, raised = hints.of_bot(bot, now, tempo), hints.raised(bot, now, tempo)
        preview = bundle_pages.preview(bot, form)
    elif thing is not None and thing.kind is Subject.CONNECTION:
        connection = connections.find(current.workspace(), thing.id)
        found = hints.of_connection(connection, now) if connection else []
    return {
        "about": thing,
        "hints": found,
        "preview": preview,
        "raised": raised,
        "bundle_form": form or BundleForm(formdata=None),
        "subjects": subjects(thing),
    }


def subjects(thing: About | None) -> list[tuple[str, str, bool]]:
    """What a ticket can be about: value, text, and whether it is what is chosen."""
    now, tempo = current.now(), current.config().tempo
    found = [("", "Nothing in particular")]
    found += [
        (f"{Subject.BOT}:{row.bot.id}", f"Bot {row.bot.name}")
        for row in overview.summaries(current.workspace(), now, tempo)
    ]
    if allowed("connection.view"):
        found += [
            (f"{Subject.CONNECTION}:{it.id}", f"Connection {it.label}")
            for it in connections.in_workspace(current.workspace())
        ]
    chosen = f"{thing.kind}:{thing.id}" if thing else ""
    return [(value, text, value == chosen) for value, text in found]


def with_facts(wanted: Wanted, thing: About | None) -> Wanted:
    """The same request, its priority raised where facts say so."""
    bot = bot_of(thing)
    raised = hints.raised(bot, current.now(), current.config().tempo) if bot else None
    if raised is None or raised.priority is wanted.priority:
        return wanted
    return replace(wanted, raised=raised.priority, raised_because=raised.why)


def after_opening(ticket: Ticket, thing: About | None, body: dict[str, Any] | None) -> None:
    """Attach what was agreed to, and count hints that did not help; once, however often sent."""
    bot, now = bot_of(thing), current.now()
    bundle_pages.attach(ticket, bot, body)
    if bot is not None and ticket.created_at == now:
        found = hints.of_bot(bot, now, current.config().tempo)
        hints.note([it.key for it in found], now, helped=False)


def bot_of(thing: About | None) -> Bot | None:
    """The bot, if it is one."""
    if thing is None or thing.kind is not Subject.BOT:
        return None
    return bots.find(current.workspace(), thing.id)


def is_own(ticket: Ticket) -> bool:
    """Whether the ticket is this person's to write in."""
    return bool(finding.may_write(current.member(), ticket))


# -- bundles of a ticket that is open already ------------------------------------------------------


def attach_form(ticket: Ticket) -> AttachForm:
    """Which bot; the ticket's own first."""
    form = AttachForm()
    form.bot.choices = _bots(ticket)
    return form


def attach(ticket: Ticket, form: AttachForm) -> None:
    """Send what was previewed. Raises ``Invalid`` without a word of consent."""
    bot = bots.find(current.workspace(), form.bot.data or "")
    body = bundle_pages.agreed(form, bot)
    if body is None:
        raise Invalid("Tick the box if exactly this may be sent.", "send_bundle")
    bundle_pages.attach(ticket, bot, body)


def bundles_of(ticket: Ticket, form: AttachForm | None = None) -> dict[str, Any]:
    """What the desk was given, and a preview of the bot that is chosen."""
    own, shown = is_own(ticket), form
    if shown is None:
        shown = AttachForm(formdata=request.args)
        shown.send_bundle.data = False
    shown.bot.choices = _bots(ticket)
    known = {choice.value for choice in shown.bot.choices}
    chosen = shown.bot.data if shown.bot.data in known else next(iter(_ids(ticket)), None)
    bot = bots.find(current.workspace(), chosen) if own and chosen else None
    shown.bot.data = chosen
    return {
        "ticket": ticket,
        "own": own,
        "found": bundles.of_ticket(ticket),
        "form": shown,
        "preview": bundle_pages.preview(bot, form) if bot else None,
        "now": current.now(),
    }


def _ids(ticket: Ticket) -> list[str]:
    return [choice.value for choice in _bots(ticket)]


def _bots(ticket: Ticket) -> list[SelectChoice]:
    rows = overview.summaries(current.workspace(), current.now(), current.config().tempo)
    rows.sort(key=lambda row: row.bot.id != ticket.about_id)
    return offered((row.bot.id, row.bot.name) for row in rows)
