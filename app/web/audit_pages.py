"""What the pages of the audit log load, and how its exports are sent."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, abort, request, stream_with_context
from werkzeug.utils import secure_filename

from app import current
from app.domain import audit_check, audit_export, audit_log, audit_moment, bots
from app.domain.audit_check import Verdict
from app.domain.audit_export import Export
from app.domain.audit_moment import Around
from app.domain.audit_query import NOISE
from app.forms.audit import AuditFilterForm
from app.models import Bot
from app.web import transactions

SHOWN = 50
LARGEST = 2**31  # what a PostgreSQL integer holds


def note_view() -> None:
    """Who reads the log stands in it too, once the page is made."""
    workspace_id, by, now = current.workspace().id, current.actor(), current.now()
    transactions.afterwards(lambda: audit_log.note_view(workspace_id, by=by, now=now))


def place() -> dict[str, Any]:
    """What all pages of the log know: the workspace's zone and the present."""
    return {"zone": current.workspace().zone, "now": current.now()}


def proof(verdict: Verdict, keys: Sequence[str]) -> dict[str, Any]:
    """What following the chain found; the moment of the last checkpoint was signed as text."""
    signed = verdict.signed
    signed_at = datetime.fromisoformat(signed.made_at) if signed else None
    return place() | {"verdict": verdict, "keys": keys, "signed_at": signed_at}


def listed(form: AuditFilterForm) -> dict[str, Any]:
    """One page of events of what is asked for, and how many there are in all."""
    workspace, wanted = current.workspace(), form.wanted(current.now())
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before < LARGEST:
        before = None
    events = audit_log.page(workspace, SHOWN, before, wanted)
    keys = current.config().signing_public_keys
    return place() | {
        "form": form,
        "address": form.address(),
        "filtered": wanted.describe() if wanted else "",
        "events": events,
        "older": events[-1].seq if len(events) == SHOWN else None,
        "before": before,
        "count": audit_log.count(workspace, wanted),
        "sound": audit_check.at_a_glance(workspace.id, keys),
        "noise": NOISE,
        "bot": bots.find(workspace, form.target.data) if form.target.data else None,
    }


def nothing(form: AuditFilterForm) -> dict[str, Any]:
    """A filter that cannot be read shows no events; its faults say why."""
    empty: dict[str, Any] = {"events": [], "older": None, "before": None, "count": 0}
    rest = {"form": form, "address": {}, "filtered": "this filter cannot be read"}
    return place() | empty | rest | {"noise": NOISE, "sound": None, "bot": None}


def asked_moment() -> tuple[datetime, int]:
    """The moment and the minutes around it that the address asks for; now if none, 404 if odd."""
    try:
        asked = request.args.get("at") or current.now().isoformat()
        # A plus sign in an address reads as a blank, and people write one before the time.
        at = datetime.fromisoformat(asked.replace(" ", "+" if "T" in asked else "T", 1))
        zone = ZoneInfo(current.workspace().zone)
        at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
        at - timedelta(days=1), at + timedelta(days=1)
    except (ValueError, OverflowError):
        abort(404)
    minutes = request.args.get("minutes", 15, type=int)
    return at, minutes if minutes in audit_moment.SPANS else 15


def around(found: Around, minutes: int, bot: Bot | None) -> dict[str, Any]:
    """What the page of a moment shows, with the ways to more, less, earlier and later."""
    step, zone = timedelta(minutes=minutes), current.workspace().zone
    return place() | {
        "found": found,
        "minutes": minutes,
        "spans": audit_moment.SPANS,
        "bot": bot,
        "bots": {item.id: item.name for item in audit_moment.bots_of(found, current.workspace())},
        "earlier": found.at - step,
        "later": found.at + step,
        "typed": found.at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S"),
    }


def streamed(export: Export, kind: str) -> Response:
    """An export, row by row in a transaction of its own: the one of the request ends first."""
    write = audit_export.table if kind == "csv" else audit_export.lines

    def rows() -> Iterator[str]:
        with transactions.reading():
            yield from write(export)

    name = f"audit-{secure_filename(export.name) or 'log'}-{export.made_at:%Y%m%dT%H%M%SZ}.{kind}"
    response = attachment(stream_with_context(rows()), name, kind)
    response.headers["X-Audit-Events"] = str(export.count)
    response.headers["X-Audit-Filter"] = (
        export.wanted.describe().encode("ascii", "replace").decode()
    )
    return response


def attachment(body: Iterable[str], name: str, kind: str) -> Response:
    """A file to be kept, under a name that needs no quoting."""
    response = Response(body, mimetype=audit_export.FORMATS[kind].partition(";")[0])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
