"""What operators look at beside a ticket, each look written down once the page is made."""

from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from app import current
from app.domain.support import bundles, desk_sight, looks, timeline
from app.models import DiagnosticBundle, Ticket
from app.web import access_pages, transactions
from app.web.hypermedia import fragment, wants_fragment


def ticket(ticket_id: str) -> Ticket:
    """A ticket of any workspace, or 404. For operators' pages only."""
    return looks.ticket(ticket_id) or abort(404)


def timeline_page(found: Ticket) -> ResponseReturnValue:
    """The timeline of a ticket, as a page or as the fragment beside the thread."""
    seq = request.args.get("message", type=int)
    if seq is not None and not 0 < seq <= found.last_seq:
        abort(404)
    shown = timeline.of(found, current.now(), seq)
    _note(found, lambda it: timeline.note_look(it, voice=_voice(), now=current.now()))
    context: dict[str, Any] = {"ticket": found, "happened": shown, "now": current.now()}
    if wants_fragment():
        return fragment("desk/_timeline.html", **context)
    return render_template("desk/timeline.html", **context)


def note_bundle(found: DiagnosticBundle, of: Ticket, how: str) -> None:
    """Write down that a bundle was looked at."""
    bundle_id = found.id
    _note(
        of,
        lambda it: bundles.note_look(bundle_id, it, how, voice=_voice(), now=current.now()),
    )


def sight(found: Ticket) -> dict[str, Any]:
    """What is known of its workspace without being let in."""
    now, tempo = current.now(), current.config().tempo
    return {
        "ticket": found,
        "bots": desk_sight.bots(found.workspace_id, now, tempo),
        "hours": desk_sight.hours(found.workspace_id, now),
        "promise": desk_sight.PROMISE,
        "now": now,
    }


def _note(of: Ticket, verb: Any) -> None:
    """After the answer is made, in a transaction that writes; the row is read anew there."""
    ticket_id = of.id
    transactions.afterwards(lambda: verb(looks.ticket(ticket_id)))


_voice = access_pages.desk_voice
